//! The caller's 32 bytes of entropy as the generator EDHOC asks for. Refuses to make any of its own.

use rand_core::{CryptoRng, Error, RngCore};
use sha2::{Digest, Sha256};

/// SHA-256 of entropy and a counter.
#[derive(Clone)]
pub(super) struct Entropy {
    entropy: [u8; 32],
    counter: u32,
}

impl Entropy {
    pub(super) fn new(entropy: &[u8; 32]) -> Self {
        Self {
            entropy: *entropy,
            counter: 0,
        }
    }
}

impl RngCore for Entropy {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.fill_bytes(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.fill_bytes(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let hash = Sha256::new()
                .chain_update(b"longwire pairing")
                .chain_update(self.entropy);
            let hash = hash.chain_update(self.counter.to_be_bytes()).finalize();
            self.counter += 1;
            chunk
                .iter_mut()
                .zip(hash)
                .for_each(|(byte, random)| *byte = random);
        }
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for Entropy {}

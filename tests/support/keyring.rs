//! The keys of a simulated station: stored when a handshake says so, with the power failing just before or just after if
//! the test wants it. Refuses to know why a new key is made.

use longwire_codec::link::{Link, Side};
use longwire_codec::rekey::{Keys, Rekey};
use longwire_codec::seal::Secret;
use longwire_codec::time::Instant;

/// See the module.
#[derive(Debug)]
pub struct Keyring {
    /// As on disk.
    pub keys: Keys,
    /// The handshakes of this run.
    pub rekey: Rekey,
    /// Every secret that was ever the only one, oldest first.
    pub past: Vec<Secret>,
    /// The power fails around this write: 2n just before the n-th, 2n + 1 just after.
    pub cut: Option<u32>,
    writes: u32,
    side: Side,
    drawn: u64,
    seed: u64,
}

impl Keyring {
    /// One secret that both ends have.
    pub fn new(side: Side, secret: Secret, seed: u64) -> Self {
        let keys = Keys::new(secret.clone());
        Self {
            rekey: Rekey::new(side, keys.clone()),
            keys,
            past: vec![secret],
            cut: None,
            writes: 0,
            side,
            drawn: 0,
            seed,
        }
    }

    /// After a power failure, with what was stored.
    pub fn restart(&mut self, link: &mut Link<Vec<u8>>) {
        self.rekey = Rekey::new(self.side, self.keys.clone());
        self.rekey.attach(link);
    }

    /// Does what the handshake asks for; `false`: the power fails.
    #[must_use]
    pub fn settle(&mut self, now: Instant, link: &mut Link<Vec<u8>>) -> bool {
        let (seed, side, drawn) = (self.seed, self.side, &mut self.drawn);
        let mut entropy = || {
            *drawn += 1;
            let mut bytes = [side as u8; 32];
            bytes[..8].copy_from_slice(&seed.to_be_bytes());
            bytes[8..16].copy_from_slice(&drawn.to_be_bytes());
            Some(bytes)
        };
        while let Some(keys) = self.rekey.advance(now, link, &mut entropy) {
            if self.cut == Some(2 * self.writes) {
                self.cut = None;
                return false;
            }
            self.keys = keys.clone();
            if keys.next.is_none() {
                self.past.push(keys.current.clone());
            }
            self.writes += 1;
            if self.cut == Some(2 * self.writes - 1) {
                self.cut = None;
                return false;
            }
            self.rekey.stored(now, link);
        }
        true
    }
}

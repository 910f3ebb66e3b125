//! AES-128-CCM of RFC 3610 with a nonce of 13 bytes, over the block cipher of `aes`. Refuses to compare tags: it makes them.
//!
//! One body for every length of tag and both directions: the library's mode is a type of its own for each, and its layers
//! cost a board more than the cipher. Branches and indices depend on lengths only, never on keys or texts.

use aes::Aes128;
use aes::cipher::{BlockCipherEncrypt, KeyInit};

use crate::row::put;

/// A block of the cipher; also the longest tag, in bytes.
pub(crate) type Block = [u8; 16];

/// A key and a nonce.
pub(crate) struct Cipher {
    aes: Aes128,
    /// The first block of the key stream before encryption: it hides the tag.
    start: Block,
}

impl Cipher {
    // Not merged into its caller: the steps of a key are many.
    #[inline(never)]
    pub(crate) fn new(key: &Block, nonce: &[u8; 13]) -> Self {
        // Section 2.3; the flags say that two bytes count.
        let mut start = [0; 16];
        start[0] = 1;
        put(&mut start[1..], nonce);
        let aes = Aes128::new(key.into());
        Self { aes, start }
    }

    #[inline(never)]
    fn encrypt(&self, block: &mut Block) {
        self.aes.encrypt_block(block.into());
    }

    /// Encrypts or decrypts `body` in place; twice leaves it as it was. It is shorter than 0xff00 bytes.
    pub(crate) fn cross(&self, body: &mut [u8]) {
        let mut count = 0u16;
        for part in body.chunks_mut(16) {
            count += 1;
            let mut stream = self.start;
            [stream[14], stream[15]] = count.to_be_bytes();
            self.encrypt(&mut stream);
            add(part, &stream);
        }
    }

    /// The tag over `clear`, which is not empty, and the readable `body`; of it the first `tag_len` bytes count. Both are
    /// shorter than 0xff00 bytes.
    pub(crate) fn tag(&self, tag_len: usize, clear: &[u8], body: &[u8]) -> Block {
        // Section 2.2: the first block tells lengths of tag and body, and that something stays in clear.
        let mut sum = self.start;
        sum[0] |= 1 << 6 | (tag_len as u8 / 2).wrapping_sub(1) << 3;
        [sum[14], sum[15]] = (body.len() as u16).to_be_bytes();
        self.encrypt(&mut sum);
        // The length of what is clear goes before it.
        add(&mut sum, &(clear.len() as u16).to_be_bytes());
        let (first, rest) = clear.split_at(clear.len().min(14));
        add(&mut sum[2..], first);
        self.encrypt(&mut sum);
        self.absorb(&mut sum, rest);
        self.absorb(&mut sum, body);
        let mut mask = self.start;
        self.encrypt(&mut mask);
        add(&mut sum, &mask);
        sum
    }

    /// Takes bytes into the sum, the last block filled up with zeros.
    fn absorb(&self, sum: &mut Block, bytes: &[u8]) {
        for block in bytes.chunks(16) {
            add(sum, block);
            self.encrypt(sum);
        }
    }
}

/// Adds without carry, as far as both reach.
#[inline(never)]
pub(super) fn add(sum: &mut [u8], more: &[u8]) {
    for (place, byte) in sum.iter_mut().zip(more) {
        *place ^= byte;
    }
}

//! AES-128-CCM of RFC 3610 with a nonce of 13 bytes, over the block cipher of `aes`. Refuses to compare tags: it makes them.
//!
//! One body for every length of tag and both directions: the library's mode is a type of its own for each, and its layers
//! cost a board more than the cipher. Branches and indices depend on lengths only, never on keys or texts.

use aes::Aes128;
use aes::cipher::{BlockCipherEncrypt, KeyInit};

/// The longest tag, in bytes.
pub(crate) const TAG_MAX: usize = 16;

/// What happens to the body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Way {
    Seal,
    Open,
}

/// The sum over what is authenticated, block by block.
struct Mac {
    aes: Aes128,
    sum: [u8; 16],
    /// Bytes of the block so far.
    at: usize,
}

impl Mac {
    #[inline(never)]
    fn encrypt(&self, mut block: [u8; 16]) -> [u8; 16] {
        self.aes.encrypt_block((&mut block).into());
        block
    }

    fn add(&mut self, byte: u8) {
        if let Some(place) = self.sum.get_mut(self.at) {
            *place ^= byte;
        }
        self.at += 1;
        if self.at == self.sum.len() {
            self.end();
        }
    }

    /// Fills the block up with zeros.
    fn end(&mut self) {
        if self.at > 0 {
            self.sum = self.encrypt(self.sum);
            self.at = 0;
        }
    }
}

/// Encrypts or decrypts `body` in place. Gives the tag over `clear` and the readable body, of which the first `tag_len`
/// bytes count. `clear` and `body` are shorter than 0xff00 bytes.
pub(crate) fn ccm(
    key: &[u8; 16],
    nonce: &[u8; 13],
    tag_len: usize,
    clear: &[u8],
    (body, way): (&mut [u8], Way),
) -> [u8; TAG_MAX] {
    // RFC 3610 section 2.3; the flags say that two bytes count.
    let mut counter = [0; 16];
    counter[0] = 1;
    counter[1..14].copy_from_slice(nonce);
    // Section 2.2: the first block tells lengths of tag and body, and whether anything stays in clear.
    let mut first = counter;
    first[0] |= (tag_len as u8 / 2).wrapping_sub(1) << 3;
    first[14..].copy_from_slice(&(body.len() as u16).to_be_bytes());
    let mut mac = Mac {
        aes: Aes128::new(key.into()),
        sum: first,
        at: 16,
    };
    if !clear.is_empty() {
        mac.sum[0] |= 1 << 6;
        mac.end();
        let len = (clear.len() as u16).to_be_bytes();
        len.iter().chain(clear).for_each(|byte| mac.add(*byte));
    }
    mac.end();
    let mut stream = [0; 16];
    for (i, byte) in body.iter_mut().enumerate() {
        if i % 16 == 0 {
            counter[14..].copy_from_slice(&(i as u16 / 16 + 1).to_be_bytes());
            stream = mac.encrypt(counter);
        }
        let read = *byte;
        *byte ^= stream[i % 16];
        mac.add(if way == Way::Seal { read } else { *byte });
    }
    mac.end();
    counter[14..].fill(0);
    let mut tag = mac.encrypt(counter);
    for (place, sum) in tag.iter_mut().zip(mac.sum) {
        *place ^= sum;
    }
    tag
}

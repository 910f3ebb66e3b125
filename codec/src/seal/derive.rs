//! One key out of a secret: HKDF-SHA-256 (RFC 5869) without salt, for secrets and labels that are short. Refuses long
//! ones: over the compression function alone it is a third of what the library's general layers cost a board.

use sha2::block_api::compress256;

use super::ccm::add;
use crate::row::put;

/// The longest message of [`hmac`], in bytes: one block with its end and length.
const MESSAGE_MAX: usize = 55;
/// Where SHA-256 starts (FIPS 180-4, section 5.3.3).
const START: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// A hash, word by word.
type Digest = [[u8; 4]; 8];

/// The first 16 bytes of what the secret and `label`, with the letter of an end after it, expand to.
pub(super) fn derive(secret: &[u8], label: &[u8], letter: u8) -> [u8; 16] {
    let secret = hmac(&[], secret);
    // Section 2.3: the label is followed by the number of the block.
    let mut message = [0; MESSAGE_MAX];
    let (info, end) = message.split_at_mut(label.len().min(MESSAGE_MAX - 2));
    put(info, label);
    (end[0], end[1]) = (letter, 1);
    let len = info.len() + 2;
    let out = hmac(secret.as_flattened(), message.get(..len).unwrap_or(&[]));
    let mut key = [0; 16];
    put(&mut key, out[..4].as_flattened());
    key
}

/// HMAC-SHA-256 (RFC 2104).
fn hmac(key: &[u8], message: &[u8]) -> Digest {
    let inner = hash(key, 0x36, message);
    hash(key, 0x5c, inner.as_flattened())
}

/// SHA-256 of a block that holds the padded key, and of the message.
fn hash(key: &[u8], pad: u8, message: &[u8]) -> Digest {
    let mut blocks = [[pad; 64], [0; 64]];
    let [first, last] = &mut blocks;
    add(first, key);
    put(&mut last[..MESSAGE_MAX], message);
    if let Some(end) = last.get_mut(message.len()) {
        *end = 0x80;
    }
    [last[62], last[63]] = (8 * (64 + message.len() as u16)).to_be_bytes();
    let mut state = START;
    compress256(&mut state, &blocks);
    state.map(u32::to_be_bytes)
}

//! Frame security: keys, nonces, tags, replay. Refuses to store keys or to choose them.
//!
//! AES-128-CCM (RFC 3610, L = 2) with one key for each direction, derived from the shared secret by HKDF-SHA-256
//! (RFC 5869). The 13 bytes of the nonce are the sender's epoch, the epoch the sender believes the receiver to be in
//! (0 in a notice), both four bytes, and a counter of five, all big endian. An epoch is used for one run only, so no
//! nonce comes twice under a key however often either end restarts.

mod ccm;
mod derive;
mod replay;
#[cfg(test)]
mod tests;

pub(crate) use ccm::Cipher;
pub(crate) use replay::Replay;

use core::fmt;

use crate::link::Side;
use crate::row::put;
use ccm::Block;
use derive::derive;

/// The secret two ends share: 16 to 32 bytes of full entropy, from `keygen` or from pairing.
#[derive(Clone, Eq, PartialEq)]
pub struct Secret {
    bytes: [u8; 32],
    len: u8,
}

impl Secret {
    /// `None` unless 16 to 32 bytes.
    pub fn new(secret: &[u8]) -> Option<Self> {
        if secret.len() < 16 {
            return None;
        }
        let mut bytes = [0; 32];
        let len = u8::try_from(secret.len()).ok()?;
        put(&mut bytes, secret).then_some(Self { bytes, len })
    }

    /// The bytes, to store them.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or(&[])
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What a key is for: enters the derivation, so that no key serves twice.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Purpose {
    /// Frames of this version of the protocol.
    Frames,
    /// Hellos, which every version must be able to read.
    Hello,
    /// Frames to a group, see [`crate::group`].
    Group,
}

/// What happens to a frame.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Way {
    Seal,
    Open,
}

/// The number that makes a frame's nonce, see the head of this file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Nonce {
    pub(crate) sender_epoch: u32,
    pub(crate) receiver_epoch: u32,
    pub(crate) counter: u32,
}

impl Nonce {
    fn bytes(&self) -> [u8; 13] {
        let [s0, s1, s2, s3] = self.sender_epoch.to_be_bytes();
        let [r0, r1, r2, r3] = self.receiver_epoch.to_be_bytes();
        let [c1, c2, c3, c4] = self.counter.to_be_bytes();
        [s0, s1, s2, s3, r0, r1, r2, r3, 0, c1, c2, c3, c4]
    }
}

/// The keys of one link, one for each direction. Kept as they are and not expanded: a link holds several seals, and
/// a board has little memory and few frames.
#[derive(Clone)]
pub(crate) struct Seal {
    send: [u8; 16],
    receive: [u8; 16],
    tag_len: u8,
    clear: bool,
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal(..)")
    }
}

impl Seal {
    /// `clear`: contents stay readable (profile `amateur`).
    pub(crate) fn new(
        secret: &Secret,
        purpose: Purpose,
        side: Side,
        tag_len: u8,
        clear: bool,
    ) -> Self {
        let label: &[u8] = match purpose {
            Purpose::Frames => b"longwire 1 frames from ",
            Purpose::Hello => b"longwire hello from ",
            Purpose::Group => b"longwire 1 group from ",
        };
        let (ours, theirs) = match side {
            Side::A => (b'a', b'b'),
            Side::B => (b'b', b'a'),
        };
        Self {
            send: derive(secret.as_bytes(), label, ours),
            receive: derive(secret.as_bytes(), label, theirs),
            tag_len,
            clear,
        }
    }

    /// Whether tags of `len` bytes exist.
    pub(crate) const fn is_tag_len(len: u8) -> bool {
        len >= 4 && len <= 16 && len.is_multiple_of(2)
    }

    /// Seals `frame[..len]`, of which the first `header` bytes stay in clear, and appends the tag. Gives the whole
    /// length, or `None` if the tag does not fit.
    pub(crate) fn seal(
        &self,
        nonce: &Nonce,
        frame: &mut [u8],
        header: usize,
        len: usize,
    ) -> Option<usize> {
        let total = len + usize::from(self.tag_len);
        let frame = frame.get_mut(..total)?;
        self.cross(Way::Seal, nonce, frame, header).then_some(total)
    }

    /// Opens a frame in place and gives the length without the tag, or leaves it as it was if the tag does not fit.
    pub(crate) fn open(&self, nonce: &Nonce, frame: &mut [u8], header: usize) -> Option<usize> {
        let opens = self.cross(Way::Open, nonce, frame, header);
        opens.then(|| frame.len() - usize::from(self.tag_len))
    }

    /// Seals or opens a frame with room for its tag at the end. False, and the frame is as it was, if the tag does not fit.
    #[inline(never)]
    pub(crate) fn cross(&self, way: Way, nonce: &Nonce, frame: &mut [u8], header: usize) -> bool {
        let tag_len = usize::from(self.tag_len);
        let Some(len) = frame.len().checked_sub(tag_len) else {
            return false;
        };
        let clear = if self.clear { len.max(header) } else { header };
        let Some((text, tag)) = frame.split_at_mut_checked(len) else {
            return false;
        };
        let Some((clear, body)) = text.split_at_mut_checked(clear) else {
            return false;
        };
        let opening = way == Way::Open;
        let key = if opening { &self.receive } else { &self.send };
        let cipher = Cipher::new(key, &nonce.bytes());
        if opening {
            cipher.cross(body);
        }
        let made = cipher.tag(tag_len, clear, body);
        let good = if opening {
            is_same(&made, tag)
        } else {
            put(tag, made.get(..tag_len).unwrap_or(&[]))
        };
        // What is not authentic is nobody's to read.
        if good != opening {
            cipher.cross(body);
        }
        good
    }
}

/// Whether the tag is the beginning of the one made; takes as long whatever differs.
pub(crate) fn is_same(made: &Block, tag: &[u8]) -> bool {
    let differing = made.iter().zip(tag).fold(0, |all, (a, b)| all | (a ^ b));
    core::hint::black_box(differing) == 0
}

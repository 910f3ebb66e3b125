//! Frame security: keys, nonces, tags, replay. Refuses to store keys or to choose them.
//!
//! AES-128-CCM (RFC 3610, L = 2) with one key for each direction, derived from the shared secret by HKDF-SHA-256
//! (RFC 5869). The 13 bytes of the nonce are the sender's epoch, the epoch the sender believes the receiver to be in
//! (0 in a notice), both four bytes, and a counter of five, all big endian. An epoch is used for one run only, so no
//! nonce comes twice under a key however often either end restarts.

mod replay;
mod single;

pub(crate) use replay::Replay;

use core::fmt;

use aes::cipher::KeyInit;
use ccm::Ccm;
use ccm::aead::AeadInOut;
use ccm::aead::inout::InOutBuf;
use ccm::consts::{U4, U6, U8, U10, U12, U13, U14, U16};
use hkdf::Hkdf;
use sha2::Sha256;

use crate::link::Side;
use crate::row::put;
use single::Single;

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

/// The number that makes a frame's nonce, see the head of this file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Nonce {
    pub(crate) sender_epoch: u32,
    pub(crate) receiver_epoch: u32,
    pub(crate) counter: u64,
}

impl Nonce {
    fn bytes(self) -> [u8; 13] {
        let [s0, s1, s2, s3] = self.sender_epoch.to_be_bytes();
        let [r0, r1, r2, r3] = self.receiver_epoch.to_be_bytes();
        let [.., c0, c1, c2, c3, c4] = self.counter.to_be_bytes();
        [s0, s1, s2, s3, r0, r1, r2, r3, c0, c1, c2, c3, c4]
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
        let derive = |from: Side| {
            let label: &[u8] = match purpose {
                Purpose::Frames => b"longwire 1 frames",
                Purpose::Hello => b"longwire hello",
                Purpose::Group => b"longwire 1 group",
            };
            let from: &[u8] = match from {
                Side::A => b" from a",
                Side::B => b" from b",
            };
            let mut key = [0; 16];
            let hkdf = Hkdf::<Sha256>::new(None, secret.as_bytes());
            let filled = hkdf.expand_multi_info(&[label, from], &mut key);
            debug_assert!(filled.is_ok(), "16 bytes are within the limit of RFC 5869");
            key
        };
        Self {
            send: derive(side),
            receive: derive(side.other()),
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
        nonce: Nonce,
        frame: &mut [u8],
        header: usize,
        len: usize,
    ) -> Option<usize> {
        let total = len + usize::from(self.tag_len);
        let (text, rest) = frame.get_mut(..total)?.split_at_mut_checked(len)?;
        let nonce = nonce.bytes();
        if self.clear {
            self.tag(&nonce, text, (&mut [][..]).into(), rest)?;
        } else {
            let (header, body) = text.split_at_mut_checked(header)?;
            self.tag(&nonce, header, body.into(), rest)?;
        }
        Some(total)
    }

    fn tag(
        &self,
        nonce: &[u8; 13],
        header: &[u8],
        body: InOutBuf<'_, '_, u8>,
        tag: &mut [u8],
    ) -> Option<()> {
        macro_rules! with {
            ($len:ty) => {{
                let ccm = Ccm::<Single, $len, U13>::new(&self.send.into());
                let made = ccm
                    .encrypt_inout_detached(nonce.into(), header, body)
                    .ok()?;
                put(tag, &made)
            }};
        }
        let fits = match self.tag_len {
            4 => with!(U4),
            6 => with!(U6),
            8 => with!(U8),
            10 => with!(U10),
            12 => with!(U12),
            14 => with!(U14),
            _ => with!(U16),
        };
        fits.then_some(())
    }

    /// Checks a frame and writes its body into `body`. Gives the body's length, or `None` if the tag does not fit.
    pub(crate) fn open(
        &self,
        nonce: Nonce,
        frame: &[u8],
        header: usize,
        body: &mut [u8],
    ) -> Option<usize> {
        let (text, tag) =
            frame.split_at_checked(frame.len().checked_sub(usize::from(self.tag_len))?)?;
        let (head, sealed) = text.split_at_checked(header)?;
        let body = body.get_mut(..sealed.len())?;
        let nonce = nonce.bytes();
        if self.clear {
            self.check(&nonce, text, (&mut [][..]).into(), tag)?;
            put(body, sealed);
        } else {
            self.check(&nonce, head, InOutBuf::new(sealed, body).ok()?, tag)?;
        }
        Some(sealed.len())
    }

    fn check(
        &self,
        nonce: &[u8; 13],
        header: &[u8],
        body: InOutBuf<'_, '_, u8>,
        tag: &[u8],
    ) -> Option<()> {
        macro_rules! with {
            ($len:ty) => {{
                let ccm = Ccm::<Single, $len, U13>::new(&self.receive.into());
                ccm.decrypt_inout_detached(nonce.into(), header, body, tag.try_into().ok()?)
                    .ok()
            }};
        }
        match self.tag_len {
            4 => with!(U4),
            6 => with!(U6),
            8 => with!(U8),
            10 => with!(U10),
            12 => with!(U12),
            14 => with!(U14),
            _ => with!(U16),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONCE: Nonce = Nonce {
        sender_epoch: 1,
        receiver_epoch: 2,
        counter: 3,
    };

    fn pair(tag_len: u8, clear: bool) -> (Seal, Seal) {
        let secret = Secret::new(&[7; 16]).unwrap();
        let seal = |side| Seal::new(&secret, Purpose::Frames, side, tag_len, clear);
        (seal(Side::A), seal(Side::B))
    }

    #[test]
    fn what_one_end_seals_the_other_opens_and_nobody_else() {
        for tag_len in [4, 6, 8, 10, 12, 14, 16] {
            for clear in [false, true] {
                let (a, b) = pair(tag_len, clear);
                let mut frame = *b"hhPAYLOAD................";
                let len = a.seal(NONCE, &mut frame, 2, 9).unwrap();
                assert_eq!(len, 9 + usize::from(tag_len));
                assert_eq!(&frame[2..9] == b"PAYLOAD", clear);
                let mut body = [0; 32];
                assert_eq!(b.open(NONCE, &frame[..len], 2, &mut body), Some(7));
                assert_eq!(&body[..7], b"PAYLOAD");
                assert_eq!(
                    a.open(NONCE, &frame[..len], 2, &mut body),
                    None,
                    "our own echo"
                );
                let later = Nonce {
                    counter: 4,
                    ..NONCE
                };
                assert_eq!(b.open(later, &frame[..len], 2, &mut body), None);
                for i in 0..len {
                    frame[i] ^= 1;
                    assert_eq!(b.open(NONCE, &frame[..len], 2, &mut body), None, "byte {i}");
                    frame[i] ^= 1;
                }
            }
        }
    }

    /// The example of README.md: flags, counter and number, then the packet.
    #[test]
    fn worked_example() {
        let secret: std::vec::Vec<u8> = (0..16).collect();
        let secret = Secret::new(&secret).unwrap();
        let nonce = Nonce {
            sender_epoch: 1,
            receiver_epoch: 1,
            counter: 7,
        };
        let frame = |clear| {
            let mut frame = [0; 16];
            frame[..8].copy_from_slice(b"\x00\x07\x05hello");
            let a = Seal::new(&secret, Purpose::Frames, Side::A, 8, clear);
            assert_eq!(a.seal(nonce, &mut frame, 2, 8), Some(16));
            std::format!("{frame:02x?}")
        };
        assert_eq!(
            frame(false),
            "[00, 07, 58, f5, 25, 0a, 94, 74, 2e, 28, 41, ff, 24, cf, 85, 55]"
        );
        assert_eq!(
            frame(true),
            "[00, 07, 05, 68, 65, 6c, 6c, 6f, 72, 98, f5, 18, 4a, 29, 7e, 88]"
        );
    }
}

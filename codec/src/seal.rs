//! Frame security: keys, nonces, tags, replay. Refuses to store keys or to choose them.

use core::fmt;

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
        bytes.get_mut(..secret.len())?.copy_from_slice(secret);
        let len = u8::try_from(secret.len()).ok()?;
        Some(Self { bytes, len })
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

//! The keys of one end, as they are stored. Refuses to be printed.

use sha2::{Digest, Sha256};

use crate::seal::Secret;

/// Bytes of stored keys.
pub const KEYS_LEN: usize = 1 + 2 * SECRET_LEN;
/// Bytes of the secrets that handshakes make; the first may be shorter, see [`Keys::emit`].
const SECRET_LEN: usize = 33;

/// Bytes of [`origin`].
pub const ORIGIN_LEN: usize = 8;

/// What is left of a replaced secret: enough to know it again, nothing to open a frame with.
pub fn origin(secret: &Secret) -> [u8; ORIGIN_LEN] {
    let mut digest = Sha256::new_with_prefix(b"longwire key origin");
    digest.update(secret.as_bytes());
    let mut origin = [0; ORIGIN_LEN];
    origin.copy_from_slice(&digest.finalize()[..ORIGIN_LEN]);
    origin
}

/// What an end must not forget: the key in use, and the one that replaces it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Keys {
    /// Both ends have it.
    pub current: Secret,
    /// Agreed, and on its way to replace the other.
    pub next: Option<Next>,
}

/// A key on its way.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Next {
    /// The key.
    pub secret: Secret,
    /// The peer is known to have it, so we send with it.
    pub send: bool,
}

impl Keys {
    /// One key, and none on its way.
    pub const fn new(current: Secret) -> Self {
        Self {
            current,
            next: None,
        }
    }

    pub(super) fn with(&self, secret: Secret, send: bool) -> Self {
        Self {
            current: self.current.clone(),
            next: Some(Next { secret, send }),
        }
    }

    /// Writes the keys: 0 one key, 1 a next one, 2 a next one that we send with; then for each its length and 32 bytes.
    pub fn emit(&self) -> [u8; KEYS_LEN] {
        let mut out = [0; KEYS_LEN];
        let put = |place: &mut [u8], secret: &Secret| {
            let bytes = secret.as_bytes();
            // A secret has at most 32 bytes.
            place[0] = bytes.len().to_le_bytes()[0];
            place[1..=bytes.len()].copy_from_slice(bytes);
        };
        put(&mut out[1..=SECRET_LEN], &self.current);
        if let Some(next) = &self.next {
            out[0] = 1 + u8::from(next.send);
            put(&mut out[1 + SECRET_LEN..], &next.secret);
        }
        out
    }

    /// Reads what [`Keys::emit`] wrote.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.first_chunk::<KEYS_LEN>()?.split_first()?;
        let (current, next) = rest.split_at_checked(SECRET_LEN)?;
        let take = |place: &[u8]| {
            let (len, bytes) = place.split_first()?;
            Secret::new(bytes.get(..usize::from(*len))?)
        };
        Some(Self {
            current: take(current)?,
            next: match kind {
                0 => None,
                1 | 2 => Some(Next {
                    secret: take(next)?,
                    send: *kind == 2,
                }),
                _ => return None,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handshake_fits_a_board() {
        let len = size_of::<crate::rekey::Rekey>();
        assert!(len <= 1300, "{len} bytes");
    }

    #[test]
    fn keys_come_back_as_they_were() {
        let secret = |byte| Secret::new(&[byte; 32]).unwrap();
        let mut keys = Keys::new(Secret::new(&[7; 16]).unwrap());
        assert_eq!(Keys::parse(&keys.emit()), Some(keys.clone()));
        for send in [false, true] {
            keys = keys.with(secret(8), send);
            assert_eq!(Keys::parse(&keys.emit()), Some(keys.clone()));
        }
        assert_eq!(Keys::parse(&[]), None);
        assert_eq!(Keys::parse(&[0; KEYS_LEN]), None, "cleared");
        assert_eq!(Keys::parse(&[0xff; KEYS_LEN]), None, "erased");
    }
}

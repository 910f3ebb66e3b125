//! The 32-byte keys two stations share, in files only their owner can read. Refuses keys that others could have
//! read: a shared secret that is not one protects nothing.

use std::fmt;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use longwire_codec::rekey::{self, ORIGIN_LEN};
use longwire_codec::seal::Secret;
use sha2::{Digest, Sha256};
use thiserror::Error;

/// Octets of a key.
pub const KEY_LEN: usize = 32;
/// Permission bits that let anybody but the owner read or change a file.
const MODE_OTHERS: u32 = 0o077;
/// Octets of the digest shown to compare two ends by voice.
const FINGERPRINT_LEN: usize = 5;

/// A key; does not print itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(pub [u8; KEY_LEN]);

/// Why a key file cannot be used.
#[derive(Debug, Error)]
pub enum KeyError {
    /// It cannot be read.
    #[error("cannot read the key {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It cannot be made.
    #[error("cannot write the key {}: {source}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Others can read it.
    #[error(
        "the key {} has mode {mode:04o}, so others may have read it; `chmod 600` it, or make a new one with `longwire keygen`",
        path.display()
    )]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It held a key that was replaced over the air since.
    #[error(
        "the key {} was replaced over the air, and the database does not hold the present one; make a new key for both ends",
        path.display()
    )]
    Replaced {
        /// The file.
        path: PathBuf,
        /// What is known of the key it held.
        origin: Origin,
    },
    /// It holds something else.
    #[error("the key {} is not 64 hexadecimal digits or 32 bytes of base64", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// The system has no randomness to give.
    #[error("no randomness for a key: {0}")]
    Random(getrandom::Error),
}

impl Key {
    /// A new key from the operating system's randomness.
    ///
    /// # Errors
    /// [`KeyError::Random`].
    pub fn generate() -> Result<Self, KeyError> {
        let mut bytes = [0; KEY_LEN];
        getrandom::fill(&mut bytes).map_err(KeyError::Random)?;
        Ok(Self(bytes))
    }

    /// Reads hexadecimal or base64 text.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let bytes = crate::hex::parse(text).or_else(|| BASE64.decode(text).ok())?;
        bytes.try_into().ok().map(Self)
    }

    /// Reads a key file that only its owner can read.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let unreadable = |source| KeyError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let mode = std::fs::metadata(path).map_err(unreadable)?.mode() & 0o7777;
        if mode & MODE_OTHERS != 0 {
            return Err(KeyError::Open {
                path: path.to_owned(),
                mode,
            });
        }
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        if let Some(origin) = Origin::parse(&text) {
            return Err(KeyError::Replaced {
                path: path.to_owned(),
                origin,
            });
        }
        Self::parse(&text).ok_or_else(|| KeyError::Malformed {
            path: path.to_owned(),
        })
    }

    /// Writes a new file of mode 0600; never over an existing one.
    ///
    /// # Errors
    /// [`KeyError::Unwritable`].
    pub fn store(&self, path: &Path) -> Result<(), KeyError> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        options
            .open(path)
            .and_then(|mut file| file.write_all(format!("{}\n", self.to_hex()).as_bytes()))
            .map_err(|source| KeyError::Unwritable {
                path: path.to_owned(),
                source,
            })
    }

    /// Writes over a key file that this key was replaced, so that it cannot be found there.
    ///
    /// # Errors
    /// [`KeyError::Unwritable`].
    pub fn erase(origin: Origin, path: &Path) -> Result<(), KeyError> {
        let mut options = OpenOptions::new();
        // Not a new file: the old blocks are to be written over, to the last.
        options
            .write(true)
            .open(path)
            .and_then(|mut file| {
                let len = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
                let mut text = origin.to_string().into_bytes();
                text.resize(text.len().max(len), b' ');
                file.write_all(&text)?;
                file.sync_all()
            })
            .map_err(|source| KeyError::Unwritable {
                path: path.to_owned(),
                source,
            })
    }

    /// By which the key is known again after it was replaced.
    pub fn origin(&self) -> Origin {
        Origin(rekey::origin(&self.secret()))
    }

    /// The key as links take it.
    pub fn secret(&self) -> Secret {
        // 16 to 32 bytes are a secret, and this has 32.
        Secret::new(&self.0).expect("32 bytes")
    }

    /// A secret of a link that is as long as a key.
    pub fn of(secret: &Secret) -> Option<Self> {
        secret.as_bytes().try_into().ok().map(Self)
    }

    /// The key as 64 hexadecimal digits.
    pub fn to_hex(&self) -> String {
        crate::hex::emit(&self.0)
    }

    /// The key in base64.
    pub fn to_base64(&self) -> String {
        BASE64.encode(self.0)
    }

    /// Ten hexadecimal digits that are the same at both ends and give nothing away.
    pub fn fingerprint(&self) -> String {
        let mut digest = Sha256::new_with_prefix(b"longwire key fingerprint");
        digest.update(self.0);
        crate::hex::emit(&digest.finalize()[..FINGERPRINT_LEN])
    }
}

/// What is left of a key that was replaced over the air: enough to know it again, nothing to open a frame with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin(pub [u8; ORIGIN_LEN]);

/// How the file of a replaced key begins.
const REPLACED: &str = "replaced over the air:";

impl Origin {
    fn parse(text: &str) -> Option<Self> {
        let digest = crate::hex::parse(text.strip_prefix(REPLACED)?.trim())?;
        digest.try_into().ok().map(Self)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{REPLACED} {}", crate::hex::emit(&self.0))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.fingerprint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn scratch(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("longwire-{}-{name}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        path
    }

    #[test]
    fn a_key_comes_back_from_its_file() {
        let path = scratch("key");
        let key = Key::generate().unwrap();
        key.store(&path).unwrap();
        assert_eq!(Key::load(&path).unwrap(), key);
        assert!(matches!(key.store(&path), Err(KeyError::Unwritable { .. })));
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
        assert!(matches!(
            Key::load(&path),
            Err(KeyError::Open { mode: 0o640, .. })
        ));
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_replaced_key_is_gone_from_its_file_but_known_again() {
        let path = scratch("replaced");
        let key = Key::generate().unwrap();
        key.store(&path).unwrap();
        Key::erase(key.origin(), &path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let hex = key.to_hex();
        assert!(
            !text.contains(&hex[..8]) && !text.contains(&hex[56..]),
            "{text}"
        );
        let found = Key::load(&path);
        assert!(matches!(found, Err(KeyError::Replaced { origin, .. }) if origin == key.origin()));
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn both_spellings_are_one_key() {
        let key = Key([7; KEY_LEN]);
        assert_eq!(Key::parse(&key.to_hex()), Some(key.clone()));
        assert_eq!(Key::parse(&key.to_base64()), Some(key));
        assert_eq!(Key::parse("0707"), None);
    }
}

//! A dictionary as one file: what a deployment trained on its own traffic and carried to both ends. Refuses anything
//! but a whole, unharmed file; the tables under it are those of a released version, named by their hash.
//!
//! Layout (little endian):
//!
//! ```text
//! "LWD" version:u8=1 tables[4] structure_len:u32 text_len:u32 note_len:u32
//! structure model, text model, note (UTF-8: what it was trained on)
//! SHA-256 of all octets before
//! ```
//!
//! The id on the wire is the first 32 bits of that hash, big endian.

use core::fmt;

use sha2::{Digest, Sha256};

use super::Dictionary;
use crate::features::Features;
use crate::text::TextModel;

const MAGIC: [u8; 3] = *b"LWD";
const VERSION: u8 = 1;
const HEADER_LEN: usize = 20;
const DIGEST_LEN: usize = 32;

/// A file that was checked, borrowed from memory or flash.
#[derive(Clone, Copy, Debug)]
pub struct File<'d> {
    /// Its name on the wire.
    pub id: u32,
    /// Which tables it goes with: [`Dictionary::tables`].
    pub tables: u32,
    /// Trained weights of the structure model.
    pub structure: &'d [u8],
    /// Trained text model.
    pub text: &'d [u8],
    /// Where it comes from, for people.
    pub note: &'d str,
}

/// Why a file is no dictionary.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum FileError {
    /// It begins as something else.
    Foreign,
    /// A version this build does not read.
    Version(u8),
    /// Shorter or longer than it says.
    Length,
    /// The hash at its end is not that of its contents.
    Damaged,
    /// The structure model cannot be read.
    Structure,
    /// The text model cannot be read.
    Text,
    /// The note is not UTF-8.
    Note,
    /// It was made for other tables than those of this build.
    Tables,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => f.write_str("not a dictionary"),
            Self::Version(version) => write!(f, "version {version} of the format is not known"),
            Self::Length => f.write_str("cut off, or followed by something else"),
            Self::Damaged => f.write_str("damaged: its hash is not that of its contents"),
            Self::Structure => f.write_str("the structure model cannot be read"),
            Self::Text => f.write_str("the text model cannot be read"),
            Self::Note => f.write_str("the note is not UTF-8"),
            Self::Tables => f.write_str("made for other tables than those of this build"),
        }
    }
}

impl core::error::Error for FileError {}

impl<'d> File<'d> {
    /// Reads and checks a whole file.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn parse(bytes: &'d [u8]) -> Result<Self, FileError> {
        if bytes.get(..MAGIC.len()) != Some(&MAGIC) {
            return Err(FileError::Foreign);
        }
        let (header, rest) = bytes
            .split_first_chunk::<HEADER_LEN>()
            .ok_or(FileError::Length)?;
        if header[3] != VERSION {
            return Err(FileError::Version(header[3]));
        }
        let (body, digest) = rest
            .split_last_chunk::<DIGEST_LEN>()
            .ok_or(FileError::Length)?;
        let [tables, structure, text, note] = fields(header);
        let (structure, body) = cut(body, structure)?;
        let (text, body) = cut(body, text)?;
        let (note, body) = cut(body, note)?;
        if !body.is_empty() {
            return Err(FileError::Length);
        }
        let signed = &bytes[..bytes.len() - DIGEST_LEN];
        if Sha256::digest(signed)[..] != digest[..] {
            return Err(FileError::Damaged);
        }
        Features::new(structure).ok_or(FileError::Structure)?;
        TextModel::new(text).ok_or(FileError::Text)?;
        Ok(Self {
            id: u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]),
            tables,
            structure,
            text,
            note: core::str::from_utf8(note).map_err(|_| FileError::Note)?,
        })
    }

    /// The dictionary: this file's models over the tables of `base`.
    ///
    /// # Errors
    /// [`FileError::Tables`] if it was made for others.
    pub fn over(&self, base: &Dictionary<'d>) -> Result<Dictionary<'d>, FileError> {
        if base.tables != self.tables {
            return Err(FileError::Tables);
        }
        Ok(Dictionary {
            id: self.id,
            structure: self.structure,
            text: self.text,
            ..*base
        })
    }

    /// Writes the file that [`Self::parse`] reads; `id` is not looked at. Returns its length in octets, or `None` if
    /// `out` is shorter than that, or a part longer than 4 GB.
    pub fn emit(&self, out: &mut [u8]) -> Option<usize> {
        let parts = [self.structure, self.text, self.note.as_bytes()];
        let (header, mut rest) = out.split_first_chunk_mut::<HEADER_LEN>()?;
        header[..3].copy_from_slice(&MAGIC);
        header[3] = VERSION;
        header[4..8].copy_from_slice(&self.tables.to_le_bytes());
        for (part, place) in parts.iter().zip(header[8..].chunks_exact_mut(4)) {
            place.copy_from_slice(&u32::try_from(part.len()).ok()?.to_le_bytes());
        }
        for part in parts {
            let (place, after) = rest.split_at_mut_checked(part.len())?;
            place.copy_from_slice(part);
            rest = after;
        }
        let len = self.len() - DIGEST_LEN;
        let digest = Sha256::digest(out.get(..len)?);
        out.get_mut(len..len + DIGEST_LEN)?.copy_from_slice(&digest);
        Some(len + DIGEST_LEN)
    }

    /// Octets of the file.
    #[expect(clippy::len_without_is_empty, reason = "a file is never empty")]
    pub const fn len(&self) -> usize {
        HEADER_LEN + self.structure.len() + self.text.len() + self.note.len() + DIGEST_LEN
    }
}

fn fields(header: &[u8; HEADER_LEN]) -> [u32; 4] {
    let mut fields = [0; 4];
    for (field, octets) in fields.iter_mut().zip(header[4..].chunks_exact(4)) {
        *field = u32::from_le_bytes([octets[0], octets[1], octets[2], octets[3]]);
    }
    fields
}

fn cut(bytes: &[u8], len: u32) -> Result<(&[u8], &[u8]), FileError> {
    let len = usize::try_from(len).map_err(|_| FileError::Length)?;
    bytes.split_at_checked(len).ok_or(FileError::Length)
}

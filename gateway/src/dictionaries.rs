//! The dictionaries this process can speak: those built in, and files a deployment trained. Refuses a file it cannot
//! trust whole: a dictionary that differs in one octet at the two ends makes nonsense of everything.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use longwire_codec::dictionary::Dictionary;
use longwire_codec::dictionary::file::{File, FileError};
use longwire_dictionaries::{V1_128K, V1_512K, V1_HOST};
use thiserror::Error;

use crate::config::{self, TextModel};

/// Longest file read, octets.
const FILE_MAX: u64 = 64 << 20;

/// A dictionary and what people call it.
#[derive(Debug)]
pub struct Known {
    /// `v1, 8m`, or the name of the file.
    pub name: String,
    /// What it was trained on, a line for each source.
    pub note: String,
    /// For the codec.
    pub dictionary: Dictionary<'static>,
}

/// Why a file cannot be used.
#[derive(Debug, Error)]
#[error("the dictionary {}: {why}", path.display())]
pub struct DictionaryError {
    path: PathBuf,
    why: Why,
}

#[derive(Debug, Error)]
enum Why {
    #[error("{0}")]
    Unreadable(std::io::Error),
    #[error("larger than {} MB", FILE_MAX >> 20)]
    Large,
    #[error("{0}")]
    Wrong(FileError),
}

impl DictionaryError {
    /// What to do about it.
    pub fn advice(&self) -> &'static str {
        match &self.why {
            Why::Unreadable(_) => {
                "name a file that `longwire dictionary train` made and this user can read"
            }
            Why::Wrong(FileError::Tables | FileError::Version(_)) => {
                "train it again with this version of longwire, and give both ends the new one"
            }
            Why::Large | Why::Wrong(FileError::Foreign) => {
                "name a file that `longwire dictionary train` made"
            }
            Why::Wrong(_) => "copy it again from where it was trained",
        }
    }
}

/// The released dictionary with this text model.
pub fn built_in(model: TextModel) -> Known {
    let (name, dictionary) = match model {
        TextModel::K128 => ("v1, 128k", &V1_128K),
        TextModel::K512 => ("v1, 512k", &V1_512K),
        TextModel::M8 => ("v1, 8m", &V1_HOST),
    };
    Known {
        name: name.to_owned(),
        note: "released with longwire; sources in dictionaries/README.md".to_owned(),
        dictionary: *dictionary,
    }
}

/// Reads a file that `longwire dictionary train` made. It stays in memory for the life of the process.
///
/// # Errors
/// [`DictionaryError`], which names the file and what to do.
pub fn load(path: &Path) -> Result<Known, DictionaryError> {
    let wrong = |why| DictionaryError {
        path: path.to_owned(),
        why,
    };
    let unreadable = |error| wrong(Why::Unreadable(error));
    if std::fs::metadata(path).map_err(unreadable)?.len() > FILE_MAX {
        return Err(wrong(Why::Large));
    }
    let bytes: &'static [u8] = Vec::leak(std::fs::read(path).map_err(unreadable)?);
    let file = File::parse(bytes);
    let file = file.map_err(|error| wrong(Why::Wrong(error)))?;
    let dictionary = file
        .over(&V1_HOST)
        .map_err(|error| wrong(Why::Wrong(error)))?;
    let name = path.file_name().unwrap_or(path.as_os_str());
    Ok(Known {
        name: name.to_string_lossy().into_owned(),
        note: file.note.to_owned(),
        dictionary,
    })
}

/// What a configuration asks for, each file read once.
#[derive(Debug, Default)]
pub struct Shelf {
    files: BTreeMap<PathBuf, &'static Known>,
    built_in: BTreeMap<TextModel, &'static Known>,
}

impl Shelf {
    /// What can be spoken with a peer, the favourite first: its own files, the released dictionary of its text model,
    /// and, where hellos settle it anyway, the smaller released ones.
    ///
    /// # Errors
    /// [`DictionaryError`].
    pub fn offer(&mut self, rules: &config::Peer) -> Result<Vec<&'static Known>, DictionaryError> {
        let mut offer = Vec::new();
        for path in &rules.dictionaries {
            let known = match self.files.get(path) {
                Some(known) => known,
                None => {
                    let known: &'static Known = Box::leak(Box::new(load(path)?));
                    self.files.entry(path.clone()).or_insert(known)
                }
            };
            offer.push(*known);
        }
        let smaller = [TextModel::M8, TextModel::K512, TextModel::K128]
            .into_iter()
            .filter(|model| *model <= rules.text_model);
        let count = if offer.is_empty() { 1 } else { usize::MAX };
        offer.extend(smaller.take(count).map(|model| self.built_in(model)));
        Ok(offer)
    }

    /// The released dictionary with this text model.
    pub fn built_in(&mut self, model: TextModel) -> &'static Known {
        let known = self.built_in.entry(model);
        known.or_insert_with(|| Box::leak(Box::new(built_in(model))))
    }
}

//! From a span in the file to a sentence an operator can act upon. Refuses to know what the keys mean.

use std::ops::Range;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Names that differ in at most this share of their letters are offered as what was meant.
const SIMILARITY_MIN: f64 = 0.5;

/// Why a configuration cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A key that does not exist.
    #[error(
        "{}:{line}: unknown key `{key}`{}", path.display(),
        nearest.as_ref().map_or(String::new(), |it| format!("; did you mean `{it}`?"))
    )]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// Line in it, from 1.
        line: usize,
        /// The key as written.
        key: String,
        /// The valid key it resembles most.
        nearest: Option<String>,
    },
    /// A value that cannot be used, or TOML that is none.
    #[error(
        "{}:{line}: {}{message}", path.display(),
        key.as_ref().map_or(String::new(), |key| format!("`{key}`: "))
    )]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Line in it, from 1.
        line: usize,
        /// The key, where there is one.
        key: Option<String>,
        /// What is wrong and what to write, a fragment.
        message: String,
    },
}

/// Turns what the TOML parser says into [`ConfigError`].
pub(super) fn explain(source: &toml::de::Error, text: &str, path: &Path) -> ConfigError {
    let span = source.span().unwrap_or(0..0);
    let line = line_of(text, span.start);
    let message = source.message();
    let path = path.to_owned();
    if let Some((key, valid)) = unknown_field(message) {
        return ConfigError::UnknownKey {
            path,
            line,
            nearest: nearest(&key, valid.iter().map(String::as_str)),
            key,
        };
    }
    ConfigError::Invalid {
        path,
        line,
        key: key_at(text, &span),
        message: message.lines().next().unwrap_or_default().to_owned(),
    }
}

/// Line of octet `at`, from 1.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or_default();
    1 + before.iter().filter(|&&byte| byte == b'\n').count()
}

/// The one of `valid` that resembles `key` most, if any does.
pub(crate) fn nearest<'a>(key: &str, valid: impl Iterator<Item = &'a str>) -> Option<String> {
    valid
        .map(|name| (strsim::normalized_damerau_levenshtein(key, name), name))
        .filter(|(similarity, _)| *similarity >= SIMILARITY_MIN)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, name)| name.to_owned())
}

/// Takes the sentence of `serde::de::Error::unknown_field` apart: the key, and the valid ones.
pub(super) fn unknown_field(message: &str) -> Option<(String, Vec<String>)> {
    let rest = message.strip_prefix("unknown field `")?;
    let (key, rest) = rest.split_once('`')?;
    let valid = rest
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect();
    Some((key.to_owned(), valid))
}

/// The key on the line a value begins on.
fn key_at(text: &str, span: &Range<usize>) -> Option<String> {
    let start = text.get(..span.start)?.rfind('\n').map_or(0, |at| at + 1);
    let (key, _) = text.get(start..)?.lines().next()?.split_once('=')?;
    Some(key.trim().to_owned())
}

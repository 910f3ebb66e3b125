//! Files to measure or learn from. Refuses to guess at contents: the name says what a file is, and what is not that is an
//! error.

use std::path::{Path, PathBuf};

use longwire_codec::stanza::Node;
use longwire_trainer::log::{self, Logged};
use sha2::{Digest, Sha256};

use crate::exit::Failure;
use crate::xml::NS_CLIENT;

/// What a file holds.
#[derive(Debug)]
pub(super) enum Source {
    /// A text a line.
    Texts(Vec<String>),
    /// A recorded session.
    Session(Vec<Logged>),
    /// A stanza a line.
    Stanzas(Vec<Logged>),
}

/// A file that was read.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) source: Source,
    /// First octets of its SHA-256, hexadecimal.
    pub(super) digest: String,
}

/// Reads a file; its ending says what it holds.
///
/// # Errors
/// It cannot be read, or holds nothing of the kind.
pub(super) fn read(path: &Path) -> Result<Read, Failure> {
    let shown = path.display();
    let octets =
        std::fs::read(path).map_err(|error| Failure::running(format!("{shown}: {error}")))?;
    let digest = crate::hex::emit(&Sha256::digest(&octets)[..8]);
    let text = String::from_utf8(octets).map_err(|_| {
        Failure::running(format!("{shown}: not UTF-8 text"))
            .advise("uncompress it, or leave it out")
    })?;
    let (source, is_empty) = match path.extension().and_then(|it| it.to_str()) {
        Some("log") => {
            let session = log::session(&text);
            let is_empty = session.is_empty();
            (Source::Session(session), is_empty)
        }
        Some("xml" | "xmlstream") => {
            let stanzas = log::lines(&text);
            let is_empty = stanzas.is_empty();
            (Source::Stanzas(stanzas), is_empty)
        }
        _ => {
            let lines = text.lines().filter(|line| !line.is_empty());
            let lines: Vec<String> = lines.map(str::to_owned).collect();
            let is_empty = lines.is_empty();
            (Source::Texts(lines), is_empty)
        }
    };
    if is_empty {
        let advice = "sessions are lines of SECONDS<tab>C: <message …> in a .log, stanzas one a line in a .xml";
        return Err(Failure::running(format!("{shown}: holds nothing to use")).advise(advice));
    }
    Ok(Read { source, digest })
}

/// `en=chat.txt` as language and path; without a language, none.
pub(super) fn tagged(file: &str) -> (Option<&str>, PathBuf) {
    match file.split_once('=') {
        Some((tag, path)) if (2..=4).contains(&tag.len()) => (Some(tag), path.into()),
        _ => (None, file.into()),
    }
}

/// The texts of the bodies of messages.
pub(super) fn bodies(stanzas: &[Logged]) -> Vec<String> {
    let mut bodies = Vec::new();
    for logged in stanzas {
        let mut open = None;
        for node in logged.tape.nodes() {
            match node {
                Node::Open { ns, name } => open = Some((ns, name)),
                Node::Text(text) if open == Some((NS_CLIENT, "body")) => {
                    bodies.push(text.to_owned());
                }
                Node::Close => open = None,
                _ => {}
            }
        }
    }
    bodies
}

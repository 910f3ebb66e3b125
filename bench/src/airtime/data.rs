//! Reads what is measured: recorded sessions, files of stanzas, files of text. Refuses to repair a line: what does
//! not parse as a stanza is counted and left out for everybody.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use longwire::xml::{Context, Element, Limits, NS_CLIENT, NS_STREAM};
use sha2::{Digest, Sha256};

use super::kind;

/// Endings of the names of files that are read.
const ENDINGS: [&str; 3] = [".log", ".xmlstream", ".txt"];

/// Who sent a stanza of a session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Side {
    /// The client, over its radio.
    Client,
    /// Its server.
    Server,
}

/// One stanza of a session.
#[derive(Clone)]
pub(crate) struct Line {
    /// Direction.
    pub(crate) side: Side,
    /// Kind for the tables, see [`kind::of`].
    pub(crate) kind: &'static str,
    /// The other end of the conversation was heard before: for presence, in a presence.
    pub(crate) known: bool,
    /// XML as it stood on the stream.
    pub(crate) xml: String,
    /// The same, parsed.
    pub(crate) element: Element,
}

/// One recorded session, or one file of unconnected stanzas.
pub(crate) struct Session {
    /// File name without extension.
    pub(crate) name: String,
    /// Its stanzas, in order.
    pub(crate) lines: Vec<Line>,
    /// Lines that are no stanza: stream headers, stream management, broken XML.
    pub(crate) skipped: usize,
}

/// One file of texts, one message a line.
pub(crate) struct Texts {
    /// File name without extension.
    pub(crate) name: String,
    /// Messages.
    pub(crate) lines: Vec<String>,
}

/// Everything that was read, and what it was read from.
#[derive(Default)]
pub(crate) struct Data {
    /// Sessions and stanza files, by name.
    pub(crate) sessions: Vec<Session>,
    /// Text files, by name.
    pub(crate) texts: Vec<Texts>,
    /// SHA-256 of each file, by path as given.
    pub(crate) hashes: BTreeMap<String, String>,
}

/// Reads files and folders (all files below) whose names end in `.log`, `.xmlstream` or `.txt`, plain or with `.zst`.
///
/// # Errors
/// The path that cannot be read, and why.
pub(crate) fn read(paths: &[PathBuf]) -> Result<Data, String> {
    let mut files = Vec::new();
    for path in paths {
        collect(path, &mut files)?;
    }
    files.sort();
    let mut data = Data::default();
    for file in files {
        let fail = |error: std::io::Error| format!("{}: {error}", file.display());
        let mut bytes = fs::read(&file).map_err(fail)?;
        let hash = Sha256::digest(&bytes)
            .iter()
            .map(|octet| format!("{octet:02x}"))
            .collect();
        let mut name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        data.hashes.insert(name.clone(), hash);
        if let Some(plain) = name.strip_suffix(".zst") {
            name = plain.to_owned();
            bytes = zstd::decode_all(&bytes[..]).map_err(fail)?;
        }
        let text =
            String::from_utf8(bytes).map_err(|_| format!("{}: not UTF-8 text", file.display()))?;
        match name.rsplit_once('.') {
            Some((stem, "log")) => data.sessions.push(session(stem, &log(&text))),
            Some((stem, "xmlstream")) => {
                let lines: Vec<_> = text
                    .lines()
                    .map(|line| (Side::Client, line.to_owned()))
                    .collect();
                data.sessions.push(session(stem, &lines));
            }
            Some((stem, "txt")) => data.texts.push(Texts {
                name: stem.to_owned(),
                lines: text
                    .lines()
                    .filter(|line| !line.is_empty())
                    .map(str::to_owned)
                    .collect(),
            }),
            _ => {
                return Err(format!(
                    "{}: not .log, .xmlstream or .txt, plain or .zst",
                    file.display()
                ));
            }
        }
    }
    if let Some(empty) = data.empty() {
        return Err(format!(
            "{empty}: nothing to measure in it. A .log is lines of SECONDS<tab>C: <message …> and S: <message …>, a \
             .xmlstream a stanza a line, a .txt a text a line"
        ));
    }
    Ok(data)
}

impl Data {
    /// Leaves of each text file at most `most` messages, evenly spaced; 0: all.
    pub(crate) fn thin(&mut self, most: usize) {
        for texts in self.texts.iter_mut().filter(|_| most > 0) {
            let step = texts.lines.len().div_ceil(most).max(1);
            let lines = std::mem::take(&mut texts.lines);
            texts.lines = lines.into_iter().step_by(step).collect();
        }
    }

    /// A file in which nothing was found.
    fn empty(&self) -> Option<&str> {
        let sessions = self.sessions.iter().filter(|it| it.lines.is_empty());
        let texts = self.texts.iter().filter(|it| it.lines.is_empty());
        let names = sessions.map(|it| &it.name).chain(texts.map(|it| &it.name));
        names.map(String::as_str).next()
    }
}

/// A folder gives the files below it whose names end in what [`read`] knows; a file named gives itself.
fn collect(path: &Path, into: &mut Vec<PathBuf>) -> Result<(), String> {
    let fail = |error: std::io::Error| format!("{}: {error}", path.display());
    if !path.is_dir() {
        into.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        let name = path.to_string_lossy();
        let plain = name.strip_suffix(".zst").unwrap_or(&name);
        if path.is_dir() || ENDINGS.iter().any(|ending| plain.ends_with(ending)) {
            collect(&path, into)?;
        }
    }
    Ok(())
}

/// Splits a session log: `SECONDS<tab>C: <…>` or `S: <…>`; a line that begins otherwise continues the one before.
fn log(text: &str) -> Vec<(Side, String)> {
    let mut lines: Vec<(Side, String)> = Vec::new();
    for line in text.lines() {
        let head = line.split_once('\t').and_then(|(seconds, rest)| {
            seconds.parse::<f64>().ok()?;
            let (side, xml) = rest.split_once(": ")?;
            match side {
                "C" => Some((Side::Client, xml)),
                "S" => Some((Side::Server, xml)),
                _ => None,
            }
        });
        match (head, lines.last_mut()) {
            (Some((side, xml)), _) => lines.push((side, xml.to_owned())),
            (None, Some(last)) if !line.starts_with('#') => {
                last.1.push('\n');
                last.1.push_str(line);
            }
            (None, _) => {}
        }
    }
    lines
}

fn session(name: &str, lines: &[(Side, String)]) -> Session {
    let mut session = Session {
        name: name.to_owned(),
        lines: Vec::new(),
        skipped: 0,
    };
    let mut heard = HashSet::new();
    for (side, xml) in lines {
        let xml = xml.trim_end_matches('\n');
        let Some(element) = stanza(xml) else {
            session.skipped += usize::from(!xml.is_empty());
            continue;
        };
        let peer = if *side == Side::Client { "to" } else { "from" };
        let peer = (
            element.name == "presence",
            element.attr(peer).unwrap_or("").to_owned(),
        );
        session.lines.push(Line {
            side: *side,
            kind: kind::of(&element),
            known: !heard.insert(peer),
            xml: xml.to_owned(),
            element,
        });
    }
    session
}

/// Parses `xml` as it stands inside a client stream; `None` unless it is a message, presence or iq.
fn stanza(xml: &str) -> Option<Element> {
    if !["<message", "<presence", "<iq"]
        .iter()
        .any(|root| xml.starts_with(root))
    {
        return None;
    }
    let context = Context {
        default_ns: NS_CLIENT.to_owned(),
        prefixes: vec![("stream".to_owned(), NS_STREAM.to_owned())],
    };
    let limits = Limits {
        size: 1 << 24,
        ..Limits::default()
    };
    let element = Element::parse_in(xml.as_bytes(), &context, &limits).ok()?;
    (element.ns == NS_CLIENT).then_some(element)
}

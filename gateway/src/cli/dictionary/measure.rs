//! `dictionary evaluate`. Refuses shortcuts: packets are written by the codec.

use std::path::{Path, PathBuf};

use longwire_codec::dictionary::Dictionary;
use longwire_codec::link::PacketNumber;
use longwire_codec::session::{Ids, Options, Profile, Session};
use longwire_codec::stanza::Stanza;
use longwire_codec::text::TextModel;
use longwire_trainer::log::{self, Logged};
use longwire_trainer::text;
use serde_json::{Value, json};

use crate::exit::Failure;

/// Largest packet, octets.
const PACKET_MAX: usize = 1 << 20;

/// A line for each file.
pub(super) fn evaluate(
    dictionary: &'static Dictionary<'static>,
    files: &[PathBuf],
) -> Result<(String, Value), Failure> {
    let mut table = String::new();
    let mut values = Vec::new();
    for path in files {
        let read = std::fs::read_to_string(path)
            .map_err(|error| Failure::running(format!("{}: {error}", path.display())))?;
        let (line, value) = match kind(path) {
            Kind::Text => of_text(dictionary, &read)?,
            Kind::Session => of_stanzas(dictionary, &log::session(&read))?,
            Kind::Stanzas => of_stanzas(dictionary, &log::lines(&read))?,
        };
        table.push_str(&format!("{}: {line}\n", path.display()));
        values.push(json!({ "file": path, "result": value }));
    }
    Ok((table, Value::from(values)))
}

/// What a file holds, by its name.
pub(super) enum Kind {
    /// A text a line.
    Text,
    /// A log of a session.
    Session,
    /// A stanza a line.
    Stanzas,
}

/// See [`Kind`].
pub(super) fn kind(path: &Path) -> Kind {
    match path.extension().and_then(|it| it.to_str()) {
        Some("log") => Kind::Session,
        Some("xml" | "xmlstream") => Kind::Stanzas,
        _ => Kind::Text,
    }
}

fn of_text(dictionary: &Dictionary<'static>, read: &str) -> Result<(String, Value), Failure> {
    let model = TextModel::new(dictionary.text)
        .ok_or_else(|| Failure::running("this dictionary has no text model"))?;
    let lines = read.lines().filter(|line| !line.is_empty());
    let sum = text::evaluate(&model, 0, lines);
    let line = format!(
        "{} texts, {} characters, {:.3} bits per character",
        sum.texts,
        sum.chars,
        sum.bits_per_char()
    );
    let value = json!({ "texts": sum.texts, "characters": sum.chars, "bits-per-character": sum.bits_per_char() });
    Ok((line, value))
}

fn of_stanzas(
    dictionary: &'static Dictionary<'static>,
    stanzas: &[Logged],
) -> Result<(String, Value), Failure> {
    let xml: usize = stanzas.iter().map(|it| it.xml.len()).sum();
    let alone = octets(dictionary, stanzas, Ids::Preserve, false)?;
    let short = octets(dictionary, stanzas, Ids::Short, true)?;
    let preserve = octets(dictionary, stanzas, Ids::Preserve, true)?;
    let share = |octets: usize| octets as f64 / xml.max(1) as f64;
    let line = format!(
        "{} stanzas, {xml} B of XML; each alone {alone} B ({:.3}), session {preserve} B ({:.3}), with short ids {short} B ({:.3})",
        stanzas.len(),
        share(alone),
        share(preserve),
        share(short)
    );
    let value = json!({
        "stanzas": stanzas.len(), "xml-bytes": xml, "alone-bytes": alone, "session-bytes": preserve,
        "session-short-ids-bytes": short,
    });
    Ok((line, value))
}

fn octets(
    dictionary: &'static Dictionary<'static>,
    stanzas: &[Logged],
    ids: Ids,
    keeps: bool,
) -> Result<usize, Failure> {
    let storage = vec![0; Profile::HOST.storage_len()];
    let mut session = Session::new(dictionary, Profile::HOST, storage).map_err(Failure::running)?;
    let mut packet = vec![0; PACKET_MAX];
    let mut number = PacketNumber::new(0);
    let mut sum = 0;
    for logged in stanzas {
        let nodes = logged.tape.nodes();
        let Some(stanza) = Stanza::new(&nodes) else {
            continue;
        };
        let options = Options {
            ids,
            ..Options::default()
        };
        sum += session
            .encode(number, stanza, options, &mut packet)
            .map_err(Failure::running)?;
        if keeps {
            session.acknowledge(number);
            number = number.plus(1);
        } else {
            session.abandon(number);
        }
    }
    Ok(sum)
}

//! `dictionary evaluate`. Refuses shortcuts: packets are written by the codec.

use std::path::PathBuf;

use longwire_codec::dictionary::Dictionary;
use longwire_codec::link::PacketNumber;
use longwire_codec::session::{Ids, Options, Profile, Session};
use longwire_codec::stanza::Stanza;
use longwire_codec::text::TextModel;
use longwire_trainer::log::Logged;
use longwire_trainer::text;
use serde_json::{Value, json};

use super::sources::{Source, read};
use crate::dictionaries::Known;
use crate::exit::Failure;

/// Largest packet, octets.
const PACKET_MAX: usize = 1 << 20;

/// For each file a line for each dictionary.
pub(super) fn evaluate(all: &[Known], files: &[PathBuf]) -> Result<(String, Value), Failure> {
    let mut table = String::new();
    let mut values = Vec::new();
    for path in files {
        let (title, mut value, lines) = match read(path)?.source {
            Source::Texts(texts) => of_texts(all, &texts),
            Source::Session(stanzas) => of_stanzas(all, &stanzas, true)?,
            Source::Stanzas(stanzas) => of_stanzas(all, &stanzas, false)?,
        };
        table.push_str(&format!("{}: {title}\n", path.display()));
        for (known, line) in all.iter().zip(lines) {
            table.push_str(&format!("  {:<18} {line}\n", known.name));
        }
        value["file"] = json!(path);
        values.push(value);
    }
    Ok((table, Value::from(values)))
}

/// What was measured, for people and for machines, and a line for each dictionary.
type Measured = (String, Value, Vec<String>);

fn of_texts(all: &[Known], texts: &[String]) -> Measured {
    let mut lines = Vec::new();
    let mut values = Vec::new();
    let mut measured = text::Evaluation::default();
    for known in all {
        let Some(model) = TextModel::new(known.dictionary.text) else {
            lines.push("has no text model".to_owned());
            continue;
        };
        measured = text::evaluate(&model, texts.iter().map(String::as_str));
        lines.push(format!(
            "{:.3} bits per character, {} B in packets",
            measured.bits_per_char(),
            measured.packets
        ));
        values.push(json!({
            "name": known.name, "id": format!("{:08x}", known.dictionary.id),
            "bits-per-character": measured.bits_per_char(), "packet-bytes": measured.packets,
        }));
    }
    let (count, chars, octets) = (measured.texts, measured.chars, measured.octets);
    let title = format!("{count} texts, {chars} characters, {octets} B");
    let value =
        json!({ "texts": count, "characters": chars, "bytes": octets, "dictionaries": values });
    (title, value, lines)
}

fn of_stanzas(all: &[Known], stanzas: &[Logged], is_session: bool) -> Result<Measured, Failure> {
    let xml: usize = stanzas.iter().map(|it| it.xml.len()).sum();
    let share = |octets: usize| octets as f64 / xml.max(1) as f64;
    let mut lines = Vec::new();
    let mut values = Vec::new();
    for known in all {
        let dictionary = &known.dictionary;
        let alone = octets(dictionary, stanzas, Ids::Preserve, false)?;
        let mut line = format!("each alone {alone} B ({:.3})", share(alone));
        let mut value = json!({
            "name": known.name, "id": format!("{:08x}", dictionary.id), "alone-bytes": alone,
        });
        if is_session {
            let preserve = octets(dictionary, stanzas, Ids::Preserve, true)?;
            let short = octets(dictionary, stanzas, Ids::Short, true)?;
            line.push_str(&format!(
                ", session {preserve} B ({:.3}), with short ids {short} B ({:.3})",
                share(preserve),
                share(short)
            ));
            value["session-bytes"] = preserve.into();
            value["session-short-ids-bytes"] = short.into();
        }
        lines.push(line);
        values.push(value);
    }
    let title = format!("{} stanzas, {xml} B of XML", stanzas.len());
    let value = json!({ "stanzas": stanzas.len(), "xml-bytes": xml, "dictionaries": values });
    Ok((title, value, lines))
}

fn octets(
    dictionary: &Dictionary<'static>,
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

//! `dictionary`: what both ends know before the first bit, listed, looked into, measured, and trained anew from one's own
//! traffic. Refuses to change a released version: what is trained is a file of its own.

mod measure;
mod sources;
mod train;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use longwire_codec::features::Features;
use longwire_codec::text::TextModel as Model;
use serde_json::{Value, json};

use super::manual;
use crate::config::{Config, ConfigError, TextModel};
use crate::dictionaries::{Known, built_in, load};
use crate::exit::Failure;

/// What to do with dictionaries.
#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// The dictionaries built in, those the configuration names, and FILES.
    List {
        /// More dictionaries.
        files: Vec<PathBuf>,
    },
    /// What is in one.
    Inspect {
        /// One built in, by its text model.
        #[arg(long, value_enum, default_value = "8m")]
        text_model: TextModel,
        /// One in a file.
        #[arg(conflicts_with = "text_model")]
        file: Option<PathBuf>,
    },
    /// What text and stanzas would cost with each dictionary that `list` shows: bits per character, octets of packets. Files
    /// named .log are sessions (lines of `SECONDS<tab>C: STANZA` and `S: STANZA`), .xml and .xmlstream have a stanza a line,
    /// anything else a text a line.
    Evaluate {
        /// Measure this dictionary file too; may be repeated.
        #[arg(long, value_name = "FILE")]
        dictionary: Vec<PathBuf>,
        /// What to measure: nothing a dictionary was trained on.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Learn a dictionary from one's own traffic. The same files in the same order give the same octets.
    Train(train::Train),
}

/// Does it. `config` may name more dictionaries; it need not exist.
pub(super) fn dictionary(action: &Action, config: &Path, as_json: bool) -> Result<(), Failure> {
    let (text, value) = match action {
        Action::List { files } => list(&all(config, files)?),
        Action::Inspect {
            file: None,
            text_model,
        } => inspect(&built_in(*text_model)),
        Action::Inspect {
            file: Some(file), ..
        } => inspect(&load(file)?),
        Action::Evaluate { dictionary, files } => {
            measure::evaluate(&all(config, dictionary)?, files)?
        }
        Action::Train(what) => train::train(what)?,
    };
    let text = if as_json { format!("{value}\n") } else { text };
    manual::print(text.as_bytes())
}

/// Those built in, those of the configuration if there is one, and `files`.
fn all(config: &Path, files: &[PathBuf]) -> Result<Vec<Known>, Failure> {
    let mut known = vec![
        built_in(TextModel::M8),
        built_in(TextModel::K512),
        built_in(TextModel::K128),
    ];
    let mut paths = match Config::load(config) {
        Ok(config) => config
            .peers
            .into_iter()
            .flat_map(|it| it.dictionaries)
            .collect(),
        Err(ConfigError::Unreadable { source, .. }) if source.kind() == ErrorKind::NotFound => {
            Vec::new()
        }
        Err(error) => return Err(error.into()),
    };
    paths.extend_from_slice(files);
    paths.sort();
    paths.dedup();
    for path in paths {
        known.push(load(&path)?);
    }
    Ok(known)
}

fn list(all: &[Known]) -> (String, Value) {
    let mut text = String::from("id        structure       text  name\n");
    let mut values = Vec::new();
    for known in all {
        let it = &known.dictionary;
        let (structure, letters) = (it.structure.len(), it.text.len());
        text.push_str(&format!(
            "{:08x}  {structure:>7} B {letters:>8} B  {}\n",
            it.id, known.name
        ));
        for line in known.note.lines() {
            text.push_str(&format!("{:32}{line}\n", ""));
        }
        values.push(json!({
            "id": format!("{:08x}", it.id), "name": known.name, "structure-bytes": structure,
            "text-bytes": letters, "note": known.note,
        }));
    }
    (text, Value::from(values))
}

fn inspect(known: &Known) -> (String, Value) {
    let it = &known.dictionary;
    let languages: Vec<String> = Model::new(it.text)
        .iter()
        .flat_map(Model::languages)
        .map(|tag| {
            String::from_utf8_lossy(&tag)
                .trim_end_matches('\0')
                .to_owned()
        })
        .collect();
    let table = |bytes| Features::new(bytes).map_or(0, |table| table.len());
    let text_table = Model::new(it.text).map_or(0, |model| model.features().len());
    let parts = [
        ("namespaces", it.namespaces.len()),
        ("elements", it.elements.len()),
        ("attributes", it.attributes.len()),
        ("values", it.values.len()),
        ("octets of the structure model", it.structure.len()),
        ("octets of its table", table(it.structure)),
        ("octets of the text model", it.text.len()),
        ("octets of its table", text_table),
    ];
    let mut text = format!(
        "dictionary {:08x}, {}\ntables     {:08x}\n",
        it.id, known.name, it.tables
    );
    for (name, count) in parts {
        text.push_str(&format!("{count:>9} {name}\n"));
    }
    text.push_str(&format!("languages: {}\n", languages.join(" ")));
    text.push_str(&known.note);
    text.push('\n');
    let value = json!({
        "id": format!("{:08x}", it.id), "name": known.name, "tables": format!("{:08x}", it.tables),
        "namespaces": parts[0].1, "elements": parts[1].1, "attributes": parts[2].1, "values": parts[3].1,
        "structure-bytes": parts[4].1, "structure-table-bytes": parts[5].1,
        "text-bytes": parts[6].1, "text-table-bytes": parts[7].1,
        "languages": languages, "note": known.note,
    });
    (text, value)
}

//! `dictionary`: what both ends know before the first bit, listed, measured, and trained anew from one's own traffic.
//! Refuses to change a released version: trained tables are files for the next one.

mod measure;
mod train;

use std::path::PathBuf;

use clap::Subcommand;
use longwire_codec::dictionary::Dictionary;
use serde_json::{Value, json};

use super::codec::dictionary as named;
use super::manual;
use crate::config::TextModel;
use crate::exit::Failure;

/// What to do with dictionaries.
#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// The dictionaries of this build.
    List,
    /// Sizes of the parts of one.
    Inspect {
        /// By its text model.
        #[arg(long, value_enum, default_value = "8m")]
        text_model: TextModel,
    },
    /// What text and stanzas would cost: bits per character, octets per octet of XML. Files named .log are sessions
    /// (lines of `SECONDS C: STANZA` and `SECONDS S: STANZA`), .xml has a stanza a line, anything else a text a line.
    Evaluate {
        /// By its text model.
        #[arg(long, value_enum, default_value = "8m")]
        text_model: TextModel,
        /// What to measure.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Learn a table. The same files in the same order give the same octets.
    #[command(subcommand)]
    Train(train::Train),
}

/// Does it.
pub(super) fn dictionary(action: &Action, as_json: bool) -> Result<(), Failure> {
    let (text, value) = match action {
        Action::List => list(),
        Action::Inspect { text_model } => inspect(named(*text_model)),
        Action::Evaluate { text_model, files } => measure::evaluate(named(*text_model), files)?,
        Action::Train(what) => train::train(what)?,
    };
    let text = if as_json { format!("{value}\n") } else { text };
    manual::print(text.as_bytes())
}

fn list() -> (String, Value) {
    let names = [
        ("v1, 8m", TextModel::M8),
        ("v1, 512k", TextModel::K512),
        ("v1, 128k", TextModel::K128),
    ];
    let mut text = String::from("id        name        structure      text\n");
    let mut values = Vec::new();
    for (name, model) in names {
        let it = named(model);
        let (structure, letters) = (it.structure.len(), it.text.len());
        text.push_str(&format!(
            "{:08x}  {name:<9} {structure:>9} B {letters:>9} B\n",
            it.id
        ));
        values.push(json!({
            "id": format!("{:08x}", it.id), "name": name, "structure-bytes": structure, "text-bytes": letters,
        }));
    }
    (text, Value::from(values))
}

fn inspect(it: &Dictionary<'_>) -> (String, Value) {
    let parts = [
        ("namespaces", it.namespaces.len()),
        ("elements", it.elements.len()),
        ("attributes", it.attributes.len()),
        ("values", it.values.len()),
        ("octets of the structure model", it.structure.len()),
        ("octets of the text model", it.text.len()),
    ];
    let mut text = format!("dictionary {:08x}\n", it.id);
    let mut value = serde_json::Map::new();
    value.insert("id".into(), format!("{:08x}", it.id).into());
    for (name, count) in parts {
        text.push_str(&format!("{count:>9} {name}\n"));
        value.insert(name.replace(' ', "-"), count.into());
    }
    (text, Value::Object(value))
}

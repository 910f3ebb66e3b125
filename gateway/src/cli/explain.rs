//! `explain`: where each bit of a packet went, node by node. Refuses estimates: the encoder itself is asked.

use clap::Args;
use longwire_codec::session::What;
use longwire_codec::stanza::Stanza;

use super::codec::{Encode, End, each_line};
use crate::exit::Failure;
use crate::xml::Element;

/// Most characters of a value shown.
const SHOWN_MAX: usize = 60;

/// Arguments of `longwire explain`.
#[derive(Clone, Debug, Args)]
pub(super) struct Explain {
    #[command(flatten)]
    encode: Encode,
}

/// One step of the walk and what it cost.
struct Step {
    depth: usize,
    what: String,
    how: &'static str,
    cost_256ths: u64,
}

/// The steps of one packet.
#[derive(Default)]
struct Ledger {
    steps: Vec<Step>,
    depth: usize,
}

impl Ledger {
    fn note(&mut self, what: What<'_>, cost_256ths: u64) {
        if what == What::Close {
            self.depth = self.depth.saturating_sub(1);
        }
        let depth = self.depth;
        let (what, how) = match what {
            What::Packet => ("(packet)".to_owned(), ""),
            What::Open(name) => (format!("<{name}>"), ""),
            What::Attribute(name) => (format!("@{name}"), ""),
            What::Text => ("text".to_owned(), ""),
            What::Close => ("</>".to_owned(), ""),
            What::Value(how, value) => (format!("\"{}\"", shorten(value)), how),
        };
        self.depth += usize::from(what.starts_with('<') && what != "</>");
        self.steps.push(Step {
            depth,
            what,
            how,
            cost_256ths,
        });
    }
}

fn shorten(value: &str) -> String {
    let value = value.replace(['\n', '\r', '\t'], " ");
    if value.chars().count() <= SHOWN_MAX {
        return value;
    }
    value
        .chars()
        .take(SHOWN_MAX - 1)
        .chain(['\u{2026}'])
        .collect()
}

/// Bits with one decimal.
fn bits(cost_256ths: u64) -> String {
    let tenths = (cost_256ths * 10 + 128) / 256;
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// A table for each stanza on standard input.
pub(super) fn explain(arguments: &Explain, json: bool) -> Result<(), Failure> {
    let shared = &arguments.encode.shared;
    let mut end = End::new(shared)?;
    let options = arguments.encode.ids.options();
    let mut scratch = vec![0; super::codec::PACKET_MAX];
    each_line(shared, |line, out| {
        let element = Element::parse_stanza(line).map_err(|error| error.to_string())?;
        let mut tape = Vec::new();
        element.tape(&mut tape);
        let stanza = Stanza::new(&tape).ok_or("nested too deep")?;
        let (session, number) = end.next();
        let mut ledger = Ledger::default();
        session
            .explain(number, stanza, options, |what, cost| {
                ledger.note(what, cost)
            })
            .map_err(|error| error.to_string())?;
        let len = session
            .encode(number, stanza, options, &mut scratch)
            .map_err(|error| error.to_string())?;
        end.settle().map_err(|_| "out of memory")?;
        if json {
            out.push_str(&as_json(&ledger.steps, line.len(), len));
        } else {
            out.push_str(&as_table(&ledger.steps, line.len(), len));
        }
        Ok(())
    })
}

fn as_json(steps: &[Step], xml_bytes: usize, packet_bytes: usize) -> String {
    let steps: Vec<serde_json::Value> = steps
        .iter()
        .map(|it| {
            serde_json::json!({
                "depth": it.depth, "what": it.what, "how": it.how,
                "bits": it.cost_256ths as f64 / 256.0,
            })
        })
        .collect();
    serde_json::json!({ "xml-bytes": xml_bytes, "packet-bytes": packet_bytes, "steps": steps })
        .to_string()
}

fn as_table(steps: &[Step], xml_bytes: usize, packet_bytes: usize) -> String {
    let mut table = String::from("    bits  what\n");
    let mut total = 0;
    for it in steps {
        total += it.cost_256ths;
        let how = if it.how.is_empty() {
            String::new()
        } else {
            format!("  ({})", it.how)
        };
        let indent = 2 * it.depth;
        table.push_str(&format!(
            "{:>8}  {:indent$}{}{how}\n",
            bits(it.cost_256ths),
            "",
            it.what
        ));
    }
    table.push_str(&format!(
        "{:>8}  in all: {packet_bytes} octets for {xml_bytes} of XML\n",
        bits(total)
    ));
    table
}

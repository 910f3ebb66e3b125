//! The table the demo prints, a row as each stanza arrives. Refuses to count what it did not see: octets are those
//! the simulated air carried.

use std::io::Write;
use std::time::Duration;

use super::stage::Passage;

/// One row, and what the air carried for it.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// The stanza.
    pub(super) passage: Passage,
    /// Since the demo began, in the link's time.
    pub(super) at: Duration,
    /// Octets on the air since the row before: frames, repeats, acknowledgements, both ways.
    pub(super) air_bytes: u64,
}

/// Rows so far.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: Vec<Row>,
    as_json: bool,
}

impl Table {
    /// An empty table; as JSON nothing is printed until the end.
    pub(super) fn new(as_json: bool) -> Self {
        if !as_json {
            println!("   time  from to           stanza               XML    air  seconds");
        }
        Self {
            rows: Vec::new(),
            as_json,
        }
    }

    /// Prints and keeps a row.
    pub(super) fn push(&mut self, row: Row) {
        if !self.as_json {
            let it = &row.passage;
            let seconds = row.at.as_secs();
            let direction = format!("{} \u{2192} {}", it.by.name(), it.by.other().name());
            println!(
                "{:>4}:{:02}  {direction:<16} {:<18} {:>5} B {:>4} B  {:>7}",
                seconds / 60,
                seconds % 60,
                it.kind,
                it.xml_bytes,
                row.air_bytes,
                tenths(it.took),
            );
            if let Some(wrong) = &it.wrong {
                println!("         NOT INTACT: {wrong}");
            }
            // A pipe that closed is no reason to stop the play.
            let _ = std::io::stdout().flush();
        }
        self.rows.push(row);
    }

    /// Stanzas that arrived intact.
    pub(super) fn intact(&self) -> usize {
        self.rows
            .iter()
            .filter(|row| row.passage.wrong.is_none())
            .count()
    }

    /// All stanzas.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Octets as XML.
    pub(super) fn xml_bytes(&self) -> usize {
        self.rows.iter().map(|row| row.passage.xml_bytes).sum()
    }

    /// The rows for machines.
    pub(super) fn json(&self) -> serde_json::Value {
        let rows = self.rows.iter().map(|row| {
            serde_json::json!({
                "at-s": row.at.as_secs_f64(),
                "from": row.passage.by.name(),
                "kind": row.passage.kind,
                "xml-bytes": row.passage.xml_bytes,
                "air-bytes": row.air_bytes,
                "seconds": row.passage.took.as_secs_f64(),
                "wrong": row.passage.wrong,
            })
        });
        rows.collect()
    }
}

/// Seconds with one decimal.
pub(super) fn tenths(span: Duration) -> String {
    format!("{:.1}", span.as_secs_f64())
}

//! Prints and keeps what was measured: tables for people, one line per stanza for machines, bar charts.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use super::cost::Instructions;
use super::data::Data;
use super::goals::{self, mean, median};
use super::ours::Mode;
use super::rival::Trained;
use super::{Row, TextRow, plot, rival, texts};

/// Bit rates of HF modems, robust to fast.
const RATES_BPS: [u32; 4] = [75, 300, 1200, 9600];

/// Failures printed before the rest is only counted.
const FAILURES_SHOWN: usize = 20;

/// Everything one run measured.
pub(crate) struct Report<'r> {
    /// What was measured.
    pub(crate) data: &'r Data,
    /// What the rivals were trained on.
    pub(crate) train: &'r Data,
    /// What they learned from stanzas.
    pub(crate) trained: &'r Trained,
    /// One per stanza.
    pub(crate) rows: &'r [Row],
    /// One per text file.
    pub(crate) texts: &'r [TextRow],
    /// CPU, if asked for.
    pub(crate) instructions: Option<Instructions>,
    /// Stanzas of ours that did not come out as they went in.
    pub(crate) failures: &'r [String],
}

fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or("–".to_owned(), |value| format!("{value:.digits$}"))
}

fn table(head: &[String], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let rule = format!("|---|{}\n", "--:|".repeat(head.len() - 1));
    let body: String = rows.iter().map(|row| line(row)).collect();
    line(head) + &rule + &body + "\n"
}

impl Report<'_> {
    /// The tables, in Markdown.
    pub(crate) fn summary(&self) -> String {
        let mut out = String::from("# Airtime\n\n");
        out += &self.setup();
        if !self.failures.is_empty() {
            out += "## Failures\n\nEach counts as its XML.\n\n";
            out += &self
                .failures
                .iter()
                .take(FAILURES_SHOWN)
                .map(|failure| format!("- {failure}\n"))
                .collect::<String>();
            out += &format!("\n{} in all.\n\n", self.failures.len());
        }
        if !self.rows.is_empty() {
            out += "## Octets of a stanza, median by kind\n\n";
            out += &self.by_kind(median);
            out += "## Octets of a stanza, mean by kind\n\n";
            out += &self.by_kind(mean);
            out += "## Octets of a session\n\n";
            out += &self.by_session();
            out += "## Seconds of air for all sessions, framing left out\n\n";
            out += &self.by_rate();
        }
        if !self.texts.is_empty() {
            out += "## Bits per character of isolated messages\n\n";
            out += &self.by_text();
        }
        if let Some(instructions) = &self.instructions {
            out += "## Instructions for one chat message of 40 characters\n\n";
            out += &instructions.table();
        }
        out += "## Goals\n\n";
        out + &self.by_goal()
    }

    fn setup(&self) -> String {
        let skipped: usize = self
            .data
            .sessions
            .iter()
            .map(|session| session.skipped)
            .sum();
        format!(
            "{} stanzas of {} files ({skipped} lines that are no stanza left out), {} text files. Rivals trained on \
             {} files: for stanzas {:.1} MB of them, for text what its table says. Dictionaries {:08x}, {:08x}, {:08x}; \
             stanzas with the last.\n\n",
            self.rows.len(),
            self.data.sessions.len(),
            self.texts.len(),
            self.train.hashes.len(),
            self.trained.octets as f64 / 1e6,
            longwire_dictionaries::V1_128K.id,
            longwire_dictionaries::V1_512K.id,
            longwire_dictionaries::V1_HOST.id,
        )
    }

    fn columns(&self) -> Vec<String> {
        let exi = match self.trained.exi {
            Some(_) => rival::exi::MEASURED,
            None => rival::exi::BY_RATIO,
        };
        let ours = Mode::ALL.iter().map(Mode::name);
        rival::NAMES
            .iter()
            .chain(&exi)
            .map(ToString::to_string)
            .chain(ours)
            .collect()
    }

    fn by_kind(&self, middle: fn(std::vec::IntoIter<f64>) -> Option<f64>) -> String {
        let mut kinds: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
        for row in self.rows {
            kinds.entry(row.kind).or_default().push(row);
        }
        let mut by_count: Vec<_> = kinds.into_iter().collect();
        by_count.sort_by_key(|(_, rows)| std::cmp::Reverse(rows.len()));
        let head = ["octets".to_owned()]
            .into_iter()
            .chain(by_count.iter().map(|(kind, _)| (*kind).to_owned()));
        let mut lines = vec![vec!["stanzas".to_owned()]];
        lines[0].extend(by_count.iter().map(|(_, rows)| rows.len().to_string()));
        for (at, name) in self.columns().into_iter().enumerate() {
            let cell = |rows: &Vec<&Row>| {
                let values: Vec<f64> = rows.iter().map(|row| row.column(at)).collect();
                number(middle(values.into_iter()), 1)
            };
            lines.push(
                [name]
                    .into_iter()
                    .chain(by_count.iter().map(|(_, rows)| cell(rows)))
                    .collect(),
            );
        }
        table(&head.collect::<Vec<_>>(), &lines)
    }

    fn by_session(&self) -> String {
        let names = self
            .data
            .sessions
            .iter()
            .map(|session| session.name.as_str());
        let head: Vec<String> = ["octets", "all"]
            .into_iter()
            .chain(names)
            .map(str::to_owned)
            .collect();
        let sum = |session: Option<usize>, of: &dyn Fn(&Row) -> f64| -> f64 {
            self.rows
                .iter()
                .filter(|row| session.is_none_or(|session| row.session == session))
                .map(of)
                .sum()
        };
        let mut lines = Vec::new();
        let sessions = || {
            [None]
                .into_iter()
                .chain((0..self.data.sessions.len()).map(Some))
        };
        for (at, name) in self.columns().into_iter().enumerate() {
            let cells = sessions().map(|session| {
                let octets = sum(session, &|row| row.column(at));
                format!(
                    "{octets:.0} ({:.3})",
                    octets / sum(session, &|row| row.column(0))
                )
            });
            lines.push([name].into_iter().chain(cells).collect());
        }
        let plain = [rival::NAMES[0], rival::NAMES[4], rival::NAMES[6]].map(str::to_owned);
        for (at, name) in plain
            .into_iter()
            .chain(Mode::ALL.iter().map(Mode::name))
            .enumerate()
        {
            let cells = sessions().map(|session| {
                let octets = sum(session, &|row| row.plain[at]);
                format!(
                    "{octets:.0} ({:.3})",
                    octets / sum(session, &|row| row.plain[0])
                )
            });
            lines.push(
                [format!("{name}, opaque values left out")]
                    .into_iter()
                    .chain(cells)
                    .collect(),
            );
        }
        table(&head, &lines)
    }

    fn by_rate(&self) -> String {
        let head = ["coder".to_owned()]
            .into_iter()
            .chain(RATES_BPS.map(|rate| format!("{rate} bit/s")));
        let line = |(at, name): (usize, String)| {
            let bits = self.rows.iter().map(|row| row.column(at)).sum::<f64>() * 8.0;
            let cells = RATES_BPS.map(|rate| format!("{:.0}", bits / f64::from(rate)));
            [name].into_iter().chain(cells).collect()
        };
        let lines: Vec<Vec<String>> = self.columns().into_iter().enumerate().map(line).collect();
        table(&head.collect::<Vec<_>>(), &lines)
    }

    fn by_text(&self) -> String {
        let head = ["text", "characters"]
            .into_iter()
            .chain(texts::NAMES)
            .chain(["8 MB over zstd", "rivals trained on"])
            .map(str::to_owned);
        let line = |row: &TextRow| {
            let cells = row.bits.iter().map(|bits| number(*bits, 3));
            [row.name.clone(), row.characters.to_string()]
                .into_iter()
                .chain(cells)
                .chain([number(row.over_zstd(), 2), row.trained_on.clone()])
                .collect()
        };
        table(
            &head.collect::<Vec<_>>(),
            &self.texts.iter().map(line).collect::<Vec<_>>(),
        )
    }

    fn by_goal(&self) -> String {
        let mut all = goals::goals(self);
        all.extend(self.instructions.iter().flat_map(Instructions::goals));
        all.push(super::cost::memory());
        let line = |goal: &goals::Goal| {
            let verdict = match (goal.ours, goal.most) {
                (None, _) => "not measured",
                (Some(_), None) => "bound",
                (Some(ours), Some(most)) if ours <= most => "met",
                _ => "missed",
            };
            let cells = [
                number(goal.rival, 3),
                number(goal.ours, 3),
                goal.most.map_or("–".to_owned(), |most| most.to_string()),
                verdict.to_owned(),
            ];
            [goal.measure.clone()].into_iter().chain(cells).collect()
        };
        let head = ["measure", "best rival", "Longwire", "goal at most", ""].map(str::to_owned);
        table(&head, &all.iter().map(line).collect::<Vec<_>>())
    }

    /// Writes tables, raw rows and charts into a folder of today's date and returns it.
    ///
    /// # Errors
    /// The file that cannot be written.
    pub(crate) fn write(&self, results: &Path) -> Result<PathBuf, String> {
        let folder = super::dated(results);
        let put = |name: &str, text: String| {
            fs::write(folder.join(name), text)
                .map_err(|error| format!("{}: {error}", folder.join(name).display()))
        };
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        put("airtime.md", self.summary())?;
        put("airtime-data.tsv", self.hashes())?;
        put("airtime-stanzas.csv", self.raw())?;
        for kind in ["msg-chat", "receipt", "presence", "msg-muc", "mam-result"] {
            let rows = || self.rows.iter().filter(|row| row.kind == kind);
            let bars = self.columns().into_iter().enumerate();
            let bars: Vec<_> = bars
                .filter_map(|(at, name)| Some((name, median(rows().map(|row| row.column(at)))?)))
                .collect();
            if !bars.is_empty() {
                put(
                    &format!("airtime-{kind}.svg"),
                    plot::bars(&format!("{kind}, median"), "octets", &bars),
                )?;
            }
        }
        if !self.texts.is_empty() {
            let bar = |(at, name): (usize, &&str)| {
                Some((
                    (*name).to_owned(),
                    mean(self.texts.iter().filter_map(|row| row.bits[at]))?,
                ))
            };
            let bars: Vec<_> = texts::NAMES.iter().enumerate().filter_map(bar).collect();
            put(
                "airtime-text.svg",
                plot::bars(
                    "Isolated messages, mean of files",
                    "bits per character",
                    &bars,
                ),
            )?;
        }
        Ok(folder)
    }

    fn hashes(&self) -> String {
        let mut out = String::from("use\tfile\tsha256\n");
        for (role, data) in [("measured", self.data), ("trained", self.train)] {
            for (name, hash) in &data.hashes {
                // Writing to a `String` does not fail.
                let _ = writeln!(out, "{role}\t{name}\t{hash}");
            }
        }
        out
    }

    fn raw(&self) -> String {
        let mut out = format!(
            "session,kind,{}\n",
            self.columns()
                .iter()
                .map(|name| name.replace(',', ""))
                .collect::<Vec<_>>()
                .join(",")
        );
        for row in self.rows {
            let cells: Vec<String> = (0..self.columns().len())
                .map(|at| row.column(at).to_string())
                .collect();
            let _ = writeln!(
                out,
                "{},{},{}",
                self.data.sessions[row.session].name,
                row.kind,
                cells.join(",")
            );
        }
        out
    }
}

impl Row {
    fn column(&self, at: usize) -> f64 {
        self.rivals
            .get(at)
            .or_else(|| self.ours.get(at - self.rivals.len()))
            .copied()
            .unwrap_or(f64::NAN)
    }
}

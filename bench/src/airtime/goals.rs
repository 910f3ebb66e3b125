//! The goals of the codec, measured. Refuses a verdict where the data holds nothing to judge by.

use super::ours::Mode;
use super::report::Report;
use super::{OURS, Row, TextRow, rival};

/// One goal: what, the best rival's figure, ours, and the most it may be.
pub(crate) struct Goal {
    /// What is measured.
    pub(crate) measure: String,
    /// The best rival on the same data.
    pub(crate) rival: Option<f64>,
    /// Ours.
    pub(crate) ours: Option<f64>,
    /// The goal; none for a bound, what of the row above no coder can save.
    pub(crate) most: Option<f64>,
}

const SHORT: usize = Mode::SESSION_SHORT;
const PRESERVE: usize = Mode::SESSION_PRESERVE;

/// Every goal, in the order of the table in README.
pub(crate) fn goals(report: &Report<'_>) -> Vec<Goal> {
    let mut goals = text(report.texts);
    let rows = report.rows;
    // The goals speak of stations that have met.
    let of = |kind: &'static str| rows.iter().filter(move |row| row.kind == kind && row.known);
    // A ratio is no measurement, so EXI is a rival only where it ran.
    let exi = if report.trained.exi.is_some() { 2 } else { 0 };
    let rivals = 1..rival::NAMES.len() + exi;
    let mut goal = |what: &str, most: f64, rival: Option<f64>, ours: Option<f64>| {
        let measure = format!("{what}, octets");
        goals.push(Goal {
            measure,
            rival,
            ours,
            most: Some(most),
        });
    };
    let best = |columns: std::ops::Range<usize>, of: &dyn Fn(usize) -> Option<f64>| {
        columns.filter_map(of).reduce(f64::min)
    };
    for (what, kind, most) in [
        ("1:1 chat, all but the body, mean", "msg-chat", 4.0),
        ("room message, all but the body, mean", "msg-muc", 6.0),
        ("archive result, all but the body, mean", "mam-result", 8.0),
    ] {
        let column = |at: usize| mean(of(kind).map(|row| row.bodiless[at]));
        goal(what, most, best(1..OURS, &column), column(OURS + SHORT));
    }
    for (what, kind, most) in [
        ("receipt, mean", "receipt", 3.0),
        ("displayed marker, mean", "marker", 3.0),
        ("chat state, mean", "chatstate", 3.0),
        ("presence, mean", "presence", 4.0),
    ] {
        let column = |at: usize| mean(of(kind).map(|row| row.rivals[at]));
        goal(
            what,
            most,
            best(rivals.clone(), &column),
            mean(of(kind).map(|row| row.ours[SHORT])),
        );
    }
    let chat = |at: usize| median(of("msg-chat").map(|row| row.rivals[at]));
    let ours = median(of("msg-chat").map(|row| row.ours[SHORT]));
    goal(
        "1:1 chat, whole packet, median",
        24.0,
        best(rivals, &chat),
        ours,
    );
    for (name, mode, most) in [("short", SHORT, 0.035), ("preserve", PRESERVE, 0.06)] {
        goals.push(Goal {
            measure: format!("sessions, ids {name}, octets over XML, opaque values left out"),
            rival: best(1..OURS, &|at| ratio(rows, at)),
            ours: ratio(rows, OURS + mode),
            most: Some(most),
        });
    }
    goals.extend(bounded(rows));
    goals
}

/// Goals whose figure says what the bits were spent on, and bounds.
fn bounded(rows: &[Row]) -> Vec<Goal> {
    let octets = |bits: f64| bits / 8.0;
    let sum =
        |of: &dyn Fn(&Row) -> f64| (!rows.is_empty()).then(|| rows.iter().map(of).sum::<f64>());
    let xml = sum(&|row| row.plain[0]);
    let chance = sum(&|row| {
        let spent = row.plain_spent[PRESERVE];
        octets(spent.ids + spent.text)
    });
    let presence = rows
        .iter()
        .filter(|row| row.kind == "presence" && row.known);
    let presence = mean(presence.map(|row| {
        let spent = row.spent[SHORT];
        row.ours[SHORT] - octets(spent.text + spent.opaque)
    }));
    let omemo = rows.iter().filter(|row| row.known && row.chance.is_some());
    let (sent, held) = omemo.fold((0.0, 0.0), |(sent, held), row| {
        (sent + row.ours[SHORT], held + row.chance.unwrap_or(0.0))
    });
    let full = rows
        .iter()
        .filter(|row| row.kind == "msg-chat" && row.is_full_chat);
    let full = mean(full.map(|row| {
        let spent = row.spent[Mode::ALONE_SHORT];
        spent.bits - spent.text - spent.addresses
    }));
    let goal = |measure: &str, ours: Option<f64>, most: Option<f64>| Goal {
        measure: measure.to_owned(),
        rival: None,
        ours,
        most,
    };
    vec![
        goal(
            "of these octets, random ids that cross for the first time, and text as coded",
            chance.zip(xml).map(|(chance, xml)| chance / xml),
            None,
        ),
        goal(
            "presence beside new hashes and status text, mean, octets",
            presence,
            Some(4.0),
        ),
        goal(
            "OMEMO message, whole packet over octets of keys, nonce and payload and device numbers first seen",
            (held > 0.0).then(|| sent / held),
            Some(1.02),
        ),
        goal(
            "1:1 chat with origin-id, receipt request, markable and chat state, alone, all but addresses and body, bits",
            full,
            Some(10.0),
        ),
    ]
}

fn ratio(rows: &[Row], column: usize) -> Option<f64> {
    let sum = |column: usize| rows.iter().map(|row| row.plain[column]).sum::<f64>();
    (!rows.is_empty()).then(|| sum(column) / sum(0))
}

/// Languages with a model, by the end of the file's name.
const LANGUAGES: [&str; 11] = [
    "fr", "de", "es", "pt", "it", "nl", "pl", "tr", "ru", "uk", "ar",
];

/// The language of a text file, by the end of its name.
pub(crate) fn language(name: &str) -> &str {
    name.rsplit('_').next().unwrap_or(name)
}

fn text(texts: &[TextRow]) -> Vec<Goal> {
    let english = || texts.iter().filter(|row| language(&row.name) == "en");
    let column = |at: usize| mean(english().filter_map(|row| row.bits[at]));
    let rival = (4..super::texts::NAMES.len())
        .filter_map(column)
        .reduce(f64::min);
    let mut goals: Vec<Goal> = [("128 KB", 0, 2.80), ("512 KB", 1, 2.50), ("8 MB", 2, 2.30)]
        .map(|(size, at, most)| Goal {
            measure: format!("English text, {size} model, mean of files, bits per character"),
            rival,
            ours: column(at),
            most: Some(most),
        })
        .into();
    let others = || {
        texts
            .iter()
            .filter(|row| LANGUAGES.contains(&language(&row.name)))
    };
    goals.push(Goal {
        measure: "other languages, 8 MB model over zstd with dictionary, mean of files".to_owned(),
        rival: others().next().map(|_| 1.0),
        ours: mean(others().filter_map(TextRow::over_zstd)),
        most: Some(0.60),
    });
    goals
}

impl TextRow {
    /// Our host model over zstd with a dictionary.
    pub(crate) fn over_zstd(&self) -> Option<f64> {
        Some(self.bits[super::texts::HOST]? / self.bits[super::texts::ZSTD]?)
    }
}

/// Arithmetic mean; `None` of nothing.
pub(crate) fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The value in the middle; `None` of nothing.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

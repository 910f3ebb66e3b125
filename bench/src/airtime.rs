//! `bench airtime`: bytes of every stanza and text, ours and each rival's, on the same data in the same run. Refuses
//! to leave out what others do better.

pub(crate) mod cost;
mod data;
mod goals;
mod kind;
mod ours;
mod plot;
mod report;
mod rival;
mod spent;
mod strip;
mod texts;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};

use data::{Data, Line};
use ours::{Mode, Packet};
use rival::Trained;
use spent::Spent;

/// Octets of the dictionary given to zstd for text, as large as our middle model.
const ZSTD_TEXT_BYTES: usize = 512 << 10;

/// What to measure, on what.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Files or folders to measure: sessions (.log), stanzas (.xmlstream), texts (.txt), plain or .zst.
    #[arg(long, num_args = 1.., default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/data/test"))]
    data: Vec<PathBuf>,
    /// Files or folders the rivals' dictionaries are trained on; nothing in it may be measured.
    #[arg(long, num_args = 1.., default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/data/train"))]
    train: Vec<PathBuf>,
    /// Most messages measured of each text file, evenly spaced in it; 0: all.
    #[arg(long, default_value = "1000")]
    messages: usize,
    /// Folder for results; a folder of today's date is made in it.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/results"))]
    results: PathBuf,
    /// Print only, write no files.
    #[arg(long)]
    dry: bool,
    /// Leave out instructions per stanza, for which this program runs again under valgrind.
    #[arg(long)]
    no_instructions: bool,
}

/// One stanza with what everybody sends for it.
pub(crate) struct Row {
    /// Session it belongs to.
    pub(crate) session: usize,
    /// Kind of stanza.
    pub(crate) kind: &'static str,
    /// See [`Line::known`].
    pub(crate) known: bool,
    /// Octets of [`rival::NAMES`].
    pub(crate) rivals: Vec<f64>,
    /// Octets of [`Mode::ALL`].
    pub(crate) ours: Vec<f64>,
    /// Octets of XML, of the [`rival::streams`] and of [`Mode::ALL`], the body text emptied.
    pub(crate) bodiless: Vec<f64>,
    /// The same with hashes and base64 emptied instead.
    pub(crate) plain: Vec<f64>,
    /// What the bits were spent on, in each of [`Mode::ALL`].
    pub(crate) spent: Vec<Spent>,
    /// The same without hashes and base64.
    pub(crate) plain_spent: Vec<Spent>,
    /// Octets of chance in an OMEMO message.
    pub(crate) chance: Option<f64>,
    /// See [`spent::is_full_chat`].
    pub(crate) is_full_chat: bool,
}

/// Column of the first of [`Mode::ALL`] in [`Row::bodiless`] and [`Row::plain`].
pub(crate) const OURS: usize = 3;

/// Runs the measurement.
///
/// # Errors
/// What could not be read, trained, coded or written.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let mut data = data::read(&options.data)?;
    data.thin(options.messages);
    let train = data::read(&options.train)?;
    for (name, hash) in &data.hashes {
        if train.hashes.values().any(|other| other == hash) {
            return Err(format!("{name} is in the training data of the rivals"));
        }
    }
    let mut failures = Vec::new();
    let trained = trained_on_stanzas(&train)?;
    let rows = stanzas(&data, &trained, &mut failures)?;
    let texts = texts(&data, &train)?;
    let instructions = if options.no_instructions || !cost::is_possible() {
        None
    } else {
        Some(cost::instructions()?)
    };
    let report = report::Report {
        data: &data,
        train: &train,
        trained: &trained,
        rows: &rows,
        texts: &texts,
        instructions,
        failures: &failures,
    };
    print!("{}", report.summary());
    if !options.dry {
        let folder = report.write(&options.results)?;
        println!("\nwritten to {}", folder.display());
    }
    Ok(())
}

fn trained_on_stanzas(train: &Data) -> Result<Trained, String> {
    let lines = train.sessions.iter().flat_map(|session| &session.lines);
    let samples = lines.clone().map(|line| line.xml.as_bytes()).collect();
    let mut trained = Trained::new(samples, rival::ZSTD_DICTIONARY_BYTES)?;
    trained.exi = rival::exi::Exi::new(lines)?;
    Ok(trained)
}

fn stanzas(data: &Data, trained: &Trained, failures: &mut Vec<String>) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    for (session, of) in data.sessions.iter().enumerate() {
        let rivals = rival::sizes(&of.lines, trained)?;
        let mut failed = Vec::new();
        let ours = all_modes(&of.lines, &mut failed)?;
        let mut variant = |change: fn(&mut Line)| -> Result<_, String> {
            let mut lines = of.lines.clone();
            lines.iter_mut().for_each(change);
            let mut columns = vec![lines.iter().map(|line| line.xml.len() as f64).collect()];
            columns.extend(rival::streams(&lines, trained)?);
            let packets = all_modes(&lines, &mut failed)?;
            columns.extend(packets.iter().map(|mode| octets(mode)));
            Ok((columns, packets))
        };
        let (bodiless, _) = variant(strip::body)?;
        let (plain, plain_packets) = variant(strip::opaque)?;
        failures.extend(
            failed
                .iter()
                .map(|failure| format!("{}, {failure}", of.name)),
        );
        let at =
            |columns: &[Vec<f64>], line: usize| columns.iter().map(|column| column[line]).collect();
        let mut devices = Vec::new();
        rows.extend(of.lines.iter().enumerate().map(|(line, stanza)| Row {
            session,
            kind: stanza.kind,
            known: stanza.known,
            rivals: at(&rivals, line),
            ours: ours.iter().map(|mode| mode[line].octets).collect(),
            bodiless: at(&bodiless, line),
            plain: at(&plain, line),
            spent: ours.iter().map(|mode| mode[line].spent).collect(),
            plain_spent: plain_packets.iter().map(|mode| mode[line].spent).collect(),
            chance: spent::omemo_octets(&stanza.element, &mut devices),
            is_full_chat: spent::is_full_chat(&stanza.element),
        }));
    }
    Ok(rows)
}

fn all_modes(lines: &[Line], failures: &mut Vec<String>) -> Result<Vec<Vec<Packet>>, String> {
    let packets = |mode: &Mode| ours::packets(lines, *mode, failures);
    Mode::ALL.iter().map(packets).collect()
}

fn octets(packets: &[Packet]) -> Vec<f64> {
    packets.iter().map(|packet| packet.octets).collect()
}

/// One text file.
pub(crate) struct TextRow {
    /// Its name.
    pub(crate) name: String,
    /// Characters in it.
    pub(crate) characters: usize,
    /// Bits per character, the columns of [`texts::NAMES`].
    pub(crate) bits: Vec<Option<f64>>,
    /// What the rivals' dictionaries were trained on.
    pub(crate) trained_on: String,
}

/// Octets of training text below which a language shares the dictionary of all.
const LANGUAGE_BYTES_MIN: usize = 1 << 20;

/// Rivals' dictionaries are trained on text of the same language, known by the end of the file's name.
fn texts(data: &Data, train: &Data) -> Result<Vec<TextRow>, String> {
    let mut trained: BTreeMap<&str, Trained> = BTreeMap::new();
    let mut rows = Vec::new();
    for text in &data.texts {
        let language = goals::language(&text.name);
        let samples = |all: bool| -> Vec<&[u8]> {
            let of = |texts: &&data::Texts| all || goals::language(&texts.name) == language;
            let lines = train.texts.iter().filter(of).flat_map(|texts| &texts.lines);
            lines.map(|line| line.as_bytes()).collect()
        };
        let own = samples(false);
        let enough = own.iter().map(|line| line.len()).sum::<usize>() >= LANGUAGE_BYTES_MIN;
        let key = if enough { language } else { "" };
        let rivals = match trained.entry(key) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let samples = if enough { own } else { samples(true) };
                entry.insert(Trained::new(samples, ZSTD_TEXT_BYTES)?)
            }
        };
        let characters = text.lines.iter().map(|line| line.chars().count()).sum();
        let bits = texts::bits_per_character(text, rivals)?;
        let of = if enough { language } else { "all languages" };
        rows.push(TextRow {
            name: text.name.clone(),
            characters,
            bits,
            trained_on: format!("{:.1} MB, {of}", rivals.octets as f64 / 1e6),
        });
    }
    Ok(rows)
}

/// The folder of today below `results`, UTC.
pub(crate) fn dated(results: &Path) -> PathBuf {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let (year, month, day) = civil(now.map_or(0, |since| since.as_secs() / 86_400));
    results.join(format!("{year}-{month:02}-{day:02}"))
}

/// Gregorian date of a day counted from 1970-01-01.
fn civil(days: u64) -> (u64, u64, u64) {
    // Years begin in March, so that the leap day is the last; an era is 400 years.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let in_year = day - (365 * year + year / 4 - year / 100);
    let march = (5 * in_year + 2) / 153;
    let month = if march < 10 { march + 3 } else { march - 9 };
    let year = year + era * 400 + u64::from(month <= 2);
    (year, month, in_year - (153 * march + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    #[test]
    fn days_are_dates() {
        assert_eq!(super::civil(0), (1970, 1, 1));
        assert_eq!(super::civil(11_016), (2000, 2, 29));
        assert_eq!(super::civil(20_777), (2026, 11, 20));
    }
}

//! `dictionary train`: progress on standard error, a dictionary in a new file. Refuses to write over one.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use longwire_codec::dictionary::Dictionary;
use longwire_codec::dictionary::file::File;
use longwire_trainer::features::{Progress, Settings};
use longwire_trainer::structure::{self, Corpus};
use longwire_trainer::text::{self, Language, Line, TextSettings};
use serde_json::{Value, json};

use super::sources::{Source, bodies, read, tagged};
use crate::config::{TextModel, units};
use crate::dictionaries::built_in;
use crate::exit::{Exit, Failure};

/// Chance of the first language, and of each other, of 65,536 texts.
const CHANCES: [u16; 2] = [55_000, 900];
/// Seconds between two lines of progress within a pass.
const REPORT_S: u64 = 10;

/// What to learn from, and where it goes.
#[derive(Debug, Args)]
pub(in super::super) struct Train {
    /// New file.
    #[arg(long)]
    out: PathBuf,
    /// Largest size of the text model.
    #[arg(long, default_value = "512 KiB", value_parser = size)]
    text_size: usize,
    /// Largest size of the structure model.
    #[arg(long, default_value = "128 KiB", value_parser = size)]
    structure_size: usize,
    /// What is not learned, text for want of texts or structure for want of stanzas, is taken from the released
    /// dictionary with this text model.
    #[arg(long, value_enum, default_value = "8m")]
    base: TextModel,
    /// Sessions (.log, as `capture` writes them), stanzas (.xml, .xmlstream) and texts (anything else). A language
    /// before a file of texts, `de=chat.txt`, is that of its lines; without one: en. Before stanzas, `de=capture.log`,
    /// it makes the bodies in them learned as texts too. The first language is the one expected.
    #[arg(required = true)]
    files: Vec<String>,
}

fn size(text: &str) -> Result<usize, String> {
    let octets = units::parse_size(text)?;
    usize::try_from(octets).map_err(|_| "larger than memory".to_owned())
}

/// What was read.
#[derive(Default)]
struct Material {
    languages: Vec<Language>,
    /// Place in its file, and the line.
    lines: Vec<(usize, Line)>,
    corpus: Corpus,
    /// A line for each file.
    note: String,
}

/// Trains, writes, and says what was made.
pub(super) fn train(what: &Train) -> Result<(String, Value), Failure> {
    let base = built_in(what.base);
    let mut material = Material::default();
    for file in &what.files {
        material.add(file)?;
    }
    let mut out = open_new(&what.out)?;
    let mut clock = Clock::new();
    let mut report = |it: Progress| clock.report(it);
    let Material {
        languages,
        mut lines,
        corpus,
        mut note,
    } = material;
    let structure = if corpus.sessions.is_empty() && corpus.stanzas.is_empty() {
        note.push_str(&format!("structure: that of {}\n", base.name));
        base.dictionary.structure.to_vec()
    } else {
        let untrained = Dictionary {
            structure: &[],
            ..base.dictionary
        };
        structure::train(&untrained, &corpus, what.structure_size, &mut report)
    };
    let text = if lines.is_empty() {
        note.push_str(&format!("text: that of {}\n", base.name));
        base.dictionary.text.to_vec()
    } else {
        // Sources are mixed by place in their file, so that no one comes last.
        lines.sort_by_key(|(at, _)| *at);
        let lines: Vec<Line> = lines.into_iter().map(|(_, line)| line).collect();
        text::train(&settings(languages, what.text_size), &lines, &mut report)
    };
    let file = File {
        id: 0,
        tables: base.dictionary.tables,
        structure: &structure,
        text: &text,
        note: note.trim_end(),
    };
    let mut octets = vec![0; file.len()];
    if file.emit(&mut octets).is_none() {
        return Err(Failure::running("larger than a dictionary can be"));
    }
    let id = File::parse(&octets).map_err(Failure::running)?.id;
    out.write_all(&octets)
        .map_err(|error| unwritable(&what.out, &error))?;
    let shown = what.out.display();
    let line = format!(
        "{shown}: dictionary {id:08x}, {} octets\n\
         Measure it on what it has not seen: longwire dictionary evaluate --dictionary {shown} FILES\n\
         Copy it to both ends and name it in `dictionaries` of their [[peer]].\n",
        octets.len()
    );
    let value = json!({ "file": what.out, "id": format!("{id:08x}"), "bytes": octets.len() });
    Ok((line, value))
}

fn settings(languages: Vec<Language>, size: usize) -> TextSettings {
    TextSettings {
        languages,
        kinds: 0xff_ffff,
        features: Settings {
            size,
            ..Settings::default()
        },
    }
}

/// Says how far training is: each stage, and every few seconds within.
struct Clock {
    begun: Instant,
    stage: Option<(&'static str, u32)>,
    said_s: u64,
}

impl Clock {
    fn new() -> Self {
        Self {
            begun: Instant::now(),
            stage: None,
            said_s: 0,
        }
    }

    fn report(&mut self, it: Progress) {
        let seconds = self.begun.elapsed().as_secs();
        let stage = Some((it.stage, it.pass));
        if stage == self.stage && seconds < self.said_s + REPORT_S {
            return;
        }
        (self.stage, self.said_s) = (stage, seconds);
        let each = it.bits / it.decisions.max(1) as f64;
        eprintln!(
            "{seconds:>5} s  {} {}: {}k decisions, {each:.4} bits each",
            it.stage,
            it.pass,
            it.decisions >> 10
        );
    }
}

impl Material {
    fn add(&mut self, file: &str) -> Result<(), Failure> {
        let (tag, path) = tagged(file);
        let read = read(&path)?;
        let (what, texts) = match read.source {
            Source::Texts(texts) => (format!("{} texts", texts.len()), Some(texts)),
            Source::Session(stanzas) => {
                let what = format!("{} stanzas of a session", stanzas.len());
                let texts = tag.map(|_| bodies(&stanzas));
                self.corpus.sessions.push(stanzas);
                (what, texts)
            }
            Source::Stanzas(stanzas) => {
                let what = format!("{} stanzas", stanzas.len());
                let texts = tag.map(|_| bodies(&stanzas));
                self.corpus.stanzas.extend(stanzas);
                (what, texts)
            }
        };
        let language = texts.is_some().then(|| tag.unwrap_or("en"));
        if let (Some(tag), Some(texts)) = (language, texts) {
            self.add_texts(tag, texts)?;
        }
        let name = path.file_name().unwrap_or(path.as_os_str());
        self.note.push_str(&format!(
            "{}: {what}{}{}, sha256 {}…\n",
            name.to_string_lossy(),
            if language.is_some() { ", text " } else { "" },
            language.unwrap_or_default(),
            read.digest
        ));
        Ok(())
    }

    fn add_texts(&mut self, tag: &str, texts: Vec<String>) -> Result<(), Failure> {
        let mut padded = [0; 4];
        let Some(room) = padded.get_mut(..tag.len()) else {
            let said = format!("`{tag}` is no language tag of at most 4 letters");
            return Err(Failure::new(Exit::Usage, said).advise("write en=chat.txt"));
        };
        room.copy_from_slice(tag.as_bytes());
        let known = self.languages.iter().position(|it| it.tag == padded);
        let language = known.unwrap_or_else(|| {
            let chance = CHANCES[usize::from(!self.languages.is_empty())];
            self.languages.push(Language {
                tag: padded,
                chance,
            });
            self.languages.len() - 1
        });
        let lines = texts.into_iter().enumerate().map(|(at, text)| {
            let line = Line { language, text };
            (at, line)
        });
        self.lines.extend(lines);
        Ok(())
    }
}

/// Opens the file before an hour of work goes into what cannot be written. One that an interrupted run left empty counts
/// as new.
fn open_new(path: &Path) -> Result<fs::File, Failure> {
    if fs::metadata(path).is_ok_and(|it| it.len() > 0) {
        let said = format!("{} is there already", path.display());
        return Err(
            Failure::running(said).advise("name a new file: the far end may still use this one")
        );
    }
    let opened = OpenOptions::new().append(true).create(true).open(path);
    opened.map_err(|error| unwritable(path, &error))
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::running(format!("cannot write {}: {error}", path.display()))
        .advise("name a file in a folder that is there and yours")
}

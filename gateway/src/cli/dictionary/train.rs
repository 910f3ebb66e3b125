//! `dictionary train`: progress on standard error, a table in a file. Refuses to write over one.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, Subcommand};
use longwire_codec::dictionary::Dictionary;
use longwire_trainer::features::{Progress, Settings};
use longwire_trainer::log;
use longwire_trainer::structure::{self, Corpus};
use longwire_trainer::text::{self, Language, Line, TextSettings};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::measure::{Kind, kind};
use crate::config::units;
use crate::exit::{Exit, Failure};

/// Chance of the first language, and of each other, of 65,536 texts.
const CHANCES: [u16; 2] = [55_000, 900];

/// What to train.
#[derive(Debug, Subcommand)]
pub(in super::super) enum Train {
    /// A text model, from files of a text a line.
    Text {
        #[command(flatten)]
        target: Target,
        /// A file and its language, `en=chat.txt`; the first language is the one expected. Without a tag: en.
        #[arg(required = true)]
        files: Vec<String>,
    },
    /// The structure model, from session logs (.log) and stanzas (.xml).
    Structure {
        #[command(flatten)]
        target: Target,
        /// What to learn from.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

/// Where the table goes and how large it may be.
#[derive(Debug, Args)]
pub(in super::super) struct Target {
    /// New file.
    #[arg(long)]
    out: PathBuf,
    /// Largest size.
    #[arg(long, default_value = "512 KiB", value_parser = size)]
    size: usize,
}

fn size(text: &str) -> Result<usize, String> {
    let octets = units::parse_size(text)?;
    usize::try_from(octets).map_err(|_| "larger than memory".to_owned())
}

/// Trains, writes, and says what was made.
pub(super) fn train(what: &Train) -> Result<(String, Value), Failure> {
    let begun = Instant::now();
    let mut stage = String::new();
    let mut report = |it: Progress| {
        let name = format!("{} {}", it.stage, it.pass);
        if name != stage {
            eprintln!("{:>5} s  {name}", begun.elapsed().as_secs());
            stage = name;
        }
    };
    let (target, table) = match what {
        Train::Text { target, files } => {
            let (settings, lines) = read_text(files, target.size)?;
            (target, text::train(&settings, &lines, &mut report))
        }
        Train::Structure { target, files } => {
            let corpus = read_stanzas(files)?;
            let dictionary = Dictionary {
                structure: &[],
                ..longwire_dictionaries::V1_HOST
            };
            (
                target,
                structure::train(&dictionary, &corpus, target.size, &mut report),
            )
        }
    };
    let digest = crate::hex::emit(&Sha256::digest(&table));
    write_new(&target.out, &table)?;
    let shown = target.out.display();
    let line = format!("{shown}: {} octets, sha256 {digest}\n", table.len());
    let value = json!({ "file": target.out, "bytes": table.len(), "sha256": digest });
    Ok((line, value))
}

fn write_new(path: &Path, table: &[u8]) -> Result<(), Failure> {
    let opened = OpenOptions::new().write(true).create_new(true).open(path);
    opened
        .and_then(|mut file| file.write_all(table))
        .map_err(|error| Failure::running(format!("cannot write {}: {error}", path.display())))
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path)
        .map_err(|error| Failure::running(format!("{}: {error}", path.display())))
}

fn read_text(files: &[String], size: usize) -> Result<(TextSettings, Vec<Line>), Failure> {
    let mut languages: Vec<Language> = Vec::new();
    let mut lines = Vec::new();
    for file in files {
        let (tag, path) = file.split_once('=').unwrap_or(("en", file));
        let mut padded = [0; 4];
        let Some(room) = padded.get_mut(..tag.len()) else {
            let said = format!("`{tag}` is no language tag of at most 4 letters");
            return Err(Failure::new(Exit::Usage, said).advise("write en=chat.txt"));
        };
        room.copy_from_slice(tag.as_bytes());
        let known = languages.iter().position(|it| it.tag == padded);
        let language = known.unwrap_or_else(|| {
            let chance = CHANCES[usize::from(!languages.is_empty())];
            languages.push(Language {
                tag: padded,
                chance,
            });
            languages.len() - 1
        });
        let read = read(Path::new(path))?;
        lines.extend(
            read.lines()
                .filter(|line| !line.is_empty())
                .enumerate()
                .map(|(at, text)| {
                    let line = Line {
                        language,
                        hint: 0,
                        text: text.to_owned(),
                    };
                    (at, line)
                }),
        );
    }
    // Sources are mixed by place in their file, so that no one comes last.
    lines.sort_by_key(|(at, _)| *at);
    let settings = TextSettings {
        languages,
        kinds: 0xff_ffff,
        features: Settings {
            size,
            ..Settings::default()
        },
    };
    Ok((settings, lines.into_iter().map(|(_, line)| line).collect()))
}

fn read_stanzas(files: &[PathBuf]) -> Result<Corpus, Failure> {
    let mut corpus = Corpus::default();
    for path in files {
        let read = read(path)?;
        match kind(path) {
            Kind::Session => corpus.sessions.push(log::session(&read)),
            Kind::Stanzas | Kind::Text => corpus.stanzas.extend(log::lines(&read)),
        }
    }
    Ok(corpus)
}

//! Trains a text model from a recipe, or measures one. Refuses to be the command line: `longwire dictionary` is.
//!
//! ```text
//! text train RECIPE SIZE,... OUT,... [key=value ...]
//! text evaluate MODEL FILE ...
//! ```
//!
//! A recipe has a line for each source, `language file [share]`; files are relative to the recipe's folder or to
//! `$CORPUS`. A share below 1 takes that part of the lines, above 1 repeats them.

use longwire_codec::features::mix;
use longwire_codec::text::TextModel;
use longwire_trainer::features::{Progress, Settings};
use longwire_trainer::text::{Language, Line, TextSettings, evaluate, train_sizes};
use std::time::Instant;
use std::{env, error, fs, path::Path};

type Outcome<T> = Result<T, Box<dyn error::Error>>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match &words[..] {
        ["train", recipe, size, out, options @ ..] => run_training(recipe, size, out, options),
        ["evaluate", model, files @ ..] => run_evaluation(model, files),
        _ => {
            Err("text train RECIPE SIZE OUT [key=value ...] | text evaluate MODEL FILE ...".into())
        }
    }
}

fn run_training(recipe: &str, size: &str, out: &str, options: &[&str]) -> Outcome<()> {
    let mut settings = TextSettings {
        languages: Vec::new(),
        kinds: 0xff_ffff,
        features: Settings::default(),
    };
    let mut share = 1.0;
    for option in options {
        let (key, value) = option.split_once('=').ok_or("options are key=value")?;
        let table = &mut settings.features;
        match key {
            "kinds" => settings.kinds = u32::from_str_radix(value, 16)?,
            "levels" => table.levels = value.parse()?,
            "survey" => table.survey_log2 = value.parse()?,
            "rate" => table.rate = value.parse()?,
            "decay" => table.decay = value.parse()?,
            "confidence" => table.confidence = value.parse()?,
            "float" => table.float_passes = value.parse()?,
            "round" => table.level_passes = value.parse()?,
            "share" => share = value.parse()?,
            _ => return Err(format!("no option {key}").into()),
        }
    }
    let lines = read_recipe(recipe, share, &mut settings.languages)?;
    let start = Instant::now();
    let mut told = 0;
    let sizes: Vec<usize> = size.split(',').map(str::parse).collect::<Result<_, _>>()?;
    let models = train_sizes(&settings, &sizes, &lines, &mut |p: Progress| {
        if start.elapsed().as_secs() / 20 != told || !p.decisions.is_multiple_of(1 << 20) {
            told = start.elapsed().as_secs() / 20;
            let each = p.bits / p.decisions as f64;
            let seconds = start.elapsed().as_secs();
            eprintln!(
                "{} {} {}k {each:.5} bits each, {seconds} s",
                p.stage,
                p.pass,
                p.decisions >> 10
            );
        }
    });
    for (model, out) in models.iter().zip(out.split(',')) {
        fs::write(out, model)?;
    }
    Ok(())
}

fn read_recipe(recipe: &str, share: f64, languages: &mut Vec<Language>) -> Outcome<Vec<Line>> {
    let folder = env::var("CORPUS").unwrap_or_else(|_| {
        Path::new(recipe)
            .parent()
            .unwrap_or(Path::new("."))
            .display()
            .to_string()
    });
    let mut lines = Vec::new();
    for (number, source) in fs::read_to_string(recipe)?.lines().enumerate() {
        let words: Vec<&str> = source.split_whitespace().collect();
        let (tag, file, part) = match words[..] {
            [tag, file] => (tag, file, 1.0),
            [tag, file, part] => (tag, file, part.parse()?),
            _ => continue,
        };
        let mut padded = [0; 4];
        padded[..tag.len()].copy_from_slice(tag.as_bytes());
        let language = languages
            .iter()
            .position(|l| l.tag == padded)
            .unwrap_or_else(|| {
                let chance = if languages.is_empty() { 55_000 } else { 900 };
                languages.push(Language {
                    tag: padded,
                    chance,
                });
                languages.len() - 1
            });
        let text = fs::read_to_string(Path::new(&folder).join(file))?;
        for (at, text) in text.lines().filter(|line| !line.is_empty()).enumerate() {
            let place = mix(mix(number as u32, at as u32), 77);
            let copies = part * share + f64::from(place) / f64::from(u32::MAX);
            for copy in 0..copies as u32 {
                let line = Line {
                    language,
                    text: text.to_owned(),
                };
                lines.push((mix(place, copy), line));
            }
        }
    }
    lines.sort_by_key(|line| line.0);
    Ok(lines.into_iter().map(|line| line.1).collect())
}

fn run_evaluation(model: &str, files: &[&str]) -> Outcome<()> {
    let bytes = fs::read(model)?;
    let model = TextModel::new(&bytes).ok_or("not a text model")?;
    let mut mean = 0.0;
    for file in files {
        let text = fs::read_to_string(file)?;
        let limit = env::var("LINES")
            .ok()
            .and_then(|n| n.parse().ok())
            .unwrap_or(usize::MAX);
        let sum = evaluate(
            &model,
            text.lines().filter(|line| !line.is_empty()).take(limit),
        );
        let name = Path::new(file)
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy();
        let packed = sum.packets as f64 * 8.0 / sum.chars as f64;
        println!(
            "{name:24} texts {:6} chars {:8} bits/char {:.4} packed {packed:.4} lost {}",
            sum.texts,
            sum.chars,
            sum.bits_per_char(),
            sum.lost
        );
        mean += sum.bits_per_char() / files.len() as f64;
    }
    println!("mean {mean:.4}");
    Ok(())
}

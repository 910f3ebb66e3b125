//! What the firmware takes of a microcontroller: flash, static memory, stack, instructions, and the places where it
//! could panic, for each board in `firmware/boards` and each set of features its manifest lists. Refuses estimates:
//! images are built, linked and read, and the emulated board is run.

mod board;
mod emulator;
mod image;
mod kept;
mod panics;

use std::collections::BTreeSet;
use std::path::Path;

use board::{Board, Built};
use image::Image;
use kept::Kept;

/// Code and constants beside models, octets.
const CODE_GOAL: u64 = 64 * 1024;
/// Static memory, octets.
const STATIC_GOAL: u64 = 24 * 1024;
/// To write or to read a chat of 40 characters.
const INSTRUCTIONS_GOAL: u64 = 2_000_000;
/// Static memory and stack to read a packet, octets.
const DECODE_GOAL: u64 = 16 * 1024;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// One board, by the name of its folder; otherwise all.
    #[arg(long)]
    board: Option<String>,
    /// Fail if anything grew since it was last accepted, or if a new place can panic.
    #[arg(long)]
    check: bool,
    /// Keep these figures as accepted.
    #[arg(long, conflicts_with = "check")]
    accept: bool,
    /// One JSON object a line instead of a table.
    #[arg(long)]
    json: bool,
    /// Also the largest crates and functions, this many of each.
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    largest: usize,
    /// Also every function that can panic.
    #[arg(long)]
    panics: bool,
}

/// One figure of one board.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Figure {
    /// Folder of the board.
    pub(crate) board: String,
    /// Features it was built with.
    pub(crate) features: String,
    /// What was measured, unit last.
    pub(crate) measure: &'static str,
    /// How much.
    pub(crate) value: u64,
}

/// Builds, measures, prints; with `--check`, compares.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware/boards");
    let mut figures = Vec::new();
    let mut panicking = BTreeSet::new();
    for board in board::all(&root)? {
        if options
            .board
            .as_ref()
            .is_some_and(|wanted| *wanted != board.name)
        {
            continue;
        }
        for features in &board.features {
            let Built::At(folder) = board.build(features)? else {
                eprintln!(
                    "bench: {} left out: no core library for {}",
                    board.name, board.target
                );
                break;
            };
            let image = Image::read(&folder.join(&board.package))?;
            let measured = measure(&board, features, &folder, &image)?;
            if options.json {
                json(&measured);
            } else {
                table(&measured);
            }
            details(&image, options);
            if board.is_emulated() {
                panicking.extend(panics::rows(&image));
            }
            figures.extend(measured);
        }
    }
    let kept = root.join("footprint.tsv");
    let list = root.join("panics.tsv");
    if options.accept {
        if !panicking.is_empty() {
            panics::write(&list, &panicking)?;
        }
        return Kept::read(&kept)?.with(&figures).write(&kept);
    }
    if options.check {
        let mut complaints = Kept::read(&kept)?.complaints(&figures);
        complaints.extend(panics::complaints(&list, &panicking)?);
        if !complaints.is_empty() {
            return Err(complaints.join("\nbench: "));
        }
    }
    Ok(())
}

fn measure(
    board: &Board,
    features: &str,
    folder: &Path,
    image: &Image,
) -> Result<Vec<Figure>, String> {
    let mut pairs = vec![
        ("code_octets", image.code),
        ("constants_octets", image.constants),
        ("tables_octets", image.tables),
        ("models_octets", image.models),
        ("static_octets", image.writable),
        ("panicking_functions", image.panics.len() as u64),
    ];
    if board.is_emulated() {
        pairs.extend(emulator::run(&folder.join("measure"))?);
    }
    let figure = |(measure, value)| Figure {
        board: board.name.clone(),
        features: features.to_owned(),
        measure,
        value,
    };
    Ok(pairs.into_iter().map(figure).collect())
}

fn table(figures: &[Figure]) {
    let Some(first) = figures.first() else {
        return;
    };
    let features = if first.features.is_empty() {
        "as it is"
    } else {
        &first.features
    };
    println!("{} ({features})", first.board);
    for figure in figures {
        println!(
            "  {:<34} {:>9}",
            figure.measure.replace('_', " "),
            figure.value
        );
    }
    let of = |measure: &str| {
        let found = figures.iter().find(|figure| figure.measure == measure);
        found.map(|figure| figure.value)
    };
    let sum = |measures: &[&str]| {
        measures
            .iter()
            .map(|measure| of(measure))
            .sum::<Option<u64>>()
    };
    let goals = [
        (
            "code and constants",
            sum(&["code_octets", "constants_octets"]),
            CODE_GOAL,
        ),
        (
            "the same with dictionary tables",
            sum(&["code_octets", "constants_octets", "tables_octets"]),
            CODE_GOAL,
        ),
        ("static memory", of("static_octets"), STATIC_GOAL),
        (
            "memory to decode",
            sum(&["session_octets", "decode_stack_octets"]),
            DECODE_GOAL,
        ),
        (
            "instructions to encode",
            of("encode_instructions"),
            INSTRUCTIONS_GOAL,
        ),
        (
            "instructions to decode",
            of("decode_instructions"),
            INSTRUCTIONS_GOAL,
        ),
    ];
    for (what, value, goal) in goals {
        if let Some(value) = value {
            let verdict = if value <= goal { "reached" } else { "missed" };
            println!("  = {what:<32} {value:>9}  goal {goal}, {verdict}");
        }
    }
}

fn json(figures: &[Figure]) {
    let Some(first) = figures.first() else {
        return;
    };
    // Names of boards, features and measures hold nothing that JSON escapes.
    let values: Vec<String> = figures
        .iter()
        .map(|figure| format!("\"{}\":{}", figure.measure, figure.value))
        .collect();
    println!(
        "{{\"board\":\"{}\",\"features\":\"{}\",{}}}",
        first.board,
        first.features,
        values.join(",")
    );
}

fn details(image: &Image, options: &Options) {
    if options.largest > 0 {
        for (name, len) in image.crates().iter().take(options.largest) {
            println!("  {len:>7}  {name}");
        }
        println!();
        for function in image.functions.iter().take(options.largest) {
            println!("  {:>7}  {}", function.len, function.name);
        }
    }
    if options.panics {
        for (function, callees) in &image.panics {
            let callees: Vec<&str> = callees.iter().map(String::as_str).collect();
            println!("  {function}: {}", callees.join(", "));
        }
    }
}

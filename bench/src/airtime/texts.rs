//! Bits per character of isolated messages: our models and what others make of short text. Refuses to count what a
//! packet around the text would add, for anybody.

use std::io::Write;
use std::process::{Command, Stdio};

use longwire_codec::text::TextModel;
use longwire_dictionaries::{V1_128K, V1_512K, V1_HOST};

use super::data::Texts;
use super::rival::{self, Trained};

/// Column of our host model in [`NAMES`].
pub(crate) const HOST: usize = 2;
/// Column of zstd in [`NAMES`].
pub(crate) const ZSTD: usize = 5;

/// Names of the columns of [`bits_per_character`].
pub(crate) const NAMES: [&str; 10] = [
    "Longwire 128 KB",
    "Longwire 512 KB",
    "Longwire 8 MB",
    "raw UTF-8",
    "deflate, 32 KB dictionary",
    "zstd -19, dictionary",
    "brotli -11",
    "smaz",
    "smaz2",
    "Unishox2",
];

/// Bits per character of each column for one file; `None` where a model or a rival is not there.
///
/// # Errors
/// What a library refused.
pub(crate) fn bits_per_character(
    texts: &Texts,
    trained: &Trained,
) -> Result<Vec<Option<f64>>, String> {
    let characters: usize = texts.lines.iter().map(|line| line.chars().count()).sum();
    let per_character = |bits: f64| bits / characters.max(1) as f64;
    let mut columns = Vec::new();
    for dictionary in [&V1_128K, &V1_512K, &V1_HOST] {
        columns.push(TextModel::new(dictionary.text).map(|model| {
            let cost = |line: &String| model.cost_256ths(line.as_bytes());
            per_character(texts.lines.iter().map(cost).sum::<u64>() as f64 / 256.0)
        }));
    }
    let mut zstd = rival::zstd_alone(&trained.zstd)?;
    let mut octets = [0; 6];
    for line in &texts.lines {
        let data = line.as_bytes();
        octets[0] += data.len();
        octets[1] += rival::deflate_alone(data, Some(&trained.deflate))?.len();
        octets[2] += zstd
            .compress(data)
            .map_err(|error| error.to_string())?
            .len();
        octets[3] += rival::brotli_alone(data)?.len();
        octets[4] += smaz::compress(data).len();
        octets[5] += rival::smaz2::compress(data).len();
    }
    columns.extend(octets.map(|octets| Some(per_character(octets as f64 * 8.0))));
    columns.push(unishox2(texts).map(|octets| per_character(octets as f64 * 8.0)));
    Ok(columns)
}

/// Octets of Unishox2 for all messages; `None` unless Python has the package `unishox2-py3`.
fn unishox2(texts: &Texts) -> Option<usize> {
    const SCRIPT: &str = "import sys, unishox2\n\
        data = sys.stdin.buffer.read().decode()\n\
        print(sum(len(unishox2.compress(line)[0]) for line in data.split('\\n') if line))";
    let mut python = Command::new("python3")
        .args(["-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let written = python
        .stdin
        .take()?
        .write_all(texts.lines.join("\n").as_bytes());
    let output = python.wait_with_output().ok()?;
    written.ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

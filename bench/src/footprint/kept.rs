//! The figures that were accepted, in a file beside the boards. Refuses to judge them: it only says what grew since.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use super::Figure;

/// What may come and go unnoticed: 1 %, of a measure that is not a count.
const SLACK_PERCENT: u64 = 1;
/// Compilers differ in what they make of the same text.
const OTHER_COMPILER_SLACK_PERCENT: u64 = 6;
const HEAD: &str = "# Accepted by `cargo run -p bench -- footprint --accept`; CI fails when a figure grows by more than 1 %.\n";

/// See the module.
pub(crate) struct Kept {
    figures: Vec<(String, String, String, u64)>,
    compiler: String,
}

impl Kept {
    /// The file at `path`, which may not be there yet.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(path).unwrap_or_default();
        let mut kept = Self {
            figures: Vec::new(),
            compiler: String::new(),
        };
        for line in text.lines() {
            if let Some(compiler) = line.strip_prefix("# compiler: ") {
                compiler.clone_into(&mut kept.compiler);
            }
            if line.starts_with('#') {
                continue;
            }
            let columns: Vec<&str> = line.split('\t').collect();
            let [board, features, measure, value] = columns[..] else {
                return Err(format!("{}: {line:?} is not four columns", path.display()));
            };
            let value = value.parse().map_err(|_| format!("{value} is no number"))?;
            kept.figures
                .push((board.into(), features.into(), measure.into(), value));
        }
        Ok(kept)
    }

    /// The same with `figures` in place of those of the same boards and features.
    pub(crate) fn with(mut self, figures: &[Figure]) -> Self {
        self.figures.retain(|(board, features, ..)| {
            let again = |new: &&Figure| new.board == *board && new.features == *features;
            figures.iter().find(again).is_none()
        });
        let rows = figures.iter().map(|new| {
            (
                new.board.clone(),
                new.features.clone(),
                new.measure.to_owned(),
                new.value,
            )
        });
        self.figures.extend(rows);
        // Measures stay in the order they are printed in.
        self.figures.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        self.compiler = compiler();
        self
    }

    /// Writes the file.
    pub(crate) fn write(&self, path: &Path) -> Result<(), String> {
        let mut text = HEAD.to_owned();
        let _ = writeln!(text, "# compiler: {}", self.compiler);
        for (board, features, measure, value) in &self.figures {
            let _ = writeln!(text, "{board}\t{features}\t{measure}\t{value}");
        }
        fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// What grew, or was never accepted.
    pub(crate) fn complaints(&self, figures: &[Figure]) -> Vec<String> {
        let slack = if self.compiler == compiler() {
            SLACK_PERCENT
        } else {
            OTHER_COMPILER_SLACK_PERCENT
        };
        figures
            .iter()
            .filter_map(|new| self.complaint(new, slack))
            .collect()
    }

    fn complaint(&self, new: &Figure, slack: u64) -> Option<String> {
        let same = |(board, features, measure, _): &&(String, String, String, u64)| {
            *board == new.board && *features == new.features && *measure == new.measure
        };
        // A board of which nothing is kept is only shown: the emulated one stands for all that they share.
        if !self.figures.iter().any(|(board, ..)| *board == new.board) {
            return None;
        }
        let what = format!("{} ({}): {}", new.board, new.features, new.measure);
        let accept = "`cargo run -p bench -- footprint --accept` accepts it";
        let Some((.., old)) = self.figures.iter().find(same) else {
            return Some(format!("{what} is {}, never accepted; {accept}", new.value));
        };
        let most = if new.measure.ends_with("functions") {
            *old
        } else {
            old + old * slack / 100
        };
        (new.value > most).then(|| format!("{what} grew from {old} to {}; {accept}", new.value))
    }
}

/// The compiler of the boards, as `bare-cargo` picks it where the toolchain lacks the target.
fn compiler() -> String {
    let rustc = if Path::new("/usr/bin/rustc").exists() {
        "/usr/bin/rustc"
    } else {
        "rustc"
    };
    let output = std::process::Command::new(rustc).arg("-V").output();
    output.map_or_else(
        |_| "unknown".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(measure: &'static str, value: u64) -> Figure {
        Figure {
            board: "qemu".into(),
            features: String::new(),
            measure,
            value,
        }
    }

    #[test]
    fn growth_is_noticed_and_can_be_accepted() {
        let empty = Kept {
            figures: Vec::new(),
            compiler: String::new(),
        };
        assert!(empty.complaints(&[figure("code_octets", 1)]).is_empty());
        let kept = empty.with(&[
            figure("code_octets", 1000),
            figure("panicking_functions", 3),
        ]);
        assert_eq!(kept.complaints(&[figure("models_octets", 1)]).len(), 1);
        assert!(kept.complaints(&[figure("code_octets", 1010)]).is_empty());
        assert_eq!(kept.complaints(&[figure("code_octets", 1011)]).len(), 1);
        assert_eq!(
            kept.complaints(&[figure("panicking_functions", 4)]).len(),
            1
        );
        let kept = kept.with(&[
            figure("code_octets", 1011),
            figure("panicking_functions", 4),
        ]);
        assert!(kept.complaints(&[figure("code_octets", 1011)]).is_empty());
    }
}

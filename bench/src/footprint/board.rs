//! The boards in `firmware/boards`, and their images. Refuses a list of its own: a folder whose manifest names a
//! target is a board.
//!
//! A manifest says `# target: TRIPLE`, and for each set of features to be measured `# footprint: FEATURES`, the features
//! in place of the default ones; without such a line it is measured as it is.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What `bare-cargo` exits with where there is no core library for the target.
const NO_CORE: i32 = 77;

/// A board that can be built.
pub(crate) struct Board {
    /// Name of its folder.
    pub(crate) name: String,
    /// Its package, and the name of its image.
    pub(crate) package: String,
    /// The target triple.
    pub(crate) target: String,
    /// Sets of features, blank for the default.
    pub(crate) features: Vec<String>,
    folder: PathBuf,
}

/// What came of building.
pub(crate) enum Built {
    /// The folder with the images.
    At(PathBuf),
    /// This machine has no core library for the target.
    NoCore,
}

/// All boards, by name.
pub(crate) fn all(root: &Path) -> Result<Vec<Board>, String> {
    let fail = |error: std::io::Error| format!("{}: {error}", root.display());
    let mut boards = Vec::new();
    for entry in fs::read_dir(root).map_err(fail)? {
        let folder = entry.map_err(fail)?.path();
        let Ok(manifest) = fs::read_to_string(folder.join("Cargo.toml")) else {
            continue;
        };
        let marked = |mark: &str| -> Vec<String> {
            let lines = manifest.lines().filter_map(|line| line.strip_prefix(mark));
            lines.map(|rest| rest.trim().to_owned()).collect()
        };
        let name = folder
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let target = marked("# target:").pop();
        let package = marked("name = ").into_iter().next();
        // What the boards share has no target of its own.
        let (Some(target), Some(package)) = (target, package) else {
            continue;
        };
        let mut features = marked("# footprint:");
        if features.is_empty() {
            features.push(String::new());
        }
        let package = package.trim_matches('"').to_owned();
        boards.push(Board {
            name,
            package,
            target,
            features,
            folder,
        });
    }
    boards.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(boards)
}

impl Board {
    /// Whether the board has a program that measures stack and instructions in the emulator.
    pub(crate) fn is_emulated(&self) -> bool {
        self.folder.join("src/bin/measure.rs").exists()
    }

    /// Builds the image, and the measuring program where there is one.
    pub(crate) fn build(&self, features: &str) -> Result<Built, String> {
        // This program lies in `target/<profile>`; the tests keep boards in `target/boards` too.
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let target = program
            .ancestors()
            .nth(2)
            .unwrap_or(Path::new("target"))
            .join("boards");
        let mut command = Command::new(self.folder.join("../bare-cargo"));
        command.arg(&self.target).args([
            "build",
            "--release",
            "--locked",
            "--quiet",
            "--bin",
            &self.package,
        ]);
        if self.is_emulated() {
            command.args(["--bin", "measure"]);
        }
        if !features.is_empty() {
            command.args(["--no-default-features", "--features", features]);
        }
        command
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", &target);
        let status = command
            .status()
            .map_err(|error| format!("bare-cargo does not start: {error}"))?;
        match status.code() {
            Some(0) => Ok(Built::At(target.join(&self.target).join("release"))),
            Some(NO_CORE) => Ok(Built::NoCore),
            _ => Err(format!("{} ({features}) does not build", self.name)),
        }
    }
}

//! The files of the project, read once for all rules. Refuses what is not the project's: build folders, version
//! control, fuzzing corpora.

use std::path::{Path, PathBuf};

/// Folders that hold no sources.
const SKIPPED: &[&str] = &[
    "target",
    ".git",
    "corpus",
    "artifacts",
    "coverage",
    "node_modules",
    "__pycache__",
];

/// Text files the rules look at, by how their name ends; files without an extension below `.ci` count too.
const TEXT: &[&str] = &[
    "rs", "py", "sh", "toml", "md", "tsv", "lua", "yml", "xml", "cff", "service", "x",
];

/// One text file.
#[derive(Debug)]
pub(crate) struct File {
    /// Path from the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    pub(crate) fn is(&self, extension: &str) -> bool {
        self.path.ends_with(&format!(".{extension}"))
    }

    /// Whether the file is a program that tests: there a panic is a verdict.
    pub(crate) fn is_test(&self) -> bool {
        let parts: Vec<&str> = self.path.split('/').collect();
        parts
            .iter()
            .any(|part| matches!(*part, "tests" | "tests.rs" | "benches" | "examples"))
            || self.path.contains("/tests_")
            || self.path.ends_with("_tests.rs")
    }
}

/// The project's root folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ lies in the root")
        .to_owned()
}

/// Every text file of the project, in order of path.
pub(crate) fn files() -> Vec<File> {
    let root = root();
    let mut files = Vec::new();
    visit(&root, &root, &mut files);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(
        files.len() > 50,
        "the tree was not found below {}",
        root.display()
    );
    files
}

/// Panics with all `problems`, if there are any.
pub(crate) fn none(problems: &[String]) {
    assert!(
        problems.is_empty(),
        "{} untidy places:\n  {}",
        problems.len(),
        problems.join("\n  ")
    );
}

fn visit(root: &Path, folder: &Path, files: &mut Vec<File>) {
    for entry in std::fs::read_dir(folder).expect("folder can be read") {
        let entry = entry.expect("entry can be read");
        let (path, name) = (
            entry.path(),
            entry.file_name().into_string().expect("names are UTF-8"),
        );
        let kind = entry.file_type().expect("kind is known");
        if kind.is_dir() && !SKIPPED.contains(&name.as_str()) {
            visit(root, &path, files);
        }
        let in_ci = folder == root.join(".ci");
        let extension = path
            .extension()
            .and_then(|extension| extension.to_str())
            .unwrap_or_default();
        if kind.is_file() && (TEXT.contains(&extension) || in_ci) {
            let text = std::fs::read_to_string(&path)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let path = path
                .strip_prefix(root)
                .expect("below the root")
                .to_str()
                .expect("UTF-8")
                .to_owned();
            files.push(File { path, text });
        }
    }
}

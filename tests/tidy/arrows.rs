//! Imports run one way: codec, dictionaries, {gateway, firmware}, {tests, bench}. Held on manifests and on the
//! attributes that keep the small crates small.

use crate::tree::{none, root};

/// A crate and what it may depend on among ours. Build and test dependencies follow the same arrows.
const ARROWS: &[(&str, &[&str])] = &[
    ("codec", &[]),
    ("dictionaries", &["longwire-codec"]),
    (
        "dictionaries/trainer",
        &["longwire-codec", "longwire-dictionaries"],
    ),
    (
        "gateway",
        &[
            "longwire-codec",
            "longwire-dictionaries",
            "longwire-trainer",
        ],
    ),
    ("firmware", &["longwire-codec", "longwire-dictionaries"]),
];

#[test]
fn imports_run_one_way() {
    let mut problems = Vec::new();
    for (folder, allowed) in ARROWS {
        let manifest = manifest(folder);
        // Data made for development, such as trained tables, may be tested with the tool that made it.
        let tested = manifest
            .split_once("[dev-dependencies]")
            .map_or(manifest.as_str(), |(head, _)| head);
        for line in tested.lines().filter(|line| line.starts_with("longwire")) {
            let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
            if !allowed.contains(&name) {
                problems.push(format!("{folder}/Cargo.toml: {name} is against the arrows"));
            }
        }
    }
    none(&problems);
}

#[test]
fn small_crates_stay_small() {
    let mut problems = Vec::new();
    for folder in ["codec", "dictionaries", "firmware"] {
        let path = format!("{folder}/src/lib.rs");
        let text = std::fs::read_to_string(root().join(&path)).expect("crate root is there");
        for attribute in ["#![no_std]", "#![forbid(unsafe_code)]"] {
            if !text.contains(attribute) && !text.contains("#![cfg_attr(not(test), no_std)]") {
                problems.push(format!("{path}: {attribute} is missing"));
            }
        }
    }
    none(&problems);
}

/// Each dependency that is not ours says, in the lines before it, why it is there and who keeps it.
#[test]
fn dependencies_are_justified() {
    let mut problems = Vec::new();
    let folders = ARROWS
        .iter()
        .map(|(folder, _)| *folder)
        .chain(["tests", "bench"]);
    for folder in folders {
        let (mut inside, mut explained) = (false, false);
        for line in manifest(folder).lines() {
            if line.starts_with('[') {
                (inside, explained) = (line.contains("dependencies"), false);
            } else if line.starts_with('#') {
                explained = true;
            } else if line.is_empty() {
                explained = false;
            } else if inside && line.contains('=') && !line.starts_with("longwire") && !explained {
                problems.push(format!("{folder}/Cargo.toml: {line}"));
            }
        }
    }
    none(&problems);
}

#[test]
fn the_root_keeps_to_its_folders() {
    let known = [
        "codec",
        "dictionaries",
        "gateway",
        "firmware",
        "tests",
        "bench",
        "target",
        ".git",
        ".ci",
        ".config",
        ".gitignore",
        ".gitattributes",
        "Cargo.toml",
        "Cargo.lock",
        "LICENSE",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "CHANGELOG.md",
        "README.md",
        "deny.toml",
        "doap.xml",
        "rustfmt.toml",
        "clippy.toml",
        ".github",
    ];
    let entries = std::fs::read_dir(root()).expect("root can be read");
    let names = entries.map(|entry| {
        entry
            .expect("entry")
            .file_name()
            .into_string()
            .expect("UTF-8")
    });
    let strangers: Vec<String> = names
        .filter(|name| !known.contains(&name.as_str()))
        .collect();
    none(&strangers);
}

fn manifest(folder: &str) -> String {
    let path = root().join(folder).join("Cargo.toml");
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

//! What the documents tell people to type exists: scripts, test targets, benches, files.

use crate::tree::{files, none, root};

#[test]
fn commands_in_the_documents_exist() {
    let tests = std::fs::read_to_string(root().join("tests/Cargo.toml")).expect("manifest");
    let mut problems = Vec::new();
    for file in files().iter().filter(|file| file.is("md")) {
        for (number, line) in commands(&file.text) {
            let words: Vec<&str> = line.split_whitespace().collect();
            if words.is_empty() {
                continue;
            }
            let place = format!("{}:{number}", file.path);
            if words[0].starts_with(".ci/") && !root().join(words[0]).is_file() {
                problems.push(format!("{place}: {} is not there", words[0]));
            }
            if let Some(name) = after(&words, "--test").filter(|_| words.contains(&"tests"))
                && !tests.contains(&format!("name = \"{name}\""))
            {
                problems.push(format!("{place}: no test target {name}"));
            }
            if words.contains(&"cargo")
                && let Some(name) = after(&words, "-p").filter(|name| package(name).is_none())
            {
                problems.push(format!("{place}: no package {name}"));
            }
        }
    }
    none(&problems);
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut problems = Vec::new();
    for file in files().iter().filter(|file| file.is("md")) {
        let path = root().join(&file.path);
        let folder = path.parent().expect("files lie in folders");
        for target in file
            .text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let target = target.split('#').next().unwrap_or_default();
            if !target.is_empty() && !target.contains("://") && !folder.join(target).exists() {
                problems.push(format!("{}: {target} is not there", file.path));
            }
        }
    }
    none(&problems);
}

/// Lines of fenced blocks marked `sh` or `console`, without prompt and comment, with their numbers.
fn commands(text: &str) -> Vec<(usize, &str)> {
    let mut inside = false;
    let mut commands = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let mark = line.trim();
        if let Some(language) = mark.strip_prefix("```") {
            inside = matches!(language, "sh" | "console" | "bash");
        } else if inside {
            let line = mark
                .trim_start_matches("$ ")
                .split(" #")
                .next()
                .unwrap_or_default();
            commands.push((number + 1, line.trim_start_matches("./")));
        }
    }
    commands
}

fn after<'a>(words: &[&'a str], flag: &str) -> Option<&'a str> {
    words
        .iter()
        .position(|word| *word == flag)
        .and_then(|at| words.get(at + 1).copied())
}

/// The folder of the workspace package `name`.
fn package(name: &str) -> Option<&'static str> {
    let folders = [
        "codec",
        "dictionaries",
        "dictionaries/trainer",
        "gateway",
        "firmware",
        "tests",
        "bench",
    ];
    folders.into_iter().find(|folder| {
        let manifest =
            std::fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap_or_default();
        manifest.contains(&format!("name = \"{name}\"\n"))
    })
}

//! Rules on single source files.

use crate::tree::{File, files, none, root};

/// Lines of one source file.
const FILE_LINES_MAX: usize = 500;
/// Lines of one function, head and closing brace included.
const FUNCTION_LINES_MAX: usize = 70;
/// Functions that fill one large structure field by field: splitting them would only hide the list.
const LISTS: &[&str] = &[
    "codec/src/decode.rs read",
    "codec/src/encode.rs write",
    "codec/src/session/walk/plan.rs coded",
];
/// Columns of one line outside of tests, in characters.
const COLUMNS_MAX: usize = 150;

fn rust() -> impl Iterator<Item = File> {
    files().into_iter().filter(|file| file.is("rs"))
}

#[test]
fn files_fit_in_a_head() {
    let long = files()
        .into_iter()
        .filter(|file| file.is("rs") || file.is("py") || file.path.starts_with(".ci/"));
    let problems: Vec<String> = long
        .map(|file| (file.text.lines().count(), file.path))
        .filter(|(lines, _)| *lines > FILE_LINES_MAX)
        .map(|(lines, path)| format!("{path}: {lines} lines, more than {FILE_LINES_MAX}"))
        .collect();
    none(&problems);
}

#[test]
fn functions_fit_on_a_screen() {
    let problems: Vec<String> = rust().flat_map(|file| long_functions(&file)).collect();
    none(&problems);
}

/// Finds functions by indentation, which rustfmt guarantees.
fn long_functions(file: &File) -> Vec<String> {
    let mut problems = Vec::new();
    let mut open: Option<(usize, usize, String)> = None;
    for (number, line) in file.text.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        match &open {
            Some((start, depth, name))
                if indent == *depth && line.trim_start().starts_with('}') =>
            {
                let lines = number - start + 1;
                let listed = LISTS.contains(&format!("{} {name}", file.path).as_str());
                if lines > FUNCTION_LINES_MAX && !listed {
                    problems.push(format!(
                        "{}:{}: {name} has {lines} lines",
                        file.path,
                        start + 1
                    ));
                }
                open = None;
            }
            None if is_function(line) && !line.trim_end().ends_with([';', '}']) => {
                let name = line.split("fn ").nth(1).unwrap_or_default();
                let name = name.split(['(', '<']).next().unwrap_or_default();
                open = Some((number, indent, name.to_owned()));
            }
            _ => {}
        }
    }
    problems
}

fn is_function(line: &str) -> bool {
    let words = line.trim_start().split(' ');
    let mut before = words.take_while(|word| *word != "fn");
    let known = |word: &str| {
        matches!(word, "const" | "async" | "unsafe" | "extern" | "\"C\"") || word.starts_with("pub")
    };
    line.contains("fn ") && before.all(known)
}

#[test]
fn lines_fit_on_a_screen() {
    let mut problems = Vec::new();
    for file in rust().filter(|file| !file.is_test()) {
        for (number, line) in file.text.lines().enumerate() {
            if line.chars().count() > COLUMNS_MAX {
                problems.push(format!(
                    "{}:{}: {} columns",
                    file.path,
                    number + 1,
                    line.chars().count()
                ));
            }
        }
    }
    none(&problems);
}

#[test]
fn every_file_says_what_it_is() {
    let problems: Vec<String> = files()
        .into_iter()
        .filter(|file| match file.path.rsplit('.').next() {
            Some("rs") => !file.text.starts_with("//! "),
            Some("py") => !file.text.starts_with("\"\"\""),
            _ => false,
        })
        .map(|file| format!("{}: the first line says what the file is", file.path))
        .collect();
    none(&problems);
}

#[test]
fn modules_lie_beside_their_folder() {
    let problems: Vec<String> = rust()
        .map(|file| file.path)
        .filter(|path| path.ends_with("/mod.rs"))
        .collect();
    none(&problems);
}

/// Marks of unfinished work, and attributes the house does without. Split so that this file is free of them.
const BANNED: &[(&str, &str)] = &[
    ("TO", "DO"),
    ("FIX", "ME"),
    ("XX", "X:"),
    ("to", "do!("),
    ("unimplement", "ed!("),
    ("db", "g!("),
    ("#[al", "low("),
    ("#![al", "low("),
];

#[test]
fn nothing_is_left_for_later() {
    let mut problems = Vec::new();
    for file in files()
        .iter()
        .filter(|file| file.is("rs") || file.is("py") || file.is("toml") || file.is("md"))
    {
        for (number, line) in file.text.lines().enumerate() {
            for (head, tail) in BANNED {
                let word = format!("{head}{tail}");
                if line.contains(&word) && !is_within_word(line, &word) {
                    problems.push(format!("{}:{}: {word}", file.path, number + 1));
                }
            }
        }
    }
    none(&problems);
}

fn is_within_word(line: &str, word: &str) -> bool {
    let after = line.split(word).nth(1).and_then(|rest| rest.chars().next());
    let before = line
        .split(word)
        .next()
        .and_then(|head| head.chars().next_back());
    let joins = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    word.chars().all(|c| c.is_ascii_uppercase()) && (joins(before) || joins(after))
}

#[test]
fn names_say_what_a_thing_is() {
    let vague = ["Manager", "Handler", "Helper", "Util", "Utils"];
    let mut problems = Vec::new();
    for file in rust() {
        for (number, line) in file.text.lines().enumerate() {
            let mut words = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let defines = words.any(|word| matches!(word, "struct" | "enum" | "trait" | "type"));
            let name = words.next().unwrap_or_default();
            if defines && vague.iter().any(|end| name.ends_with(end)) {
                problems.push(format!("{}:{}: {name}", file.path, number + 1));
            }
        }
    }
    none(&problems);
}

/// A panic outside of tests is either proven impossible in a comment just before it, or a bug.
#[test]
fn nothing_panics_unproven() {
    let mut problems = Vec::new();
    for file in rust().filter(|file| !file.is_test() && !file.path.ends_with("build.rs")) {
        let lines: Vec<&str> = file
            .text
            .lines()
            .take_while(|line| !line.contains("#[cfg(test)]"))
            .collect();
        for (number, line) in lines.iter().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            let panics = code.contains(".unwrap()") || code.contains(".expect(");
            let proof = lines[number.saturating_sub(6)..=number]
                .iter()
                .any(|near| near.contains("//"));
            if panics && !proof {
                problems.push(format!("{}:{}: {}", file.path, number + 1, line.trim()));
            }
        }
    }
    none(&problems);
}

/// Whoever builds this has other folders and other mirrors.
#[test]
fn nothing_names_this_machine() {
    let hosts = [
        ("/wo", "rk/"),
        ("/ro", "ot/"),
        ("/ho", "me/"),
        ("localhost:", "8081"),
        ("artifac", "tory"),
    ];
    let mut problems = Vec::new();
    for file in files() {
        for (number, line) in file.text.lines().enumerate() {
            for (head, tail) in hosts {
                if line.contains(&format!("{head}{tail}")) {
                    problems.push(format!("{}:{}: {}", file.path, number + 1, line.trim()));
                }
            }
        }
    }
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).expect("Cargo.lock is there");
    let public = "registry+https://github.com/rust-lang/crates.io-index";
    for line in lock
        .lines()
        .filter(|line| line.starts_with("source = ") && !line.contains(public))
    {
        problems.push(format!("Cargo.lock: {line}"));
    }
    none(&problems);
}

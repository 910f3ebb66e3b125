//! Which functions of an image can panic, against a list of those that are known: most are bounds checks that the compiler
//! could not prove away. Refuses to say that none is ever reached; tests and fuzzing of the same code say that.

use std::collections::BTreeSet;
use std::path::Path;

use super::image::Image;

const HEAD: &str = "# Functions of the emulated board that hold a call to a panic, and what they call. CI fails when one joins them;\n\
    # `cargo run -p bench -- footprint --accept` writes this list anew.\n";

/// One row for each function: its path, and what it calls.
pub(crate) fn rows(image: &Image) -> BTreeSet<String> {
    let row = |(function, callees): (&String, &BTreeSet<String>)| {
        let callees: Vec<&str> = callees.iter().map(String::as_str).collect();
        format!("{function}\t{}", callees.join(", "))
    };
    image.panics.iter().map(row).collect()
}

/// Writes the list.
pub(crate) fn write(path: &Path, rows: &BTreeSet<String>) -> Result<(), String> {
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let text = format!("{HEAD}{}\n", rows.join("\n"));
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

/// A complaint about each function that is not on the list.
pub(crate) fn complaints(path: &Path, rows: &BTreeSet<String>) -> Result<Vec<String>, String> {
    let text =
        std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(unlisted(&text, rows))
}

fn unlisted(list: &str, rows: &BTreeSet<String>) -> Vec<String> {
    let function = |row: &str| row.split('\t').next().unwrap_or_default().to_owned();
    let known: BTreeSet<String> = list.lines().map(function).collect();
    let new = rows.iter().filter(|row| !known.contains(&function(row)));
    new.map(|row| {
        let row = row.replace('\t', " calls ");
        format!("a new place can panic: {row}; use what gives an Option, or accept it")
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_that_joins_is_told() {
        let list = "# head\nlink::recv\tcore::panicking::panic_bounds_check\n";
        let old = "link::recv\tcore::slice::index::slice_index_fail".to_owned();
        let new = "link::send\tcore::panicking::panic_fmt".to_owned();
        assert!(unlisted(list, &BTreeSet::from([old.clone()])).is_empty());
        assert_eq!(unlisted(list, &BTreeSet::from([old, new])).len(), 1);
    }
}

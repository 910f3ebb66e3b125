//! A bad row stops the build and says where it is.

#[expect(
    dead_code,
    reason = "shared with the build script, which uses the rest"
)]
#[path = "../build/rows.rs"]
mod rows;

use rows::{FILES, Tables};

fn good() -> [String; FILES.len()] {
    let rows = [
        "0\t-\t-\n1\turn:a\t0001\n",
        "0\turn:a\tping\tnone\n1\turn:a\tpong\ttext\n",
        "0\t-\ttype\tchoice\n",
        "0\tget\n1\tset\n",
        "0\turn:a\tping\t-\ttype\tinteger\n",
    ];
    let mut texts: [String; FILES.len()] = Default::default();
    for ((text, (_, columns)), rows) in texts.iter_mut().zip(FILES).zip(rows) {
        *text = format!("{}\n{rows}", columns.join("\t"));
    }
    texts
}

/// What the build says when `file` holds `to` in place of `from`.
fn refusal(file: &str, from: &str, to: &str) -> String {
    let mut texts = good();
    let at = FILES.iter().position(|(name, _)| *name == file).unwrap();
    assert!(texts[at].contains(from), "{file} has no {from}");
    texts[at] = texts[at].replacen(from, to, 1);
    Tables::parse("v1", &texts).err().unwrap_or_default()
}

#[test]
fn good_tables_pass() {
    let tables = Tables::parse("v1", &good()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(tables.namespaces, ["", "urn:a"]);
    assert_eq!(tables.elements[1], (1, "pong".to_owned(), 0));
    assert_eq!(tables.kinds, [(0, 0, 3)]);
}

/// In which file what is replaced by what, and the complaint.
const BAD_ROWS: &[(&str, &str, &str, &str)] = &[
    (
        "values.tsv",
        "1\tset",
        "2\tset",
        "v1/values.tsv:3: id 2 out of order, expected 1",
    ),
    (
        "values.tsv",
        "\tset",
        "\tget",
        "v1/values.tsv:3: the same as id 0",
    ),
    (
        "values.tsv",
        "set",
        "set\tmore",
        "v1/values.tsv:3: 3 columns instead of 2",
    ),
    ("values.tsv", "get", "", "v1/values.tsv:2: value is empty"),
    (
        "values.tsv",
        "id\tvalue",
        "value\tid",
        "v1/values.tsv:1: the first line must name the columns id, value",
    ),
    (
        "namespaces.tsv",
        "urn:a",
        "urn:é",
        "v1/namespaces.tsv:3: urn:é is not ASCII",
    ),
    (
        "namespaces.tsv",
        "0\t-\t-",
        "0\turn:b\t-",
        "v1/namespaces.tsv:2: the first namespace must be -, no namespace",
    ),
    (
        "elements.tsv",
        "urn:a\tping",
        "urn:b\tping",
        "v1/elements.tsv:2: unknown namespace urn:b",
    ),
    (
        "elements.tsv",
        "none",
        "some",
        "v1/elements.tsv:2: unknown kind some",
    ),
    (
        "attributes.tsv",
        "\ttype",
        "\ttypé",
        "v1/attributes.tsv:2: typé is not ASCII",
    ),
    (
        "kinds.tsv",
        "type",
        "tip",
        "v1/kinds.tsv:2: unknown attribute - tip",
    ),
];

#[test]
fn bad_rows_are_named_by_file_and_line() {
    for &(file, from, to, expected) in BAD_ROWS {
        assert_eq!(refusal(file, from, to), expected);
    }
    let long = "x".repeat(256);
    assert_eq!(
        refusal("values.tsv", "set", &long),
        "v1/values.tsv:3: longer than 255 octets"
    );
}

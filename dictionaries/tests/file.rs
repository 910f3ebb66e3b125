//! A dictionary file is read whole or not at all, whatever happened to it.

#[path = "../build/deployment.rs"]
mod deployment;

use longwire_codec::dictionary::file::{File, FileError};
use longwire_dictionaries::{V1_128K, V1_512K, V1_HOST};

const NOTE: &str = "trained on nothing";

fn file() -> Vec<u8> {
    let file = File {
        id: 0,
        tables: V1_128K.tables,
        structure: V1_128K.structure,
        text: V1_128K.text,
        note: NOTE,
    };
    let mut out = vec![0; file.len()];
    assert_eq!(file.emit(&mut out), Some(out.len()));
    assert_eq!(file.emit(&mut vec![0; out.len() - 1]), None);
    out
}

#[test]
fn a_whole_file_becomes_a_dictionary() {
    let bytes = file();
    let file = File::parse(&bytes).expect("whole");
    assert_eq!(file.note, NOTE);
    let dictionary = file.over(&V1_512K).expect("the same tables");
    assert_eq!(dictionary.id, file.id);
    assert_ne!(dictionary.id, V1_128K.id);
    assert_eq!(dictionary.text, V1_128K.text);
    assert_eq!(
        dictionary.element("jabber:client", "message"),
        V1_512K.element("jabber:client", "message")
    );
}

#[test]
fn other_tables_are_refused() {
    let mut bytes = file();
    bytes[4] ^= 1;
    assert_eq!(File::parse(&bytes).err(), Some(FileError::Damaged));
    let good = file();
    let other = File {
        tables: V1_128K.tables ^ 1,
        ..File::parse(&good).expect("whole")
    };
    assert_eq!(other.over(&V1_512K).err(), Some(FileError::Tables));
}

#[test]
fn damage_anywhere_is_noticed() {
    let good = file();
    let len = good.len();
    // The whole header, the whole hash, and places between.
    let places = (0..20)
        .chain((20..len - 32).step_by(len / 40))
        .chain(len - 32..len);
    for place in places {
        let mut bad = good.clone();
        bad[place] ^= 0x10;
        assert!(File::parse(&bad).is_err(), "octet {place} changed");
        assert!(File::parse(&good[..place]).is_err(), "cut at {place}");
    }
    let long = [&good[..], &[0]].concat();
    assert!(File::parse(&long).is_err());
    assert_eq!(
        File::parse(b"<message/>").err(),
        Some(FileError::Foreign),
        "another kind of file"
    );
}

/// Right hash, wrong contents: what a broken trainer would make.
#[test]
fn models_that_cannot_be_read_are_named() {
    for (structure, text, error) in [
        (&b"LF"[..], V1_128K.text, FileError::Structure),
        (
            V1_128K.structure,
            &V1_128K.text[..V1_128K.text.len() / 2],
            FileError::Text,
        ),
    ] {
        let file = File {
            id: 0,
            tables: V1_128K.tables,
            structure,
            text,
            note: "",
        };
        let mut out = vec![0; file.len()];
        file.emit(&mut out).expect("room");
        assert_eq!(File::parse(&out).err(), Some(error));
    }
}

/// A board's build stops at a text model for hosts, and says what to do; a host's does not.
#[test]
fn a_text_model_for_hosts_stops_a_boards_build() {
    for (text, boards) in [(V1_128K.text, true), (V1_HOST.text, false)] {
        let file = File {
            id: 0,
            tables: V1_128K.tables,
            structure: V1_128K.structure,
            text,
            note: NOTE,
        };
        let mut bytes = vec![0; file.len()];
        file.emit(&mut bytes).expect("room");
        let read = |hosts| deployment::read("ours", &bytes, V1_128K.tables, hosts).err();
        assert_eq!(read(true), None);
        let said = "ours: its text model is for hosts, a board's is smaller than 1 MiB; train it again with --text-size";
        assert_eq!(read(false).as_deref(), (!boards).then_some(said));
    }
}

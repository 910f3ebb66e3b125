//! Whatever goes in comes out: every captured stanza there is, alone and in sessions, one way with its ids and both
//! ways with short ones. `LONGWIRE_CORPUS` names the folder with the unpacked `.log` and `.xmlstream` files; without it
//! the sessions of the bench are read.

use longwire_codec::dictionary::Dictionary;
use longwire_codec::link::PacketNumber;
use longwire_codec::session::{Ids, Options, Profile, Session};
use longwire_codec::stanza::{Arena, Node, Stanza};
use longwire_dictionaries::ALL;
use longwire_trainer::log::{self, Logged};
use longwire_trainer::pair::Pair;
use longwire_trainer::xml::Tape;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The strongest dictionary with a text model, if any has one.
static DICTIONARY: std::sync::LazyLock<Dictionary<'static>> = std::sync::LazyLock::new(|| {
    let trained = ALL.iter().find(|dictionary| !dictionary.text.is_empty());
    **trained.unwrap_or(&ALL[0])
});

struct OneWay<'d> {
    near: Session<'d, Vec<u8>>,
    far: Session<'d, Vec<u8>>,
    number: u32,
}

impl<'d> OneWay<'d> {
    fn new(dictionary: &'d Dictionary<'d>, profile: Profile) -> Self {
        let new = || Session::new(dictionary, profile, vec![0; profile.storage_len()]);
        Self {
            near: new().expect("enough storage"),
            far: new().expect("enough storage"),
            number: 0,
        }
    }

    /// Sends a stanza from near to far; returns what came out.
    fn send(&mut self, tape: &Tape, ids: Ids) -> Tape {
        let nodes = tape.nodes();
        let stanza = Stanza::new(&nodes).expect("a stanza");
        let number = PacketNumber::new(self.number);
        self.number += 1;
        let mut packet = vec![0; 1 << 20];
        let len = self
            .near
            .encode(
                number,
                stanza,
                Options {
                    ids,
                    ..Options::default()
                },
                &mut packet,
            )
            .expect("written");
        let mut buffer = vec![0; 1 << 20];
        let mut tape = vec![Node::Close; nodes.len()];
        let read = self
            .far
            .decode(
                number,
                &packet[..len],
                &mut Arena::new(&mut buffer),
                &mut tape,
            )
            .unwrap_or_else(|error| panic!("{error}: {nodes:?}"));
        self.near.acknowledge(number);
        Tape::of(read.nodes())
    }
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if path
            .extension()
            .is_some_and(|e| e == "log" || e == "xmlstream")
        {
            found.push(path);
        }
    }
}

/// The sessions of the bench stand in for a corpus where there is none.
const BENCH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../bench/data");

fn corpus() -> Vec<(String, Vec<Logged>)> {
    let folder = env::var_os("LONGWIRE_CORPUS").unwrap_or_else(|| BENCH.into());
    let mut found = Vec::new();
    files(Path::new(&folder), &mut found);
    found.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("readable");
        let stanzas = if path.extension().is_some_and(|e| e == "log") {
            log::session(&text)
        } else {
            log::lines(&text)
        };
        (path.display().to_string(), stanzas)
    };
    assert!(!found.is_empty(), "nothing to read");
    found.into_iter().map(read).collect()
}

#[test]
fn captured_sessions_cross_with_short_ids_both_ways() {
    for (name, stanzas) in corpus() {
        for (profile, lag) in [(Profile::HOST, 0), (Profile::HOST, 9), (Profile::BOARD, 2)] {
            let mut pair = Pair::new(&DICTIONARY, profile, lag);
            for logged in &stanzas {
                let len = pair.send(logged, Options::default(), |_, _, _| ());
                assert!(len.is_ok(), "{name}: {}: {len:?}", logged.xml);
            }
        }
    }
}

#[test]
fn captured_stanzas_come_back() {
    for (name, stanzas) in corpus() {
        let mut pair = OneWay::new(&DICTIONARY, Profile::HOST);
        for logged in &stanzas {
            let back = pair.send(&logged.tape, Ids::Preserve);
            let (back, sent) = (
                back.canonical(&DICTIONARY),
                logged.tape.canonical(&DICTIONARY),
            );
            assert_eq!(back, sent, "{name}: {}", logged.xml);
        }
        for logged in stanzas.iter().step_by(7) {
            let back = OneWay::new(&DICTIONARY, Profile::BOARD).send(&logged.tape, Ids::Preserve);
            let (back, sent) = (
                back.canonical(&DICTIONARY),
                logged.tape.canonical(&DICTIONARY),
            );
            assert_eq!(back, sent, "{name}: {}", logged.xml);
        }
    }
}

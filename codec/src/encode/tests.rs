//! The worked example of the README, bit by bit: a dictionary without words and without training.

use crate::dictionary::Dictionary;
use crate::entropy::{Coder, Prob};
use crate::features::Decide;
use crate::link::PacketNumber;
use crate::session::walk::Scribe;
use crate::session::{Options, Profile, Session, What};
use crate::stanza::{Arena, Node, Stanza};
use std::string::String;
use std::{format, vec};

const NODES: [Node<'static>; 3] = [
    Node::Open { ns: "n", name: "a" },
    Node::Text("hi"),
    Node::Close,
];

/// Writes down what is decided.
#[derive(Default)]
struct Notes(String);

impl Coder for Notes {
    fn is_reading(&self) -> bool {
        false
    }

    fn code(&mut self, bit: bool, _: Prob) -> bool {
        self.0.push(if bit { '1' } else { '0' });
        bit
    }
}

impl Decide for Notes {
    fn coder(&mut self) -> &mut dyn Coder {
        self
    }

    fn decide(&mut self, _: &[u32], _: u32, bit: bool) -> bool {
        self.code(bit, 1)
    }
}

impl Scribe for Notes {
    fn note(&mut self, what: What<'_>) {
        self.0.push_str(&format!(" {what:?}\n"));
    }
}

#[test]
fn worked_example() {
    let session = || {
        let storage = vec![0; Profile::BOARD.storage_len()];
        Session::new(&Dictionary::EMPTY, Profile::BOARD, storage).expect("sized")
    };
    let stanza = Stanza::new(&NODES).expect("balanced");
    let number = PacketNumber::new(0);
    let mut notes = Notes::default();
    session()
        .rehearse(&mut notes, number, stanza, Options::default())
        .expect("written");
    let expected = "0000 Packet\n\
        100001101110000000000110000100000000 Open(\"a\")\n\
        001 Text\n\
        00000110100001101001000000000 Value(\"text\", \"hi\")\n\
        000 Close\n\
        11 Packet\n";
    assert_eq!(notes.0, expected);
    let mut packet = [0; 64];
    let len = session()
        .encode(number, stanza, Options::default(), &mut packet)
        .expect("written");
    let expected = [0xf7, 0x91, 0xff, 0x9e, 0xff, 0xdf, 0x2f, 0x2d, 0xff, 0xe0];
    assert_eq!(&packet[..len], expected);
    let mut buffer = [0; 64];
    let mut tape = [Node::Close; 3];
    let read = session().decode(
        number,
        &packet[..len],
        &mut Arena::new(&mut buffer),
        &mut tape,
    );
    assert_eq!(read, Ok(stanza));
}

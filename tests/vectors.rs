//! What version 1 with the 128 KB model makes of these texts and stanzas, frozen. The emulated board checks the same
//! file (`tests/firmware.rs`), so host and Cortex-M agree bit for bit. Refuses to be regenerated quietly: a change here is
//! a change of the wire.

use longwire::xml::Element;
use longwire_codec::entropy::range::{Decoder, Encoder};
use longwire_codec::link::PacketNumber;
use longwire_codec::session::{Ids, Options, Profile, Session};
use longwire_codec::stanza::{Arena, Node, Stanza};
use longwire_codec::text::TextModel;
use longwire_dictionaries::V1_128K;

/// Kind, packet in hexadecimal, content: a text, or a stanza that stands alone.
const VECTORS: &str = include_str!("vectors/v1-128k.tsv");

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn octets(hex: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal");
    (0..hex.len()).step_by(2).map(digit).collect()
}

fn text(content: &str) -> Vec<u8> {
    let model = TextModel::new(V1_128K.text).expect("a released model");
    let mut packet = [0; 512];
    let mut encoder = Encoder::new(&mut packet);
    model.code(&mut encoder, content.as_bytes(), &mut []);
    let len = encoder.finish().expect("room enough");
    packet[..len].to_vec()
}

fn session() -> Session<'static, Vec<u8>> {
    let storage = vec![0; Profile::BOARD.storage_len()];
    Session::new(&V1_128K, Profile::BOARD, storage).expect("sized")
}

fn stanza(content: &str) -> Vec<u8> {
    let element = Element::parse_stanza(content).expect("well-formed");
    let mut tape = Vec::new();
    element.tape(&mut tape);
    let stanza = Stanza::new(&tape).expect("balanced");
    let options = Options {
        ids: Ids::Preserve,
        again: true,
    };
    let mut packet = [0; 2048];
    let len = session()
        .encode(PacketNumber::new(0), stanza, options, &mut packet)
        .expect("fits");
    packet[..len].to_vec()
}

/// What a row's packet means.
fn read(kind: &str, packet: &[u8]) -> String {
    if kind == "text" {
        let model = TextModel::new(V1_128K.text).expect("a released model");
        let mut out = [0; 512];
        let len = model.code(&mut Decoder::new(packet), &[], &mut out);
        return String::from_utf8(out[..len].to_vec()).expect("UTF-8");
    }
    let (mut strings, mut tape) = ([0; 4096], [Node::Close; 256]);
    let mut arena = Arena::new(&mut strings);
    let read = session()
        .decode(PacketNumber::new(0), packet, &mut arena, &mut tape)
        .expect("own work");
    Element::from_stanza(read).expect("XML").to_xml("")
}

#[test]
fn packets_are_frozen() {
    let mut wrong = String::new();
    for row in VECTORS.lines().filter(|row| !row.starts_with('#')) {
        let [kind, packet, content] = row.split('\t').collect::<Vec<_>>()[..] else {
            panic!("three columns: {row}");
        };
        let made = if kind == "text" {
            text(content)
        } else {
            stanza(content)
        };
        if hex(&made) != packet {
            wrong += &format!("{kind}\t{}\t{content}\n", hex(&made));
            continue;
        }
        let back = read(kind, &octets(packet));
        let fine = if kind == "text" {
            back == content
        } else {
            let element = |xml: &str| Element::parse_stanza(xml).expect("well-formed");
            stanza(&back) == octets(packet) && element(&back).name == element(content).name
        };
        assert!(fine, "{content} came back as {back}");
    }
    assert!(wrong.is_empty(), "the wire changed; it is now:\n{wrong}");
}

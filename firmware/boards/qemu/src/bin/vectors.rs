//! The frozen packets of version 1, read and written on a Cortex-M4: the bits must be those of the host. Exit code 0 if
//! they are; otherwise the number of the row, from 1.
#![no_std]
#![no_main]

// Its panic handler.
use board as _;
use cortex_m_rt::entry;
use longwire_codec::entropy::range::{Decoder, Encoder};
use longwire_codec::link::PacketNumber;
use longwire_codec::session::{Ids, Options, Profile, Session};
use longwire_codec::stanza::{Arena, Node};
use longwire_codec::text::TextModel;
use longwire_dictionaries::V1_128K;

/// The same file that the tests on the host check.
const VECTORS: &str = include_str!("../../../../../tests/vectors/v1-128k.tsv");

#[entry]
fn main() -> ! {
    let rows = VECTORS.lines().filter(|row| !row.starts_with('#'));
    for (number, row) in (1..).zip(rows) {
        if check(row) != Some(true) {
            semihosting::process::exit(number)
        }
    }
    semihosting::process::exit(0)
}

/// Whether a row holds here.
fn check(row: &str) -> Option<bool> {
    let mut columns = row.split('\t');
    let (kind, hex, content) = (columns.next()?, columns.next()?, columns.next()?);
    let mut packet = [0; 256];
    let len = octets(hex, &mut packet)?;
    let packet = &packet[..len];
    if kind == "text" {
        text(packet, content)
    } else {
        stanza(packet)
    }
}

fn octets(hex: &str, out: &mut [u8]) -> Option<usize> {
    for at in (0..hex.len()).step_by(2) {
        *out.get_mut(at / 2)? = u8::from_str_radix(hex.get(at..at + 2)?, 16).ok()?;
    }
    Some(hex.len() / 2)
}

fn text(packet: &[u8], content: &str) -> Option<bool> {
    let model = TextModel::new(V1_128K.text)?;
    let mut out = [0; 256];
    let len = model.code(&mut Decoder::new(packet), &[], &mut out);
    let mut again = [0; 256];
    let mut encoder = Encoder::new(&mut again);
    model.code(&mut encoder, content.as_bytes(), &mut []);
    let again_len = encoder.finish().ok()?;
    Some(out.get(..len)? == content.as_bytes() && again.get(..again_len)? == packet)
}

/// A stanza read and written again gives the same packet: both directions, bit for bit.
fn stanza(packet: &[u8]) -> Option<bool> {
    let (mut strings, mut tape) = ([0; 2048], [Node::Close; 96]);
    let mut arena = Arena::new(&mut strings);
    let number = PacketNumber::new(0);
    let stanza = session()?
        .decode(number, packet, &mut arena, &mut tape)
        .ok()?;
    let options = Options {
        ids: Ids::Preserve,
        again: true,
    };
    let mut again = [0; 256];
    let len = session()?
        .encode(number, stanza, options, &mut again)
        .ok()?;
    Some(again.get(..len)? == packet)
}

fn session() -> Option<Session<'static, [u8; Profile::BOARD.storage_len()]>> {
    Session::new(&V1_128K, Profile::BOARD, [0; Profile::BOARD.storage_len()]).ok()
}

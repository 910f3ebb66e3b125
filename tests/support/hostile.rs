//! What hostile octets are thrown at: one function per parser, the same for the fuzz targets and for the
//! quick run in the test suite. Each panics when a promise is broken, never because of what it is fed.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use longwire::xml::{Element, Limits, StreamEvent, StreamReader};
use longwire_codec::frame::Header;
use longwire_codec::link::PacketNumber;
use longwire_codec::session::{Ids, Options, Profile, Session};
use longwire_codec::stanza::{Arena, Node, Stanza};
use longwire_dictionaries::V1_128K;

/// Octets for the strings of a decoded stanza, and nodes of one.
const ARENA_LEN: usize = 4 * 1024;
const TAPE_LEN: usize = 256;

/// One element: refused with a reason, or accepted and then written so that it reads back equal.
pub fn xml(bytes: &[u8]) {
    let Ok(element) = Element::parse(bytes) else {
        return;
    };
    let written = element.to_xml("");
    match Element::parse(&written) {
        Ok(again) => assert_eq!(element, again, "written as {written}"),
        Err(error) => panic!("own output {written} is refused: {error}"),
    }
}

/// A whole stream: whatever is read ends in an event, an error or the end of input, in bounded steps.
pub fn stream(bytes: &[u8]) {
    let _ = read_stream(bytes, Limits::default());
}

/// Reads a stream to its end: the stanzas it held, or why it was refused.
pub fn read_stream(bytes: &[u8], limits: Limits) -> Result<Vec<Element>, String> {
    let mut reader = StreamReader::new(bytes, limits);
    let mut stanzas = Vec::new();
    loop {
        // A slice is always ready, so one poll is enough.
        let mut next = pin!(reader.next());
        let Poll::Ready(event) = next.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("reading from memory waits");
        };
        match event.map_err(|error| error.to_string())? {
            Some(StreamEvent::Element(stanza)) => stanzas.push(stanza),
            Some(StreamEvent::Open(_)) => {}
            Some(StreamEvent::Close) | None => return Ok(stanzas),
        }
    }
}

/// One end of a link, with a microcontroller's memory.
pub fn end() -> Session<'static, Vec<u8>> {
    let storage = vec![0; Profile::BOARD.storage_len()];
    Session::new(&V1_128K, Profile::BOARD, storage).expect("storage of the profile's own length")
}

/// Writes `element` as packet `number` of `session`.
pub fn encode(
    session: &mut Session<'static, Vec<u8>>,
    number: u32,
    element: &Element,
) -> Option<Vec<u8>> {
    encode_with(session, number, element, Ids::Short)
}

fn encode_with(
    session: &mut Session<'static, Vec<u8>>,
    number: u32,
    element: &Element,
    ids: Ids,
) -> Option<Vec<u8>> {
    let options = Options {
        ids,
        ..Options::default()
    };
    let mut tape = Vec::new();
    element.tape(&mut tape);
    let mut packet = vec![0; ARENA_LEN];
    let stanza = Stanza::new(&tape)?;
    let len = session
        .encode(PacketNumber::new(number), stanza, options, &mut packet)
        .ok()?;
    packet.truncate(len);
    Some(packet)
}

/// Reads packet `number` of `session`; what is no stanza is nothing.
pub fn decode(
    session: &mut Session<'static, Vec<u8>>,
    number: u32,
    packet: &[u8],
) -> Option<Element> {
    let mut buffer = vec![0; ARENA_LEN];
    let mut tape = vec![Node::Close; TAPE_LEN];
    let mut arena = Arena::new(&mut buffer);
    let stanza = session
        .decode(PacketNumber::new(number), packet, &mut arena, &mut tape)
        .ok()?;
    Element::from_stanza(stanza).ok()
}

/// A packet read without any memory: refused, or a stanza that the encoder writes and the decoder reads back equal.
pub fn packet(bytes: &[u8]) {
    let Some(element) = decode(&mut end(), 1, bytes) else {
        return;
    };
    let (mut here, mut there) = (end(), end());
    // What an XML stream could not have brought need not be written again.
    if Element::parse(element.to_xml("")).as_ref() != Ok(&element) {
        return;
    }
    // Ids cross: those that are made up would differ, of archives and origins too.
    let Some(packet) = encode_with(&mut here, 1, &element, Ids::Preserve) else {
        return;
    };
    let again = decode(&mut there, 1, &packet).expect("own packet is read");
    assert_eq!(canonical(element), canonical(again));
}

/// Packets one after another, each with its length before it, at an end that remembers: refused or read. Whatever they made
/// it remember, a packet that counts on nothing is read as it was written.
pub fn dialogue(bytes: &[u8]) {
    let mut there = end();
    let (mut rest, mut number) = (bytes, 0);
    while let [head, after @ ..] = rest {
        let (packet, after) = after.split_at(usize::from(head & 0x7f).min(after.len()));
        let _ = decode(&mut there, number, packet);
        // Some numbers are left out.
        number += 1 + u32::from(head >> 7) * packet.len() as u32;
        rest = after;
    }
    let element = Element::parse(
        "<message xmlns='jabber:client' from='romeo@ship.example/deck' to='juliet@shore.example' type='chat'>\
         <body>Speak again, bright angel</body><thread>verona</thread></message>",
    )
    .expect("own stanza");
    let packet = encode_with(&mut end(), number, &element, Ids::Preserve).expect("written");
    let read = decode(&mut there, number, &packet).expect("own packet is read");
    assert_eq!(canonical(element), canonical(read));
}

/// The stanza as the codec promises to keep it: the order of attributes is free, its own id is made up at each end.
pub fn canonical(mut element: Element) -> Element {
    element.remove_attr("id");
    sort_attrs(&mut element);
    element
}

fn sort_attrs(element: &mut Element) {
    element
        .attrs
        .sort_by(|a, b| (&a.ns, &a.name).cmp(&(&b.ns, &b.name)));
    element.children_mut().for_each(sort_attrs);
}

/// A frame's header: refused, or written so that it reads back equal.
pub fn frame(bytes: &[u8]) {
    for shared in [false, true] {
        let Ok(header) = Header::parse(bytes, shared) else {
            continue;
        };
        let mut again = vec![0; header.len()];
        let len = header
            .emit(&mut again)
            .expect("a header fits its own length");
        assert_eq!(Header::parse(&again[..len], shared), Ok(header));
    }
}

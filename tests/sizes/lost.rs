//! What a packet that nobody knows the fate of costs those after it.

use longwire::xml::Element;
use longwire_codec::link::PacketNumber;
use longwire_codec::session::{Options, Profile, Session};
use longwire_codec::stanza::Stanza;
use longwire_dictionaries::V1_128K;

const BODIES: [&str; 4] = [
    "We reach the harbour at seven, keep tea.",
    "Engine is fine again",
    "can you send the weather for the strait?",
    "ok",
];

/// Stanza `number` of a conversation: messages, what their receiver's client answers, and now and then a presence.
fn stanza(number: u32) -> Element {
    let address = "xmlns='jabber:client' from='romeo@field.example/Conversations.8aXk' to='juliet@base.example/Gajim.1'";
    let body = BODIES[number as usize / 4 % 4];
    let id = format!("{number:08x}-5c1b-4a52-9d4e-6f1f0a7c2b11");
    let xml = match number % 4 {
        _ if number % 16 == 15 => "<presence xmlns='jabber:client' from='romeo@field.example/Conversations.8aXk' to='juliet@base.example'><show>away</show></presence>".to_owned(),
        0 => format!(
            "<message {address} type='chat' id='{id}'><body>{body}</body><request xmlns='urn:xmpp:receipts'/>\
             <markable xmlns='urn:xmpp:chat-markers:0'/><origin-id xmlns='urn:xmpp:sid:0' id='{id}'/></message>"
        ),
        1 => format!(
            "<message {address} type='chat' id='{id}'><active xmlns='http://jabber.org/protocol/chatstates'/></message>"
        ),
        2 => format!(
            "<message {address} type='chat' id='{id}'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>"
        ),
        _ => format!(
            "<message {address} type='chat' id='{id}'><body>{body}</body><request xmlns='urn:xmpp:receipts'/></message>"
        ),
    };
    Element::parse_stanza(xml.as_bytes()).expect("well-formed")
}

/// Octets of each of 120 packets, `under_way` of which are acknowledged late, and one is never heard of again.
fn octets(under_way: u32, lost: Option<u32>) -> Vec<usize> {
    let storage = vec![0; Profile::BOARD.storage_len()];
    let mut session = Session::new(&V1_128K, Profile::BOARD, storage).expect("sized");
    let mut octets = Vec::new();
    for number in 0..120 {
        let element = stanza(number);
        let mut tape = Vec::new();
        element.tape(&mut tape);
        let stanza = Stanza::new(&tape).expect("balanced");
        let mut packet = [0; 512];
        let packet = session.encode(
            PacketNumber::new(number),
            stanza,
            Options::default(),
            &mut packet,
        );
        octets.push(packet.expect("fits"));
        let Some(heard) = number.checked_sub(under_way) else {
            continue;
        };
        let number = PacketNumber::new(heard);
        if lost == Some(heard) {
            session.abandon(number);
        } else {
            session.acknowledge(number);
        }
    }
    octets
}

/// A gap in what is counted on has its price when it is first spoken of: those after it count on what that packet did.
#[test]
fn a_doubted_packet_costs_all_those_after_it_a_dozen_octets() {
    for (under_way, most) in [(0, 5), (1, 10), (4, 12)] {
        let sum = |octets: Vec<usize>| octets.iter().sum::<usize>();
        let usual = sum(octets(under_way, None));
        let more = sum(octets(under_way, Some(60))) as i64 - usual as i64;
        println!("{under_way} under way: {usual} octets, {more} more");
        assert!(more <= most, "{under_way} under way: {more} octets more");
    }
}

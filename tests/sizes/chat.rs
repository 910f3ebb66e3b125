//! The packet of the most common stanza, between ends that know each other.

use longwire::xml::Element;
use longwire_codec::link::PacketNumber;
use longwire_codec::session::{Ids, Options, Profile, Session, What};
use longwire_codec::stanza::Stanza;
use longwire_dictionaries::V1_HOST;

/// Header and default authentication tag of a data frame between two stations, as `sizes/link.rs` measures it.
const FRAME_OVERHEAD: usize = 3 + 8;

/// Writes what Romeo says in the form of a common client, acknowledged by the far end at once; the packet's length.
fn say(session: &mut Session<'static, Vec<u8>>, number: u32, body: &str) -> usize {
    let xml = format!(
        "<message xmlns='jabber:client' from='romeo@field.example/Conversations.8aXk' to='juliet@base.example' type='chat' \
         id='{number:08x}-5c1b-4a52-9d4e-6f1f0a7c2b11'><body>{body}</body>\
         <request xmlns='urn:xmpp:receipts'/></message>"
    );
    let element = Element::parse_stanza(xml.as_bytes()).expect("well-formed");
    let mut tape = Vec::new();
    element.tape(&mut tape);
    let stanza = Stanza::new(&tape).expect("balanced");
    let options = Options {
        ids: Ids::Short,
        ..Options::default()
    };
    let number = PacketNumber::new(number);
    let mut packet = [0; 512];
    let len = session
        .encode(number, stanza, options, &mut packet)
        .expect("fits");
    session.acknowledge(number);
    len
}

#[test]
fn a_chat_between_friends_is_one_frame_of_at_most_forty_bytes() {
    let storage = vec![0; Profile::HOST.storage_len()];
    let mut session = Session::new(&V1_HOST, Profile::HOST, storage).expect("sized");
    say(&mut session, 0, "Good morning");
    say(&mut session, 1, "Are you there?");
    let bodies = [
        "We reach the harbour at seven, keep tea.",
        "Engine is fine again, fuel for two days.",
        "Can you send the weather for the strait?",
    ];
    for (number, body) in (2..).zip(bodies) {
        assert_eq!(body.len(), 40);
        let frame = say(&mut session, number, body) + FRAME_OVERHEAD;
        println!("{frame} bytes: {body}");
        assert!(frame <= 40, "{frame} bytes: {body}");
    }
}

/// Bits of a stanza that stands alone, but for what stands in its addresses and its body.
fn structure_bits(xml: &str) -> f64 {
    let storage = vec![0; Profile::HOST.storage_len()];
    let mut session = Session::new(&V1_HOST, Profile::HOST, storage).expect("sized");
    let element = Element::parse_stanza(xml.as_bytes()).expect("well-formed");
    let mut tape = Vec::new();
    element.tape(&mut tape);
    let stanza = Stanza::new(&tape).expect("balanced");
    let mut bits = 0.0;
    let tell = |what: What<'_>, cost: u64| {
        if !matches!(what, What::Value("JID" | "text", _)) {
            bits += cost as f64 / 256.0;
        }
    };
    session
        .explain(PacketNumber::new(0), stanza, Options::default(), tell)
        .expect("a stanza");
    bits
}

#[test]
fn what_conversations_puts_beside_the_body_is_cheap_in_the_first_packet() {
    let id = "5b1f0c52-9a47-4b07-9d3c-0d0f5a3c1e77";
    let markable = "<markable xmlns='urn:xmpp:chat-markers:0'/>";
    let request = "<request xmlns='urn:xmpp:receipts'/>";
    let origin = format!("<origin-id xmlns='urn:xmpp:sid:0' id='{id}'/>");
    let active = "<active xmlns='http://jabber.org/protocol/chatstates'/>";
    let body = "<body>Good morning</body>";
    let structure = |children: &[&str]| {
        let children = children.concat();
        let bits = structure_bits(&format!(
            "<message xmlns='jabber:client' from='romeo@field.example/Conversations.8aXk' to='juliet@base.example' \
             type='chat' id='{id}'>{children}</message>"
        ));
        println!("{bits:.1} bits: {children}");
        bits
    };
    assert!(structure(&[markable, request, &origin, body, active]) <= 11.0);
    // In orders that were not recorded.
    assert!(structure(&[request, markable, &origin, body, active]) <= 20.0);
    assert!(structure(&[body, active, request, markable, &origin]) <= 26.0);
}

//! Packets from whoever holds the key and still wishes us ill, or from an encoder with a fault: refused, or a stanza.

use longwire::xml::Element;
use longwire_codec::link::PacketNumber;
use tests::dice::{Dice, seeds};
use tests::hostile::{self, canonical, decode, encode, end};

/// Rounds of the quick run; the fuzz target goes on for ever.
const ROUNDS: u64 = 1_000;

const STANZAS: &[&str] = &[
    "<message xmlns='jabber:client' from='romeo@ship.example/deck' to='juliet@shore.example' type='chat' id='a1'>\
     <body>By a name I know not how to tell thee who I am</body><request xmlns='urn:xmpp:receipts'/></message>",
    "<presence xmlns='jabber:client' from='juliet@shore.example/balcony' to='romeo@ship.example'>\
     <show>away</show><status>asleep</status><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' \
     node='http://slixmpp.com/ver/1.17.0' ver='yUoHWYIC81eE9SSgdR7OPZ4Bqn4='/></presence>",
    "<iq xmlns='jabber:client' from='romeo@ship.example/deck' to='shore.example' type='get' id='d1'>\
     <query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
    "<message xmlns='jabber:client' to='a@b.example'><x xmlns='urn:unheard:of' deep='&lt;'><y z='1'>\u{1f339}</y></x></message>",
];

fn stanzas() -> Vec<Element> {
    STANZAS
        .iter()
        .map(|xml| Element::parse(xml).expect("own stanza"))
        .collect()
}

#[test]
fn random_packets_are_refused_or_read_back_equal() {
    let mut dice = Dice::new(3);
    for _ in 0..ROUNDS {
        hostile::packet(&dice.bytes(60));
    }
}

#[test]
fn mutated_packets_are_refused_or_read_back_equal() {
    let packets: Vec<Vec<u8>> = stanzas()
        .iter()
        .map(|stanza| encode(&mut end(), 1, stanza).expect("written"))
        .collect();
    let mut dice = Dice::new(4);
    for round in 0..ROUNDS {
        let mut packet = packets[round as usize % packets.len()].clone();
        dice.mutate(&mut packet);
        hostile::packet(&packet);
    }
}

#[test]
fn a_dialogue_gone_mad_leaves_an_end_that_reads() {
    for seed in seeds(7..8) {
        let mut dice = Dice::new(seed);
        for _ in 0..ROUNDS / 5 {
            let mut here = end();
            let mut octets = Vec::new();
            for number in 0..dice.below(12) as u32 {
                let stanza = &stanzas()[dice.below(STANZAS.len())];
                let mut packet = encode(&mut here, number, stanza).expect("written");
                if dice.below(2) == 0 {
                    here.acknowledge(PacketNumber::new(number));
                }
                if dice.below(3) == 0 {
                    dice.mutate(&mut packet);
                }
                packet.truncate(127);
                octets.push(packet.len() as u8);
                octets.extend(packet);
            }
            hostile::dialogue(&octets);
        }
    }
}

/// A bad packet between good ones leaves no trace in what both ends remember.
#[test]
fn refused_packets_leave_the_session_as_it_was() {
    let (mut here, mut there) = (end(), end());
    let mut dice = Dice::new(6);
    let mut history: Vec<Vec<u8>> = Vec::new();
    for (number, stanza) in (1..20).zip(stanzas().iter().cycle()) {
        let good = encode(&mut here, number, stanza).expect("written");
        for _ in 0..10 {
            let mut bad = good.clone();
            dice.mutate(&mut bad);
            if is_refused(&history, &bad) {
                assert_eq!(
                    decode(&mut there, number, &bad),
                    None,
                    "not refused the same twice"
                );
            }
        }
        let got = decode(&mut there, number, &good).expect("the good packet is read");
        assert_eq!(canonical(got), canonical(stanza.clone()), "packet {number}");
        here.acknowledge(PacketNumber::new(number));
        history.push(good);
    }
}

/// Whether an end that has read `history` refuses `packet`; what is read well is for seals to refuse.
fn is_refused(history: &[Vec<u8>], packet: &[u8]) -> bool {
    let mut replica = end();
    for (number, earlier) in (1..).zip(history) {
        decode(&mut replica, number, earlier).expect("read before");
    }
    decode(&mut replica, history.len() as u32 + 1, packet).is_none()
}

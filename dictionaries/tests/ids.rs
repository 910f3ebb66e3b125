//! With short ids, only ids change on the way: what merely equals one crosses as it is.

use longwire_codec::link::PacketNumber;
use longwire_codec::session::{Ids, Options, Profile, Session};
use longwire_codec::stanza::{Arena, Node, Stanza};
use longwire_dictionaries::V1_512K as V1;

const CLIENT: &str = "jabber:client";
const PUBSUB: &str = "http://jabber.org/protocol/pubsub";

type End = Session<'static, Vec<u8>>;

fn end() -> End {
    Session::new(&V1, Profile::BOARD, vec![0; Profile::BOARD.storage_len()]).unwrap()
}

/// Sends `nodes` with short ids as packet `number` and returns the attribute values that arrive.
fn cross(from: &mut End, to: &mut End, number: u32, nodes: &[Node<'_>]) -> Vec<String> {
    let (mut packet, mut strings, mut tape) = ([0; 512], [0; 512], [Node::Close; 32]);
    let stanza = Stanza::new(nodes).unwrap();
    let number = PacketNumber::new(number);
    let options = Options {
        ids: Ids::Short,
        ..Options::default()
    };
    let len = from.encode(number, stanza, options, &mut packet).unwrap();
    let mut arena = Arena::new(&mut strings);
    let arrived = to
        .decode(number, &packet[..len], &mut arena, &mut tape)
        .unwrap();
    from.acknowledge(number);
    let values = arrived.nodes().iter().filter_map(|node| match node {
        Node::Attr { value, .. } => Some((*value).to_owned()),
        _ => None,
    });
    values.collect()
}

fn open(ns: &'static str, name: &'static str) -> Node<'static> {
    Node::Open { ns, name }
}

fn attr<'a>(name: &'a str, value: &'a str) -> Node<'a> {
    Node::Attr {
        ns: "",
        name,
        value,
    }
}

#[test]
fn what_equals_an_id_is_not_changed() {
    for id in [
        "lounge@rooms.example",
        "current",
        "lounge2024",
        "0d86fa691d209f2eaa0fe44a5d6b2437003a9625",
    ] {
        let (mut from, mut to) = (end(), end());
        let message = [
            open(CLIENT, "message"),
            attr("id", id),
            open(CLIENT, "body"),
            Node::Close,
            Node::Close,
        ];
        cross(&mut from, &mut to, 1, &message);
        let event = [
            open(CLIENT, "iq"),
            attr("from", id),
            open(PUBSUB, "pubsub"),
            open(PUBSUB, "items"),
            attr("node", id),
            open(PUBSUB, "item"),
            attr("id", id),
            Node::Close,
            Node::Close,
            Node::Close,
            Node::Close,
        ];
        assert_eq!(cross(&mut from, &mut to, 2, &event), [id; 3]);
    }
}

#[test]
fn a_reference_follows_the_id_it_means() {
    let (mut from, mut to) = (end(), end());
    let id = "8a5f3c1e-90b2-4d77-a1c4-5f0d9be3a721";
    let message = [open(CLIENT, "message"), attr("id", id), Node::Close];
    let there = cross(&mut from, &mut to, 1, &message).remove(0);
    assert_ne!(there, id);
    let receipt = [
        open(CLIENT, "message"),
        open("urn:xmpp:receipts", "received"),
        attr("id", &there),
        Node::Close,
        Node::Close,
    ];
    assert_eq!(cross(&mut to, &mut from, 1, &receipt), [id]);
}

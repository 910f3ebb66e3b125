//! Short ids: they do not cross, and yet every answer finds the message it answers, both ways.

use crate::chance::Owned;
use crate::pair::{End, Pair};
use longwire_codec::session::Profile;
use longwire_dictionaries::V1_HOST;

fn open(ns: &str, name: &str) -> Owned {
    Owned::Open(ns.into(), name.into())
}

fn attr(name: &str, value: &str) -> Owned {
    Owned::Attr(String::new(), name.into(), value.into())
}

pub(crate) fn chat(id: &str, body: &str) -> Vec<Owned> {
    vec![
        open("jabber:client", "message"),
        attr("id", id),
        attr("to", "juliet@shore.example"),
        attr("type", "chat"),
        open("jabber:client", "body"),
        Owned::Text(body.into()),
        Owned::Close,
        open("urn:xmpp:receipts", "request"),
        Owned::Close,
        open("urn:xmpp:sid:0", "origin-id"),
        attr("id", id),
        Owned::Close,
        Owned::Close,
    ]
}

pub(crate) fn receipt(id: &str, of: &str) -> Vec<Owned> {
    vec![
        open("jabber:client", "message"),
        attr("id", id),
        attr("to", "romeo@ship.example/deck"),
        open("urn:xmpp:receipts", "received"),
        attr("id", of),
        Owned::Close,
        Owned::Close,
    ]
}

/// The ids in a stanza, in order.
pub(crate) fn ids(stanza: &[Owned]) -> Vec<String> {
    let ids = stanza.iter().filter_map(|node| match node {
        Owned::Attr(_, name, value) if name == "id" => Some(value.clone()),
        _ => None,
    });
    ids.collect()
}

#[test]
fn a_receipt_for_a_made_up_id_comes_home_with_the_real_one() {
    let mut pair = Pair::new(&V1_HOST, Profile::BOARD);
    let real = "0a488592-d7ca-4d6e-b047-c94ad9302cf8";
    let there = pair.pass(End::Near, &chat(real, "O Romeo, Romeo"));
    let made_up = ids(&there);
    assert_eq!(made_up[0], made_up[1], "origin-id follows the id");
    assert_ne!(made_up[0], real);
    let answer = pair.pass(End::Far, &receipt("r1", &made_up[0]));
    assert_eq!(ids(&answer)[1], real);
    // The receipt's own id is made up at this end in turn.
    assert_ne!(ids(&answer)[0], "r1");
}

#[test]
fn a_later_reference_of_the_sender_names_the_same_made_up_id() {
    let mut pair = Pair::new(&V1_HOST, Profile::BOARD);
    let first = pair.pass(End::Near, &chat("m1-0123456789", "But soft"));
    for _ in 0..5 {
        pair.pass(End::Near, &chat("other-9876543210", "what light"));
    }
    let mut correction = chat("m2-0123456789", "But soft!");
    correction.truncate(correction.len() - 1);
    correction.extend([
        open("urn:xmpp:message-correct:0", "replace"),
        attr("id", "m1-0123456789"),
        Owned::Close,
        Owned::Close,
    ]);
    let arrived = pair.pass(End::Near, &correction);
    assert_eq!(ids(&arrived).last(), ids(&first).first());
    assert_ne!(ids(&arrived)[0], ids(&first)[0]);
}

#[test]
fn an_answer_finds_its_message_after_a_reset() {
    let mut pair = Pair::new(&V1_HOST, Profile::BOARD);
    let there = pair.pass(End::Near, &chat("m1-0123456789", "Good night"));
    pair.reset();
    let answer = pair.pass(End::Far, &receipt("r1-0123456789", &ids(&there)[0]));
    assert_eq!(ids(&answer)[1], "m1-0123456789");
}

#[test]
fn a_quotation_of_an_earlier_body_is_rebuilt_and_costs_little() {
    let mut pair = Pair::new(&V1_HOST, Profile::HOST);
    let body = "It is the east, and Juliet is the sun.\nArise, fair sun, and kill the envious moon";
    pair.pass(End::Near, &chat("m1-0123456789", body));
    let quoted = "> It is the east, and Juliet is the sun.\n> Arise, fair sun\nshe speaks";
    for from in [End::Near, End::Far] {
        let reply = chat("m2-0123456789", quoted);
        let text = |stanza: &[Owned]| stanza.contains(&Owned::Text(quoted.into()));
        assert!(text(&pair.pass(from, &reply)));
        assert!(pair.last_len < 60, "{} octets", pair.last_len);
    }
}

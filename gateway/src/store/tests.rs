//! The store survives what happens to it.

use super::Store;
use super::outbox::Queued;
use super::peer::{LinkState, Spent};

fn row(peer: &str, recipient: &str) -> Queued {
    Queued {
        id: 0,
        peer: peer.into(),
        number: None,
        class: 1,
        queued_ms: 10,
        expires_ms: 1000,
        sender: "romeo@ship.example/deck".into(),
        recipient: recipient.into(),
        stanza_id: "m1".into(),
        merge: String::new(),
        xml: "<message/>".into(),
    }
}

#[test]
fn what_was_committed_is_there_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("longwire.db");
    let mut store = Store::open(&path).unwrap();
    let id = store.queue(&row("shore", "juliet@shore.example")).unwrap();
    store.start_epoch("shore").unwrap();
    store.number(id, "shore", 7, 0).unwrap();
    store.keep("h:ship.example", 5, "<presence/>").unwrap();
    store.accept("shore", 3, 0).unwrap();
    drop(store);

    let store = Store::open(&path).unwrap();
    let queued = store.queued("shore").unwrap();
    assert_eq!((queued.len(), queued[0].number), (1, Some(7)));
    assert_eq!(store.queued_xml(id).unwrap().unwrap(), "<message/>");
    assert_eq!(store.link_state("shore").unwrap().next, 8);
    assert_eq!(store.waiting().unwrap()[0].1.xml, "<presence/>");
    assert_eq!(store.link_state("shore").unwrap().accepted_base, 3);
}

#[test]
fn a_batch_given_up_leaves_nothing() {
    let mut store = Store::in_memory().unwrap();
    store.begin().unwrap();
    store.queue(&row("shore", "juliet@shore.example")).unwrap();
    store.roll_back();
    assert_eq!(store.outbox_len().unwrap(), 0);
    store.roll_back();
    store.begin().unwrap();
    store.queue(&row("shore", "juliet@shore.example")).unwrap();
    store.commit().unwrap();
    assert_eq!(store.outbox_len().unwrap(), 1);
}

#[test]
fn ids_of_rows_are_never_reused() {
    let mut store = Store::in_memory().unwrap();
    let first = store.keep("h:x", 0, "<a/>").unwrap();
    store.taken(first).unwrap();
    assert!(store.keep("h:x", 0, "<a/>").unwrap() > first);
}

#[test]
fn a_link_finds_its_state_again() {
    let mut store = Store::in_memory().unwrap();
    assert_eq!(store.link_state("shore").unwrap(), LinkState::default());
    assert_eq!(store.start_epoch("shore").unwrap(), 1);
    assert_eq!(store.start_epoch("shore").unwrap(), 2);
    store.keep_peer_epoch("shore", 5).unwrap();
    store.accept("shore", 17, 1 << 63 | 1).unwrap();
    let early = store.queue(&row("shore", "j@s")).unwrap();
    let late = store.queue(&row("shore", "j@s")).unwrap();
    store.number(early, "shore", 3, 1).unwrap();
    store.number(late, "shore", 4, 1).unwrap();
    store.withdraw(early).unwrap();
    let expected = LinkState {
        epoch: 2,
        peer_epoch: 5,
        next: 5,
        first_outstanding: 3,
        accepted_base: 17,
        accepted_beyond: 1 << 63 | 1,
    };
    assert_eq!(store.link_state("shore").unwrap(), expected);
    assert!(store.unqueue(early).unwrap() && !store.unqueue(early).unwrap());
    store.unqueue(late).unwrap();
    assert_eq!(store.link_state("shore").unwrap().first_outstanding, 5);
}

#[test]
fn resources_are_found_by_their_bare_jid_only() {
    let mut store = Store::in_memory().unwrap();
    for owner in ["a@x", "a@x/1", "a@x/2", "a@xy/1", "aa@x/1", "a@x.org"] {
        store.hold(owner, "presence", 100, owner).unwrap();
    }
    let found = store.held_of("a@x", "presence", 50).unwrap();
    let owners: Vec<&str> = found.iter().map(|(owner, _)| owner.as_str()).collect();
    assert_eq!(owners, ["a@x", "a@x/1", "a@x/2"]);
    assert!(store.held_of("a@x", "presence", 100).unwrap().is_empty());
}

#[test]
fn airtime_adds_up_by_day_peer_and_user() {
    let mut store = Store::in_memory().unwrap();
    let spent = |octets| Spent {
        peer: "shore".into(),
        user: "romeo@ship.example".into(),
        octets,
        airtime_ms: octets * 27,
    };
    store.spend(20_000, &spent(40)).unwrap();
    store.spend(20_000, &spent(10)).unwrap();
    store.spend(20_001, &spent(1)).unwrap();
    assert_eq!(store.spent(20_000).unwrap(), [spent(50)]);
}

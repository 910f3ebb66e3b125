//! The queue keeps its promises.

use super::*;

fn row(id: i64, class: Class, to: &str) -> Queued {
    Queued {
        id,
        peer: "shore".into(),
        number: None,
        class: class.index(),
        queued_ms: id,
        expires_ms: 1000 + id,
        sender: "romeo@ship.example/deck".into(),
        recipient: to.into(),
        stanza_id: format!("m{id}"),
        merge: String::new(),
        xml: String::new(),
    }
}

fn queue(rows: &[(i64, Class, &str)]) -> Outbox {
    let rows: Vec<Queued> = rows
        .iter()
        .map(|(id, class, to)| row(*id, *class, to))
        .collect();
    Outbox::new(&rows)
}

/// Grants everything that can go and delivers it at once.
fn drain(outbox: &mut Outbox) -> Vec<i64> {
    let mut order = Vec::new();
    while let Some((id, class)) = outbox.next() {
        outbox.grant(id, order.len() as u32, class);
        outbox.remove(id);
        order.push(id);
    }
    assert!(outbox.is_empty());
    order
}

use Class::{Bulk, Chat, Presence, Urgent};

#[test]
fn classes_go_first_then_age() {
    let mut outbox = queue(&[
        (1, Bulk, "a"),
        (2, Presence, "b"),
        (3, Chat, "c"),
        (4, Chat, "d"),
        (5, Urgent, "e"),
    ]);
    assert_eq!(outbox.waiting(), [1, 2, 1, 1]);
    assert_eq!(drain(&mut outbox), [5, 3, 4, 2, 1]);
}

#[test]
fn a_pair_keeps_its_order_and_goes_as_early_as_its_most_urgent() {
    let mut outbox = queue(&[
        (1, Presence, "room"),
        (2, Chat, "b"),
        (3, Urgent, "room"),
        (4, Chat, "room"),
    ]);
    assert_eq!(drain(&mut outbox), [1, 3, 2, 4]);
}

#[test]
fn bulk_and_chat_of_a_pair_are_never_on_the_air_together() {
    let mut outbox = queue(&[
        (1, Chat, "a"),
        (2, Bulk, "a"),
        (3, Chat, "a"),
        (4, Bulk, "b"),
    ]);
    let (id, class) = outbox.next().unwrap();
    assert_eq!((id, class), (1, Chat));
    outbox.grant(1, 0, Chat);
    // The chat behind it pulls the bulk stanza into its own group.
    assert_eq!(outbox.next(), Some((2, Chat)));
    outbox.grant(2, 1, Chat);
    outbox.grant(3, 2, Chat);
    outbox.push(&row(5, Bulk, "a"));
    assert_eq!(
        outbox.next(),
        Some((4, Bulk)),
        "5 waits for the chats of its pair"
    );
    outbox.grant(4, 3, Bulk);
    assert_eq!(outbox.next(), None);
    for id in [1, 2, 3] {
        outbox.remove(id);
    }
    assert_eq!(outbox.next(), Some((5, Bulk)));
}

#[test]
fn presence_is_replaced_only_where_nothing_stands_between() {
    let last = Merge::Last("presence".into());
    let mut presence = row(1, Presence, "a");
    presence.merge = "presence".into();
    let mut outbox = Outbox::new(&[presence]);
    assert_eq!(
        outbox.admit("romeo@ship.example/deck", "a", &last),
        Admission::Replace(1)
    );
    assert_eq!(
        outbox.admit("romeo@ship.example/raft", "a", &last),
        Admission::Append(vec![])
    );
    outbox.push(&row(2, Chat, "a"));
    assert_eq!(
        outbox.admit("romeo@ship.example/deck", "a", &last),
        Admission::Append(vec![])
    );
}

#[test]
fn only_what_is_still_queued_is_edited_or_retracted() {
    let mut outbox = queue(&[(1, Chat, "a"), (2, Chat, "a")]);
    let sender = "romeo@ship.example/deck";
    let edit = Merge::Edit("m1".into());
    let retract = Merge::Retract("m2".into());
    assert_eq!(outbox.admit(sender, "a", &edit), Admission::Edit(1));
    assert_eq!(outbox.admit(sender, "a", &retract), Admission::Cancel(2));
    outbox.grant(1, 0, Chat);
    assert_eq!(outbox.admit(sender, "a", &edit), Admission::Append(vec![]));
}

#[test]
fn what_is_on_the_air_expires_only_with_the_far_ends_word() {
    let mut outbox = queue(&[(1, Chat, "a"), (2, Chat, "b")]);
    outbox.grant(1, 7, Chat);
    assert_eq!(outbox.next_expiry(), Some(1001));
    assert_eq!(outbox.expire(1000), None);
    assert_eq!(outbox.expire(2000), Some((1, Some(7))));
    assert_eq!(outbox.expire(2000), Some((2, None)));
    assert_eq!(outbox.expire(2000), None);
    assert_eq!(outbox.granted(), [(7, 1, Chat, true)]);
    assert_eq!(outbox.by_number(7), Some(1));
}

#[test]
fn a_restart_finds_the_same_queue() {
    let mut granted = row(1, Chat, "a");
    granted.number = Some(4);
    let outbox = Outbox::new(&[granted, row(2, Chat, "a"), row(3, Bulk, "a")]);
    assert_eq!((outbox.len(), outbox.on_air()), (3, 1));
    assert_eq!(outbox.granted(), [(4, 1, Chat, false)]);
    assert_eq!(outbox.next(), Some((2, Chat)));
}

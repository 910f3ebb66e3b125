//! What the store gives back.

use super::*;

#[test]
fn items_keep_order_and_bound() {
    let store = Store::in_memory().unwrap();
    for id in ["a", "b", "a", "c"] {
        let item = Item {
            id: id.into(),
            payload: format!("<p>{id}</p>"),
        };
        store.publish("u@x", "n", &item, 2).unwrap();
    }
    let ids = |max| -> Vec<String> {
        store
            .items("u@x", "n", max)
            .unwrap()
            .into_iter()
            .map(|item| item.id)
            .collect()
    };
    assert_eq!(ids(10), ["a", "c"]);
    assert_eq!(ids(1), ["c"]);
}

#[test]
fn pages_cover_the_archive_from_both_ends() {
    let store = Store::in_memory().unwrap();
    for n in 0..7 {
        let with = if n % 2 == 0 { "a@x" } else { "b@x" };
        store.archive("u@x", with, n, "<m/>").unwrap();
    }
    let query = |at, with: Option<&str>| PageQuery {
        with: with.map(Into::into),
        start_ms: None,
        end_ms: None,
        at,
        max: 3,
    };
    let ids = |page: &Page| -> Vec<i64> { page.messages.iter().map(|m| m.id).collect() };
    let first = store.page("u@x", &query(PageAt::After(0), None)).unwrap();
    assert_eq!(
        (ids(&first), first.complete, first.count),
        (vec![1, 2, 3], false, 7)
    );
    let last = store
        .page("u@x", &query(PageAt::Before(i64::MAX), None))
        .unwrap();
    assert_eq!((ids(&last), last.complete), (vec![5, 6, 7], false));
    let some = store
        .page("u@x", &query(PageAt::After(0), Some("b@x")))
        .unwrap();
    assert_eq!(
        (ids(&some), some.complete, some.count),
        (vec![2, 4, 6], true, 3)
    );
}

#[test]
fn a_contact_with_nothing_to_know_is_gone() {
    let store = Store::in_memory().unwrap();
    let mut contact = store.contact("u@x", "a@y").unwrap();
    contact.listed = true;
    contact.groups = vec!["One".into(), "Two words".into()];
    contact.subscription.to = true;
    store.set_contact("u@x", &contact).unwrap();
    assert_eq!(store.contacts("u@x").unwrap(), [contact.clone()]);
    contact.listed = false;
    store.set_contact("u@x", &contact).unwrap();
    assert!(store.contacts("u@x").unwrap().is_empty());
}

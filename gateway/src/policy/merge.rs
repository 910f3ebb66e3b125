//! Which queued stanza a newer one makes superfluous. Refuses to reorder: nothing ever overtakes another stanza of the
//! same sender and receiver.

use super::address::{kind, to};
use super::classify::{NS_CHAT_STATES, NS_PUBSUB_EVENT, is_chat_state, is_join, is_presence_state};
use crate::gateway::group::NS_GROUP;
use crate::xml::{Element, NS_CLIENT};

const NS_MARKERS: &str = "urn:xmpp:chat-markers:0";
const NS_CORRECT: &str = "urn:xmpp:message-correct:0";
const NS_RETRACT: &str = "urn:xmpp:message-retract:1";
const NS_REACTIONS: &str = "urn:xmpp:reactions:0";

/// PEP nodes with one item, whose last is all that matters.
const SINGLE: [&str; 8] = [
    "http://jabber.org/protocol/nick",
    "http://jabber.org/protocol/mood",
    "http://jabber.org/protocol/activity",
    "http://jabber.org/protocol/tune",
    "http://jabber.org/protocol/geoloc",
    "urn:xmpp:avatar:metadata",
    "eu.siacs.conversations.axolotl.devicelist",
    "urn:xmpp:omemo:2:devices",
];

/// How a stanza meets those of the same sender and receiver that are still queued.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Merge {
    /// It joins the queue.
    Append,
    /// It takes the place of the last one, if that has this key too.
    Last(String),
    /// Older ones with this key go; it joins the end.
    Latest(String),
    /// It becomes the message of this id, if that is still queued (XEP-0308).
    Edit(String),
    /// It and the message of this id go, if that is still queued (XEP-0424).
    Retract(String),
}

impl Merge {
    /// The key under which a later stanza finds this one; empty: none will.
    pub fn key(&self) -> &str {
        match self {
            Self::Last(key) | Self::Latest(key) => key,
            Self::Append | Self::Edit(_) | Self::Retract(_) => "",
        }
    }
}

/// How `stanza` merges.
pub fn of(stanza: &Element) -> Merge {
    match stanza.name.as_str() {
        "presence" => of_presence(stanza),
        "message" if kind(stanza) != "error" => of_message(stanza),
        _ => Merge::Append,
    }
}

fn of_presence(stanza: &Element) -> Merge {
    if kind(stanza) == "probe" {
        return Merge::Latest("probe".into());
    }
    // Joining a room is an act, not a state.
    if is_presence_state(stanza) && !is_join(stanza) {
        return Merge::Last("presence".into());
    }
    Merge::Append
}

fn of_message(stanza: &Element) -> Merge {
    let id_of = |ns: &str, name: &str| {
        let child = stanza.child(ns, name)?;
        child.attr("id").map(str::to_owned)
    };
    if stanza.child(NS_GROUP, "report").is_some() {
        return Merge::Latest("report".into());
    }
    if is_chat_state(stanza) {
        return Merge::Latest("chat-state".into());
    }
    if stanza.child(NS_PUBSUB_EVENT, "event").is_some() {
        return of_event(stanza).map_or(Merge::Append, Merge::Latest);
    }
    if let Some(id) = id_of(NS_CORRECT, "replace") {
        return Merge::Edit(id);
    }
    if let Some(id) = id_of(NS_RETRACT, "retract") {
        return Merge::Retract(id);
    }
    if let Some(id) = id_of(NS_REACTIONS, "reactions") {
        return Merge::Latest(format!("reactions {id}"));
    }
    let content = stanza.child(NS_CLIENT, "body").is_some();
    if !content && stanza.child(NS_MARKERS, "displayed").is_some() && is_marker(stanza) {
        return Merge::Latest("marker".into());
    }
    Merge::Append
}

/// A marker that brings nothing else along.
fn is_marker(stanza: &Element) -> bool {
    let along = ["urn:xmpp:hints", NS_CHAT_STATES, "urn:xmpp:sid:0"];
    stanza.children().all(|child| {
        child.ns == NS_MARKERS || along.contains(&child.ns.as_str()) || child.name == "thread"
    })
}

fn of_event(stanza: &Element) -> Option<String> {
    let items = stanza
        .child(NS_PUBSUB_EVENT, "event")?
        .child(NS_PUBSUB_EVENT, "items")?;
    let node = items.attr("node")?;
    if items.child(NS_PUBSUB_EVENT, "retract").is_some() {
        return None;
    }
    if SINGLE.contains(&node) {
        return Some(format!("item {node}"));
    }
    let mut ids = items.children().map(|item| item.attr("id"));
    match (ids.next(), ids.next()) {
        (Some(Some(id)), None) => Some(format!("item {node} {id}")),
        _ => None,
    }
}

/// The message `original` as its sender now wants it: the edit, under the id the message has.
pub fn edited(mut edit: Element, original: &str) -> Element {
    edit.retain_children(|child| !child.is(NS_CORRECT, "replace"));
    edit.set_attr("id", original);
    debug_assert!(!to(&edit).is_empty());
    edit
}

//! How urgent a stanza is and how long it is worth sending. Refuses to look at bodies.

use std::time::Duration;

use super::address::{bare, domain, from, is_full, kind, to};
use crate::config::Peer;
use crate::xml::{Child, Element};

/// XEP-0085.
pub const NS_CHAT_STATES: &str = "http://jabber.org/protocol/chatstates";
/// XEP-0334.
pub const NS_HINTS: &str = "urn:xmpp:hints";
/// XEP-0060, pushed items.
pub const NS_PUBSUB_EVENT: &str = "http://jabber.org/protocol/pubsub#event";
/// XEP-0045, joining.
pub const NS_MUC: &str = "http://jabber.org/protocol/muc";
/// XEP-0084, the picture itself.
pub const NODE_AVATAR_DATA: &str = "urn:xmpp:avatar:data";
const NS_SHIM: &str = "http://jabber.org/protocol/shim";
const NS_AMP: &str = "http://jabber.org/protocol/amp";
const NS_IBB: &str = "http://jabber.org/protocol/ibb";
const NS_CLIENT: &str = crate::xml::NS_CLIENT;

/// A notification of typing is news for this long.
const CHAT_STATE_MS: i64 = 60_000;

/// Payloads that can wait: files, archives, cards, lists.
const BULK: [&str; 9] = [
    NS_IBB,
    "vcard-temp",
    "urn:ietf:params:xml:ns:vcard-4.0",
    "urn:xmpp:mam:2",
    "urn:xmpp:bob",
    "jabber:iq:search",
    "http://jabber.org/protocol/bytestreams",
    "http://jabber.org/protocol/si",
    "urn:xmpp:http:upload:0",
];

/// Who goes first; the order of the variants is the order on the air.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Class {
    /// Alerts.
    Urgent,
    /// Conversation, rooms, subscriptions, requests and replies.
    Chat,
    /// Presence and other states.
    Presence,
    /// Files, cards, archives.
    Bulk,
}

impl Class {
    /// All of them, the first goes first.
    pub const ALL: [Self; 4] = [Self::Urgent, Self::Chat, Self::Presence, Self::Bulk];

    /// As kept in the store.
    pub const fn index(self) -> u8 {
        self as u8
    }

    /// From the store; anything unknown is chat.
    pub fn from_index(index: u8) -> Self {
        Self::ALL
            .get(usize::from(index))
            .copied()
            .unwrap_or(Self::Chat)
    }

    /// Name in `status` and `queue`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Urgent => "urgent",
            Self::Chat => "chat",
            Self::Presence => "presence",
            Self::Bulk => "bulk",
        }
    }
}

/// How urgent: the configuration's lists, then the sender's header (XEP-0131), then the kind.
pub fn class(stanza: &Element, rules: &Peer) -> Class {
    let listed = |list: &[String]| {
        [from(stanza), to(stanza)]
            .iter()
            .any(|jid| list.iter().any(|it| it == bare(jid) || it == domain(jid)))
    };
    if listed(&rules.priority.urgent) {
        return Class::Urgent;
    }
    if listed(&rules.priority.bulk) {
        return Class::Bulk;
    }
    match header(stanza, "Urgency").as_deref() {
        Some("high") if stanza.name == "message" => return Class::Urgent,
        Some("low") if stanza.name == "message" => return Class::Bulk,
        _ => {}
    }
    match stanza.name.as_str() {
        "presence" if is_plain_presence(stanza) && !is_join(stanza) => Class::Presence,
        "presence" => Class::Chat,
        _ if stanza
            .children()
            .any(|child| BULK.contains(&child.ns.as_str())) =>
        {
            Class::Bulk
        }
        "message" if stanza.child(NS_PUBSUB_EVENT, "event").is_some() => Class::Presence,
        _ => Class::Chat,
    }
}

/// When it is no longer worth sending, Unix ms.
pub fn expires_ms(stanza: &Element, class: Class, rules: &Peer, now_ms: i64) -> i64 {
    let wait = match class {
        Class::Urgent => rules.expiry.urgent,
        Class::Chat => rules.expiry.chat,
        Class::Presence => rules.expiry.presence,
        Class::Bulk => rules.expiry.bulk,
    };
    let after = |wait: Duration| {
        let millis = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        now_ms.saturating_add(millis)
    };
    let end = match stanza.name.as_str() {
        "iq" => after(rules.iq_timeout),
        _ if is_chat_state(stanza) => now_ms + CHAT_STATE_MS,
        _ => after(wait),
    };
    expire_at_ms(stanza).map_or(end, |asked| asked.min(end))
}

/// `expire-at` of XEP-0079, whatever its action: a queue that holds a message longer than its sender wants to
/// wait does nobody a favour.
fn expire_at_ms(stanza: &Element) -> Option<i64> {
    stanza
        .child(NS_AMP, "amp")?
        .children()
        .filter(|rule| rule.attr("condition") == Some("expire-at"))
        .find_map(|rule| crate::xmpp::datetime::parse(rule.attr("value")?))
}

fn header(stanza: &Element, name: &str) -> Option<String> {
    stanza
        .child(NS_SHIM, "headers")?
        .children()
        .find(|header| {
            header
                .attr("name")
                .is_some_and(|it| it.eq_ignore_ascii_case(name))
        })
        .map(|header| header.text().trim().to_ascii_lowercase())
}

/// Presence that only says how somebody is: available or not, probes and errors; no subscription.
pub fn is_plain_presence(stanza: &Element) -> bool {
    stanza.name == "presence" && !is_subscription(stanza)
}

/// subscribe, subscribed, unsubscribe, unsubscribed.
pub fn is_subscription(stanza: &Element) -> bool {
    stanza.name == "presence" && kind(stanza).contains("subscribe")
}

/// Available or unavailable: a state that a later one replaces.
pub fn is_presence_state(stanza: &Element) -> bool {
    stanza.name == "presence" && matches!(kind(stanza), "" | "unavailable")
}

/// Joining a room.
pub fn is_join(stanza: &Element) -> bool {
    stanza.child(NS_MUC, "x").is_some()
}

/// Typing, and nothing else: chat state, thread and hints are all it holds.
pub fn is_chat_state(stanza: &Element) -> bool {
    let silent = |child: &Element| {
        child.ns == NS_CHAT_STATES || child.ns == NS_HINTS || child.is(NS_CLIENT, "thread")
    };
    stanza.name == "message"
        && kind(stanza) != "error"
        && stanza.child_in(NS_CHAT_STATES).is_some()
        && stanza.children.iter().all(|child| match child {
            Child::Element(child) => silent(child),
            Child::Text(text) => text.trim().is_empty(),
        })
}

/// Pushed items of the avatar data node.
pub fn is_avatar_push(stanza: &Element) -> bool {
    let event = stanza.child(NS_PUBSUB_EVENT, "event");
    event
        .and_then(|event| event.child(NS_PUBSUB_EVENT, "items"))
        .is_some_and(|items| items.attr("node") == Some(NODE_AVATAR_DATA))
}

/// May its sender be told that it failed? Never for errors, replies, headlines and states (RFC 6120 section 8.3.1).
pub fn can_fail(stanza: &Element) -> bool {
    match (stanza.name.as_str(), kind(stanza)) {
        ("iq", "get" | "set") => true,
        ("message", "error" | "headline") => false,
        ("message", _) => !is_chat_state(stanza) && !is_receipt(stanza),
        ("presence", "subscribe") => true,
        ("presence", "") => is_join(stanza) && is_full(to(stanza)),
        _ => false,
    }
}

/// A receipt or marker alone: clients do not expect them to fail.
fn is_receipt(stanza: &Element) -> bool {
    let mut children = stanza.children().peekable();
    let some = children.peek().is_some();
    some && children.all(|child| match child.ns.as_str() {
        "urn:xmpp:receipts" => child.name == "received",
        "urn:xmpp:chat-markers:0" => child.name != "markable",
        NS_HINTS | "urn:xmpp:sid:0" => true,
        _ => child.is(NS_CLIENT, "thread"),
    })
}

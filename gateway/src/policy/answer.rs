//! What is asked of far entities again and again, and need not cross twice. Refuses to invent: every answer was once
//! given by the entity itself, or is a ping to one that is known to be there.

use super::address::{bare, is_full, kind, to};
use crate::xml::Element;
use crate::xmpp::{datetime, stanza};

/// XEP-0030.
pub const NS_DISCO_INFO: &str = "http://jabber.org/protocol/disco#info";
const NS_PUBSUB: &str = "http://jabber.org/protocol/pubsub";
const NS_VERSION: &str = "jabber:iq:version";
const NS_TIME: &str = "urn:xmpp:time";
const NS_VCARD: &str = "vcard-temp";
const NS_PING: &str = "urn:xmpp:ping";
const NODE_VCARD4: &str = "urn:xmpp:vcard4";
const NODE_AVATAR: &str = "urn:xmpp:avatar:data";

const DAY_MS: i64 = 86_400_000;
/// What is named by its own hash never changes; it is only forgotten to save room.
const HASHED_MS: i64 = 365 * DAY_MS;

/// Where an answer is held.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Topic {
    /// JID of the entity; empty for what is named by its own hash.
    pub owner: String,
    /// What it is.
    pub name: String,
    /// For how long it is good.
    pub hold_ms: i64,
}

impl Topic {
    fn new(owner: &str, name: impl Into<String>, hold_ms: i64) -> Self {
        Self {
            owner: owner.into(),
            name: name.into(),
            hold_ms,
        }
    }

    /// Disco of everything that carries these entity capabilities (XEP-0115).
    pub fn caps(node: &str, ver: &str) -> Self {
        Self::new("", format!("caps {node}#{ver}"), HASHED_MS)
    }
}

/// The topic of a request whose answer may be held; `None` for all others.
pub fn topic(request: &Element) -> Option<Topic> {
    if kind(request) != "get" {
        return None;
    }
    let to = to(request);
    let query = request.children().next()?;
    match (query.ns.as_str(), query.name.as_str()) {
        (NS_DISCO_INFO, "query") => match query.attr("node") {
            Some(node) => node
                .rsplit_once('#')
                .map(|(node, ver)| Topic::caps(node, ver)),
            // Rooms and accounts change what they say; servers rarely do.
            None if bare(to) == to && !to.contains('@') => Some(Topic::new(to, "info", DAY_MS)),
            None => None,
        },
        (NS_VERSION, "query") => Some(Topic::new(to, "version", DAY_MS)),
        (NS_TIME, "time") => Some(Topic::new(to, "time", DAY_MS)),
        (NS_VCARD, "vCard") => Some(Topic::new(to, "vcard", DAY_MS)),
        (NS_PUBSUB, "pubsub") => pubsub_topic(to, query),
        _ => None,
    }
}

fn pubsub_topic(to: &str, pubsub: &Element) -> Option<Topic> {
    let items = pubsub.child(NS_PUBSUB, "items")?;
    let mut wanted = items.children();
    match (items.attr("node")?, wanted.next(), wanted.next()) {
        (NODE_VCARD4, None, _) => Some(Topic::new(to, "vcard4", DAY_MS)),
        (NODE_AVATAR, Some(item), None) => {
            let id = item.attr("id").filter(|id| id.len() == 40)?;
            Some(Topic::new("", format!("avatar {id}"), HASHED_MS))
        }
        _ => None,
    }
}

/// Is it a request for the disco of an entity with a resource, which its capabilities may answer?
pub fn asks_info_of_client(request: &Element) -> bool {
    let plain = |query: &Element| query.is(NS_DISCO_INFO, "query") && query.attr("node").is_none();
    kind(request) == "get" && is_full(to(request)) && request.children().next().is_some_and(plain)
}

/// Is it a ping (XEP-0199)?
pub fn is_ping(request: &Element) -> bool {
    kind(request) == "get" && request.child(NS_PING, "ping").is_some()
}

/// The reply to `request` from the payload held for it; an empty one to a ping.
pub fn reply(request: &Element, held: Option<Element>, now_ms: i64) -> Element {
    let mut reply = stanza::result(request);
    let Some(mut held) = held else {
        return reply;
    };
    if held.is(NS_DISCO_INFO, "query") {
        let asked = request.child(NS_DISCO_INFO, "query");
        match asked.and_then(|query| query.attr("node")) {
            Some(node) => held.set_attr("node", node),
            None => {
                held.remove_attr("node");
            }
        }
    }
    if held.ns == NS_TIME {
        for part in held.children_mut().filter(|part| part.name == "utc") {
            part.children.clear();
            part.push_text(&datetime::format(now_ms / 1000 * 1000));
        }
    }
    reply.push(held);
    reply
}

//! Names the kind of a stanza for the tables. Refuses to look at who sent it.

use longwire::xml::Element;

const CLIENT: &str = "jabber:client";

/// The kind of `stanza`: what a person would call it, the rarer purpose first.
pub(crate) fn of(stanza: &Element) -> &'static str {
    let kind = stanza.attr("type").unwrap_or("");
    let has = |ns: &str| stanza.children().any(|child| child.ns == ns);
    match stanza.name.as_str() {
        "message" => message(stanza, kind),
        "presence"
            if has("http://jabber.org/protocol/muc#user")
                || has("http://jabber.org/protocol/muc") =>
        {
            "presence-muc"
        }
        "presence" => "presence",
        "iq" => {
            let first = stanza
                .children()
                .next()
                .map_or("", |child| child.ns.as_str());
            match (kind, first) {
                ("result", "jabber:iq:roster") => "iq-roster-result",
                ("result", "http://jabber.org/protocol/disco#info") => "iq-discoinfo-result",
                ("result", _) => "iq-result",
                ("get", _) => "iq-get",
                ("set", _) => "iq-set",
                _ => "iq-error",
            }
        }
        _ => "other",
    }
}

fn message(stanza: &Element, kind: &str) -> &'static str {
    let has = |ns: &str| stanza.children().any(|child| child.ns == ns);
    let child = |ns: &str, name: &str| stanza.child(ns, name).is_some();
    if has("urn:xmpp:carbons:2") {
        "carbon"
    } else if has("urn:xmpp:mam:2") {
        "mam-result"
    } else if has("eu.siacs.conversations.axolotl") || has("urn:xmpp:omemo:2") {
        "msg-omemo"
    } else if has("http://jabber.org/protocol/pubsub#event") {
        "pep-event"
    } else if child("urn:xmpp:receipts", "received") {
        "receipt"
    } else if child("urn:xmpp:chat-markers:0", "displayed") {
        "marker"
    } else if has("urn:xmpp:reactions:0") {
        "reaction"
    } else if child(CLIENT, "body") {
        if kind == "groupchat" {
            "msg-muc"
        } else {
            "msg-chat"
        }
    } else if has("http://jabber.org/protocol/chatstates") {
        "chatstate"
    } else {
        "msg-other"
    }
}

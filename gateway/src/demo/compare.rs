//! Is what arrived what was sent? Refuses to forgive anything but what the gateways are told to do: mint short ids,
//! leave typing notifications out, and what any server adds.

use std::collections::HashMap;

use super::stage::Who;
use crate::xml::{Child, Element};

const NS_CHAT_STATES: &str = "http://jabber.org/protocol/chatstates";
const NS_ORIGIN_ID: &str = "urn:xmpp:sid:0";
const NS_DELAY: &str = "urn:xmpp:delay";
/// Elements whose `id` names an earlier stanza.
const REFERENCES: [(&str, &str); 4] = [
    ("urn:xmpp:receipts", "received"),
    ("urn:xmpp:chat-markers:0", "displayed"),
    ("urn:xmpp:message-correct:0", "replace"),
    ("urn:xmpp:reactions:0", "reactions"),
];

/// Ids as each end knows them: with short ids the far side mints its own.
#[derive(Debug, Default)]
pub(super) struct Ids {
    /// From the id `Who` saw to the id the author gave.
    origin: HashMap<(Who, String), String>,
}

impl Ids {
    /// Notes that `who` saw `seen` where the author wrote `origin`.
    pub(super) fn learn(&mut self, who: Who, seen: &str, origin: &str) {
        self.origin
            .insert((who, seen.to_owned()), origin.to_owned());
        self.origin
            .insert((who.other(), origin.to_owned()), seen.to_owned());
    }

    fn across(&self, by: Who, id: &str) -> String {
        let known = self.origin.get(&(by, id.to_owned()));
        known.cloned().unwrap_or_else(|| id.to_owned())
    }
}

/// Stanzas that count: from the other actor, not from one's own server.
pub(super) fn counts(stanza: &Element) -> bool {
    let from = stanza.attr("from").unwrap_or_default();
    let own = from.is_empty() || stanza.attr("to").is_some_and(|to| bare(to) == bare(from));
    !own && stanza.name != "iq"
}

/// Could `got` be `sent`? Enough to tell the stanzas of one conversation apart even when one is damaged.
pub(super) fn resembles(sent: &Element, got: &Element, from: &str) -> bool {
    let kind = |it: &Element| it.attr("type").unwrap_or_default().to_owned();
    let first = |it: &Element| {
        it.children()
            .find(|it| !is_dropped(it))
            .map(|it| it.name.clone())
    };
    got.name == sent.name
        && kind(got) == kind(sent)
        && got.attr("from").is_some_and(|it| bare(it) == bare(from))
        && first(got) == first(sent)
}

/// What differs, in words; nothing if `got` is `sent` intact.
pub(super) fn difference(
    sent: &Element,
    got: &Element,
    from: &str,
    by: Who,
    ids: &Ids,
) -> Option<String> {
    let mut wanted = sent.clone();
    // A server stamps the full JID, and the bare one on subscriptions (RFC 6121 section 3.1.2).
    let subscription = sent.name == "presence" && sent.attr("type").is_some();
    wanted.set_attr("from", if subscription { bare(from) } else { from });
    if sent.name == "presence" && !subscription {
        // Broadcast: the server addresses it.
        wanted.set_attr("to", got.attr("to").unwrap_or_default());
    }
    refer(&mut wanted, by, ids);
    let mut got = got.clone();
    plain(&mut wanted);
    plain(&mut got);
    (wanted != got).then(|| format!("sent {} got {}", wanted.to_xml(""), got.to_xml("")))
}

/// References as the other end knows them.
fn refer(stanza: &mut Element, by: Who, ids: &Ids) {
    for child in stanza.children_mut() {
        if REFERENCES.iter().any(|(ns, name)| child.is(ns, name))
            && let Some(id) = child.attr("id").map(str::to_owned)
        {
            child.set_attr("id", ids.across(by, &id));
        }
    }
}

/// Without ids, without what is left out or added on the way, attributes sorted.
fn plain(stanza: &mut Element) {
    stanza.remove_attr("id");
    stanza.retain_children(|child| !is_dropped(child));
    sort(stanza);
}

fn is_dropped(child: &Element) -> bool {
    [NS_CHAT_STATES, NS_ORIGIN_ID, NS_DELAY].contains(&child.ns.as_str())
}

fn sort(element: &mut Element) {
    element
        .attrs
        .sort_by(|one, other| (&one.ns, &one.name).cmp(&(&other.ns, &other.name)));
    for child in &mut element.children {
        if let Child::Element(child) = child {
            sort(child);
        }
    }
}

fn bare(jid: &str) -> &str {
    jid.split_once('/').map_or(jid, |(bare, _)| bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(xml: &str) -> Element {
        Element::parse_stanza(xml).unwrap()
    }

    #[test]
    fn short_ids_and_dropped_typing_are_no_damage() {
        let sent = element(
            "<message to='j@b' type='chat' id='long'><body>Hi</body>\
             <active xmlns='http://jabber.org/protocol/chatstates'/></message>",
        );
        let got =
            element("<message from='r@f/x' id='7' type='chat' to='j@b'><body>Hi</body></message>");
        assert!(resembles(&sent, &got, "r@f/x"));
        let ids = Ids::default();
        assert_eq!(difference(&sent, &got, "r@f/x", Who::Romeo, &ids), None);
        let damaged =
            element("<message from='r@f/x' type='chat' to='j@b'><body>Ho</body></message>");
        assert!(difference(&sent, &damaged, "r@f/x", Who::Romeo, &ids).is_some());
    }

    #[test]
    fn a_receipt_must_name_the_id_its_reader_gave() {
        let mut ids = Ids::default();
        ids.learn(Who::Juliet, "7", "long");
        let receipt = |id: &str, from: &str| {
            element(&format!(
                "<message to='r@f/x' from='{from}'><received xmlns='urn:xmpp:receipts' id='{id}'/></message>"
            ))
        };
        let sent = receipt("7", "j@b/y");
        let good = receipt("long", "j@b/y");
        assert_eq!(difference(&sent, &good, "j@b/y", Who::Juliet, &ids), None);
        assert!(difference(&sent, &sent, "j@b/y", Who::Juliet, &ids).is_some());
    }
}

//! What the domain and its accounts can do (XEP-0030), and what clients want to be told (XEP-0115). Refuses to list
//! what is not here, so that no client asks for it.

use std::collections::BTreeSet;

use super::super::store::StoreError;
use super::iq::{Answer, Query, Refusal};
use super::{Domain, SessionId, envelope};
use crate::xml::Element;

pub(super) const NS_INFO: &str = "http://jabber.org/protocol/disco#info";
pub(super) const NS_ITEMS: &str = "http://jabber.org/protocol/disco#items";
const NS_CAPS: &str = "http://jabber.org/protocol/caps";
/// Verification strings remembered.
const CAPS_MAX: usize = 1000;
const CAPS_ID: &str = "caps";

const SERVER: [&str; 12] = [
    NS_INFO,
    NS_ITEMS,
    "jabber:iq:last",
    "jabber:iq:private",
    "jabber:iq:roster",
    "jabber:iq:version",
    "msgoffline",
    "urn:xmpp:blocking",
    "urn:xmpp:carbons:2",
    "urn:xmpp:ping",
    "urn:xmpp:time",
    "vcard-temp",
];

const ACCOUNT: [&str; 17] = [
    NS_INFO,
    NS_ITEMS,
    "http://jabber.org/protocol/pubsub",
    "http://jabber.org/protocol/pubsub#access-open",
    "http://jabber.org/protocol/pubsub#access-presence",
    "http://jabber.org/protocol/pubsub#access-whitelist",
    "http://jabber.org/protocol/pubsub#auto-create",
    "http://jabber.org/protocol/pubsub#filtered-notifications",
    "http://jabber.org/protocol/pubsub#item-ids",
    "http://jabber.org/protocol/pubsub#last-published",
    "http://jabber.org/protocol/pubsub#multi-items",
    "http://jabber.org/protocol/pubsub#persistent-items",
    "http://jabber.org/protocol/pubsub#publish",
    "http://jabber.org/protocol/pubsub#publish-options",
    "http://jabber.org/protocol/pubsub#retrieve-items",
    "urn:xmpp:mam:2",
    "urn:xmpp:sid:0",
];

fn info(identities: &[(&str, &str, &str)], features: &[&str]) -> Element {
    let mut query = Element::new(NS_INFO, "query");
    for (category, type_, name) in identities {
        let mut identity = Element::new(NS_INFO, "identity")
            .with_attr("category", *category)
            .with_attr("type", *type_);
        if !name.is_empty() {
            identity.set_attr("name", *name);
        }
        query.push(identity);
    }
    for feature in features {
        query.push(Element::new(NS_INFO, "feature").with_attr("var", *feature));
    }
    query
}

impl Domain {
    pub(super) fn disco_server(&mut self, query: &Query) -> Answer {
        refuse_set(query)?;
        if query.payload.attr("node").is_some() {
            return Err(Refusal::not_found());
        }
        Ok(Some(match query.payload.ns.as_str() {
            NS_ITEMS => Element::new(NS_ITEMS, "query"),
            _ => info(&[("server", "im", &self.software)], &SERVER),
        }))
    }

    pub(super) fn disco_account(&mut self, query: &Query) -> Answer {
        refuse_set(query)?;
        let node = query.payload.attr("node");
        if query.payload.ns == NS_INFO {
            return match node {
                None => Ok(Some(info(
                    &[("account", "registered", ""), ("pubsub", "pep", "")],
                    &ACCOUNT,
                ))),
                Some(node) if self.store.nodes(query.account)?.iter().any(|it| it == node) => {
                    let leaf = info(
                        &[("pubsub", "leaf", "")],
                        &["http://jabber.org/protocol/pubsub"],
                    );
                    Ok(Some(leaf.with_attr("node", node)))
                }
                Some(_) => Err(Refusal::not_found()),
            };
        }
        let mut items = Element::new(NS_ITEMS, "query");
        if let Some(node) = node {
            items.set_attr("node", node);
            return Ok(Some(items));
        }
        for node in self.store.nodes(query.account)? {
            let item = Element::new(NS_ITEMS, "item")
                .with_attr("jid", query.account)
                .with_attr("node", node);
            items.push(item);
        }
        Ok(Some(items))
    }

    /// Finds out what a client wants to be told, from its caps: known ones at once, others by asking the client.
    pub(super) fn learn_caps(
        &mut self,
        id: SessionId,
        account: &str,
        presence: &Element,
    ) -> Result<(), StoreError> {
        let Some(caps) = presence.child(NS_CAPS, "c") else {
            return Ok(());
        };
        let (Some(node), Some(ver)) = (caps.attr("node"), caps.attr("ver")) else {
            return Ok(());
        };
        if let Some(known) = self.caps.get(ver).cloned() {
            return self.wants(id, account, known);
        }
        let Some(full) = self.sessions.get(&id).map(super::Session::full) else {
            return Ok(());
        };
        let query = Element::new(NS_INFO, "query").with_attr("node", format!("{node}#{ver}"));
        let ask = envelope("iq", "get", account, &full)
            .with_attr("id", self.fresh_id(CAPS_ID))
            .with_child(query);
        self.send(id, ask, None);
        Ok(())
    }

    /// A client answers a request of the server's own.
    pub(super) fn caps_answer(
        &mut self,
        id: SessionId,
        account: &str,
        iq: &Element,
    ) -> Result<(), StoreError> {
        let ours = iq.attr("id").is_some_and(|it| it.starts_with(CAPS_ID));
        let Some(info) = iq
            .child(NS_INFO, "query")
            .filter(|_| ours && iq.attr("type") == Some("result"))
        else {
            return Ok(());
        };
        let features = info
            .children()
            .filter(|it| it.is(NS_INFO, "feature"))
            .filter_map(|it| it.attr("var"));
        let notify: BTreeSet<String> = features
            .filter_map(|var| var.strip_suffix("+notify"))
            .map(str::to_owned)
            .collect();
        let ver = info
            .attr("node")
            .and_then(|node| node.rsplit_once('#'))
            .map(|(_, ver)| ver.to_owned());
        let announced = self.sessions.get(&id).and_then(|it| it.presence.as_ref());
        let announced = announced
            .and_then(|it| it.child(NS_CAPS, "c"))
            .and_then(|it| it.attr("ver"));
        // Only what this very client announced: it cannot speak for others' caps.
        if let Some(ver) = ver.filter(|ver| announced == Some(ver) && self.caps.len() < CAPS_MAX) {
            self.caps.insert(ver, notify.clone());
        }
        self.wants(id, account, notify)
    }

    fn wants(
        &mut self,
        id: SessionId,
        account: &str,
        notify: BTreeSet<String>,
    ) -> Result<(), StoreError> {
        let Some(session) = self.sessions.get_mut(&id) else {
            return Ok(());
        };
        let news: Vec<String> = notify.difference(&session.notify).cloned().collect();
        session.notify = notify;
        self.send_last_items(id, account, &news)
    }

    /// Nodes that a client across the radio wants to be told of, as far as its caps are known here.
    pub(super) fn remote_wants(&self, presence: &Element, node: &str) -> bool {
        let caps = presence.child(NS_CAPS, "c").and_then(|it| it.attr("ver"));
        caps.and_then(|ver| self.caps.get(ver))
            .is_some_and(|nodes| nodes.contains(node))
    }
}

fn refuse_set(query: &Query) -> Result<(), Refusal> {
    match query.set || query.payload.name != "query" {
        true => Err(Refusal::bad_request()),
        false => Ok(()),
    }
}

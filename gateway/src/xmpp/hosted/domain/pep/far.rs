//! Personal events and contacts across the radio. Refuses to send an item twice to the same contact, and to ask for one
//! again that was here before: what a contact last showed is kept for clients that log in later.

use super::super::super::store::StoreError;
use super::super::{Domain, SessionId, bare};
use super::{NS_EVENT, event, in_event};
use crate::xml::Element;

impl Domain {
    /// Tells contacts whose clients are known to want it (XEP-0115) of an item, each once.
    pub(super) fn tell_far(
        &mut self,
        account: &str,
        node: &str,
        item: &str,
        change: &Element,
    ) -> Result<(), StoreError> {
        for presence in self.store.presences(account)? {
            let Ok(presence) = Element::parse(presence) else {
                continue;
            };
            self.tell_one(account, &presence, node, item, change)?;
        }
        Ok(())
    }

    fn tell_one(
        &mut self,
        account: &str,
        presence: &Element,
        node: &str,
        item: &str,
        change: &Element,
    ) -> Result<(), StoreError> {
        let Some(from) = presence.attr("from") else {
            return Ok(());
        };
        let contact = bare(from);
        let sees = self.store.contact(account, &contact)?.subscription.from;
        if !sees || !self.remote_wants(presence, node) {
            return Ok(());
        }
        // An item published again under its id is news, too: a digest tells the two apart.
        let mark = format!("{item} {:x}", fingerprint(&change.to_xml("")));
        match self.store.tell(account, &contact, node, &mark)? {
            true => self.route(event(account, from, node, change)),
            false => Ok(()),
        }
    }

    /// A contact across the radio has come: it gets the last items that it was not told of.
    pub(in super::super) fn greet_far(
        &mut self,
        account: &str,
        presence: &Element,
    ) -> Result<(), StoreError> {
        for node in self.store.nodes(account)? {
            if self.node_config(account, &node)?.access == "whitelist" {
                continue;
            }
            for item in self.store.items(account, &node, 1)? {
                let change = in_event(&item, NS_EVENT);
                self.tell_one(account, presence, &node, &item.id, &change)?;
            }
        }
        Ok(())
    }

    /// Keeps what a contact across the radio shows, for clients that log in later.
    pub(in super::super) fn remember_event(
        &mut self,
        account: &str,
        message: &Element,
    ) -> Result<(), StoreError> {
        let Some(from) = message.attr("from").map(bare) else {
            return Ok(());
        };
        let items = message
            .child(NS_EVENT, "event")
            .and_then(|it| it.child(NS_EVENT, "items"));
        let Some(node) = items.and_then(|it| it.attr("node")) else {
            return Ok(());
        };
        if from.ends_with(&format!("@{}", self.name))
            || !self.store.contact(account, &from)?.subscription.to
        {
            return Ok(());
        }
        self.store
            .set_event(account, &from, node, &message.to_xml(""))
    }

    /// Sends a client what contacts across the radio last showed of nodes that it wants.
    pub(super) fn send_far_items(
        &mut self,
        id: SessionId,
        account: &str,
        nodes: &[String],
    ) -> Result<(), StoreError> {
        let Some(full) = self.sessions.get(&id).map(|it| it.full()) else {
            return Ok(());
        };
        for (node, stanza) in self.store.events(account)? {
            if let Ok(mut stanza) = Element::parse(stanza)
                && nodes.contains(&node)
            {
                stanza.set_attr("to", full.as_str());
                self.send(id, stanza, None);
            }
        }
        Ok(())
    }
}

/// FNV-1a: tells items apart, protects nothing.
fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, octet| {
        (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3)
    })
}

//! Presence: broadcast, probes, subscriptions, what a client sees when it logs in (RFC 6121 sections 3 and 4). Refuses
//! to ask across the radio for what it knows: the last presence of every contact is kept.

use jid::Jid;

use super::super::store::StoreError;
use super::subscription::{self, is_subscription};
use super::{Domain, SessionId, bare, envelope};
use crate::xml::{Element, NS_CLIENT};
use crate::xmpp::datetime;
use crate::xmpp::stanza;

impl Domain {
    pub(super) fn presence_from_client(
        &mut self,
        id: SessionId,
        account: &str,
        mut presence: Element,
    ) -> Result<(), StoreError> {
        let type_ = presence.attr("type").unwrap_or_default().to_owned();
        let to = presence.attr("to").map(str::to_owned);
        match (type_.as_str(), to) {
            (type_, Some(to)) if is_subscription(type_) => {
                let contact = bare(&to);
                presence.set_attr("from", account);
                presence.set_attr("to", contact.as_str());
                self.subscribe_out(account, &contact, presence)
            }
            ("", None) => self.announce(id, account, presence),
            ("unavailable", None) => self.leave(id, Some(presence)),
            ("" | "unavailable" | "error", Some(to)) => {
                if let Some(session) = self.sessions.get_mut(&id) {
                    match type_.as_str() {
                        "" => session.directed.insert(to),
                        _ => session.directed.remove(&to),
                    };
                }
                self.route(presence)
            }
            // A probe is the server's business.
            _ => Ok(()),
        }
    }

    /// A client is available, newly or with news.
    fn announce(
        &mut self,
        id: SessionId,
        account: &str,
        presence: Element,
    ) -> Result<(), StoreError> {
        let priority = presence
            .child(NS_CLIENT, "priority")
            .and_then(|it| it.text().trim().parse().ok());
        let Some(session) = self.sessions.get_mut(&id) else {
            return Ok(());
        };
        let first = session.presence.replace(presence.clone()).is_none();
        let could = !first && session.priority >= 0;
        session.priority = priority.unwrap_or(0);
        let can = session.priority >= 0;
        let full = session.full();
        self.broadcast(account, &presence)?;
        if first {
            self.store.set_online(&full, true)?;
            self.greet(id, account)?;
        }
        self.learn_caps(id, account, &presence)?;
        if can && !could {
            self.flush(id)
        } else {
            Ok(())
        }
    }

    /// Sends a client's presence to everybody who may see it.
    pub(super) fn broadcast(
        &mut self,
        account: &str,
        presence: &Element,
    ) -> Result<(), StoreError> {
        for contact in self.store.contacts(account)? {
            if contact.subscription.from && !self.blocks(account, Some(&contact.jid))? {
                let mut copy = presence.clone();
                copy.set_attr("to", contact.jid);
                self.route(copy)?;
            }
        }
        for other in self.sessions_of(account) {
            let Some(session) = self.sessions.get(&other).filter(|it| it.available()) else {
                continue;
            };
            let mut copy = presence.clone();
            copy.set_attr("to", session.full());
            self.send(other, copy, None);
        }
        Ok(())
    }

    /// What a client that has just become available must see: its other resources, its contacts, open requests.
    fn greet(&mut self, id: SessionId, account: &str) -> Result<(), StoreError> {
        let Some(full) = self.sessions.get(&id).map(super::Session::full) else {
            return Ok(());
        };
        for other in self.sessions_of(account) {
            let seen = self.sessions.get(&other).and_then(|it| it.presence.clone());
            if let Some(mut seen) = seen.filter(|_| other != id) {
                seen.set_attr("to", full.as_str());
                self.send(id, seen, None);
            }
        }
        for known in self.store.presences(account)? {
            if let Ok(mut known) = Element::parse(known) {
                known.set_attr("to", full.as_str());
                self.send(id, known, None);
            }
        }
        for contact in self.store.contacts(account)? {
            if let Some(Ok(request)) = contact.request.as_deref().map(Element::parse) {
                self.send(id, request, None);
            }
            if contact.subscription.to {
                self.route(envelope("presence", "probe", account, &contact.jid))?;
            }
        }
        Ok(())
    }

    /// A client is no longer available; `presence` is what it said, if anything.
    pub(super) fn leave(
        &mut self,
        id: SessionId,
        presence: Option<Element>,
    ) -> Result<(), StoreError> {
        let Some(session) = self.sessions.get_mut(&id) else {
            return Ok(());
        };
        let (account, full) = (session.account.clone(), session.full());
        self.store.set_online(&full, false)?;
        let was = session.presence.take().is_some();
        let directed = std::mem::take(&mut session.directed);
        let presence = presence.unwrap_or_else(|| {
            Element::new(NS_CLIENT, "presence")
                .with_attr("from", full)
                .with_attr("type", "unavailable")
        });
        for to in directed {
            let mut copy = presence.clone();
            copy.set_attr("to", to);
            self.route(copy)?;
        }
        if !was {
            return Ok(());
        }
        let status = presence
            .child(NS_CLIENT, "status")
            .map(Element::text)
            .unwrap_or_default();
        self.store.set_last(&account, datetime::now_ms(), &status)?;
        self.broadcast(&account, &presence)
    }

    /// The user asks for, gives or takes a subscription.
    pub(super) fn subscribe_out(
        &mut self,
        account: &str,
        to: &str,
        presence: Element,
    ) -> Result<(), StoreError> {
        let type_ = presence.attr("type").unwrap_or_default().to_owned();
        let before = self.store.contact(account, to)?;
        let mut contact = before.clone();
        let routed = subscription::outbound(&mut contact, &type_);
        if contact != before {
            self.store.set_contact(account, &contact)?;
            self.push_roster(account, &contact)?;
        }
        if routed {
            self.route(presence)?;
        }
        if type_ == "unsubscribe" {
            self.store.set_presence(account, to, "", None)?;
        }
        match (before.subscription.from, contact.subscription.from) {
            (false, true) => self.show(account, to),
            (true, false) => self.hide(account, to),
            _ => Ok(()),
        }
    }

    /// Sends the presence of all available resources to a contact.
    pub(super) fn show(&mut self, account: &str, to: &str) -> Result<(), StoreError> {
        for id in self.sessions_of(account) {
            let seen = self.sessions.get(&id).and_then(|it| it.presence.clone());
            if let Some(mut seen) = seen {
                seen.set_attr("to", to);
                self.route(seen)?;
            }
        }
        Ok(())
    }

    /// Tells a contact that may no longer see the account that it is away.
    pub(super) fn hide(&mut self, account: &str, to: &str) -> Result<(), StoreError> {
        for id in self.sessions_of(account) {
            let Some(session) = self.sessions.get(&id).filter(|it| it.available()) else {
                continue;
            };
            let gone = envelope("presence", "unavailable", &session.full(), to);
            self.route(gone)?;
        }
        Ok(())
    }

    pub(super) fn presence_for(
        &mut self,
        account: &str,
        to: &Jid,
        presence: Element,
    ) -> Result<(), StoreError> {
        let Some(from) = stanza::address(&presence, "from") else {
            return Ok(());
        };
        if self.blocks(account, Some(from.as_str()))? {
            return Ok(());
        }
        let type_ = presence.attr("type").unwrap_or_default();
        match type_ {
            "probe" => self.answer_probe(account, &from),
            type_ if is_subscription(type_) => self.subscribe_in(account, &from, presence),
            "" | "unavailable" | "error" => self.presence_seen(account, to, &from, presence),
            _ => Ok(()),
        }
    }

    fn answer_probe(&mut self, account: &str, from: &Jid) -> Result<(), StoreError> {
        let asker = from.to_bare().to_string();
        if asker != account && !self.store.contact(account, &asker)?.subscription.from {
            return self.route(envelope("presence", "unsubscribed", account, &asker));
        }
        let there = self
            .sessions_of(account)
            .into_iter()
            .any(|id| self.sessions[&id].available());
        match there {
            true => self.show(account, from.as_str()),
            false => self.route(envelope("presence", "unavailable", account, from.as_str())),
        }
    }

    /// A contact asks for, gives or takes a subscription.
    fn subscribe_in(
        &mut self,
        account: &str,
        from: &Jid,
        mut presence: Element,
    ) -> Result<(), StoreError> {
        let asker = from.to_bare().to_string();
        presence.set_attr("from", asker.as_str());
        presence.set_attr("to", account);
        let type_ = presence.attr("type").unwrap_or_default().to_owned();
        let before = self.store.contact(account, &asker)?;
        let mut contact = before.clone();
        let did = subscription::inbound(&mut contact, &type_, &presence.to_xml(""));
        if contact != before {
            self.store.set_contact(account, &contact)?;
        }
        if let Some(reply) = did.reply {
            self.route(envelope("presence", reply, account, &asker))?;
        }
        if did.deliver {
            for id in self.sessions_of(account) {
                let wants = self
                    .sessions
                    .get(&id)
                    .is_some_and(|it| it.available() || it.interested);
                if wants {
                    self.send(id, presence.clone(), None);
                }
            }
        }
        if did.push {
            self.push_roster(account, &contact)?;
        }
        if type_ == "unsubscribed" {
            self.store.set_presence(account, &asker, "", None)?;
        }
        match (before.subscription.from, contact.subscription.from) {
            (false, true) => self.show(account, &asker),
            (true, false) => self.hide(account, &asker),
            // The contact asks although it has the subscription: it does not know our presence either.
            (true, true) if type_ == "subscribe" => self.show(account, &asker),
            _ => Ok(()),
        }
    }

    /// A contact, or anybody with a full JID, shows itself.
    fn presence_seen(
        &mut self,
        account: &str,
        to: &Jid,
        from: &Jid,
        presence: Element,
    ) -> Result<(), StoreError> {
        let contact = from.to_bare().to_string();
        if to.is_full() {
            if let Some(session) = self.session_at(to) {
                self.send(session, presence, None);
            }
            return Ok(());
        }
        // A contact that goes is shown to whoever saw it, even where the subscription has just ended.
        let gone = presence.attr("type") == Some("unavailable");
        if !gone && contact != account && !self.store.contact(account, &contact)?.subscription.to {
            return Ok(());
        }
        if from.domain().as_str() != self.name {
            self.remember(account, &contact, from, &presence)?;
            if !gone {
                self.greet_far(account, &presence)?;
            }
        }
        for id in self.sessions_of(account) {
            let Some(session) = self.sessions.get(&id).filter(|it| it.available()) else {
                continue;
            };
            let mut copy = presence.clone();
            copy.set_attr("to", session.full());
            self.send(id, copy, None);
        }
        Ok(())
    }

    /// Keeps what a contact across the radio last showed.
    fn remember(
        &mut self,
        account: &str,
        contact: &str,
        from: &Jid,
        presence: &Element,
    ) -> Result<(), StoreError> {
        let resource = from.resource().map(|it| it.as_str()).unwrap_or_default();
        match presence.attr("type") {
            None => self
                .store
                .set_presence(account, contact, resource, Some(&presence.to_xml(""))),
            Some(_) => self.store.set_presence(account, contact, resource, None),
        }
    }
}

//! Rosters (RFC 6121 section 2). Refuses to version them: they never cross the radio, so a full one costs nothing.

use jid::BareJid;

use super::super::store::{Contact, StoreError};
use super::iq::{Answer, Query, Refusal};
use super::{Domain, envelope};
use crate::xml::Element;
use crate::xmpp::stanza::ErrorKind;

pub(super) const NS_ROSTER: &str = "jabber:iq:roster";
/// Contacts of one account.
const CONTACTS_MAX: usize = 2000;

fn item(contact: &Contact) -> Element {
    let mut item = Element::new(NS_ROSTER, "item")
        .with_attr("jid", contact.jid.as_str())
        .with_attr("subscription", contact.subscription.as_str());
    if !contact.name.is_empty() {
        item.set_attr("name", contact.name.as_str());
    }
    if contact.ask {
        item.set_attr("ask", "subscribe");
    }
    if contact.approved {
        item.set_attr("approved", "true");
    }
    for group in &contact.groups {
        item.push(Element::new(NS_ROSTER, "group").with_text(group));
    }
    item
}

impl Domain {
    pub(super) fn roster_iq(&mut self, query: &Query) -> Answer {
        if !query.set {
            if let Some(session) = query.session.and_then(|id| self.sessions.get_mut(&id)) {
                session.interested = true;
            }
            let mut roster = Element::new(NS_ROSTER, "query");
            let contacts = self.store.contacts(query.account)?;
            contacts
                .iter()
                .filter(|it| it.listed)
                .for_each(|it| roster.push(item(it)));
            return Ok(Some(roster));
        }
        let mut items = query
            .payload
            .children()
            .filter(|it| it.is(NS_ROSTER, "item"));
        let (Some(given), None) = (items.next(), items.next()) else {
            return Err(Refusal::bad_request());
        };
        let Some(jid) = given.attr("jid").and_then(|it| BareJid::new(it).ok()) else {
            return Err(Refusal::Stanza(ErrorKind::Modify, "jid-malformed"));
        };
        let jid = jid.to_string();
        if jid == query.account {
            return Err(Refusal::Stanza(ErrorKind::Cancel, "not-allowed"));
        }
        match given.attr("subscription") {
            Some("remove") => self.remove_contact(query.account, &jid),
            _ => self.set_contact(query.account, jid, given),
        }
    }

    fn set_contact(&mut self, account: &str, jid: String, given: &Element) -> Answer {
        let mut contact = self.store.contact(account, &jid)?;
        if !contact.listed && self.store.contacts(account)?.len() >= CONTACTS_MAX {
            return Err(Refusal::Stanza(ErrorKind::Wait, "resource-constraint"));
        }
        contact.listed = true;
        contact.name = given.attr("name").unwrap_or_default().into();
        let groups = given
            .children()
            .filter(|it| it.is(NS_ROSTER, "group"))
            .map(Element::text);
        contact.groups = groups.filter(|it| !it.is_empty()).collect();
        contact.groups.dedup();
        self.store.set_contact(account, &contact)?;
        self.push_roster(account, &contact)?;
        Ok(None)
    }

    fn remove_contact(&mut self, account: &str, jid: &str) -> Answer {
        let contact = self.store.contact(account, jid)?;
        if !contact.listed {
            return Err(Refusal::Stanza(ErrorKind::Cancel, "item-not-found"));
        }
        for (needed, type_) in [
            (contact.subscription.to || contact.ask, "unsubscribe"),
            (
                contact.subscription.from || contact.request.is_some(),
                "unsubscribed",
            ),
        ] {
            if needed {
                self.subscribe_out(account, jid, envelope("presence", type_, account, jid))?;
            }
        }
        let gone = Contact {
            jid: jid.into(),
            ..Contact::default()
        };
        self.store.set_contact(account, &gone)?;
        self.store.set_presence(account, jid, "", None)?;
        let item = Element::new(NS_ROSTER, "item")
            .with_attr("jid", jid)
            .with_attr("subscription", "remove");
        self.push_item(account, item);
        Ok(None)
    }

    /// Tells the account's clients about a change (RFC 6121 section 2.1.6).
    pub(super) fn push_roster(
        &mut self,
        account: &str,
        contact: &Contact,
    ) -> Result<(), StoreError> {
        if contact.listed {
            self.push_item(account, item(contact));
        }
        Ok(())
    }

    fn push_item(&mut self, account: &str, item: Element) {
        for id in self.sessions_of(account) {
            let Some(session) = self.sessions.get(&id).filter(|it| it.interested) else {
                continue;
            };
            let query = Element::new(NS_ROSTER, "query").with_child(item.clone());
            let push = envelope("iq", "set", account, &session.full())
                .with_attr("id", self.fresh_id("push"))
                .with_child(query);
            self.send(id, push, None);
        }
    }
}

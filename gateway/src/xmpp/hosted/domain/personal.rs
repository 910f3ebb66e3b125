//! Small services of domain and account: ping, version, time, last activity, carbons, private XML, vCard, block list.
//! Refuses none of them airtime, for none needs any.

use jid::Jid;

use super::super::store::StoreError;
use super::iq::{Answer, Query, Refusal};
use super::{Domain, envelope};
use crate::xml::Element;
use crate::xmpp::datetime;
use crate::xmpp::stanza::ErrorKind;

pub(super) const NS_BLOCKING: &str = "urn:xmpp:blocking";
pub(super) const NS_CARBONS: &str = "urn:xmpp:carbons:2";
pub(super) const NS_LAST: &str = "jabber:iq:last";
pub(super) const NS_PING: &str = "urn:xmpp:ping";
pub(super) const NS_PRIVATE: &str = "jabber:iq:private";
pub(super) const NS_SESSION: &str = "urn:ietf:params:xml:ns:xmpp-session";
pub(super) const NS_TIME: &str = "urn:xmpp:time";
pub(super) const NS_VCARD: &str = "vcard-temp";
pub(super) const NS_VERSION: &str = "jabber:iq:version";

/// Key of the vCard among an account's private XML; no namespace can be this.
const VCARD_KEY: &str = "vCard";

/// UTC now (XEP-0202).
pub(super) fn time() -> Element {
    Element::new(NS_TIME, "time")
        .with_child(Element::new(NS_TIME, "tzo").with_text("+00:00"))
        .with_child(Element::new(NS_TIME, "utc").with_text(datetime::format(datetime::now_ms())))
}

fn last_activity(since_ms: i64, status: &str) -> Element {
    let seconds = (datetime::now_ms() - since_ms).max(0) / 1000;
    Element::new(NS_LAST, "query")
        .with_attr("seconds", seconds.to_string())
        .with_text(status)
}

impl Domain {
    /// XEP-0092.
    pub(super) fn version(&self) -> Element {
        Element::new(NS_VERSION, "query")
            .with_child(Element::new(NS_VERSION, "name").with_text(&self.software))
            .with_child(Element::new(NS_VERSION, "version").with_text(env!("CARGO_PKG_VERSION")))
    }

    /// How long the domain has been up (XEP-0012 section 4).
    pub(super) fn uptime(&self) -> Element {
        last_activity(self.started_ms, "")
    }

    /// How long an account has been away (XEP-0012 section 3).
    pub(super) fn last(&mut self, query: &Query) -> Answer {
        let there = self
            .sessions_of(query.account)
            .into_iter()
            .any(|id| self.sessions[&id].available());
        if there {
            return Ok(Some(last_activity(datetime::now_ms(), "")));
        }
        match self.store.last(query.account)? {
            Some((at_ms, status)) => Ok(Some(last_activity(at_ms, &status))),
            None => Err(Refusal::not_found()),
        }
    }

    /// XEP-0280 section 4.
    pub(super) fn carbons_iq(&mut self, query: &Query) -> Answer {
        let on = match query.payload.name.as_str() {
            "enable" => true,
            "disable" => false,
            _ => return Err(Refusal::bad_request()),
        };
        if let Some(session) = query.session.and_then(|id| self.sessions.get_mut(&id)) {
            session.carbons = on;
        }
        Ok(None)
    }

    /// XEP-0049.
    pub(super) fn private_iq(&mut self, query: &Query) -> Answer {
        let Some(inner) = query.payload.children().next() else {
            return Err(Refusal::bad_request());
        };
        let key = format!("{} {}", inner.name, inner.ns);
        if query.set {
            self.store
                .set_private(query.account, &key, &inner.to_xml(""))?;
            return Ok(None);
        }
        let stored = self
            .store
            .private(query.account, &key)?
            .and_then(|it| Element::parse(it).ok());
        let inner = stored.unwrap_or_else(|| Element::new(inner.ns.as_str(), inner.name.as_str()));
        Ok(Some(Element::new(NS_PRIVATE, "query").with_child(inner)))
    }

    /// XEP-0054; everybody may read.
    pub(super) fn vcard_iq(&mut self, query: &Query) -> Answer {
        if query.set {
            self.store
                .set_private(query.account, VCARD_KEY, &query.payload.to_xml(""))?;
            return Ok(None);
        }
        let stored = self
            .store
            .private(query.account, VCARD_KEY)?
            .and_then(|it| Element::parse(it).ok());
        match stored {
            Some(card) => Ok(Some(card)),
            None if query.own() => Ok(Some(Element::new(NS_VCARD, "vCard"))),
            None => Err(Refusal::not_found()),
        }
    }

    /// XEP-0191.
    pub(super) fn blocking_iq(&mut self, query: &Query) -> Answer {
        let account = query.account;
        match (query.payload.name.as_str(), query.set) {
            ("blocklist", false) => {
                if let Some(session) = query.session.and_then(|id| self.sessions.get_mut(&id)) {
                    session.blocking = true;
                }
                let mut list = Element::new(NS_BLOCKING, "blocklist");
                for jid in self.store.blocked(account)? {
                    list.push(Element::new(NS_BLOCKING, "item").with_attr("jid", jid));
                }
                Ok(Some(list))
            }
            (action @ ("block" | "unblock"), true) => {
                let given: Option<Vec<String>> =
                    query.payload.children().map(blocked_jid).collect();
                let given = given.ok_or(Refusal::Stanza(ErrorKind::Modify, "jid-malformed"))?;
                if given.is_empty() && action == "block" {
                    return Err(Refusal::bad_request());
                }
                let all = match given.is_empty() {
                    true => self.store.blocked(account)?,
                    false => given,
                };
                for jid in &all {
                    self.set_blocked(account, jid, action == "block")?;
                }
                self.push_blocking(account, query.payload);
                Ok(None)
            }
            _ => Err(Refusal::bad_request()),
        }
    }

    /// Blocks or unblocks; whoever could see the account sees it go or come.
    fn set_blocked(&mut self, account: &str, jid: &str, blocked: bool) -> Result<(), StoreError> {
        let sees = self.store.contact(account, jid)?.subscription.from;
        if blocked && sees {
            self.hide(account, jid)?;
        }
        self.store.set_blocked(account, jid, blocked)?;
        if !blocked && sees {
            self.show(account, jid)
        } else {
            Ok(())
        }
    }

    fn push_blocking(&mut self, account: &str, payload: &Element) {
        for id in self.sessions_of(account) {
            let Some(session) = self.sessions.get(&id).filter(|it| it.blocking) else {
                continue;
            };
            let push = envelope("iq", "set", account, &session.full())
                .with_attr("id", self.fresh_id("push"))
                .with_child(payload.clone());
            self.send(id, push, None);
        }
    }
}

fn blocked_jid(item: &Element) -> Option<String> {
    let jid = Jid::new(item.attr("jid")?).ok()?;
    item.is(NS_BLOCKING, "item").then(|| jid.to_string())
}

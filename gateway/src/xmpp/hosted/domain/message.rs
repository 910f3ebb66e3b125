//! Messages: to the right resources, copied to the others (XEP-0280), archived (XEP-0313), kept for those who are away
//! (XEP-0160). Refuses to lose one: a chat message is a row before anybody is told it was taken.

use jid::Jid;

use super::super::store::StoreError;
use super::{Domain, Session, SessionId, bare, envelope};
use crate::xml::{Element, NS_CLIENT};
use crate::xmpp::datetime;
use crate::xmpp::stanza::ErrorKind;

const NS_CARBONS: &str = "urn:xmpp:carbons:2";
const NS_CHAT_STATES: &str = "http://jabber.org/protocol/chatstates";
const NS_DELAY: &str = "urn:xmpp:delay";
const NS_FORWARD: &str = "urn:xmpp:forward:0";
const NS_HINTS: &str = "urn:xmpp:hints";
const NS_STANZA_ID: &str = "urn:xmpp:sid:0";

/// `type` of a message (RFC 6121 section 5.2.2).
fn kind(message: &Element) -> &str {
    match message.attr("type") {
        Some(known @ ("chat" | "error" | "groupchat" | "headline")) => known,
        _ => "normal",
    }
}

fn hinted(message: &Element, hint: &str) -> bool {
    message.child(NS_HINTS, hint).is_some()
}

/// Is there anything in it but a chat state?
fn has_content(message: &Element) -> bool {
    message.children().any(|child| {
        !matches!(child.ns.as_str(), NS_CHAT_STATES | NS_HINTS | NS_STANZA_ID)
            && child.name != "thread"
    })
}

/// Worth keeping for somebody who is away, and for later.
fn is_durable(message: &Element) -> bool {
    matches!(kind(message), "chat" | "normal")
        && !hinted(message, "no-store")
        && (has_content(message) || hinted(message, "store"))
}

/// Copied to the other resources of sender and receiver (XEP-0280 section 6.1).
fn is_copied(message: &Element) -> bool {
    matches!(kind(message), "chat" | "normal")
        && !hinted(message, "no-copy")
        && message.child(NS_CARBONS, "private").is_none()
        // An invitation or private message through a room belongs to the client that is in the room.
        && !(kind(message) == "normal" && message.child(NS_CLIENT, "body").is_none() && !has_content(message))
}

/// Says when a stanza was taken (XEP-0203).
fn delayed(mut stanza: Element, by: &str, at_ms: i64) -> Element {
    if stanza.child(NS_DELAY, "delay").is_none() {
        let delay = Element::new(NS_DELAY, "delay")
            .with_attr("from", by)
            .with_attr("stamp", datetime::format(at_ms));
        stanza.push(delay);
    }
    stanza
}

impl Domain {
    pub(super) fn message_from_client(
        &mut self,
        id: SessionId,
        account: &str,
        mut message: Element,
    ) -> Result<(), StoreError> {
        let to = message
            .attr("to")
            .map_or_else(|| account.to_owned(), Into::into);
        message.set_attr("to", to.as_str());
        if self.blocks(account, Some(&to))? {
            return self.bounce_to(id, &message, ErrorKind::Cancel, "not-acceptable");
        }
        if is_durable(&message) {
            let with = bare(&to);
            self.store
                .archive(account, &with, datetime::now_ms(), &message.to_xml(""))?;
        }
        if is_copied(&message) {
            self.copy(account, "sent", &[id], &message);
        }
        self.route(message)
    }

    pub(super) fn message_for(
        &mut self,
        account: &str,
        to: &Jid,
        mut message: Element,
    ) -> Result<(), StoreError> {
        if self.blocks(account, message.attr("from"))? {
            return self.bounce(&message, ErrorKind::Cancel, "service-unavailable");
        }
        if kind(&message) == "headline" {
            self.remember_event(account, &message)?;
        }
        let targets = match self.session_at(to) {
            Some(session) => vec![session],
            None => match (to.is_full(), kind(&message)) {
                (_, "chat" | "normal") => self.most_available(account),
                (false, "headline") => self.all_available(account),
                (_, "groupchat") => {
                    return self.bounce(&message, ErrorKind::Cancel, "service-unavailable");
                }
                _ => return Ok(()),
            },
        };
        let now_ms = datetime::now_ms();
        let mut kept = None;
        if is_durable(&message) {
            if targets.is_empty() && self.store.kept_count(account)? >= self.offline_max {
                return self.bounce(&message, ErrorKind::Wait, "resource-constraint");
            }
            self.archive_received(account, &mut message, now_ms)?;
            kept = Some(self.store.keep(account, now_ms, &message.to_xml(""))?);
        }
        for target in &targets {
            self.send(*target, message.clone(), kept);
        }
        if is_copied(&message) && !targets.is_empty() {
            self.copy(account, "received", &targets, &message);
        }
        Ok(())
    }

    /// Archives a message and marks it with the id it has there (XEP-0359).
    fn archive_received(
        &mut self,
        account: &str,
        message: &mut Element,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        message.retain_children(|child| {
            !(child.is(NS_STANZA_ID, "stanza-id") && child.attr("by") == Some(account))
        });
        let from = bare(message.attr("from").unwrap_or_default());
        // A note to oneself was archived when it was sent.
        if from == account {
            return Ok(());
        }
        let id = self
            .store
            .archive(account, &from, now_ms, &message.to_xml(""))?;
        let stanza_id = Element::new(NS_STANZA_ID, "stanza-id")
            .with_attr("by", account)
            .with_attr("id", id.to_string());
        message.push(stanza_id);
        Ok(())
    }

    /// The available resources of highest priority, if that is not negative (RFC 6121 section 8.5.2.1.1).
    fn most_available(&self, account: &str) -> Vec<SessionId> {
        let all = self.all_available(account);
        let priority = |id: &SessionId| self.sessions.get(id).map_or(i8::MIN, |it| it.priority);
        let top = all.iter().map(priority).max();
        all.into_iter()
            .filter(|id| Some(priority(id)) == top)
            .collect()
    }

    /// Available resources of a priority that is not negative.
    pub(super) fn all_available(&self, account: &str) -> Vec<SessionId> {
        let mut all = self.sessions_of(account);
        all.retain(|id| {
            self.sessions
                .get(id)
                .is_some_and(|it| it.available() && it.priority >= 0)
        });
        all
    }

    /// Sends carbon copies to the resources that want them, `but` for some.
    fn copy(&mut self, account: &str, direction: &str, but: &[SessionId], message: &Element) {
        for id in self.sessions_of(account) {
            let Some(session) = self.sessions.get(&id).filter(|it| it.carbons) else {
                continue;
            };
            if but.contains(&id) {
                continue;
            }
            let forwarded = Element::new(NS_FORWARD, "forwarded").with_child(message.clone());
            let copy = envelope("message", kind(message), account, &session.full())
                .with_child(Element::new(NS_CARBONS, direction).with_child(forwarded));
            self.send(id, copy, None);
        }
    }

    /// Gives a client that became available what waited for it.
    pub(super) fn flush(&mut self, id: SessionId) -> Result<(), StoreError> {
        let Some(account) = self.sessions.get(&id).map(|it| it.account.clone()) else {
            return Ok(());
        };
        let kept = self.store.kept(&account)?;
        for row in kept {
            if self
                .sessions
                .values()
                .any(|it| it.under_way.contains(&row.id))
            {
                continue;
            }
            match Element::parse(&row.stanza) {
                Ok(stanza) => {
                    let by = self.name.clone();
                    self.send(id, delayed(stanza, &by, row.at_ms), Some(row.id));
                }
                // Written by this very module.
                Err(_) => self.store.release_one(row.id)?,
            }
        }
        Ok(())
    }

    /// What a session that ended did not get goes to another that is there.
    pub(super) fn pass_on(&mut self, ended: &Session) -> Result<(), StoreError> {
        if ended.under_way.is_empty() {
            return Ok(());
        }
        match self.most_available(&ended.account).first() {
            Some(heir) => self.flush(*heir),
            None => Ok(()),
        }
    }
}

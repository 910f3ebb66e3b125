//! The state of one hosted domain: who is logged in, and where a stanza goes. Refuses to wait: nothing here touches a
//! socket, every call returns at once with what is to be sent across the radio.
//!
//! A stanza takes one path: [`Domain::client_sent`] or [`Domain::gateway_sent`] in, then `route`, then by kind
//! `message`, `presence` or `iq`, then out to sessions or to the gateway.

mod disco;
mod iq;
mod mam;
mod message;
mod pep;
mod personal;
mod presence;
mod roster;
mod subscription;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jid::Jid;
use tokio::sync::mpsc;
use tracing::{debug, warn};

use super::session::Resumption;
use super::store::{Store, StoreError};
use crate::xml::{Element, NS_CLIENT};
use crate::xmpp::stanza::{self, ErrorKind};

/// Stanzas that may wait for one client before it counts as stuck.
const QUEUE_MAX: usize = 20_000;

/// A session, by a number never used twice.
pub(super) type SessionId = u64;

/// What a session's connection is to write.
#[derive(Debug)]
pub(super) enum Out {
    /// A stanza; `kept` is its row if custody ends when the client has it.
    Stanza { stanza: Element, kept: Option<i64> },
    /// Close the stream with this error.
    Close(&'static str),
}

/// A bound resource.
#[derive(Debug)]
pub(super) struct Session {
    account: String,
    resource: String,
    out: mpsc::UnboundedSender<Out>,
    waiting: Arc<AtomicUsize>,
    /// The last broadcast presence while available.
    presence: Option<Element>,
    priority: i8,
    carbons: bool,
    /// Asked for the roster, so it gets pushes (RFC 6121 section 2.2).
    interested: bool,
    /// Asked for the block list, so it gets pushes (XEP-0191).
    blocking: bool,
    /// Addresses that got directed presence.
    directed: BTreeSet<String>,
    /// Rows under way to this client.
    under_way: BTreeSet<i64>,
    /// Nodes it wants to be told of (`+notify`), once known.
    notify: BTreeSet<String>,
}

impl Session {
    fn new(
        account: &str,
        resource: &str,
        out: mpsc::UnboundedSender<Out>,
        waiting: Arc<AtomicUsize>,
    ) -> Self {
        Self {
            account: account.into(),
            resource: resource.into(),
            out,
            waiting,
            presence: None,
            priority: 0,
            carbons: false,
            interested: false,
            blocking: false,
            directed: BTreeSet::new(),
            under_way: BTreeSet::new(),
            notify: BTreeSet::new(),
        }
    }

    fn full(&self) -> String {
        format!("{}/{}", self.account, self.resource)
    }

    fn available(&self) -> bool {
        self.presence.is_some()
    }
}

/// Everything a hosted domain knows while it runs.
#[derive(Debug)]
pub(super) struct Domain {
    name: String,
    software: String,
    offline_max: u32,
    pub(super) store: Store,
    sessions: BTreeMap<SessionId, Session>,
    next_session: SessionId,
    /// `+notify` nodes by XEP-0115 verification string.
    caps: HashMap<String, BTreeSet<String>>,
    /// Sessions that can be resumed: by token, the session and where its new connection goes.
    resumptions: HashMap<String, (SessionId, mpsc::Sender<Resumption>)>,
    started_ms: i64,
    /// The process is about to end.
    closing: bool,
    /// Stanzas for the gateway that the call in progress has produced.
    remote: Vec<Element>,
}

/// What a new session is told.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) id: SessionId,
    pub(super) full: String,
}

impl Domain {
    pub(super) fn new(name: &str, software: &str, offline_max: u32, store: Store) -> Self {
        Self {
            name: name.into(),
            software: software.into(),
            offline_max,
            store,
            sessions: BTreeMap::new(),
            next_session: 1,
            caps: HashMap::new(),
            resumptions: HashMap::new(),
            started_ms: crate::xmpp::datetime::now_ms(),
            closing: false,
            remote: Vec::new(),
        }
    }

    /// Gives a client its resource. Another session under the same name ends with `conflict` (RFC 6120 section
    /// 7.7.2.2), and contacts see it leave before they can see the new one.
    pub(super) fn bind(
        &mut self,
        account: &str,
        resource: &str,
        out: mpsc::UnboundedSender<Out>,
        waiting: Arc<AtomicUsize>,
    ) -> Result<(Bound, Vec<Element>), StoreError> {
        let mut all = self.sessions.iter();
        let holder = all.find(|(_, it)| it.account == account && it.resource == resource);
        let remote = match holder.map(|(id, _)| *id) {
            Some(holder) => self.durably(|domain| {
                domain.leave(holder, None)?;
                if let Some(holder) = domain.sessions.remove(&holder) {
                    let _ = holder.out.send(Out::Close("conflict"));
                }
                Ok(())
            })?,
            None => Vec::new(),
        };
        let id = self.next_session;
        self.next_session += 1;
        let session = Session::new(account, resource, out, waiting);
        let full = session.full();
        self.sessions.insert(id, session);
        Ok((Bound { id, full }, remote))
    }

    /// Ends a session: contacts see it leave, what it did not get goes to others or waits.
    /// `unread` is what it was sent and may not have.
    pub(super) fn unbind(
        &mut self,
        id: SessionId,
        unread: &[Element],
    ) -> Result<Vec<Element>, StoreError> {
        self.resumptions.retain(|_, (session, _)| *session != id);
        self.durably(|domain| {
            for iq in unread.iter().filter(|it| it.name == "iq") {
                domain.bounce(iq, ErrorKind::Wait, "recipient-unavailable")?;
            }
            if !domain.closing {
                domain.leave(id, None)?;
            }
            let Some(session) = domain.sessions.remove(&id) else {
                return Ok(());
            };
            domain.pass_on(&session)
        })
    }

    /// Takes a stanza from a client.
    pub(super) fn client_sent(
        &mut self,
        id: SessionId,
        mut stanza: Element,
    ) -> Result<Vec<Element>, StoreError> {
        self.durably(|domain| {
            let Some(session) = domain.sessions.get(&id) else {
                return Ok(());
            };
            let (account, full) = (session.account.clone(), session.full());
            stanza.set_attr("from", full);
            if stanza.attr("to").is_some_and(|to| Jid::new(to).is_err()) {
                stanza.remove_attr("to");
                return domain.bounce_to(id, &stanza, ErrorKind::Modify, "jid-malformed");
            }
            match stanza.name.as_str() {
                "message" => domain.message_from_client(id, &account, stanza),
                "presence" => domain.presence_from_client(id, &account, stanza),
                _ => domain.iq_from_client(id, &account, stanza),
            }
        })
    }

    /// Takes a stanza that came over the radio, or from the gateway itself if `key` is 0.
    pub(super) fn gateway_sent(
        &mut self,
        stanza: Element,
        key: u64,
    ) -> Result<Vec<Element>, StoreError> {
        self.durably(|domain| {
            if stanza::domain(&stanza, "from").as_deref() == Some(domain.name.as_str()) {
                warn!("a stanza from a user here came from elsewhere and was dropped");
                return Ok(());
            }
            // SQLite's integers are signed; the bits are kept.
            if key != 0 && !domain.store.take_delivery(key.cast_signed())? {
                debug!(key, "delivered before");
                return Ok(());
            }
            domain.deliver(stanza)
        })
    }

    /// A client has these rows.
    pub(super) fn released(&mut self, id: SessionId, rows: &[i64]) -> Result<(), StoreError> {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.under_way.retain(|row| !rows.contains(row));
        }
        self.store.release(rows)
    }

    /// Where the session of `account` that may be resumed under `token` waits.
    pub(super) fn resumption(
        &self,
        token: &str,
        account: &str,
    ) -> Option<mpsc::Sender<Resumption>> {
        let (id, waiting) = self.resumptions.get(token)?;
        let session = self.sessions.get(id)?;
        (session.account == account).then(|| waiting.clone())
    }

    /// Lets session `id` be resumed under `token`.
    pub(super) fn set_resumption(
        &mut self,
        token: &str,
        id: SessionId,
        waiting: mpsc::Sender<Resumption>,
    ) {
        self.resumptions.insert(token.into(), (id, waiting));
    }

    /// Tells the contacts of clients that were there when the process ended, and have not come back, that they are
    /// gone.
    pub(super) fn recover(&mut self) -> Result<Vec<Element>, StoreError> {
        self.durably(|domain| {
            for full in domain.store.online(&domain.name)? {
                let mut all = domain.sessions.values();
                if !all.any(|it| it.available() && it.full() == full) {
                    domain.store.set_online(&full, false)?;
                    let presence = envelope("presence", "unavailable", &full, "");
                    domain.broadcast(&bare(&full), &presence)?;
                }
            }
            Ok(())
        })
    }

    /// How many clients are logged in.
    pub(super) fn session_count(&self) -> usize {
        self.sessions.len()
    }

    /// Ends all streams with this error, for the process ends. Contacts are told nothing: clients that are back soon
    /// never left, see [`Self::recover`] for the others.
    pub(super) fn close_all(&mut self, condition: &'static str) {
        self.closing = true;
        for session in self.sessions.values() {
            let _ = session.out.send(Out::Close(condition));
        }
    }

    /// Runs `work` as one change of the database and gives what is to go across the radio.
    fn durably(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<(), StoreError>,
    ) -> Result<Vec<Element>, StoreError> {
        self.remote.clear();
        self.store.begin()?;
        let worked = work(self);
        let ended = self.store.end(worked.is_ok());
        worked?;
        ended?;
        Ok(std::mem::take(&mut self.remote))
    }

    /// Sends a stanza on its way, here or across the radio.
    fn route(&mut self, stanza: Element) -> Result<(), StoreError> {
        match stanza::domain(&stanza, "to") {
            Some(domain) if domain == self.name => self.deliver(stanza),
            Some(_) => {
                self.remote.push(stanza);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Delivers a stanza whose address is here.
    fn deliver(&mut self, stanza: Element) -> Result<(), StoreError> {
        let Some(to) =
            stanza::address(&stanza, "to").filter(|to| to.domain().as_str() == self.name)
        else {
            return Ok(());
        };
        if to.node().is_none() {
            return match stanza.name.as_str() {
                "iq" => self.iq_for_server(stanza),
                "message" => self.bounce(&stanza, ErrorKind::Cancel, "service-unavailable"),
                _ => Ok(()),
            };
        }
        let account = to.to_bare().to_string();
        if !self.store.has_account(&account)? {
            return match stanza.name.as_str() {
                "presence" => Ok(()),
                _ => self.bounce(&stanza, ErrorKind::Cancel, "service-unavailable"),
            };
        }
        match stanza.name.as_str() {
            "message" => self.message_for(&account, &to, stanza),
            "presence" => self.presence_for(&account, &to, stanza),
            _ => self.iq_for(&account, &to, stanza),
        }
    }

    /// Returns a stanza to its sender as an error, if it may be.
    fn bounce(
        &mut self,
        stanza: &Element,
        kind: ErrorKind,
        condition: &str,
    ) -> Result<(), StoreError> {
        match stanza::error(stanza, kind, condition, "") {
            Some(error) => self.route(error),
            None => Ok(()),
        }
    }

    /// Returns a stanza to the client it came from.
    fn bounce_to(
        &mut self,
        id: SessionId,
        stanza: &Element,
        kind: ErrorKind,
        condition: &str,
    ) -> Result<(), StoreError> {
        if let Some(error) = stanza::error(stanza, kind, condition, "") {
            self.send(id, error, None);
        }
        Ok(())
    }

    /// Queues a stanza for a client.
    fn send(&mut self, id: SessionId, stanza: Element, kept: Option<i64>) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        if session.waiting.fetch_add(1, Ordering::Relaxed) >= QUEUE_MAX {
            let _ = session.out.send(Out::Close("resource-constraint"));
            return;
        }
        session.under_way.extend(kept);
        let _ = session.out.send(Out::Stanza { stanza, kept });
    }

    /// Sessions of an account, in order of their login.
    fn sessions_of(&self, account: &str) -> Vec<SessionId> {
        let own = self
            .sessions
            .iter()
            .filter(|(_, session)| session.account == account);
        own.map(|(id, _)| *id).collect()
    }

    /// The session behind a full JID.
    fn session_at(&self, to: &Jid) -> Option<SessionId> {
        let (account, resource) = (to.to_bare(), to.resource()?);
        let mut all = self.sessions.iter();
        let found =
            all.find(|(_, it)| it.account == account.as_str() && it.resource == resource.as_str());
        found.map(|(id, _)| *id)
    }

    /// Has `account` blocked whoever `from` is (XEP-0191 section 5)?
    fn blocks(&self, account: &str, from: Option<&str>) -> Result<bool, StoreError> {
        let Some(from) = from.and_then(|it| Jid::new(it).ok()) else {
            return Ok(false);
        };
        let bare = from.to_bare();
        let domain = from.domain().as_str();
        let blocked = self.store.blocked(account)?;
        Ok(blocked
            .iter()
            .any(|it| it == from.as_str() || it == bare.as_str() || it == domain))
    }
}

/// A stanza of a kind with sender and receiver.
fn envelope(name: &str, type_: &str, from: &str, to: &str) -> Element {
    let stanza = Element::new(NS_CLIENT, name)
        .with_attr("from", from)
        .with_attr("to", to);
    match type_ {
        "" => stanza,
        type_ => stanza.with_attr("type", type_),
    }
}

/// The bare form of an address; the text itself if it is none.
fn bare(address: &str) -> String {
    Jid::new(address).map_or_else(|_| address.into(), |jid| jid.to_bare().to_string())
}

#[cfg(test)]
mod tests;

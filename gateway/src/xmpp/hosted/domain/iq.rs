//! Requests: which service answers. Refuses to leave one unanswered: what nobody knows is `service-unavailable`.

use jid::Jid;

use super::super::store::StoreError;
use super::{Domain, SessionId, disco, mam, pep, personal, roster};
use crate::xml::Element;
use crate::xmpp::stanza::{self, ErrorKind};

/// A request to an account or to the domain.
pub(super) struct Query<'a> {
    /// The account asked, or the domain.
    pub(super) account: &'a str,
    /// Bare JID of who asks.
    pub(super) asker: String,
    /// Full JID of who asks.
    pub(super) asker_full: &'a str,
    /// Is it the account's own client?
    pub(super) session: Option<SessionId>,
    /// Is it `set`, not `get`?
    pub(super) set: bool,
    /// What is asked.
    pub(super) payload: &'a Element,
}

impl Query<'_> {
    /// Does the account's own user ask?
    pub(super) fn own(&self) -> bool {
        self.asker == self.account
    }
}

/// Why a request is not granted.
#[derive(Debug)]
pub(super) enum Refusal {
    /// To be answered with this error.
    Stanza(ErrorKind, &'static str),
    /// The database failed.
    Store(StoreError),
}

impl Refusal {
    pub(super) fn bad_request() -> Self {
        Self::Stanza(ErrorKind::Modify, "bad-request")
    }

    pub(super) fn unknown() -> Self {
        Self::Stanza(ErrorKind::Cancel, "service-unavailable")
    }

    pub(super) fn forbidden() -> Self {
        Self::Stanza(ErrorKind::Auth, "forbidden")
    }

    pub(super) fn not_found() -> Self {
        Self::Stanza(ErrorKind::Cancel, "item-not-found")
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Payload of the result, if it has one.
pub(super) type Answer = Result<Option<Element>, Refusal>;

impl Domain {
    pub(super) fn iq_from_client(
        &mut self,
        id: SessionId,
        account: &str,
        mut iq: Element,
    ) -> Result<(), StoreError> {
        let type_ = iq.attr("type").unwrap_or_default();
        let request = matches!(type_, "get" | "set");
        let valid = match type_ {
            "get" | "set" => iq.attr("id").is_some() && iq.children().count() == 1,
            "result" | "error" => true,
            _ => false,
        };
        if !valid {
            return self.bounce_to(id, &iq, ErrorKind::Modify, "bad-request");
        }
        let to = iq.attr("to").unwrap_or(account).to_owned();
        if to == account || to == self.name {
            if !request {
                return self.caps_answer(id, account, &iq);
            }
            iq.set_attr("to", to.as_str());
            return self.answer(Some(id), &to, &iq);
        }
        if request && self.blocks(account, Some(&to))? {
            return self.bounce_to(id, &iq, ErrorKind::Cancel, "not-acceptable");
        }
        self.route(iq)
    }

    /// An iq for an account, or for one of its clients.
    pub(super) fn iq_for(
        &mut self,
        account: &str,
        to: &Jid,
        iq: Element,
    ) -> Result<(), StoreError> {
        if self.blocks(account, iq.attr("from"))? {
            return self.bounce(&iq, ErrorKind::Cancel, "service-unavailable");
        }
        if to.is_full() {
            return match self.session_at(to) {
                Some(session) => {
                    self.send(session, iq, None);
                    Ok(())
                }
                None => self.bounce(&iq, ErrorKind::Cancel, "service-unavailable"),
            };
        }
        self.answer(None, account, &iq)
    }

    /// An iq for the domain itself, from elsewhere.
    pub(super) fn iq_for_server(&mut self, iq: Element) -> Result<(), StoreError> {
        let name = self.name.clone();
        self.answer(None, &name, &iq)
    }

    /// Answers a request to the domain or an account.
    fn answer(
        &mut self,
        session: Option<SessionId>,
        account: &str,
        iq: &Element,
    ) -> Result<(), StoreError> {
        let set = match iq.attr("type") {
            Some("set") => true,
            Some("get") => false,
            _ => return Ok(()),
        };
        let (Some(payload), Some(asker)) = (iq.children().next(), iq.attr("from")) else {
            return self.bounce(iq, ErrorKind::Modify, "bad-request");
        };
        let query = Query {
            account,
            asker: super::bare(asker),
            asker_full: asker,
            session,
            set,
            payload,
        };
        let answer = match account == self.name {
            true => self.serve(&query),
            false if query.own() => self.serve_own(&query),
            false => self.serve_other(&query),
        };
        let reply = match answer {
            Ok(payload) => {
                let mut reply = stanza::result(iq);
                payload.into_iter().for_each(|it| reply.push(it));
                Some(reply)
            }
            Err(Refusal::Stanza(kind, condition)) => stanza::error(iq, kind, condition, ""),
            Err(Refusal::Store(error)) => return Err(error),
        };
        match (session, reply) {
            (Some(id), Some(reply)) => {
                self.send(id, reply, None);
                Ok(())
            }
            (None, Some(reply)) => self.route(reply),
            (_, None) => Ok(()),
        }
    }

    /// Services of the domain.
    fn serve(&mut self, query: &Query) -> Answer {
        match query.payload.ns.as_str() {
            disco::NS_INFO | disco::NS_ITEMS => self.disco_server(query),
            personal::NS_PING | personal::NS_SESSION => Ok(None),
            personal::NS_VERSION if !query.set => Ok(Some(self.version())),
            personal::NS_TIME if !query.set => Ok(Some(personal::time())),
            personal::NS_LAST if !query.set => Ok(Some(self.uptime())),
            // Clients that forget the address of their own account.
            roster::NS_ROSTER | personal::NS_PRIVATE | personal::NS_CARBONS
                if query.session.is_some() =>
            {
                let account = query.asker.clone();
                self.serve_own(&Query {
                    account: &account,
                    asker: account.clone(),
                    ..*query
                })
            }
            _ => Err(Refusal::unknown()),
        }
    }

    /// Services of an account for its own user.
    fn serve_own(&mut self, query: &Query) -> Answer {
        match query.payload.ns.as_str() {
            roster::NS_ROSTER => self.roster_iq(query),
            disco::NS_INFO | disco::NS_ITEMS => self.disco_account(query),
            mam::NS_MAM => self.mam_iq(query),
            pep::NS_PUBSUB | pep::NS_OWNER => self.pep_iq(query),
            personal::NS_PING | personal::NS_SESSION => Ok(None),
            personal::NS_VERSION if !query.set => Ok(Some(self.version())),
            personal::NS_TIME if !query.set => Ok(Some(personal::time())),
            personal::NS_CARBONS if query.set => self.carbons_iq(query),
            personal::NS_PRIVATE => self.private_iq(query),
            personal::NS_VCARD => self.vcard_iq(query),
            personal::NS_BLOCKING => self.blocking_iq(query),
            personal::NS_LAST if !query.set => self.last(query),
            _ => Err(Refusal::unknown()),
        }
    }

    /// Services of an account for somebody else.
    fn serve_other(&mut self, query: &Query) -> Answer {
        let seen = self
            .store
            .contact(query.account, &query.asker)?
            .subscription
            .from;
        match query.payload.ns.as_str() {
            personal::NS_VCARD if !query.set => self.vcard_iq(query),
            pep::NS_PUBSUB if !query.set => self.pep_iq(query),
            personal::NS_PING => Ok(None),
            disco::NS_INFO | disco::NS_ITEMS if seen => self.disco_account(query),
            personal::NS_LAST if seen && !query.set => self.last(query),
            personal::NS_LAST => Err(Refusal::forbidden()),
            _ => Err(Refusal::unknown()),
        }
    }

    /// An id for a request of the server's own.
    pub(super) fn fresh_id(&mut self, prefix: &str) -> String {
        self.next_session += 1;
        format!("{prefix}-{}", self.next_session)
    }
}

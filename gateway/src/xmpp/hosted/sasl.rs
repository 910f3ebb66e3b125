//! The SASL exchange of a hosted domain (RFC 6120 section 6): SCRAM-SHA-256, SCRAM-SHA-1 and, under TLS only, PLAIN.
//! Refuses to authorise anybody as somebody else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jid::BareJid;

use super::scram::{self, ClientFirst, Exchange, Hash, ScramError};
use super::store::{Store, StoreError};
use crate::xml::Element;

/// Namespace of SASL in streams.
pub(super) const NS_SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";

/// What to answer.
#[derive(Debug)]
pub(super) enum Step {
    /// Send this and wait for the client.
    Challenge(Element),
    /// Send this: the client is this account.
    Success(Element, BareJid),
    /// Send this: the client may try again.
    Failure(Element),
}

/// One authentication.
#[derive(Debug)]
pub(super) struct Sasl<'a> {
    domain: &'a str,
    /// Of this process, for [`scram::decoy`].
    secret: [u8; 32],
    tls: bool,
    exchange: Option<(Exchange, BareJid)>,
    /// The mechanism was named without a first message.
    waiting: Option<Hash>,
}

impl<'a> Sasl<'a> {
    pub(super) fn new(domain: &'a str, secret: [u8; 32], tls: bool) -> Self {
        Self {
            domain,
            secret,
            tls,
            exchange: None,
            waiting: None,
        }
    }

    /// The `<mechanisms/>` feature.
    pub(super) fn mechanisms(tls: bool) -> Element {
        let mut mechanisms = Element::new(NS_SASL, "mechanisms");
        let names = ["SCRAM-SHA-256", "SCRAM-SHA-1"]
            .into_iter()
            .chain(tls.then_some("PLAIN"));
        for name in names {
            mechanisms.push(Element::new(NS_SASL, "mechanism").with_text(name));
        }
        mechanisms
    }

    /// Takes what the client sent in the SASL namespace.
    pub(super) fn take(&mut self, element: &Element, store: &Store) -> Result<Step, StoreError> {
        let text = element.text();
        match element.name.as_str() {
            "auth" => self.start(
                element.attr("mechanism").unwrap_or_default(),
                text.trim(),
                store,
            ),
            "response" => self.response(text.trim(), store),
            _ => Ok(self.failure("aborted")),
        }
    }

    fn start(&mut self, mechanism: &str, text: &str, store: &Store) -> Result<Step, StoreError> {
        self.exchange = None;
        self.waiting = None;
        let hash = match mechanism {
            "SCRAM-SHA-256" => Hash::Sha256,
            "SCRAM-SHA-1" => Hash::Sha1,
            "PLAIN" if !self.tls => return Ok(self.failure("encryption-required")),
            "PLAIN" => return self.plain(text, store),
            _ => return Ok(self.failure("invalid-mechanism")),
        };
        if text.is_empty() {
            self.waiting = Some(hash);
            return Ok(Step::Challenge(Element::new(NS_SASL, "challenge")));
        }
        self.first(hash, text, store)
    }

    fn response(&mut self, text: &str, store: &Store) -> Result<Step, StoreError> {
        if let Some(hash) = self.waiting.take() {
            return self.first(hash, text, store);
        }
        let Some((exchange, account)) = self.exchange.take() else {
            return Ok(self.failure("malformed-request"));
        };
        let last = decode(text).ok_or(ScramError::Malformed);
        Ok(match last.and_then(|message| exchange.finish(&message)) {
            Ok(reply) => Step::Success(
                Element::new(NS_SASL, "success").with_text(BASE64.encode(reply)),
                account,
            ),
            Err(error) => self.refuse(error),
        })
    }

    fn first(&mut self, hash: Hash, text: &str, store: &Store) -> Result<Step, StoreError> {
        let message = decode(text).ok_or(ScramError::Malformed);
        let first = match message.and_then(|message| ClientFirst::parse(&message)) {
            Ok(first) => first,
            Err(error) => return Ok(self.refuse(error)),
        };
        let Some(account) = self.account(&first.user, &first.authzid) else {
            return Ok(self.failure("invalid-authzid"));
        };
        let known = store.account(account.as_str())?;
        let keys = known.unwrap_or_else(|| scram::decoy(account.as_str(), &self.secret));
        Ok(match Exchange::new(hash, first, keys) {
            Ok(exchange) => {
                let challenge = BASE64.encode(exchange.challenge());
                self.exchange = Some((exchange, account));
                Step::Challenge(Element::new(NS_SASL, "challenge").with_text(challenge))
            }
            Err(error) => self.refuse(error),
        })
    }

    fn plain(&mut self, text: &str, store: &Store) -> Result<Step, StoreError> {
        let Some(message) = decode(text) else {
            return Ok(self.failure("incorrect-encoding"));
        };
        let mut parts = message.split('\0');
        let (Some(authzid), Some(user), Some(password), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Ok(self.failure("malformed-request"));
        };
        let Some(account) = self.account(user, authzid) else {
            return Ok(self.failure("invalid-authzid"));
        };
        let known = store.account(account.as_str())?;
        let keys = known.unwrap_or_else(|| scram::decoy(account.as_str(), &self.secret));
        Ok(match scram::verify(&keys, password) {
            true => Step::Success(Element::new(NS_SASL, "success"), account),
            false => self.refuse(ScramError::NotAuthorized),
        })
    }

    /// The account a client names; `None` if it is not a user here, or wants to act as another.
    fn account(&self, user: &str, authzid: &str) -> Option<BareJid> {
        // Some clients give the whole address as the name.
        let user = user
            .strip_suffix(&format!("@{}", self.domain))
            .unwrap_or(user);
        let account = BareJid::new(&format!("{user}@{}", self.domain)).ok()?;
        let asked = match authzid {
            "" => return Some(account),
            asked => BareJid::new(asked).ok()?,
        };
        (asked == account).then_some(account)
    }

    fn refuse(&mut self, error: ScramError) -> Step {
        self.failure(match error {
            ScramError::Malformed => "malformed-request",
            ScramError::NotAuthorized => "not-authorized",
        })
    }

    fn failure(&mut self, condition: &str) -> Step {
        self.exchange = None;
        self.waiting = None;
        Step::Failure(Element::new(NS_SASL, "failure").with_child(Element::new(NS_SASL, condition)))
    }
}

fn decode(text: &str) -> Option<String> {
    // RFC 6120 section 6.4.2: a single `=` is an empty message.
    let text = if text == "=" { "" } else { text };
    String::from_utf8(BASE64.decode(text).ok()?).ok()
}

//! The error a stanza comes back as. Refuses to answer errors with errors, and to echo what was sent: condition and
//! original id are all a client needs.

use super::classify::can_fail;
use crate::xml::Element;
use crate::xmpp::stanza::{self, ErrorKind};

/// Why a stanza comes back (RFC 6120 section 8.3.3).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Condition {
    /// It expired before the far end had it, or no reply came in time.
    RemoteServerTimeout,
    /// No route to its domain.
    RemoteServerNotFound,
    /// The outbox or the budget is full.
    ResourceConstraint,
    /// Withdrawn by the operator.
    RecipientUnavailable,
    /// Too large for the air.
    PolicyViolation,
}

impl Condition {
    const fn parts(self) -> (&'static str, ErrorKind) {
        match self {
            Self::RemoteServerTimeout => ("remote-server-timeout", ErrorKind::Wait),
            Self::RemoteServerNotFound => ("remote-server-not-found", ErrorKind::Cancel),
            Self::ResourceConstraint => ("resource-constraint", ErrorKind::Wait),
            Self::RecipientUnavailable => ("recipient-unavailable", ErrorKind::Wait),
            Self::PolicyViolation => ("policy-violation", ErrorKind::Modify),
        }
    }
}

/// The error stanza for `stanza`, with a sentence for people; `None` where its sender must not be told.
pub fn error(stanza: &Element, condition: Condition, text: &str) -> Option<Element> {
    let (name, kind) = condition.parts();
    if can_fail(stanza) {
        stanza::error(stanza, kind, name, text)
    } else {
        None
    }
}

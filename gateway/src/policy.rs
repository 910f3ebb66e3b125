//! What may cost airtime. Refuses state, sockets and clocks: every decision is a function of one stanza, the peer's
//! rules and the time; what is held or queued is looked up by [`crate::gateway`].
//!
//! A stanza on its way to a peer passes, in this order:
//!
//! 1. [`answer`]: can it be answered from what is held here?
//! 2. [`plan`]: is its kind carried at all, what of it is stripped, how urgent is it, when does it expire?
//! 3. [`merge`]: which stanza still queued does it replace?
//!
//! What cannot go, or went too late, comes back through [`refuse`].

pub mod address;
pub mod answer;
pub mod caps;
pub mod classify;
pub(crate) mod delay;
pub mod merge;
pub mod refuse;
mod strip;
#[cfg(test)]
mod tests;

use crate::config::{Carry, Peer};
use crate::xml::Element;
pub use classify::Class;
use merge::Merge;

/// Why a stanza was not carried and nobody was told: counted, and shown in `status`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Reason {
    /// A notification that somebody is typing (XEP-0085), without content.
    ChatState,
    /// An XHTML body beside a plain one (XEP-0071).
    Xhtml,
    /// Avatar data pushed without being asked for (XEP-0084).
    Avatar,
    /// Presence, where the peer's rules carry none.
    Presence,
    /// Presence equal to what the far end has.
    Unchanged,
    /// Replaced while queued, or replacing: presence, marker, item, edit, reaction.
    Superseded,
    /// Message and its retraction met in the outbox.
    Retracted,
    /// A reply after its request was answered with an error, or without a request.
    LateReply,
    /// A stanza from a peer in the name of a domain that does not live there.
    Spoofed,
    /// An error that could not be delivered, or a presence; nobody may be told (RFC 6120 section 8.3.1).
    Undeliverable,
    /// A packet that decoded to nothing.
    Undecodable,
    /// Expired in the outbox, and its kind has no errors.
    Expired,
}

impl Reason {
    /// Name in `status`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ChatState => "chat-state",
            Self::Xhtml => "xhtml",
            Self::Avatar => "avatar",
            Self::Presence => "presence",
            Self::Unchanged => "unchanged-presence",
            Self::Superseded => "superseded",
            Self::Retracted => "retracted",
            Self::LateReply => "late-reply",
            Self::Spoofed => "spoofed",
            Self::Undeliverable => "undeliverable",
            Self::Undecodable => "undecodable",
            Self::Expired => "expired",
        }
    }
}

/// How a stanza goes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Plan {
    /// What is sent of it.
    pub stanza: Element,
    /// How urgent it is.
    pub class: Class,
    /// When it comes back as an error, Unix ms.
    pub expires_ms: i64,
    /// What it replaces, and what may replace it.
    pub merge: Merge,
    /// Parts left behind.
    pub stripped: Vec<Reason>,
}

/// Whether and how a stanza goes to a peer.
///
/// # Errors
/// The reason why it does not.
pub fn plan(mut stanza: Element, rules: &Peer, now_ms: i64) -> Result<Plan, Reason> {
    if let Some(reason) = dropped(&stanza, rules) {
        return Err(reason);
    }
    let stripped = strip::strip(&mut stanza, rules);
    let class = classify::class(&stanza, rules);
    Ok(Plan {
        expires_ms: classify::expires_ms(&stanza, class, rules, now_ms),
        merge: merge::of(&stanza),
        class,
        stanza,
        stripped,
    })
}

fn dropped(stanza: &Element, rules: &Peer) -> Option<Reason> {
    let dropped = |carry| carry == Carry::Drop;
    if dropped(rules.chat_states) && classify::is_chat_state(stanza) {
        return Some(Reason::ChatState);
    }
    if dropped(rules.avatars) && classify::is_avatar_push(stanza) {
        return Some(Reason::Avatar);
    }
    if dropped(rules.presence) && classify::is_plain_presence(stanza) {
        return Some(Reason::Presence);
    }
    None
}

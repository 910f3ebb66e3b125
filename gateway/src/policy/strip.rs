//! What a stanza leaves behind before it goes. Refuses anything an entity at the far end could miss: by default only
//! what XEPs say must not travel, or what has a plain twin in the same stanza.

use super::Reason;
use super::address::{bare, from, kind};
use super::classify::{NS_CHAT_STATES, is_chat_state};
use crate::config::{Carry, Peer};
use crate::xml::{Element, NS_CLIENT};

const NS_XHTML_IM: &str = "http://jabber.org/protocol/xhtml-im";
const NS_SID: &str = "urn:xmpp:sid:0";
const NS_MAM_TMP: &str = "urn:xmpp:mam:tmp";

/// Takes away what does not travel and says what a user might miss.
pub(super) fn strip(stanza: &mut Element, rules: &Peer) -> Vec<Reason> {
    let mut stripped = Vec::new();
    if kind(stanza) == "error" {
        strip_echo(stanza);
        return stripped;
    }
    if stanza.name != "message" {
        return stripped;
    }
    let has_body = stanza.child(NS_CLIENT, "body").is_some();
    if rules.xhtml == Carry::Drop && has_body && stanza.child(NS_XHTML_IM, "html").is_some() {
        stanza.retain_children(|child| !child.is(NS_XHTML_IM, "html"));
        stripped.push(Reason::Xhtml);
    }
    // `active` beside a text is how a client says that it knows chat states (XEP-0085 section 4.1): it rides along.
    let notifies = |child: &Element| child.ns == NS_CHAT_STATES && child.name != "active";
    if rules.chat_states == Carry::Drop && !is_chat_state(stanza) && stanza.children().any(notifies)
    {
        stanza.retain_children(|child| !notifies(child));
        stripped.push(Reason::ChatState);
    }
    // XEP-0359 section 4: an id given by the archive of an account is for that account alone.
    if kind(stanza) != "groupchat" {
        let sender = bare(from(stanza)).to_owned();
        stanza.retain_children(|child| {
            let own = child.attr("by") == Some(&sender);
            !(own && (child.is(NS_SID, "stanza-id") || child.is(NS_MAM_TMP, "archived")))
        });
    }
    stripped
}

/// An error may repeat what it answers (RFC 6120 section 8.3.1); the sender has it. Presence keeps the echo: clients tell
/// by it that a room refused them (XEP-0045 section 7.2).
fn strip_echo(stanza: &mut Element) {
    let has_error = stanza.child(NS_CLIENT, "error").is_some();
    if stanza.name != "presence" && has_error {
        stanza.retain_children(|child| child.is(NS_CLIENT, "error"));
    }
}

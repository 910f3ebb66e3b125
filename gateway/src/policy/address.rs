//! Parts of a stanza's addresses as they stand. Refuses normalisation (RFC 7622): attachments do it on their edge.

use crate::xml::Element;

/// `local@domain` of a JID.
pub fn bare(jid: &str) -> &str {
    jid.split_once('/').map_or(jid, |(bare, _)| bare)
}

/// The domain of a JID.
pub fn domain(jid: &str) -> &str {
    let bare = bare(jid);
    bare.split_once('@').map_or(bare, |(_, domain)| domain)
}

/// Has it a resource?
pub fn is_full(jid: &str) -> bool {
    jid.contains('/')
}

/// `from` of a stanza, or nothing.
pub fn from(stanza: &Element) -> &str {
    stanza.attr("from").unwrap_or_default()
}

/// `to` of a stanza, or nothing.
pub fn to(stanza: &Element) -> &str {
    stanza.attr("to").unwrap_or_default()
}

/// `id` of a stanza, or nothing.
pub fn id(stanza: &Element) -> &str {
    stanza.attr("id").unwrap_or_default()
}

/// `type` of a stanza, or nothing.
pub fn kind(stanza: &Element) -> &str {
    stanza.attr("type").unwrap_or_default()
}

/// Is it one of the three, with a domain at both ends?
pub fn is_addressed(stanza: &Element) -> bool {
    let known = ["message", "presence", "iq"].contains(&stanza.name.as_str());
    known && !domain(from(stanza)).is_empty() && !domain(to(stanza)).is_empty()
}

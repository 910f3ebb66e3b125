//! What a stanza means to an endpoint. Refuses to interpret what a board does not act on: that is `Other`, and an
//! iq among it is answered with an error, as RFC 6120 section 8.2.3 demands.

use longwire_codec::stanza::Stanza;

use crate::compose::namespace;

/// A stanza, understood.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Incoming<'a> {
    /// A message with a body: that, and whether a receipt is asked for (XEP-0184).
    Chat(&'a str, bool),
    /// The far client received our message with this id (XEP-0184).
    Receipt(&'a str),
    /// Presence of a type (RFC 6121 section 4.7.1); available if empty.
    Presence(&'a str),
    /// An iq get or set that must be answered.
    Request,
    /// Our stanza came back as an error.
    Error,
    /// Nothing for a board.
    Other,
}

/// Reads a stanza.
pub(crate) fn read<'a>(stanza: Stanza<'_, 'a>) -> Incoming<'a> {
    let kind = stanza.attr("type").unwrap_or_default();
    let (ns, name) = stanza.name();
    match name {
        _ if ns != namespace("a") => Incoming::Other,
        _ if kind == "error" => Incoming::Error,
        "message" => message(stanza),
        "presence" => Incoming::Presence(kind),
        "iq" if kind == "get" || kind == "set" => Incoming::Request,
        _ => Incoming::Other,
    }
}

fn message<'a>(stanza: Stanza<'_, 'a>) -> Incoming<'a> {
    let receipts = namespace("r");
    if let Some(received) = stanza.child(receipts, "received") {
        return Incoming::Receipt(received.attr("id").unwrap_or_default());
    }
    match stanza.child(stanza.name().0, "body") {
        Some(body) => {
            let asks = stanza.child(receipts, "request").is_some();
            Incoming::Chat(body.text(), asks)
        }
        None => Incoming::Other,
    }
}

/// First value of the field `var` of a submitted form (XEP-0004 section 3.2).
pub(crate) fn field<'a>(form: Stanza<'_, 'a>, var: &str) -> Option<&'a str> {
    let ns = form.name().0;
    for field in form.children() {
        if field.is(ns, "field") && field.attr("var") == Some(var) {
            return field.child(ns, "value").map(|value| value.text());
        }
    }
    None
}

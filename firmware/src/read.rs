//! What a stanza means to an endpoint. Refuses to interpret what a board does not act on: that is `Other`, and an
//! iq among it is answered with an error, as RFC 6120 section 8.2.3 demands.

use longwire_codec::stanza::Stanza;

use crate::compose::{
    NS_CLIENT, NS_COMMANDS, NS_DATA, NS_DISCO_INFO, NS_DISCO_ITEMS, NS_GEOLOC, NS_PING, NS_PUBSUB,
    NS_RECEIPTS, NS_VERSION,
};

/// A stanza, understood.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Incoming<'t, 'a> {
    /// A message with a body.
    Chat {
        /// Its text.
        body: &'a str,
        /// The id a receipt must name, if one is asked for (XEP-0184).
        receipt_for: Option<&'a str>,
    },
    /// The far client received the message with this id (XEP-0184).
    Receipt {
        /// Id of our message.
        id: &'a str,
    },
    /// Presence of any type (RFC 6121 section 4.7.1); available if `None`.
    Presence {
        /// `subscribe`, `unavailable`, `probe`, ...
        kind: Option<&'a str>,
    },
    /// An iq get or set that must be answered.
    Request(Request<'t, 'a>),
    /// A stanza that came back as an error, with its id.
    Error {
        /// Id of our stanza.
        id: Option<&'a str>,
    },
    /// Nothing for a board.
    Other,
}

/// An iq get or set an endpoint knows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Request<'t, 'a> {
    /// XEP-0199.
    Ping,
    /// XEP-0030 info, of this node.
    DiscoInfo(Option<&'a str>),
    /// XEP-0030 items, of this node.
    DiscoItems(Option<&'a str>),
    /// XEP-0092.
    Version,
    /// Items of a PEP node of ours (XEP-0060 section 6.5).
    Items(&'a str),
    /// XEP-0050.
    Command {
        /// Which command.
        node: &'a str,
        /// `execute` if not said otherwise.
        action: &'a str,
        /// The form, if one was submitted.
        form: Option<Stanza<'t, 'a>>,
    },
    /// Anything else.
    Unknown,
}

/// Reads a stanza.
pub fn read<'t, 'a>(stanza: Stanza<'t, 'a>) -> Incoming<'t, 'a> {
    let kind = stanza.attr("type");
    if kind == Some("error") {
        return Incoming::Error {
            id: stanza.attr("id"),
        };
    }
    match stanza.name() {
        (NS_CLIENT, "message") => message(stanza),
        (NS_CLIENT, "presence") => Incoming::Presence { kind },
        (NS_CLIENT, "iq") if matches!(kind, Some("get" | "set")) => {
            Incoming::Request(request(stanza))
        }
        _ => Incoming::Other,
    }
}

fn message<'t, 'a>(stanza: Stanza<'t, 'a>) -> Incoming<'t, 'a> {
    if let Some(received) = stanza.child(NS_RECEIPTS, "received") {
        return received
            .attr("id")
            .map_or(Incoming::Other, |id| Incoming::Receipt { id });
    }
    match stanza.child(NS_CLIENT, "body") {
        Some(body) => {
            let asked = stanza.child(NS_RECEIPTS, "request");
            Incoming::Chat {
                body: body.text(),
                receipt_for: asked.and_then(|_| stanza.attr("id")),
            }
        }
        None => Incoming::Other,
    }
}

fn request<'t, 'a>(stanza: Stanza<'t, 'a>) -> Request<'t, 'a> {
    let Some(payload) = stanza.children().next() else {
        return Request::Unknown;
    };
    match payload.name() {
        (NS_PING, "ping") => Request::Ping,
        (NS_DISCO_INFO, "query") => Request::DiscoInfo(payload.attr("node")),
        (NS_DISCO_ITEMS, "query") => Request::DiscoItems(payload.attr("node")),
        (NS_VERSION, "query") => Request::Version,
        (NS_PUBSUB, "pubsub") => {
            let items = payload.child(NS_PUBSUB, "items");
            items
                .and_then(|items| items.attr("node"))
                .map_or(Request::Unknown, Request::Items)
        }
        (NS_COMMANDS, "command") => match payload.attr("node") {
            Some(node) => Request::Command {
                node,
                action: payload.attr("action").unwrap_or("execute"),
                form: payload.child(NS_DATA, "x"),
            },
            None => Request::Unknown,
        },
        _ => Request::Unknown,
    }
}

/// First value of the field `var` of a submitted form (XEP-0004 section 3.2).
pub fn field<'a>(form: Stanza<'_, 'a>, var: &str) -> Option<&'a str> {
    let field = form
        .children()
        .find(|child| child.is(NS_DATA, "field") && child.attr("var") == Some(var))?;
    field.child(NS_DATA, "value").map(|value| value.text())
}

/// Node of the geolocation an endpoint publishes.
pub const GEOLOC_NODE: &str = NS_GEOLOC;

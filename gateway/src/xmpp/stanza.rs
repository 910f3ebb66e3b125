//! Replies and errors that follow from a stanza, as RFC 6120 section 8 wants them. Refuses to know what is in them.

use jid::Jid;

use crate::xml::{Element, NS_CLIENT, NS_STANZA_ERROR};

/// What the sender of a failed stanza should do (RFC 6120 section 8.3.2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ErrorKind {
    /// Authenticate and try again.
    Auth,
    /// Do not try again.
    Cancel,
    /// Change what was sent.
    Modify,
    /// Try again later.
    Wait,
}

impl ErrorKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Cancel => "cancel",
            Self::Modify => "modify",
            Self::Wait => "wait",
        }
    }
}

/// Is this a message, presence or iq?
pub fn is_stanza(element: &Element) -> bool {
    element.ns == NS_CLIENT && matches!(element.name.as_str(), "message" | "presence" | "iq")
}

/// Address in an attribute, if it is a valid one.
pub fn address(stanza: &Element, attr: &str) -> Option<Jid> {
    stanza.attr(attr).and_then(|text| Jid::new(text).ok())
}

/// The domain in an address attribute, normalised.
pub fn domain(stanza: &Element, attr: &str) -> Option<String> {
    address(stanza, attr).map(|jid| jid.domain().as_str().to_owned())
}

/// An empty iq result from where `request` went to.
pub fn result(request: &Element) -> Element {
    turned(request, "iq", "result")
}

/// The error reply to `stanza`. `None` if there must be none: it is itself an error or an answer (RFC 6120
/// section 8.3.1).
pub fn error(stanza: &Element, kind: ErrorKind, condition: &str, text: &str) -> Option<Element> {
    let type_ = stanza.attr("type").unwrap_or_default();
    if type_ == "error" || !is_stanza(stanza) || stanza.name == "iq" && type_ == "result" {
        return None;
    }
    let mut error = Element::new(NS_CLIENT, "error")
        .with_attr("type", kind.as_str())
        .with_child(Element::new(NS_STANZA_ERROR, condition));
    if !text.is_empty() {
        let text = Element::new(NS_STANZA_ERROR, "text").with_text(text);
        error.push(text);
    }
    Some(turned(stanza, &stanza.name, "error").with_child(error))
}

fn turned(stanza: &Element, name: &str, type_: &str) -> Element {
    let mut reply = Element::new(NS_CLIENT, name).with_attr("type", type_);
    for (there, here) in [("to", "from"), ("from", "to"), ("id", "id")] {
        if let Some(value) = stanza.attr(there) {
            reply.set_attr(here, value);
        }
    }
    reply
}

//! Writes a stanza node by node without an allocator. Refuses to format XML: the codec takes the tape as it is.

use longwire_codec::stanza::{Arena, ArenaFull, Node, Stanza};

use crate::text::Text;

/// Namespace of stanzas (RFC 6120 section 4.8.2).
pub const NS_CLIENT: &str = "jabber:client";
/// XEP-0184.
pub const NS_RECEIPTS: &str = "urn:xmpp:receipts";
/// XEP-0199.
pub const NS_PING: &str = "urn:xmpp:ping";
/// XEP-0030.
pub const NS_DISCO_INFO: &str = "http://jabber.org/protocol/disco#info";
/// XEP-0030.
pub const NS_DISCO_ITEMS: &str = "http://jabber.org/protocol/disco#items";
/// XEP-0004.
pub const NS_DATA: &str = "jabber:x:data";
/// XEP-0050, and the disco node of its list.
pub const NS_COMMANDS: &str = "http://jabber.org/protocol/commands";
/// XEP-0080, and the name of its PEP node.
pub const NS_GEOLOC: &str = "http://jabber.org/protocol/geoloc";
/// XEP-0060 section 7.
pub const NS_PUBSUB_EVENT: &str = "http://jabber.org/protocol/pubsub#event";
/// XEP-0060.
pub const NS_PUBSUB: &str = "http://jabber.org/protocol/pubsub";
/// RFC 6120 section 8.3.3.
pub const NS_STANZA_ERRORS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";
/// XEP-0092.
pub const NS_VERSION: &str = "jabber:iq:version";
/// XEP-0122.
pub const NS_VALIDATE: &str = "http://jabber.org/protocol/xdata-validate";

/// The stanza does not fit the tape or the arena it is written to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Full;

impl From<ArenaFull> for Full {
    fn from(_: ArenaFull) -> Self {
        Self
    }
}

/// A stanza being written. Methods chain; an overflow is remembered and reported by [`Self::finish`].
#[derive(Debug)]
pub struct Compose<'t, 'a, 'r> {
    tape: &'t mut [Node<'a>],
    arena: &'r mut Arena<'a>,
    len: usize,
    depth: usize,
    full: bool,
}

impl<'t, 'a, 'r> Compose<'t, 'a, 'r> {
    /// Writes nodes to `tape` and formatted strings to `arena`.
    pub fn new(tape: &'t mut [Node<'a>], arena: &'r mut Arena<'a>) -> Self {
        Self {
            tape,
            arena,
            len: 0,
            depth: 0,
            full: false,
        }
    }

    fn push(&mut self, node: Node<'a>) -> &mut Self {
        match self.tape.get_mut(self.len) {
            Some(place) => {
                *place = node;
                self.len += 1;
            }
            None => self.full = true,
        }
        self
    }

    /// Opens an element.
    pub fn open(&mut self, ns: &'a str, name: &'a str) -> &mut Self {
        self.depth += 1;
        self.push(Node::Open { ns, name })
    }

    /// An attribute of the element opened last.
    pub fn attr(&mut self, name: &'a str, value: &'a str) -> &mut Self {
        self.push(Node::Attr {
            ns: "",
            name,
            value,
        })
    }

    /// An attribute if there is a value.
    pub fn attr_if(&mut self, name: &'a str, value: Option<&'a str>) -> &mut Self {
        match value {
            Some(value) => self.attr(name, value),
            None => self,
        }
    }

    /// Character data; nothing if empty.
    pub fn text(&mut self, text: &'a str) -> &mut Self {
        if text.is_empty() {
            self
        } else {
            self.push(Node::Text(text))
        }
    }

    /// Text written into the arena; empty if it does not fit, and remembered.
    fn keep(&mut self, write: &dyn Fn(&mut Text<'_>)) -> &'a str {
        let mut written = Text::new(self.arena.free());
        write(&mut written);
        let len = written.whole();
        let text = len.and_then(|len| self.arena.take(len));
        self.full |= text.is_none();
        text.unwrap_or("")
    }

    /// Character data written into the arena.
    pub fn text_with(&mut self, write: &dyn Fn(&mut Text<'_>)) -> &mut Self {
        let text = self.keep(write);
        self.text(text)
    }

    /// An attribute written into the arena.
    pub fn attr_with(&mut self, name: &'a str, write: &dyn Fn(&mut Text<'_>)) -> &mut Self {
        let value = self.keep(write);
        self.attr(name, value)
    }

    /// Closes the element opened last.
    pub fn close(&mut self) -> &mut Self {
        debug_assert!(self.depth > 0, "closed more than was opened");
        self.depth = self.depth.saturating_sub(1);
        self.push(Node::Close)
    }

    /// An empty element.
    pub fn empty(&mut self, ns: &'a str, name: &'a str) -> &mut Self {
        self.open(ns, name).close()
    }

    /// An element with text.
    pub fn leaf(&mut self, ns: &'a str, name: &'a str, text: &'a str) -> &mut Self {
        self.open(ns, name).text(text).close()
    }

    /// An element with text that is written into the arena.
    pub fn leaf_with(
        &mut self,
        ns: &'a str,
        name: &'a str,
        write: &dyn Fn(&mut Text<'_>),
    ) -> &mut Self {
        self.open(ns, name).text_with(write).close()
    }

    /// A field of a data form (XEP-0004 section 3.2).
    pub fn field(&mut self, var: &'a str, write: &dyn Fn(&mut Text<'_>)) -> &mut Self {
        self.open(NS_DATA, "field")
            .attr("var", var)
            .leaf_with(NS_DATA, "value", write)
            .close()
    }

    /// Closes what is open and hands the stanza over.
    ///
    /// # Errors
    /// `Full` if anything was left out for want of room.
    pub fn finish(&mut self) -> Result<Stanza<'_, 'a>, Full> {
        while self.depth > 0 && !self.full {
            self.close();
        }
        if self.full {
            return Err(Full);
        }
        let nodes = self.tape.get(..self.len);
        nodes.and_then(Stanza::new).ok_or(Full)
    }
}

/// Whom a stanza is for and from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Addressed<'a> {
    /// The board.
    pub from: &'a str,
    /// The other side.
    pub to: &'a str,
}

impl<'a> Addressed<'a> {
    /// Opens a stanza: `message`, `presence` or `iq`, with its type and id where there are any.
    pub fn stanza<'c, 't, 'r>(
        &self,
        compose: &'c mut Compose<'t, 'a, 'r>,
        name: &'a str,
        kind: Option<&'a str>,
        id: Option<&'a str>,
    ) -> &'c mut Compose<'t, 'a, 'r> {
        compose
            .open(NS_CLIENT, name)
            .attr("from", self.from)
            .attr("to", self.to)
            .attr_if("type", kind)
            .attr_if("id", id)
    }
}

/// A chat message, asking for a receipt (XEP-0184) when `id` is given.
///
/// # Errors
/// [`Full`].
pub fn chat<'c, 'a>(
    compose: &'c mut Compose<'_, 'a, '_>,
    who: Addressed<'a>,
    id: Option<&'a str>,
    body: &'a str,
) -> Result<Stanza<'c, 'a>, Full> {
    who.stanza(compose, "message", Some("chat"), id)
        .leaf(NS_CLIENT, "body", body);
    if id.is_some() {
        compose.empty(NS_RECEIPTS, "request");
    }
    compose.finish()
}

/// The receipt for message `id` (XEP-0184).
///
/// # Errors
/// [`Full`].
pub fn receipt<'c, 'a>(
    compose: &'c mut Compose<'_, 'a, '_>,
    who: Addressed<'a>,
    id: &'a str,
) -> Result<Stanza<'c, 'a>, Full> {
    who.stanza(compose, "message", Some("chat"), None)
        .open(NS_RECEIPTS, "received")
        .attr("id", id);
    compose.finish()
}

/// Presence, with what `<show/>` and `<status/>` say (RFC 6121 section 4.7.2).
///
/// # Errors
/// [`Full`].
pub fn presence<'c, 'a>(
    compose: &'c mut Compose<'_, 'a, '_>,
    who: Addressed<'a>,
    kind: Option<&'a str>,
    status: Option<&'a str>,
) -> Result<Stanza<'c, 'a>, Full> {
    who.stanza(compose, "presence", kind, None);
    if let Some(status) = status {
        compose.leaf(NS_CLIENT, "status", status);
    }
    compose.finish()
}

/// A position: WGS 84, in units of 1e-7 degree.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Position {
    /// North positive.
    pub lat_e7: i32,
    /// East positive.
    pub lon_e7: i32,
}

impl Position {
    /// Whether latitude and longitude are within 90 and 180 degrees.
    pub const fn is_on_earth(self) -> bool {
        self.lat_e7.unsigned_abs() <= 900_000_000 && self.lon_e7.unsigned_abs() <= 1_800_000_000
    }
}

/// Writes decimal degrees without trailing zeros.
pub fn degrees(text: &mut Text<'_>, e7: i32) {
    text.fixed(e7, 7, 1);
}

/// Adds `<geoloc/>` (XEP-0080) with `lat` and `lon`.
pub fn geoloc(compose: &mut Compose<'_, '_, '_>, position: Position) {
    compose
        .open(NS_GEOLOC, "geoloc")
        .leaf_with(NS_GEOLOC, "lat", &|text| degrees(text, position.lat_e7))
        .leaf_with(NS_GEOLOC, "lon", &|text| degrees(text, position.lon_e7))
        .close();
}

/// The PEP event that carries a position (XEP-0080 section 5, XEP-0163 section 4).
///
/// # Errors
/// [`Full`].
pub fn position_event<'c, 'a>(
    compose: &'c mut Compose<'_, 'a, '_>,
    who: Addressed<'a>,
    position: Position,
) -> Result<Stanza<'c, 'a>, Full> {
    who.stanza(compose, "message", Some("headline"), None)
        .open(NS_PUBSUB_EVENT, "event")
        .open(NS_PUBSUB_EVENT, "items")
        .attr("node", NS_GEOLOC)
        .open(NS_PUBSUB_EVENT, "item")
        .attr("id", "current");
    geoloc(compose, position);
    compose.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chat_asks_for_a_receipt() {
        let mut strings = [0; 64];
        let mut arena = Arena::new(&mut strings);
        let mut tape = [Node::Close; 16];
        let mut compose = Compose::new(&mut tape, &mut arena);
        let who = Addressed {
            from: "buoy@field.example",
            to: "romeo@base.example",
        };
        let stanza = chat(&mut compose, who, Some("a1"), "wind 12 kn").expect("fits");
        assert_eq!(stanza.attr("to"), Some("romeo@base.example"));
        assert!(stanza.nodes().contains(&Node::Text("wind 12 kn")));
        assert!(stanza.nodes().contains(&Node::Open {
            ns: NS_RECEIPTS,
            name: "request"
        }));
    }

    #[test]
    fn what_does_not_fit_is_refused_whole() {
        let mut strings = [0; 8];
        let mut arena = Arena::new(&mut strings);
        let mut tape = [Node::Close; 30];
        let mut compose = Compose::new(&mut tape, &mut arena);
        let who = Addressed {
            from: "a@b",
            to: "c@d",
        };
        let position = Position {
            lat_e7: 593_293_235,
            lon_e7: 180_685_808,
        };
        assert_eq!(position_event(&mut compose, who, position), Err(Full));
    }
}

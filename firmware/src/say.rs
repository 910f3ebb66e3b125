//! Everything a board says, as data. Refuses to decide when: that is the endpoint's.

use longwire_codec::stanza::Stanza;
use longwire_codec::value::time::{LEN_MAX, Time};

use crate::compose::{
    self, Addressed, Compose, Full, NS_COMMANDS, NS_DATA, NS_DISCO_INFO, NS_DISCO_ITEMS, NS_GEOLOC,
    NS_PING, NS_PUBSUB, NS_RECEIPTS, NS_STANZA_ERRORS, NS_VALIDATE, NS_VERSION, Position, degrees,
};
use crate::endpoint::{Reading, Readings, Value};
use crate::text::Text;

/// What `disco#info` and `version` say the board is.
pub const SOFTWARE: &str = "Longwire";
/// Version of the firmware.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Commands of XEP-0050 that base can run: node and name.
pub const COMMANDS: [(&str, &str); 3] = [
    ("read", "Read sensors"),
    ("set", "Set status"),
    ("reboot", "Restart"),
];

/// A stanza to be.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Say<'s> {
    /// A chat that asks for a receipt.
    Chat {
        /// Recipient.
        to: &'s str,
        /// Id the receipt will name.
        id: &'s str,
        /// Text.
        body: &'s str,
    },
    /// XEP-0184.
    Receipt {
        /// Recipient.
        to: &'s str,
        /// Id of their message.
        id: &'s str,
    },
    /// Presence of any type.
    Presence {
        /// Recipient.
        to: &'s str,
        /// Type; available if `None`.
        kind: Option<&'s str>,
        /// Status text.
        status: Option<&'s str>,
    },
    /// The PEP event with our position.
    Position {
        /// Recipient.
        to: &'s str,
        /// Where we are.
        position: Position,
    },
    /// The answer to an iq.
    Result {
        /// Recipient.
        to: &'s str,
        /// Id of the request.
        id: Option<&'s str>,
        /// What is in it.
        answer: Answer<'s>,
    },
    /// An error (RFC 6120 section 8.3).
    Error {
        /// `iq` or `message`.
        name: &'s str,
        /// Recipient.
        to: &'s str,
        /// Id of the stanza it answers.
        id: Option<&'s str>,
        /// `cancel`, `wait`, ...
        kind: &'s str,
        /// Defined condition.
        condition: &'s str,
    },
}

/// What the result of an iq carries.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Answer<'s> {
    /// Nothing: ping (XEP-0199).
    Empty,
    /// XEP-0030 about the board.
    Info,
    /// XEP-0030 about one of the commands.
    CommandInfo(&'s str),
    /// XEP-0030: no items.
    NoItems,
    /// XEP-0030: the commands (XEP-0050 section 3.2).
    CommandItems,
    /// XEP-0092.
    Version,
    /// The position, as a PEP item.
    Position(Position),
    /// A form to fill in for the command `set`.
    SetForm,
    /// A command was given up (XEP-0050 section 3.4).
    Cancelled(&'s str),
    /// What the command `read` read, as a data form of type result.
    Readings {
        /// The sensors.
        readings: &'s Readings<'s>,
        /// The position, if there is one.
        position: Option<Position>,
    },
    /// A command is done.
    Done {
        /// Which.
        node: &'s str,
        /// A note for the person who ran it.
        note: &'s str,
    },
}

impl<'s> Say<'s> {
    /// Composes the stanza.
    ///
    /// # Errors
    /// [`Full`].
    pub fn compose<'c, 'a>(
        &'a self,
        from: &'a str,
        compose: &'c mut Compose<'_, 'a, '_>,
    ) -> Result<Stanza<'c, 'a>, Full> {
        let who = |to: &'a str| Addressed { from, to };
        match *self {
            Self::Chat { to, id, body } => compose::chat(compose, who(to), Some(id), body),
            Self::Receipt { to, id } => compose::receipt(compose, who(to), id),
            Self::Presence { to, kind, status } => {
                compose::presence(compose, who(to), kind, status)
            }
            Self::Position { to, position } => compose::position_event(compose, who(to), position),
            Self::Result { to, id, ref answer } => {
                who(to).stanza(compose, "iq", Some("result"), id);
                answer.compose(from, compose);
                compose.finish()
            }
            Self::Error {
                name,
                to,
                id,
                kind,
                condition,
            } => {
                who(to)
                    .stanza(compose, name, Some("error"), id)
                    .open(compose::NS_CLIENT, "error")
                    .attr("type", kind)
                    .empty(NS_STANZA_ERRORS, condition);
                compose.finish()
            }
        }
    }
}

impl<'s> Answer<'s> {
    fn compose<'a>(&'a self, from: &'a str, compose: &mut Compose<'_, 'a, '_>) {
        match *self {
            Self::Empty => {}
            Self::Info => info(compose),
            Self::CommandInfo(node) => {
                let name = COMMANDS
                    .iter()
                    .find(|(known, _)| *known == node)
                    .map_or(node, |(_, name)| name);
                compose.open(NS_DISCO_INFO, "query").attr("node", node);
                identity(compose, "automation", "command-node", name);
                for var in [NS_COMMANDS, NS_DATA] {
                    feature(compose, var);
                }
                compose.close();
            }
            Self::NoItems => {
                compose.empty(NS_DISCO_ITEMS, "query");
            }
            Self::CommandItems => {
                compose
                    .open(NS_DISCO_ITEMS, "query")
                    .attr("node", NS_COMMANDS);
                for (node, name) in COMMANDS {
                    compose
                        .open(NS_DISCO_ITEMS, "item")
                        .attr("jid", from)
                        .attr("node", node)
                        .attr("name", name)
                        .close();
                }
                compose.close();
            }
            Self::Version => {
                compose
                    .open(NS_VERSION, "query")
                    .leaf(NS_VERSION, "name", SOFTWARE)
                    .leaf(NS_VERSION, "version", VERSION)
                    .close();
            }
            Self::Position(position) => {
                compose
                    .open(NS_PUBSUB, "pubsub")
                    .open(NS_PUBSUB, "items")
                    .attr("node", NS_GEOLOC);
                compose.open(NS_PUBSUB, "item").attr("id", "current");
                compose::geoloc(compose, position);
                compose.close().close().close();
            }
            Self::SetForm => set_form(compose),
            Self::Cancelled(node) => {
                command(compose, node, "canceled");
                compose.close();
            }
            Self::Readings { readings, position } => form(compose, readings, position),
            Self::Done { node, note } => {
                command(compose, node, "completed");
                compose
                    .open(NS_COMMANDS, "note")
                    .attr("type", "info")
                    .text(note)
                    .close()
                    .close();
            }
        }
    }
}

fn identity<'a>(
    compose: &mut Compose<'_, 'a, '_>,
    category: &'a str,
    kind: &'a str,
    name: &'a str,
) {
    compose
        .open(NS_DISCO_INFO, "identity")
        .attr("category", category)
        .attr("type", kind)
        .attr("name", name)
        .close();
}

fn feature<'a>(compose: &mut Compose<'_, 'a, '_>, var: &'a str) {
    compose
        .open(NS_DISCO_INFO, "feature")
        .attr("var", var)
        .close();
}

fn info(compose: &mut Compose<'_, '_, '_>) {
    compose.open(NS_DISCO_INFO, "query");
    identity(compose, "client", "bot", SOFTWARE);
    for var in [
        NS_DISCO_INFO,
        NS_DISCO_ITEMS,
        NS_COMMANDS,
        NS_GEOLOC,
        NS_PING,
        NS_RECEIPTS,
        NS_VERSION,
    ] {
        feature(compose, var);
    }
    compose.close();
}

/// Opens `<command/>`. The board keeps nothing between two steps, so all runs of a command are one session.
fn command<'a>(compose: &mut Compose<'_, 'a, '_>, node: &'a str, status: &'a str) {
    compose
        .open(NS_COMMANDS, "command")
        .attr("node", node)
        .attr("sessionid", node)
        .attr("status", status);
}

fn set_form(compose: &mut Compose<'_, '_, '_>) {
    command(compose, "set", "executing");
    compose
        .open(NS_COMMANDS, "actions")
        .empty(NS_COMMANDS, "complete")
        .close();
    compose.open(NS_DATA, "x").attr("type", "form");
    for (var, label) in [
        ("status", "Status text"),
        ("position", "Latitude and longitude, degrees"),
    ] {
        compose
            .open(NS_DATA, "field")
            .attr("var", var)
            .attr("type", "text-single")
            .attr("label", label)
            .close();
    }
    compose.close().close();
}

/// The readings with the parts that XEP-0323 gives a field (section 4.1): a name is `var`, a unit follows it in the label, the
/// kind is the field's type or datatype (XEP-0122), and the time they were taken at stands before them.
fn form<'a>(
    compose: &mut Compose<'_, 'a, '_>,
    readings: &'a Readings<'a>,
    position: Option<Position>,
) {
    command(compose, "read", "completed");
    compose.open(NS_DATA, "x").attr("type", "result");
    if let Some(Position { lat_e7, lon_e7 }) = position {
        compose.field("lat", &|text| degrees(text, lat_e7));
        compose.field("lon", &|text| degrees(text, lon_e7));
    }
    if readings.at_s > 0 {
        compose.open(NS_DATA, "field").attr("type", "fixed");
        compose
            .leaf_with(NS_DATA, "value", &|text| time(text, readings.at_s))
            .close();
    }
    for reading in readings.iter() {
        let Reading { name, value, unit } = *reading;
        let kind = match value {
            Value::Switch(_) => Some("boolean"),
            Value::Choice(_) => Some("list-single"),
            _ => None,
        };
        compose
            .open(NS_DATA, "field")
            .attr("var", name)
            .attr_if("type", kind);
        if !unit.is_empty() {
            compose.attr_with("label", &|text| _ = text.str(name).str(", ").str(unit));
        }
        if let Value::Milli(_) = value {
            compose.open(NS_VALIDATE, "validate");
            compose.attr("datatype", "xs:decimal").close();
        }
        compose
            .leaf_with(NS_DATA, "value", &|text| {
                match value {
                    Value::Milli(value) => text.fixed(value, 3, 1),
                    Value::Switch(true) => text.char('1'),
                    Value::Switch(false) => text.char('0'),
                    Value::Text(value) | Value::Choice(value) => text.str(value),
                };
            })
            .close();
    }
    compose.close().close();
}

/// A moment as XEP-0082 writes it.
fn time(text: &mut Text<'_>, at_s: u32) {
    let mut octets = [0; LEN_MAX];
    let written = Time::at(at_s).write(&mut octets);
    text.str(core::str::from_utf8(written).unwrap_or(""));
}

//! Everything a board says, as forms. Refuses to decide when: that is the endpoint's.

use longwire_codec::link::Priority;
use longwire_codec::value::time::{LEN_MAX, Time};

use crate::endpoint::{Position, Reading, Readings, Value};
use crate::text::{Text, line};

/// Commands of XEP-0050 that base can run: node, name, and the form of the answer.
pub(crate) static COMMANDS: [(&str, &str, Form); 3] = [
    ("read", "Read sensors", Form::Readings),
    ("set", "Set status", Form::Fields),
    ("reboot", "Restart", Form::Done),
];

/// Which stanza. Records on flash hold the number, so new ones come last.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Form {
    /// A chat that asks for a receipt: id, text.
    Chat,
    /// XEP-0184: id of their message.
    Receipt,
    /// Presence of a type (RFC 6121 section 4.7.1): type.
    Presence,
    /// Presence: we are here: status text.
    Here,
    /// The PEP event with our position (XEP-0080 section 5, XEP-0163 section 4): latitude, longitude.
    Position,
    /// A chat that finds no room (RFC 6120 section 8.3): its id.
    Refusal,
    /// The answer to an iq that is an error: id, condition.
    Error,
    /// An answer without contents, as to a ping (XEP-0199): id. All others are answers too and begin so.
    Empty,
    /// XEP-0092.
    Version,
    /// XEP-0030 about the board.
    Info,
    /// XEP-0030 about one of the commands: node, name.
    CommandInfo,
    /// XEP-0030: no items.
    NoItems,
    /// XEP-0030: the commands (XEP-0050 section 3.2): node and name of each.
    CommandItems,
    /// The position as a PEP item: latitude, longitude.
    Item,
    /// The form of the command `set`. The board keeps nothing between two steps, so all runs of a command are one session.
    Fields,
    /// A command was given up (XEP-0050 section 3.4): node.
    Cancelled,
    /// A command is done: node, name, for the person who ran it.
    Done,
    /// What the command `read` read, with the parts that XEP-0323 gives a field (section 4.1). Of each field: `var`, type,
    /// label, anything if it is a decimal number (XEP-0122), value.
    Readings,
}

/// A line for each, in their order.
static FORMS: &str = concat!(
    "<message|type=chat|id=?|<body|=?|>|<r:request
<message|type=chat|<r:received|id=?
<presence|type=?
<presence|(|<status|=.|>|)
<message|type=headline|<e:event|<items|node=:g|<item|id=current|<g:geoloc|<lat|=?|>|<lon|=?
<message|type=error|id=?|<error|type=wait|<s:resource-constraint
<iq|type=error|id=?|<error|type=cancel|<s:?
|
|<v:query|<name|=Longwire|>|<version|=",
    env!("CARGO_PKG_VERSION"),
    "
|<i:query|<identity|category=client|type=bot|name=Longwire|>\
|<feature|var=:i|>|<feature|var=:j|>|<feature|var=:c|>|<feature|var=:g|>|<feature|var=:q|>\
|<feature|var=:r|>|<feature|var=:v
|<i:query|node=?|<identity|category=automation|type=command-node|name=?|>\
|<feature|var=:c|>|<feature|var=:x
|<j:query
|<j:query|node=:c|*|<item|jid=!|node=?|name=?|>
|<p:pubsub|<items|node=:g|<item|id=current|<g:geoloc|<lat|=?|>|<lon|=?
|<c:command|node=set|sessionid=set|status=executing|<actions|<complete|>|>|<x:x|type=form\
|<field|var=status|type=text-single|label=Status text|>\
|<field|var=position|type=text-single|label=Latitude and longitude, degrees
|<c:command|node=?|sessionid=.|status=canceled
|<c:command|node=?|sessionid=.|status=completed|<note|type=info|=?
|<c:command|node=read|sessionid=read|status=completed|<x:x|type=result|*\
|<x:field|var=?|type=?|label=?|(|<d:validate|datatype=xs:decimal|>|)|<x:value|=?|>|>"
);

/// The form with this number, as it lies on flash; none for another.
pub(crate) fn form(number: u8) -> &'static str {
    line(FORMS, number.into())
}

impl Form {
    /// What goes on the air first: talk, or what can be said again later.
    pub(crate) fn priority(self) -> Priority {
        match self {
            Self::Here | Self::Position => Priority::Presence,
            _ => Priority::Chat,
        }
    }
}

/// The fields of [`Form::Readings`]: where the board is, and when the readings were taken, stand before them.
pub(crate) fn readings(say: &mut Text<'_>, readings: &Readings<'_>, position: Option<Position>) {
    let unit = "";
    let degrees = |name, value| {
        let value = Value::Degrees(value);
        Reading { name, value, unit }
    };
    let (name, value) = ("", Value::Time(readings.at_s));
    let known = [
        position.map(|at| degrees("lat", at.lat_e7)),
        position.map(|at| degrees("lon", at.lon_e7)),
        (readings.at_s > 0).then_some(Reading { name, value, unit }),
    ];
    fields(say, &known);
    fields(say, &readings.slots);
}

#[inline(never)]
fn fields(say: &mut Text<'_>, readings: &[Option<Reading<'_>>]) {
    for reading in readings.iter().flatten() {
        field(say, reading);
    }
}

/// A unit follows the name in the label.
fn field(say: &mut Text<'_>, reading: &Reading<'_>) {
    let Reading { name, value, unit } = *reading;
    let (kind, text, places) = match value {
        Value::Milli(_) => ("", "", 3),
        Value::Degrees(_) => ("", "", 7),
        Value::Text(text) => ("", text, 0),
        Value::Choice(text) => ("list-single", text, 0),
        Value::Switch(is_on) => ("boolean", if is_on { "1" } else { "0" }, 0),
        Value::Time(_) => ("fixed", "", 0),
    };
    say.item(name).item(kind);
    if !unit.is_empty() {
        say.str(name).str(", ").str(unit);
    }
    say.end().item(if places > 0 { "1" } else { "" });
    match value {
        Value::Milli(value) | Value::Degrees(value) => _ = say.fixed(value, places),
        // As XEP-0082 writes it.
        Value::Time(at_s) => _ = say.octets(Time::at(at_s).write(&mut [0; LEN_MAX])),
        _ => {}
    }
    say.item(text);
}

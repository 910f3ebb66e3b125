//! Stanzas of several kinds, as base passes them on to a board. Refuses to be typical: what is seldom together in one
//! goes deepest.

use longwire_codec::stanza::Node;

type Nodes = &'static [Node<'static>];

/// One of each.
pub const ALL: [Nodes; 5] = [ROOM, PRESENCE, FORM, ARCHIVE, STRANGE];

const CLIENT: &str = "jabber:client";

const fn open(ns: &'static str, name: &'static str) -> Node<'static> {
    Node::Open { ns, name }
}

const fn attr(name: &'static str, value: &'static str) -> Node<'static> {
    Node::Attr {
        ns: "",
        name,
        value,
    }
}

/// What somebody says in a room.
const ROOM: Nodes = &[
    open(CLIENT, "message"),
    attr("from", "harbour@rooms.base.example/Skipper Anna"),
    attr("to", "buoy@field.example"),
    attr("id", "7f1f8a2e-3b0c-4d63-9a55-1c9b6f0de2a4"),
    attr("type", "groupchat"),
    open(CLIENT, "body"),
    Node::Text("Ebb sets in at 14:20, who wants to come along? Förmodligen blåser det."),
    Node::Close,
    open("urn:xmpp:occupant-id:0", "occupant-id"),
    attr("id", "Kx3m0ZrVdP6TtHqYyJc1sW9uFb2aLg8e"),
    Node::Close,
    open("urn:xmpp:sid:0", "origin-id"),
    attr("id", "7f1f8a2e-3b0c-4d63-9a55-1c9b6f0de2a4"),
    Node::Close,
    open("urn:xmpp:sid:0", "stanza-id"),
    attr("by", "harbour@rooms.base.example"),
    attr("id", "1763640000123456"),
    Node::Close,
    Node::Close,
];

/// Presence with capabilities and the hash of a picture.
const PRESENCE: Nodes = &[
    open(CLIENT, "presence"),
    attr("from", "romeo@base.example/phone"),
    attr("to", "buoy@field.example"),
    open(CLIENT, "show"),
    Node::Text("away"),
    Node::Close,
    open(CLIENT, "status"),
    Node::Text("back at the pier in an hour"),
    Node::Close,
    open("http://jabber.org/protocol/caps", "c"),
    attr("hash", "sha-1"),
    attr("node", "https://client.example/"),
    attr("ver", "q07IKJEyjvHSyhy//CH0CxmKi8w="),
    Node::Close,
    open("vcard-temp:x:update", "x"),
    open("vcard-temp:x:update", "photo"),
    Node::Text("01b87fcd030b72895ff8e88db57ec525450f000d"),
    Node::Close,
    Node::Close,
    open("urn:xmpp:idle:1", "idle"),
    attr("since", "2026-11-20T14:03:59.250Z"),
    Node::Close,
    Node::Close,
];

/// A form to fill in.
const FORM: Nodes = &[
    open(CLIENT, "iq"),
    attr("from", "romeo@base.example/phone"),
    attr("to", "buoy@field.example"),
    attr("id", "prof_cmd_12"),
    attr("type", "set"),
    open("http://jabber.org/protocol/commands", "command"),
    attr("node", "set"),
    attr("sessionid", "20261120T140359-x8"),
    attr("action", "complete"),
    open("jabber:x:data", "x"),
    attr("type", "submit"),
    open("jabber:x:data", "field"),
    attr("var", "interval"),
    open("jabber:x:data", "value"),
    Node::Text("-300"),
    Node::Close,
    Node::Close,
    open("jabber:x:data", "field"),
    attr("var", "calibration"),
    open("jabber:x:data", "value"),
    Node::Text("1013.250417"),
    Node::Close,
    Node::Close,
    Node::Close,
    Node::Close,
    Node::Close,
];

/// An earlier message out of an archive.
const ARCHIVE: Nodes = &[
    open(CLIENT, "message"),
    attr("from", "buoy@field.example"),
    attr("to", "buoy@field.example"),
    open("urn:xmpp:mam:2", "result"),
    attr("id", "0190b2cb-7f63-7d5e-8a40-9d52f7a0e3c1"),
    attr("queryid", "f27"),
    open("urn:xmpp:forward:0", "forwarded"),
    open("urn:xmpp:delay", "delay"),
    attr("stamp", "2026-11-19T08:15:30Z"),
    Node::Close,
    open(CLIENT, "message"),
    attr("from", "juliet@base.example/balcony"),
    attr("to", "buoy@field.example"),
    attr("id", "purple50f8358a"),
    attr("type", "chat"),
    open(CLIENT, "body"),
    Node::Text("> Wind is 12 knots from the west\nIt turned north, come in"),
    Node::Close,
    open("urn:xmpp:reply:0", "reply"),
    attr("to", "buoy@field.example"),
    attr("id", "b1"),
    Node::Close,
    Node::Close,
    Node::Close,
    Node::Close,
    Node::Close,
];

/// Names and values no dictionary has.
const STRANGE: Nodes = &[
    open(CLIENT, "iq"),
    attr("from", "pump-7f3a.site.example/a8Xw2"),
    attr("to", "buoy@field.example"),
    attr("id", "q-0190b2cb-7f63-4d5e-8a40-9d52f7a0e3c1"),
    attr("type", "set"),
    open("urn:example:pump:3", "valve"),
    attr("serial", "AZ-0017-993"),
    attr("open", "0.375"),
    open("urn:example:pump:3", "key"),
    Node::Text("c2Vjb25kIHJlZWYgaW4gdGhlIG1haW5zYWls"),
    Node::Close,
    Node::Close,
    Node::Close,
];

//! Stanzas by chance: known and unknown names, values of every type and of none.

use longwire_codec::stanza::{NS_XML, Node, Stanza};
use tests::dice::Dice;

/// A node with its strings.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Owned {
    Open(String, String),
    Attr(String, String, String),
    Text(String),
    Close,
}

/// The nodes with borrowed strings.
pub(crate) fn nodes(tape: &[Owned]) -> Vec<Node<'_>> {
    let borrowed = tape.iter().map(|node| match node {
        Owned::Open(ns, name) => Node::Open { ns, name },
        Owned::Attr(ns, name, value) => Node::Attr { ns, name, value },
        Owned::Text(text) => Node::Text(text),
        Owned::Close => Node::Close,
    });
    borrowed.collect()
}

/// A copy, with the attributes of each element in one order.
pub(crate) fn canonical(stanza: Stanza<'_, '_>) -> Vec<Owned> {
    let mut out: Vec<Owned> = Vec::new();
    let mut head = 0;
    for node in stanza.nodes() {
        out.push(match *node {
            Node::Open { ns, name } => {
                head = out.len() + 1;
                Owned::Open(ns.into(), name.into())
            }
            Node::Attr { ns, name, value } => Owned::Attr(ns.into(), name.into(), value.into()),
            Node::Text(text) => Owned::Text(text.into()),
            Node::Close => Owned::Close,
        });
        if matches!(node, Node::Attr { .. }) {
            out[head..].sort();
        }
    }
    out
}

fn pick<'a>(dice: &mut Dice, list: &[&'a str]) -> &'a str {
    list[dice.below(list.len())]
}

fn letters(dice: &mut Dice, alphabet: &str, len: usize) -> String {
    let alphabet: Vec<char> = alphabet.chars().collect();
    (0..len)
        .map(|_| alphabet[dice.below(alphabet.len())])
        .collect()
}

const HEX: &str = "0123456789abcdef";
const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn uuid(dice: &mut Dice) -> String {
    let part: Vec<String> = [8, 4, 4, 4, 12].map(|len| letters(dice, HEX, len)).to_vec();
    part.join("-")
}

fn jid(dice: &mut Dice) -> String {
    let local = pick(
        dice,
        &["romeo@", "juliet@", "nurse@", "", "d'artagnan@", "łucja@"],
    );
    let domain = pick(
        dice,
        &["ship.example", "shore.example", "rooms.shore.example"],
    );
    let tail = letters(dice, HEX, 6);
    let resource = pick(
        dice,
        &["", "/deck", "/Conversations.", "/gajim.", "/a/b@c ", "/🐎"],
    );
    let random = matches!(resource, "/Conversations." | "/gajim.");
    format!(
        "{local}{domain}{resource}{}",
        if random { &tail } else { "" }
    )
}

/// A value of some type, or nearly of it.
fn value(dice: &mut Dice) -> String {
    let mut text = match dice.below(16) {
        0 => uuid(dice),
        1 => uuid(dice).to_uppercase(),
        2 | 3 => jid(dice),
        4 => {
            let len = 1 + dice.below(40);
            letters(dice, HEX, len)
        }
        5 => {
            let len = 4 * dice.below(30);
            letters(dice, BASE64, len) + pick(dice, &["", "=", "=="])
        }
        6 => dice.below(1 << 20).to_string(),
        7 => format!("-{}.{:03}", dice.below(200), dice.below(1000)),
        8 => format!(
            "2026-0{}-1{}T12:00:0{}Z",
            1 + dice.below(9),
            dice.below(10),
            dice.below(10)
        ),
        9 => format!("2026-01-01T00:00:00.{:06}+00:00", dice.below(1_000_000)),
        10 => pick(
            dice,
            &["chat", "groupchat", "urn:xmpp:ping", "true", "en", "away"],
        )
        .into(),
        11 => pick(
            dice,
            &[
                "", " ", "\n\t", "0", "-", "=", "@", "a@", "/", "00", "1e9", "lw-1",
            ],
        )
        .into(),
        12 => pick(
            dice,
            &[
                "Wherefore art thou?",
                "日本語のテキスト",
                "🌹🌹",
                "ß\u{301}",
                "a  b",
            ],
        )
        .into(),
        13 => {
            let len = dice.below(300);
            letters(dice, "abc é<>&'\"中🌹\r\n", len)
        }
        14 => format!("http://shore.example/{}", letters(dice, HEX, 40)),
        _ => letters(dice, BASE64, 24),
    };
    // Nearly: one character more.
    if dice.below(6) == 0 {
        text.push_str(pick(dice, &["x", " ", "=", "0", "\u{10ffff}"]));
    }
    text
}

const NAMES: &[(&str, &str)] = &[
    ("jabber:client", "body"),
    ("jabber:client", "thread"),
    ("urn:xmpp:sid:0", "origin-id"),
    ("urn:xmpp:sid:0", "stanza-id"),
    ("urn:xmpp:receipts", "received"),
    ("urn:xmpp:receipts", "request"),
    ("urn:xmpp:delay", "delay"),
    ("http://jabber.org/protocol/disco#info", "feature"),
    ("http://jabber.org/protocol/pubsub#event", "item"),
    ("urn:xmpp:mam:2", "result"),
    ("jabber:x:data", "value"),
    ("urn:unheard:of", "thing"),
    ("urn:unheard:of", "dïng"),
    ("jabber:client", "unheard-of"),
    ("", "naked"),
];

const ATTRIBUTES: &[(&str, &str)] = &[
    ("", "id"),
    ("", "from"),
    ("", "to"),
    ("", "type"),
    ("", "var"),
    ("", "node"),
    ("", "stamp"),
    (NS_XML, "lang"),
    ("", "unheard-of"),
    ("urn:unheard:of", "id"),
];

fn element(dice: &mut Dice, (ns, name): (&str, &str), depth: usize, out: &mut Vec<Owned>) {
    out.push(Owned::Open(ns.into(), name.into()));
    for (ns, name) in ATTRIBUTES {
        if dice.below(4) == 0 {
            out.push(Owned::Attr((*ns).into(), (*name).into(), value(dice)));
        }
    }
    let mut after_text = false;
    for _ in 0..dice.below(if depth < 4 { 5 } else { 1 }) {
        if dice.below(3) == 0 && !after_text {
            let text = value(dice);
            // White space where none belongs may be dropped; that is tried elsewhere.
            after_text = !text.trim().is_empty();
            if after_text {
                out.push(Owned::Text(text));
            }
        } else {
            let name = NAMES[dice.below(NAMES.len())];
            element(dice, name, depth + 1, out);
            after_text = false;
        }
    }
    out.push(Owned::Close);
}

/// A stanza.
pub(crate) fn stanza(dice: &mut Dice) -> Vec<Owned> {
    let mut out = Vec::new();
    let name = pick(dice, &["message", "presence", "iq"]);
    element(dice, ("jabber:client", name), 1, &mut out);
    out
}

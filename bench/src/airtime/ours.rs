//! What Longwire sends for the same stanzas, decoded again and compared. Refuses to count a packet that does not come
//! out as it went in.

use std::collections::HashMap;

use longwire::xml::{Child, Element};
use longwire_codec::link::PacketNumber;
use longwire_codec::session::{Ids, Options, Profile, Session, What};
use longwire_codec::stanza::{Arena, Node, Stanza};
use longwire_dictionaries::V1_HOST;

use super::data::{Line, Side};
use super::spent::Spent;

/// Octets of the largest packet and of the strings of the largest stanza.
const PACKET_MAX: usize = 1 << 20;
/// Nodes of the largest stanza.
const NODES_MAX: usize = 1 << 14;

/// Elements whose text is an id.
const ID_TEXTS: [&str; 6] = ["thread", "first", "last", "before", "after", "id"];

/// Attributes that hold an id.
const ID_ATTRIBUTES: [&str; 5] = ["id", "queryid", "thread", "sid", "previd"];

/// One way to run the codec.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mode {
    /// Aliases are kept from packet to packet, each acknowledged before the next.
    pub(crate) session: bool,
    /// What becomes of ids.
    pub(crate) ids: Ids,
}

impl Mode {
    /// All ways, in the order of the columns.
    pub(crate) const ALL: [Self; 4] = [
        Self {
            session: false,
            ids: Ids::Preserve,
        },
        Self {
            session: false,
            ids: Ids::Short,
        },
        Self {
            session: true,
            ids: Ids::Preserve,
        },
        Self {
            session: true,
            ids: Ids::Short,
        },
    ];
    /// Column of packets that stand alone, with short ids.
    pub(crate) const ALONE_SHORT: usize = 1;
    /// Column of the session that preserves ids.
    pub(crate) const SESSION_PRESERVE: usize = 2;
    /// Column of the session with short ids: what a link does by default.
    pub(crate) const SESSION_SHORT: usize = 3;

    /// Heading of the column.
    pub(crate) fn name(&self) -> String {
        let session = if self.session { "session" } else { "alone" };
        let ids = if self.ids == Ids::Short {
            "short"
        } else {
            "preserve"
        };
        format!("Longwire {session}, ids {ids}")
    }
}

/// One end: its codec, and what the ids of the recording are called here.
struct End {
    codec: Session<'static, Vec<u8>>,
    names: HashMap<String, String>,
    sent: u32,
}

impl End {
    fn new(tag: &str) -> Result<Self, String> {
        let storage = vec![0; Profile::HOST.storage_len()];
        let codec =
            Session::new(&V1_HOST, Profile::HOST, storage).map_err(|error| format!("{error:?}"))?;
        Ok(Self {
            codec: codec.with_tag(tag),
            names: HashMap::new(),
            sent: 0,
        })
    }
}

/// One stanza as it was sent.
#[derive(Clone, Copy, Default)]
pub(crate) struct Packet {
    /// Octets of it.
    pub(crate) octets: f64,
    /// What its bits were spent on.
    pub(crate) spent: Spent,
}

/// The packet for each stanza of one session, both directions over one link. A stanza that does not come out
/// as it went in counts as its XML and is named in `failures`.
///
/// # Errors
/// The codec could not be set up.
pub(crate) fn packets(
    lines: &[Line],
    mode: Mode,
    failures: &mut Vec<String>,
) -> Result<Vec<Packet>, String> {
    let ends = || Ok::<_, String>([End::new("c")?, End::new("s")?]);
    let mut link = ends()?;
    let mut room = Room {
        packet: vec![0; PACKET_MAX],
        strings: vec![0; PACKET_MAX],
    };
    let mut packets = Vec::with_capacity(lines.len());
    for (at, line) in lines.iter().enumerate() {
        if !mode.session {
            link = ends()?;
        }
        let [client, server] = &mut link;
        let (from, to) = if line.side == Side::Client {
            (client, server)
        } else {
            (server, client)
        };
        let sent = send(&line.element, mode.ids, from, to, &mut room);
        packets.push(sent.unwrap_or_else(|error| {
            let (mode, kind) = (mode.name(), line.kind);
            failures.push(format!("stanza {at}, {kind}, {mode}: {error}"));
            from.codec.abandon(PacketNumber::new(from.sent));
            Packet {
                octets: line.xml.len() as f64,
                ..Packet::default()
            }
        }));
    }
    Ok(packets)
}

struct Room {
    packet: Vec<u8>,
    strings: Vec<u8>,
}

fn send(
    recorded: &Element,
    ids: Ids,
    from: &mut End,
    to: &mut End,
    room: &mut Room,
) -> Result<Packet, String> {
    let mut element = recorded.clone();
    rename(&mut element, &from.names);
    let mut tape = Vec::new();
    element.tape(&mut tape);
    let stanza = Stanza::new(&tape).ok_or("not a stanza")?;
    from.sent += 1;
    let number = PacketNumber::new(from.sent);
    let options = Options {
        ids,
        ..Options::default()
    };
    let mut spent = Spent::default();
    let tell = |what: What<'_>, cost| spent.add(what, cost);
    let explained = from.codec.explain(number, stanza, options, tell);
    explained.map_err(|error| format!("explain: {error:?}"))?;
    let encoded = from.codec.encode(number, stanza, options, &mut room.packet);
    let len = encoded.map_err(|error| format!("encode: {error:?}"))?;
    let mut arena = Arena::new(&mut room.strings);
    let mut nodes = vec![Node::Close; NODES_MAX];
    let decoded = to
        .codec
        .decode(number, &room.packet[..len], &mut arena, &mut nodes);
    let decoded = decoded.map_err(|error| format!("decode: {error:?}"))?;
    let arrived = Element::from_stanza(decoded).map_err(|error| error.to_string())?;
    let names = if ids == Ids::Short {
        Some(&mut to.names)
    } else {
        None
    };
    compare(&element, recorded, &arrived, names)?;
    from.codec.acknowledge(number);
    let octets = len as f64;
    Ok(Packet { octets, spent })
}

/// Puts the names this end knows in place of the recorded ids.
fn rename(element: &mut Element, names: &HashMap<String, String>) {
    for attr in &mut element.attrs {
        if let Some(name) = names.get(&attr.value) {
            attr.value.clone_from(name);
        }
    }
    for child in &mut element.children {
        match child {
            Child::Element(child) => rename(child, names),
            Child::Text(text) => {
                if let Some(name) = names.get(text) {
                    text.clone_from(name);
                }
            }
        }
    }
}

/// Checks that `arrived` is `sent`; ids may differ if `names` is given, and are noted there under the recorded ones.
fn compare(
    sent: &Element,
    recorded: &Element,
    arrived: &Element,
    mut names: Option<&mut HashMap<String, String>>,
) -> Result<(), String> {
    let shape = (&sent.ns, &sent.name, sent.attrs.len(), sent.children.len());
    if shape
        != (
            &arrived.ns,
            &arrived.name,
            arrived.attrs.len(),
            arrived.children.len(),
        )
    {
        return Err(format!(
            "<{}/> came out as <{}/>",
            sent.to_xml(""),
            arrived.to_xml("")
        ));
    }
    let mut value = |sent: &str, recorded: &str, arrived: &str, id: bool| match &mut names {
        _ if sent == arrived => Ok(()),
        Some(names) if id => {
            names.insert(recorded.to_owned(), arrived.to_owned());
            Ok(())
        }
        _ => Err(format!("{sent:?} came out as {arrived:?}")),
    };
    for (sent, recorded) in sent.attrs.iter().zip(&recorded.attrs) {
        let found = arrived.attr_ns(&sent.ns, &sent.name);
        let arrived = found.ok_or_else(|| format!("attribute {} lost", sent.name))?;
        value(
            &sent.value,
            &recorded.value,
            arrived,
            ID_ATTRIBUTES.contains(&sent.name.as_str()),
        )?;
    }
    for ((sent, recorded), arrived) in sent
        .children
        .iter()
        .zip(&recorded.children)
        .zip(&arrived.children)
    {
        match (sent, recorded, arrived) {
            (Child::Text(sent), Child::Text(recorded), Child::Text(arrived)) => value(
                sent,
                recorded,
                arrived,
                ID_TEXTS.contains(&shape.1.as_str()),
            )?,
            (Child::Element(_), Child::Element(_), Child::Element(_)) => {}
            _ => return Err("text and elements changed places".to_owned()),
        }
    }
    let children = sent
        .children()
        .zip(recorded.children())
        .zip(arrived.children());
    for ((sent, recorded), arrived) in children {
        compare(sent, recorded, arrived, names.as_deref_mut())?;
    }
    Ok(())
}

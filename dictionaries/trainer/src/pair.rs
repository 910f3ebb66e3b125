//! Two ends of a link over captured sessions: what one end writes the other reads, acknowledges and, with short ids,
//! knows under other names from then on. Refuses loss and reordering; the tests of the codec have those.

use crate::log::Logged;
use crate::xml::Tape;
use longwire_codec::dictionary::Dictionary;
use longwire_codec::link::PacketNumber;
use longwire_codec::session::{Options, Profile, Session};
use longwire_codec::stanza::{Arena, Node, Stanza};
use std::collections::{HashMap, VecDeque};

/// Octets of the largest packet and of the strings of the largest stanza.
const ROOM: usize = 1 << 20;

/// Storage on the heap.
pub type End<'d> = Session<'d, Vec<u8>>;

/// See the module.
#[derive(Debug)]
pub struct Pair<'d> {
    ends: [End<'d>; 2],
    /// What the ids of the capture are called at each end.
    names: [HashMap<String, String>; 2],
    sent: [u32; 2],
    /// Packets whose acknowledgement is still under way.
    unheard: VecDeque<(usize, PacketNumber)>,
    lag: usize,
    packet: Vec<u8>,
    strings: Vec<u8>,
}

/// Why a stanza did not cross.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lost(pub String);

impl<'d> Pair<'d> {
    /// Two ends that remember nothing yet; each acknowledgement arrives `lag` packets after its packet.
    pub fn new(dictionary: &'d Dictionary<'d>, profile: Profile, lag: usize) -> Self {
        let end = |tag| {
            let storage = vec![0; profile.storage_len()];
            // The storage is as large as the profile asks for.
            let session = Session::new(dictionary, profile, storage).expect("sized");
            session.with_tag(tag)
        };
        Self {
            ends: [end("c"), end("s")],
            names: [HashMap::new(), HashMap::new()],
            sent: [0; 2],
            unheard: VecDeque::new(),
            lag,
            packet: vec![0; ROOM],
            strings: vec![0; ROOM],
        }
    }

    /// Sends a stanza across, after `look` had a look at the end that writes it; returns the octets of its packet.
    ///
    /// # Errors
    /// What kept it from coming out at the other end.
    pub fn send(
        &mut self,
        logged: &Logged,
        options: Options,
        look: impl FnOnce(&mut End<'d>, PacketNumber, Stanza<'_, '_>),
    ) -> Result<usize, Lost> {
        let from = usize::from(!logged.from_client);
        let to = 1 - from;
        let dictionary = self.ends[from].dictionary();
        let recorded = logged.tape.canonical(dictionary);
        let names = &self.names[from];
        let sent = recorded.map_values(|value| names.get(value).map_or(value, |it| it).to_owned());
        let nodes = sent.nodes();
        let stanza = Stanza::new(&nodes).ok_or_else(|| Lost("not a stanza".to_owned()))?;
        self.sent[from] += 1;
        let number = PacketNumber::new(self.sent[from]);
        look(&mut self.ends[from], number, stanza);
        let written = self.ends[from].encode(number, stanza, options, &mut self.packet);
        let len = written.map_err(|error| Lost(error.to_string()))?;
        let mut tape = vec![Node::Close; nodes.len()];
        let mut arena = Arena::new(&mut self.strings);
        let read = self.ends[to]
            .decode(number, &self.packet[..len], &mut arena, &mut tape)
            .map_err(|error| Lost(error.to_string()))?;
        let arrived = Tape::of(read.nodes()).canonical(dictionary);
        learn_names(&recorded, &sent, &arrived, &mut self.names[to])?;
        self.unheard.push_back((from, number));
        while self.unheard.len() > self.lag {
            if let Some((end, number)) = self.unheard.pop_front() {
                self.ends[end].acknowledge(number);
            }
        }
        Ok(len)
    }
}

/// Attributes and elements that hold ids: only their values may differ at the other end.
const IDS: [&str; 10] = [
    "id", "queryid", "thread", "sid", "previd", "first", "last", "before", "after", "item",
];

/// Notes what differs as the new name of what was recorded.
fn learn_names(
    recorded: &Tape,
    sent: &Tape,
    arrived: &Tape,
    names: &mut HashMap<String, String>,
) -> Result<(), Lost> {
    let wrong = || Lost(format!("{sent:?} came out as {arrived:?}"));
    let tapes = [recorded, sent, arrived].map(Tape::nodes);
    let [recorded, sent, arrived] = tapes.each_ref().map(|nodes| nodes.iter());
    if sent.len() != arrived.len() {
        return Err(wrong());
    }
    let mut element = "";
    for ((recorded, sent), arrived) in recorded.zip(sent).zip(arrived) {
        let (place, recorded, arrived) = match (recorded, sent, arrived) {
            (_, sent, arrived) if sent == arrived => {
                if let Node::Open { name, .. } = sent {
                    element = name;
                }
                continue;
            }
            (Node::Text(recorded), Node::Text(_), Node::Text(arrived)) => {
                (element, recorded, arrived)
            }
            (
                Node::Attr { value, .. },
                Node::Attr { name, .. },
                Node::Attr {
                    name: n, value: v, ..
                },
            ) if name == n => (*name, value, v),
            _ => return Err(wrong()),
        };
        if !IDS.contains(&place) {
            return Err(wrong());
        }
        names.insert((*recorded).to_owned(), (*arrived).to_owned());
    }
    Ok(())
}

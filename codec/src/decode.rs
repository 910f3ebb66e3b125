//! A packet to a stanza. Total: any octets give a stanza or an error, in time and space the caller's buffers bound.

use core::fmt;

use crate::alias::recent::{Next, Use};
use crate::alias::template::{Cursor, Recorder};
use crate::dictionary::Dictionary;
use crate::encode::{
    EXTENDED, STORE, STORE_NEXT, STORE_SAME, STORE_SLOT, packet_contexts, store_contexts, tokens,
};
use crate::entropy::Coder;
use crate::entropy::range::Decoder;
use crate::features::Deciding;
use crate::link::PacketNumber;
use crate::session::choose::SKETCH_LEN;
use crate::session::memory::Direction;
use crate::session::staged::Staged;
use crate::session::walk::{Memory, Scribe, Walk};
use crate::session::{Session, Stored, TAG_MAX};
use crate::stanza::{Arena, Node, Stanza};
use crate::structure::lexicon::{Symbol, element};
use crate::structure::trail::{Level, Trail};
use crate::structure::{flag, number as code_number};
use crate::value::{Fault, is_xml_name, is_xml_text};

/// Why a packet was not read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum DecodeError {
    /// No stanza is written like this.
    Malformed,
    /// Written in a way this version does not know.
    Version,
    /// The strings do not fit the arena.
    ArenaFull,
    /// The nodes do not fit the tape.
    TapeFull,
    /// Nested deeper than [`Stanza::DEPTH_MAX`].
    TooDeep,
    /// Refers to something this end does not remember.
    Unknown,
    /// Contains a character XML does not allow, or a name that is none.
    Characters,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "not a packet",
            Self::Version => "a packet of a later version",
            Self::ArenaFull => "the stanza's text does not fit",
            Self::TapeFull => "too many nodes in the stanza",
            Self::TooDeep => "nested too deep",
            Self::Unknown => "refers to what is not remembered here",
            Self::Characters => "contains what XML does not allow",
        })
    }
}

impl core::error::Error for DecodeError {}

impl From<Fault> for DecodeError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Malformed => Self::Malformed,
            Fault::ArenaFull => Self::ArenaFull,
            Fault::TapeFull => Self::TapeFull,
            Fault::TooDeep => Self::TooDeep,
            Fault::Unknown => Self::Unknown,
            Fault::Characters => Self::Characters,
        }
    }
}

/// What is left to do once a stanza is read.
struct Read {
    packet: Use,
    stored: Option<Stored>,
    nodes: usize,
}

impl<'d, S: AsRef<[u8]> + AsMut<[u8]>> Session<'d, S> {
    /// Reads the link's packet `number`. Strings go to `arena`, nodes to `tape`.
    ///
    /// # Errors
    /// See [`DecodeError`]; the session is then as before, the arena is not.
    pub fn decode<'t, 'a>(
        &mut self,
        number: PacketNumber,
        packet: &[u8],
        arena: &mut Arena<'a>,
        tape: &'t mut [Node<'a>],
    ) -> Result<Stanza<'t, 'a>, DecodeError>
    where
        'd: 'a,
    {
        let number = number.get();
        let mut decoder = Decoder::new(packet);
        let mut deciding: Deciding<'_, '_, dyn Coder + '_> = Deciding {
            coder: &mut decoder,
            features: self.features,
        };
        let mut staged = Staged::new();
        let read = self.read(&mut deciding, number, arena, tape, &mut staged)?;
        let nodes = tape.get(..read.nodes).ok_or(DecodeError::TapeFull)?;
        let stanza = Stanza::new(nodes).ok_or(DecodeError::Malformed)?;
        self.commit(Direction::Received, number, &staged, read.stored);
        self.received.add(number, read.packet, true);
        self.latest_received = self.latest_received.max(number);
        Ok(stanza)
    }

    fn read<'a, D: Scribe>(
        &mut self,
        d: &mut D,
        number: u32,
        arena: &mut Arena<'a>,
        tape: &mut [Node<'a>],
        staged: &mut Staged<'a>,
    ) -> Result<Read, DecodeError>
    where
        'd: 'a,
    {
        let dictionary: &'a Dictionary<'a> = self.dictionary;
        let mut tag = [0; TAG_MAX];
        let tag = self.copy_tag(&mut tag);
        let shelves = self
            .layout
            .shelves(self.storage.as_mut(), Direction::Received, true);
        if flag(d, &packet_contexts(0), EXTENDED, false) {
            return Err(DecodeError::Version);
        }
        let said = self.received.code(d, number, None, false);
        let (template, next) = said.ok_or(DecodeError::Malformed)?;
        if let Some(slot) = template
            && shelves.templates.get(slot).is_none()
        {
            return Err(DecodeError::Unknown);
        }
        if let Some(sketch) = shelves.scratch.get_mut(..SKETCH_LEN) {
            sketch.fill(0);
        }
        let mut levels = [Level::NONE; Stanza::DEPTH_MAX + 1];
        let mut walk = Walk {
            d,
            dictionary,
            memory: Memory {
                strings: shelves.strings,
                writer_ids: shelves.received_ids,
                reader_ids: shelves.sent_ids,
                writer_bodies: shelves.received_bodies,
                reader_bodies: shelves.sent_bodies,
                next_ids: [self.next_ids[1], self.next_ids[0]],
                tag,
                reader_latest: self.latest_sent,
                pending: None,
                short_ids: false,
            },
            text: self.text.as_ref(),
            number,
            trail: Trail::new(&mut levels, next.choice),
            cursor: Cursor::new(tokens(shelves.templates, template)),
            recorder: Recorder::new(shelves.scratch.get_mut(SKETCH_LEN..).unwrap_or(&mut [])),
            staged,
            next,
            marks: next.marks,
            fresh: false,
            from: 0,
            to: 0,
            referred: None,
            arena,
        };
        let nodes = read_nodes(&mut walk, tape)?;
        let len = walk
            .recorder
            .finish()
            .map(|tokens| tokens.len() + SKETCH_LEN);
        let slot = read_store(walk.d, &walk.trail, template, next)?;
        let root = match nodes_root(tape) {
            Some((ns, name)) => element(dictionary, ns, name).key(),
            None => return Err(DecodeError::Malformed),
        };
        let stored = match (slot, len) {
            (Some(slot), Some(len)) if slot < shelves.templates.slots() => {
                Some(Stored { slot, len, root })
            }
            (Some(_), _) => return Err(DecodeError::Malformed),
            (None, _) => None,
        };
        let packet = Use {
            slot: slot.or(template),
            strings: walk.staged.next_string(),
            kind: walk.trail.kind(),
            from: walk.from,
            to: walk.to,
            marks: walk.marks,
            fresh: walk.fresh,
        };
        Ok(Read {
            packet,
            stored,
            nodes,
        })
    }
}

fn nodes_root<'a>(tape: &[Node<'a>]) -> Option<(&'a str, &'a str)> {
    match tape.first() {
        Some(Node::Open { ns, name }) => Some((ns, name)),
        _ => None,
    }
}

#[inline(never)]
fn read_store<D: Scribe>(
    d: &mut D,
    trail: &Trail<'_>,
    template: Option<u16>,
    next: Next,
) -> Result<Option<u16>, DecodeError> {
    let contexts = store_contexts(trail, template);
    if !flag(d, &contexts, STORE, false) {
        return Ok(None);
    }
    if template.is_some() && flag(d, &contexts, STORE_SAME, false) {
        return Ok(template);
    }
    if flag(d, &contexts, STORE_NEXT, false) {
        return Ok(Some(next.template));
    }
    let slot = code_number(d, &packet_contexts(0), STORE_SLOT, 0);
    let slot = u16::try_from(slot).map_err(|_| DecodeError::Malformed)?;
    Ok(Some(slot))
}

/// Reads one element; returns the number of nodes.
fn read_nodes<'a, D: Scribe>(
    walk: &mut Walk<'_, 'a, D>,
    tape: &mut [Node<'a>],
) -> Result<usize, DecodeError> {
    let mut count = 0;
    let mut head = 0;
    loop {
        let symbol = walk.symbol(None)?;
        if count == 0 && !matches!(symbol, Symbol::Element(_) | Symbol::OtherElement(..)) {
            return Err(DecodeError::Malformed);
        }
        let node = node(walk, symbol)?;
        match node {
            Node::Open { .. } => head = count,
            Node::Attr { ns, name, .. } => {
                let twice = tape.get(head..count).unwrap_or(&[]).iter().any(|other| {
                    matches!(other, Node::Attr { ns: n, name: m, .. } if *n == ns && *m == name)
                });
                if twice {
                    return Err(DecodeError::Malformed);
                }
            }
            Node::Text(text) => {
                let again = count > 0 && matches!(tape.get(count - 1), Some(Node::Text(_)));
                if text.is_empty() || again {
                    return Err(DecodeError::Malformed);
                }
            }
            Node::Close => {}
        }
        *tape.get_mut(count).ok_or(DecodeError::TapeFull)? = node;
        count += 1;
        if walk.trail.depth() == 0 {
            return Ok(count);
        }
    }
}

/// The node a symbol stands for, with its value.
fn node<'a, D: Scribe>(
    walk: &mut Walk<'_, 'a, D>,
    symbol: Symbol<'a>,
) -> Result<Node<'a>, DecodeError> {
    let dictionary = walk.dictionary;
    let named = |(ns, name): (u16, &'a str)| {
        let ns = dictionary
            .namespaces
            .get(ns)
            .ok_or(DecodeError::Malformed)?;
        Ok::<_, DecodeError>((ns, name))
    };
    Ok(match symbol {
        Symbol::Element(id) => {
            let found = dictionary.elements.get(id).ok_or(DecodeError::Malformed)?;
            let (ns, name) = named(found)?;
            Node::Open { ns, name }
        }
        Symbol::OtherElement(ns, name) => {
            check(is_xml_text(ns) && is_xml_name(name))?;
            Node::Open { ns, name }
        }
        Symbol::Attribute(id) => {
            let found = dictionary
                .attributes
                .get(id)
                .ok_or(DecodeError::Malformed)?;
            let (ns, name) = named(found)?;
            let value = walk.value(symbol, None)?;
            check(is_xml_text(value))?;
            Node::Attr { ns, name, value }
        }
        Symbol::OtherAttribute(ns, name) => {
            check(is_xml_text(ns) && is_xml_name(name))?;
            let value = walk.value(symbol, None)?;
            check(is_xml_text(value))?;
            Node::Attr { ns, name, value }
        }
        Symbol::Text => {
            let text = walk.value(symbol, None)?;
            check(is_xml_text(text))?;
            Node::Text(text)
        }
        Symbol::Close => Node::Close,
    })
}

fn check(fine: bool) -> Result<(), DecodeError> {
    fine.then_some(()).ok_or(DecodeError::Characters)
}

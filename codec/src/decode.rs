//! A packet to a stanza. Total: any octets give a stanza or an error, in time and space the caller's buffers bound.

use core::fmt;

use crate::entropy::Coder;
use crate::entropy::range::Decoder;
use crate::features::Deciding;
use crate::link::PacketNumber;
use crate::session::Session;
use crate::session::cross::Work;
use crate::session::memory::Direction;
use crate::session::staged::Staged;
use crate::session::walk::{Scribe, Walk};
use crate::stanza::{Arena, Node, Stanza};
use crate::structure::lexicon::{Class, Symbol};
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
            Fault::Version => Self::Version,
            Fault::ArenaFull => Self::ArenaFull,
            Fault::TapeFull => Self::TapeFull,
            Fault::TooDeep => Self::TooDeep,
            Fault::Unknown => Self::Unknown,
            Fault::Characters => Self::Characters,
        }
    }
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
        let read = self.cross(&mut deciding, number, Work::Read(tape), arena, &mut staged)?;
        let nodes = tape.get(..read.nodes).ok_or(DecodeError::TapeFull)?;
        let stanza = Stanza::new(nodes).ok_or(DecodeError::Malformed)?;
        self.commit(Direction::Received, number, &staged, read.stored);
        if let Some(packet) = read.packet {
            self.recent[Direction::Received as usize].add(number, packet, true);
        }
        self.note_latest(Direction::Received, number);
        Ok(stanza)
    }
}

/// Reads one element; returns the number of nodes.
///
/// # Errors
/// See [`Fault`].
pub(crate) fn read_nodes<'a, D: Scribe>(
    walk: &mut Walk<'_, 'a, D>,
    tape: &mut [Node<'a>],
) -> Result<usize, Fault> {
    let mut count = 0;
    let mut head = 0;
    loop {
        let symbol = walk.symbol(None)?;
        if count == 0 && !symbol.opens() {
            return Err(Fault::Malformed);
        }
        let node = node(walk, &symbol)?;
        match node {
            Node::Open { .. } => head = count,
            Node::Attr { ns, name, .. } => {
                let twice = tape.get(head..count).unwrap_or(&[]).iter().any(|other| {
                    matches!(other, Node::Attr { ns: n, name: m, .. } if *n == ns && *m == name)
                });
                if twice {
                    return Err(Fault::Malformed);
                }
            }
            Node::Text(text) => {
                let again = count > 0 && matches!(tape.get(count - 1), Some(Node::Text(_)));
                if text.is_empty() || again {
                    return Err(Fault::Malformed);
                }
            }
            Node::Close => {}
        }
        *tape.get_mut(count).ok_or(Fault::TapeFull)? = node;
        count += 1;
        if walk.trail.depth() == 0 {
            return Ok(count);
        }
    }
}

/// The node a symbol stands for, with its value.
fn node<'a, D: Scribe>(walk: &mut Walk<'_, 'a, D>, symbol: &Symbol<'a>) -> Result<Node<'a>, Fault> {
    let (ns, name) = walk.named(symbol)?;
    let ns = match symbol.class {
        Class::Element | Class::Attribute => {
            let ns = walk.dictionary.namespaces.get(ns);
            ns.ok_or(Fault::Malformed)?
        }
        _ => symbol.ns,
    };
    check(!symbol.is_other() || is_xml_text(ns) && is_xml_name(name))?;
    let mut value = || {
        let value = walk.value(symbol, None)?;
        check(is_xml_text(value)).map(|()| value)
    };
    Ok(match symbol.class {
        Class::Element | Class::OtherElement => Node::Open { ns, name },
        Class::Attribute | Class::OtherAttribute => Node::Attr {
            ns,
            name,
            value: value()?,
        },
        Class::Text => Node::Text(value()?),
        Class::Close => Node::Close,
    })
}

fn check(fine: bool) -> Result<(), Fault> {
    fine.then_some(()).ok_or(Fault::Characters)
}

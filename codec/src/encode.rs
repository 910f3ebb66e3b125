//! A stanza to a packet. Refuses what XML refuses: the packet of a malformed stanza is an error, not a surprise at
//! the far end.

use core::fmt;

use crate::alias::recent::Use;
use crate::dictionary::Dictionary;
use crate::entropy::Coder;
use crate::entropy::range::Encoder;
use crate::features::Deciding;
use crate::link::PacketNumber;
use crate::session::cross::{Crossed, Work};
use crate::session::memory::Direction;
use crate::session::staged::Staged;
use crate::session::walk::{Scribe, Walk};
use crate::session::{Options, Session};
use crate::stanza::{Arena, Node, Stanza};
use crate::structure::lexicon::{Symbol, attribute, element};
use crate::value::{Fault, is_xml_name, is_xml_text};

/// Why a stanza was not written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum EncodeError {
    /// The packet does not fit the buffer.
    PacketFull,
    /// Not a stanza XML could carry: a name or character it does not allow, an attribute twice, text in two pieces.
    Malformed,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PacketFull => "the packet does not fit its buffer",
            Self::Malformed => "not well-formed",
        })
    }
}

impl core::error::Error for EncodeError {}

impl From<Fault> for EncodeError {
    fn from(_: Fault) -> Self {
        Self::Malformed
    }
}

impl<'d, S: AsRef<[u8]> + AsMut<[u8]>> Session<'d, S> {
    /// Writes `stanza` into `packet` as the link's packet `number`; returns the length. The same number may be
    /// written again as long as the earlier packet was not sent.
    ///
    /// # Errors
    /// See [`EncodeError`]; the session is then as before.
    pub fn encode(
        &mut self,
        number: PacketNumber,
        stanza: Stanza<'_, '_>,
        options: Options,
        packet: &mut [u8],
    ) -> Result<usize, EncodeError> {
        let number = number.get();
        if self.pending.remove(number) {
            self.forget(number);
        }
        let mut encoder = Encoder::new(packet);
        // Either end is the same code, compiled once.
        let mut deciding: Deciding<'_, '_, dyn Coder + '_> = Deciding {
            coder: &mut encoder,
            features: self.features,
        };
        let mut staged = Staged::new();
        let work = Work::Write(stanza, options);
        let nowhere = &mut Arena::new(&mut []);
        let written = self.cross(&mut deciding, number, work, nowhere, &mut staged)?;
        let len = encoder.finish().map_err(|_| EncodeError::PacketFull)?;
        self.keep(number, &written, &staged, options);
        Ok(len)
    }

    /// Writes `stanza` through any scribe, to learn from it or to explain it, and remembers nothing.
    ///
    /// # Errors
    /// See [`EncodeError`].
    pub fn rehearse<D: Scribe>(
        &mut self,
        scribe: &mut D,
        number: PacketNumber,
        stanza: Stanza<'_, '_>,
        options: Options,
    ) -> Result<(), EncodeError> {
        let work = Work::Write(stanza, options);
        let nowhere = &mut Arena::new(&mut []);
        self.cross(scribe, number.get(), work, nowhere, &mut Staged::new())?;
        Ok(())
    }

    fn keep(&mut self, number: u32, written: &Crossed, staged: &Staged<'_>, options: Options) {
        self.note_latest(Direction::Sent, number);
        let sent = &mut self.recent[Direction::Sent as usize];
        let Some(packet) = written.packet else {
            // Others must not count on this one; but its ids are still answered.
            sent.add(number, Use::default(), false);
            sent.settle(number, false);
            if !options.again {
                self.commit(Direction::Sent, number, staged, None);
            }
            return;
        };
        sent.add(number, packet, false);
        if let Some(slot) = written.template {
            let storage = self.storage.as_mut();
            self.layout.touch_template(storage, slot, number);
        }
        self.commit(Direction::Sent, number, staged, written.stored);
        self.pending.add(number);
    }
}

/// Writes the stanza.
///
/// # Errors
/// See [`Fault`].
pub(crate) fn write_nodes<'x, D: Scribe>(
    walk: &mut Walk<'_, 'x, D>,
    stanza: Stanza<'_, 'x>,
) -> Result<(), Fault> {
    let nodes = stanza.nodes();
    let mut after_text = false;
    for (at, node) in nodes.iter().enumerate() {
        match *node {
            Node::Open { ns, name } => {
                let symbol = element(walk.dictionary, ns, name);
                check(!symbol.is_other() || is_xml_text(ns) && is_xml_name(name))?;
                walk.symbol(Some(&symbol))?;
                write_attributes(walk, nodes.get(at + 1..).unwrap_or(&[]))?;
                after_text = false;
            }
            Node::Attr { .. } => {}
            Node::Text(text) => {
                check(!after_text && !text.is_empty() && is_xml_text(text))?;
                if walk.is_idle_space(text) {
                    continue;
                }
                walk.symbol(Some(&Symbol::TEXT))?;
                walk.value(&Symbol::TEXT, Some(text))?;
                after_text = true;
            }
            Node::Close => {
                walk.symbol(Some(&Symbol::CLOSE))?;
                after_text = false;
            }
        }
    }
    Ok(())
}

fn check(fine: bool) -> Result<(), Fault> {
    fine.then_some(()).ok_or(Fault::Malformed)
}

/// Attributes of an element that are looked up once only; few have more.
const LOOKED_UP: usize = 8;

/// Writes the attributes that begin `nodes`, in the order of the dictionary, unknown ones last.
fn write_attributes<'x, D: Scribe>(
    walk: &mut Walk<'_, 'x, D>,
    nodes: &[Node<'x>],
) -> Result<(), Fault> {
    let is_attribute = |node: &&Node<'_>| matches!(node, Node::Attr { .. });
    let count = nodes.iter().take_while(is_attribute).count();
    let nodes = nodes.get(..count).unwrap_or(&[]);
    let mut looked_up = [Symbol::CLOSE; LOOKED_UP];
    for (place, node) in looked_up.iter_mut().zip(nodes) {
        *place = look_up(walk.dictionary, node);
    }
    // Before all attributes.
    let mut last = Symbol::CLOSE;
    for _ in nodes {
        let mut next: Option<(Symbol<'x>, &Node<'x>)> = None;
        for (at, node) in nodes.iter().enumerate() {
            let symbol = match looked_up.get(at) {
                Some(symbol) => *symbol,
                None => look_up(walk.dictionary, node),
            };
            if last < symbol && next.is_none_or(|(next, _)| symbol < next) {
                next = Some((symbol, node));
            }
        }
        // None if some occur twice.
        let Some((symbol, Node::Attr { value, .. })) = next else {
            return Err(Fault::Malformed);
        };
        check(!symbol.is_other() || is_xml_text(symbol.ns) && is_xml_name(symbol.name))?;
        check(is_xml_text(value))?;
        walk.symbol(Some(&symbol))?;
        walk.value(&symbol, Some(value))?;
        last = symbol;
    }
    Ok(())
}

fn look_up<'x>(dictionary: &Dictionary<'_>, node: &Node<'x>) -> Symbol<'x> {
    match *node {
        Node::Attr { ns, name, .. } => attribute(dictionary, ns, name),
        _ => Symbol::CLOSE,
    }
}

#[cfg(test)]
mod tests;

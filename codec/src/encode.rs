//! A stanza to a packet. Refuses what XML refuses: the packet of a malformed stanza is an error, not a surprise at
//! the far end.

use core::fmt;

use crate::alias::recent::{Next, Use};
use crate::alias::shelf::Shelf;
use crate::alias::template::{Cursor, Recorder};
use crate::dictionary::Dictionary;
use crate::entropy::Coder;
use crate::entropy::range::Encoder;
use crate::features::Deciding;
use crate::link::PacketNumber;
use crate::session::choose::{self, SKETCH_LEN, Sketch};
use crate::session::memory::Direction;
use crate::session::staged::Staged;
use crate::session::walk::{Memory, Scribe, Walk, What};
use crate::session::{Ids, Options, Session, Stored, TAG_MAX};
use crate::stanza::{Arena, Node, Stanza};
use crate::structure::lexicon::{Symbol, attribute, element};
use crate::structure::trail::{Level, Trail};
use crate::structure::{Contexts, flag, number as code_number};
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

pub(crate) const EXTENDED: u32 = 0x456e_0001;
pub(crate) const STORE: u32 = 0x456e_0004;
pub(crate) const STORE_SAME: u32 = 0x456e_0005;
pub(crate) const STORE_SLOT: u32 = 0x456e_0006;
pub(crate) const STORE_NEXT: u32 = 0x456e_0007;

/// Contexts of what is said once for a packet.
pub(crate) fn packet_contexts(part: u32) -> Contexts {
    let mut contexts = Contexts::new();
    contexts.add(&[]);
    contexts.add(&[part]);
    contexts
}

/// What is left to do once a stanza is written.
struct Written {
    template: Option<u16>,
    stored: Option<Stored>,
    /// None if written without memory.
    packet: Option<Use>,
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
        let written = self.write(&mut deciding, number, stanza, options, &mut staged)?;
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
        let mut staged = Staged::new();
        self.write(scribe, number.get(), stanza, options, &mut staged)
            .map(|_| ())
    }

    fn keep(&mut self, number: u32, written: &Written, staged: &Staged<'_>, options: Options) {
        self.latest_sent = self.latest_sent.max(number);
        let Some(packet) = written.packet else {
            // Others must not count on this one; but its ids are still answered.
            self.sent.add(number, Use::default(), false);
            self.sent.settle(number, false);
            if !options.again {
                self.commit(Direction::Sent, number, staged, None);
            }
            return;
        };
        self.sent.add(number, packet, false);
        if let Some(slot) = written.template {
            let storage = self.storage.as_mut();
            self.layout.touch_template(storage, slot, number);
        }
        self.commit(Direction::Sent, number, staged, written.stored);
        self.pending.add(number);
    }

    fn write<'x, D: Scribe>(
        &mut self,
        d: &mut D,
        number: u32,
        stanza: Stanza<'_, 'x>,
        options: Options,
        staged: &mut Staged<'x>,
    ) -> Result<Written, EncodeError>
    where
        'd: 'x,
    {
        let dictionary: &'x Dictionary<'x> = self.dictionary;
        let mut tag = [0; TAG_MAX];
        let tag = self.copy_tag(&mut tag);
        // With too many packets under way, this one is written without memory.
        let memory = !self.pending.is_ahead(number) && !options.again;
        let shelves = self
            .layout
            .shelves(self.storage.as_mut(), Direction::Sent, memory);
        let sketch = Sketch::of(dictionary, stanza);
        let (ns, name) = stanza.name();
        let root = element(dictionary, ns, name).key();
        let template = choose::template(shelves.templates, &sketch, root);
        flag(d, &packet_contexts(0), EXTENDED, false);
        let next = self.sent.code(d, number, template, true);
        let next = next.map_or(Next::default(), |(_, next)| next);
        d.note(What::Packet);
        sketch.write(shelves.scratch);
        let mut levels = [Level::NONE; Stanza::DEPTH_MAX + 1];
        let mut walk = Walk {
            d,
            dictionary,
            memory: Memory {
                strings: shelves.strings,
                writer_ids: shelves.sent_ids,
                reader_ids: shelves.received_ids,
                writer_bodies: shelves.sent_bodies,
                reader_bodies: shelves.received_bodies,
                next_ids: self.next_ids,
                tag,
                reader_latest: self.latest_received,
                pending: memory.then_some(&self.pending),
                short_ids: options.ids == Ids::Short,
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
            arena: &mut Arena::new(&mut []),
        };
        write_nodes(&mut walk, stanza)?;
        let len = walk
            .recorder
            .finish()
            .map(|tokens| tokens.len() + SKETCH_LEN);
        let worth = memory && (template.is_none() || walk.trail.misses() > 0);
        let slot = len
            .filter(|_| worth)
            .and_then(|_| choose::slot(shelves.templates, &self.pending, &sketch, template));
        say_store(walk.d, &walk.trail, template, next, slot);
        let packet = Use {
            slot: slot.or(template),
            strings: walk.staged.next_string(),
            kind: walk.trail.kind(),
            from: walk.from,
            to: walk.to,
            marks: walk.marks,
            fresh: walk.fresh,
        };
        let stored = slot.zip(len).map(|(slot, len)| Stored { slot, len, root });
        Ok(Written {
            template,
            stored,
            packet: memory.then_some(packet),
        })
    }
}

/// The tokens of the chosen template.
pub(crate) fn tokens(shelf: Shelf<'_>, template: Option<u16>) -> &[u8] {
    let contents = template.and_then(|slot| shelf.get(slot));
    contents
        .and_then(|octets| octets.get(SKETCH_LEN..))
        .unwrap_or(&[])
}

/// Contexts of whether a stanza becomes a template.
pub(crate) fn store_contexts(trail: &Trail<'_>, template: Option<u16>) -> Contexts {
    let misses = trail.misses().min(8);
    let had = u32::from(template.is_some());
    let mut contexts = Contexts::new();
    contexts.add(&[]);
    contexts.add(&[had]);
    contexts.add(&[misses, had]);
    contexts.add(&[trail.kind(), had]);
    contexts.add(&[trail.kind(), misses.min(1), had]);
    contexts.add(&[trail.kind(), misses, had]);
    contexts
}

#[inline(never)]
fn say_store<D: Scribe>(
    d: &mut D,
    trail: &Trail<'_>,
    template: Option<u16>,
    next: Next,
    slot: Option<u16>,
) {
    let contexts = store_contexts(trail, template);
    if flag(d, &contexts, STORE, slot.is_some())
        && let Some(slot) = slot
    {
        let same = template == Some(slot);
        let same = template.is_some() && flag(d, &contexts, STORE_SAME, same);
        if !same && !flag(d, &contexts, STORE_NEXT, slot == next.template) {
            code_number(d, &packet_contexts(0), STORE_SLOT, u64::from(slot));
        }
    }
    d.note(What::Packet);
}

fn write_nodes<'x, D: Scribe>(
    walk: &mut Walk<'_, 'x, D>,
    stanza: Stanza<'_, 'x>,
) -> Result<(), EncodeError> {
    let nodes = stanza.nodes();
    let mut after_text = false;
    for (at, node) in nodes.iter().enumerate() {
        match *node {
            Node::Open { ns, name } => {
                let symbol = element(walk.dictionary, ns, name);
                if let Symbol::OtherElement(ns, name) = symbol {
                    check(is_xml_text(ns) && is_xml_name(name))?;
                }
                walk.symbol(Some(symbol))?;
                write_attributes(walk, &nodes[at + 1..])?;
                after_text = false;
            }
            Node::Attr { .. } => {}
            Node::Text(text) => {
                check(!after_text && !text.is_empty() && is_xml_text(text))?;
                if walk.is_idle_space(text) {
                    continue;
                }
                walk.symbol(Some(Symbol::Text))?;
                walk.value(Symbol::Text, Some(text))?;
                after_text = true;
            }
            Node::Close => {
                walk.symbol(Some(Symbol::Close))?;
                after_text = false;
            }
        }
    }
    Ok(())
}

fn check(fine: bool) -> Result<(), EncodeError> {
    fine.then_some(()).ok_or(EncodeError::Malformed)
}

/// Attributes of an element that are looked up once only; few have more.
const LOOKED_UP: usize = 8;

/// Writes the attributes that begin `nodes`, in the order of the dictionary, unknown ones last.
fn write_attributes<'x, D: Scribe>(
    walk: &mut Walk<'_, 'x, D>,
    nodes: &[Node<'x>],
) -> Result<(), EncodeError> {
    let dictionary = walk.dictionary;
    let named = || {
        nodes.iter().map_while(|node| match *node {
            Node::Attr { ns, name, value } => Some((ns, name, value)),
            _ => None,
        })
    };
    let mut looked_up = [None; LOOKED_UP];
    for (place, (ns, name, _)) in looked_up.iter_mut().zip(named()) {
        *place = Some(attribute(dictionary, ns, name));
    }
    let attributes = || {
        named().enumerate().map(|(at, (ns, name, value))| {
            let symbol = looked_up.get(at).copied().flatten();
            let symbol = symbol.unwrap_or_else(|| attribute(dictionary, ns, name));
            (symbol, value)
        })
    };
    let count = named().count();
    let mut last = None;
    for done in 0..count {
        let later =
            attributes().filter(|(symbol, _)| last.is_none_or(|last| order(*symbol) > last));
        let Some((symbol, value)) = later.min_by_key(|(symbol, _)| order(*symbol)) else {
            // Fewer than there are: some occur twice.
            return check(done == count);
        };
        last = Some(order(symbol));
        if let Symbol::OtherAttribute(ns, name) = symbol {
            check(is_xml_text(ns) && is_xml_name(name))?;
        }
        check(is_xml_text(value))?;
        walk.symbol(Some(symbol))?;
        walk.value(symbol, Some(value))?;
    }
    Ok(())
}

fn order(symbol: Symbol<'_>) -> (u32, &str, &str) {
    match symbol {
        Symbol::OtherAttribute(ns, name) => (u32::MAX, ns, name),
        _ => (symbol.key(), "", ""),
    }
}

#[cfg(test)]
mod tests;

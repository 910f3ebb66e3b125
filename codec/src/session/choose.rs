//! Which earlier stanza the new one resembles most, and where to keep it as a template in turn. Writing end only:
//! the packet names the slots. Refuses trial encodings; a sketch of each stanza is compared instead.

use crate::alias::pending::Pending;
use crate::alias::shelf::{Shelf, State};
use crate::dictionary::Dictionary;
use crate::features::mix;
use crate::stanza::{Node, Stanza};
use crate::structure::lexicon::hash;

/// Octets of a sketch.
pub(crate) const SKETCH_LEN: usize = 24;

/// What is compared: which names and words occur, and the addresses.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Sketch {
    /// One bit for each name or word, by its hash.
    bits: [u32; 4],
    to: u32,
    from: u32,
    /// Name of the root; only stanzas of one are compared.
    pub(crate) root: u32,
}

/// Estimated cost of a difference in names or words, in bits.
const DIFFERENCE_COST: u32 = 3;
/// Estimated cost of a different address, in bits.
const ADDRESS_COST: u32 = 6;
/// Names and words in which a stanza may differ from the one it takes the place of.
const SUCCESSOR_DIFFERENCE_MAX: u32 = 3;
/// Beyond this a template is no help.
const COST_MAX: u32 = 60;

impl Sketch {
    /// Sketches a stanza.
    pub(crate) fn of(dictionary: &Dictionary<'_>, stanza: Stanza<'_, '_>) -> Self {
        let mut sketch = Self {
            to: stanza.attr("to").map_or(0, hash),
            from: stanza.attr("from").map_or(0, hash),
            ..Self::default()
        };
        let mut parent = 0;
        for node in stanza.nodes() {
            match node {
                // Hashes of names do: a sketch never crosses, and they are quicker than looking names up.
                Node::Open { ns, name } => {
                    parent = mix(hash(name), ns.len() as u32);
                    if sketch.root == 0 {
                        sketch.root = parent;
                    }
                    sketch.add(mix(1, parent));
                }
                Node::Attr { name, value, .. } => {
                    let key = mix(parent, hash(name));
                    sketch.add(key);
                    if let Some(word) = dictionary.values.find(value) {
                        sketch.add(mix(key, u32::from(word)));
                    }
                }
                _ => {}
            }
        }
        sketch
    }

    fn add(&mut self, key: u32) {
        let bit = mix(7, key) >> 20;
        self.bits[(bit >> 5 & 3) as usize] |= 1 << (bit & 31);
    }

    /// As octets, at the start of a template.
    pub(crate) fn write(&self, out: &mut [u8]) {
        let [a, b, c, d] = self.bits;
        let words = [a, b, c, d, self.to, self.from];
        for (place, word) in out.as_chunks_mut().0.iter_mut().zip(words) {
            *place = word.to_le_bytes();
        }
    }

    fn read(octets: &[u8]) -> Option<Self> {
        let words: &[[u8; 4]; 6] = octets.as_chunks().0.first_chunk()?;
        let [a, b, c, d, to, from] = words.map(u32::from_le_bytes);
        Some(Self {
            bits: [a, b, c, d],
            to,
            from,
            root: 0,
        })
    }

    fn differences(&self, other: &Self) -> u32 {
        let pairs = self.bits.iter().zip(other.bits);
        pairs.map(|(one, other)| (one ^ other).count_ones()).sum()
    }

    /// The same thing said again, between the same two. An answer between them is another thing: if it took the place
    /// of the question, each would have to be told anew in turn.
    fn succeeds(&self, other: &Self) -> bool {
        self.to == other.to
            && self.from == other.from
            && self.differences(other) <= SUCCESSOR_DIFFERENCE_MAX
    }

    fn cost_from(&self, other: &Self) -> u32 {
        self.differences(other) * DIFFERENCE_COST
            + u32::from(self.to != other.to) * ADDRESS_COST
            + u32::from(self.from != other.from) * ADDRESS_COST
    }
}

/// The template the stanza resembles most; among equals the latest.
pub(crate) fn template(shelf: Shelf<'_>, sketch: &Sketch) -> Option<u16> {
    let mut best = None;
    for slot in 0..shelf.slots() {
        if shelf.state(slot) != State::Known || shelf.hash(slot) != sketch.root {
            continue;
        }
        let Some(other) = shelf.get(slot).and_then(Sketch::read) else {
            continue;
        };
        let cost = sketch.cost_from(&other);
        let rank = (cost, u32::MAX - shelf.packet(slot));
        if cost <= COST_MAX && best.is_none_or(|(least, _)| rank < least) {
            best = Some((rank, slot));
        }
    }
    best.map(|(_, slot)| slot)
}

/// The slot to keep a new template in: that of the template it was made from, if it succeeds that one; else an empty
/// one; else the one not used for longest.
pub(crate) fn slot(
    shelf: Shelf<'_>,
    pending: &Pending,
    sketch: &Sketch,
    made_from: Option<u16>,
) -> Option<u16> {
    if let Some(slot) = made_from
        && pending.is_past(shelf.used(slot))
        && let Some(before) = shelf.get(slot).and_then(Sketch::read)
        && sketch.succeeds(&before)
    {
        return Some(slot);
    }
    shelf.vacant(pending, &|slot| made_from == Some(slot))
}

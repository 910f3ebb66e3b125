//! Which earlier stanza the new one resembles most, and where to keep it as a template in turn. Writing end only:
//! the packet names the slots. Refuses trial encodings; a sketch of each stanza is compared instead.

use crate::alias::pending::Pending;
use crate::alias::shelf::{Shelf, State};
use crate::alias::template::Recorder;
use crate::dictionary::Dictionary;
use crate::features::mix;
use crate::stanza::{Node, Stanza};
use crate::structure::lexicon::hash;

/// Words of a sketch.
const WORDS: usize = 6;
/// Octets of a sketch.
pub(crate) const SKETCH_LEN: usize = 4 * WORDS;

/// What is compared: which names and words occur, and the addresses.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Sketch {
    /// Four words with a bit for each name or word, by its hash; hashes of `to` and `from`.
    words: [u32; WORDS],
    /// Name of the root, hashed; only stanzas of one are compared.
    pub(crate) root: u32,
}

/// Where the hash of `to` is; that of `from` follows.
const TO: usize = 4;
/// A different address, in a sum of differences.
const ADDRESS: u32 = 1 << 8;
/// Names and words a different address costs as much as.
const ADDRESS_COST: u32 = 2;
/// Names and words in which a stanza may differ from the one it takes the place of.
const SUCCESSOR_DIFFERENCE_MAX: u32 = 3;
/// Beyond this a template is no help.
const COST_MAX: u32 = 20;

impl Sketch {
    /// Sketches a stanza.
    pub(crate) fn of(dictionary: &Dictionary<'_>, stanza: Stanza<'_, '_>) -> Self {
        let mut sketch = Self::default();
        let address = |name| stanza.attr(name).map_or(0, hash);
        sketch.words[TO] = address("to");
        sketch.words[TO + 1] = address("from");
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
        self.words[(bit >> 5 & 3) as usize] |= 1 << (bit & 31);
    }

    /// Writes it to the start of a template.
    pub(crate) fn record(&self, recorder: &mut Recorder<'_>) {
        for word in &self.words {
            recorder.push(&word.to_le_bytes());
        }
    }

    /// How many names and words are only here or only in a template, and addresses.
    fn differences(&self, template: &[u8]) -> u32 {
        let mut sum = 0;
        for (at, other) in template.as_chunks().0.iter().take(WORDS).enumerate() {
            let difference = self.words[at] ^ u32::from_le_bytes(*other);
            sum += match difference {
                0 => 0,
                _ if at < TO => difference.count_ones(),
                _ => ADDRESS,
            };
        }
        sum
    }
}

/// The template the stanza resembles most; among equals the latest.
pub(crate) fn template(shelf: Shelf<'_>, sketch: &Sketch) -> Option<u16> {
    let mut best = None;
    let mut least = COST_MAX + 1;
    let mut latest = 0;
    for slot in 0..shelf.slots() {
        if shelf.state(slot) != State::Known || shelf.hash(slot) != sketch.root {
            continue;
        }
        let differences = sketch.differences(shelf.get(slot).unwrap_or(&[]));
        let cost = differences % ADDRESS + differences / ADDRESS * ADDRESS_COST;
        let packet = shelf.packet(slot);
        if cost < least || best.is_some() && cost == least && packet > latest {
            (best, least, latest) = (Some(slot), cost, packet);
        }
    }
    best
}

/// The slot to keep a new template in: that of the template it was made from, if it is the same thing said again between
/// the same two; else an empty one; else the one not used for longest. An answer between the two is another thing: if it
/// took the place of the question, each would have to be told anew in turn.
pub(crate) fn slot(
    shelf: Shelf<'_>,
    pending: &Pending,
    sketch: &Sketch,
    made_from: Option<u16>,
) -> Option<u16> {
    if let Some(slot) = made_from
        && pending.is_past(shelf.used(slot))
        && sketch.differences(shelf.get(slot)?) <= SUCCESSOR_DIFFERENCE_MAX
    {
        return Some(slot);
    }
    shelf.vacant(pending, 0, &|slot| made_from == Some(slot))
}

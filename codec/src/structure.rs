//! Structure as decisions: symbols, numbers and flags coded along binary trees whose nodes get their probabilities
//! from contexts. Refuses to know XML: that is the walk's business.

pub mod lexicon;
pub mod trail;

use crate::entropy::{Prob, flat};
use crate::features::{Decide, mix};
use crate::row::Row;

/// Keeps the places of contexts apart.
const SEED: u32 = 0x85eb_ca6b;

/// Most contexts one decision is given.
const CONTEXTS_MAX: usize = 16;

/// What contexts are made of: letters name values, the first is `a`; a blank ends a context, of at most four. Read when the
/// program is compiled: four bits for each value, from the lowest.
macro_rules! recipe {
    ($text:literal) => {
        const { &$crate::structure::read_recipe::<{ $crate::structure::recipe_len($text) }>($text) }
    };
}
pub(crate) use recipe;

/// Contexts of a recipe.
pub(crate) const fn recipe_len(text: &str) -> usize {
    let (mut at, mut len) = (0, 1);
    while at < text.len() {
        len += (text.as_bytes()[at] == b' ') as usize;
        at += 1;
    }
    len
}

/// Reads a recipe.
pub(crate) const fn read_recipe<const N: usize>(text: &str) -> [u16; N] {
    let mut contexts = [0; N];
    let (mut at, mut context, mut shift) = (0, 0, 0);
    while at < text.len() {
        match text.as_bytes()[at] {
            b' ' => (context, shift) = (context + 1, 0),
            letter => {
                contexts[context] |= ((letter - b'a' + 1) as u16) << shift;
                shift += 4;
            }
        }
        at += 1;
    }
    contexts
}

/// The contexts of one decision. The first is always there, and says nothing.
#[derive(Clone, Copy, Debug)]
pub struct Contexts(Row<u32, CONTEXTS_MAX>);

impl Default for Contexts {
    fn default() -> Self {
        Self::new()
    }
}

impl Contexts {
    /// No others.
    pub fn new() -> Self {
        let mut row = Row::new(0);
        row.push(1);
        Self(row)
    }

    /// One other, made of a number.
    // On a board a call is smaller.
    #[cfg_attr(target_os = "none", inline(never))]
    pub fn one(value: u32) -> Self {
        let mut contexts = Self::new();
        contexts.add(&[value]);
        contexts
    }

    /// Those a recipe makes of at most 15 `values`. The same as adding them one after the other.
    pub fn of(values: &[u32], recipe: &[u16]) -> Self {
        let mut contexts = Self::new();
        let mut seed = contexts.seed();
        for parts in recipe {
            let (mut hash, mut parts) = (seed, usize::from(*parts));
            while parts > 0 {
                if let Some(value) = values.get((parts & 15).wrapping_sub(1)) {
                    hash = mix(hash, *value);
                }
                parts >>= 4;
            }
            contexts.0.push(hash);
            seed = seed.wrapping_add(SEED);
        }
        contexts
    }

    /// Adds the context made of `parts`. Order counts: the same parts added as second mean something else.
    pub fn add(&mut self, parts: &[u32]) {
        let mut hash = self.seed();
        for part in parts {
            hash = mix(hash, *part);
        }
        self.0.push(hash);
    }

    /// Parts may be small numbers; the place is spread over all bits, so that no two contexts are one.
    fn seed(&self) -> u32 {
        (self.0.all().len() as u32 + 1).wrapping_mul(SEED)
    }

    /// The hashes.
    pub fn all(&self) -> &[u32] {
        self.0.all()
    }
}

/// Where decisions are taken.
#[derive(Clone, Copy, Debug)]
pub enum Room {
    /// What a packet begins and ends with.
    Packet,
    /// The latest packets.
    Recent,
    /// Symbols, and how values go.
    Walk,
    /// Words, ordinals and clocks.
    Plan,
    /// Ids of other packets.
    Ids,
    /// Ids that cross.
    Named,
    /// Aliases and addresses.
    Strings,
    /// Quotations.
    Quote,
    /// Letters one by one.
    Letters,
    /// Tokens.
    Token,
    /// UUIDs.
    Uuid,
    /// Numbers.
    Decimal,
    /// Numbers with a fraction.
    Fraction,
    /// Date and time.
    Time,
}

/// How the rooms are named in hashes; as many as half an octet can tell apart.
const ROOMS: [u16; 16] = [
    0x456e, 0x5265, 0x5357, 0x506c, 0x4964, 0x4e61, 0x5374, 0x5175, 0x6c65, 0x746f, 0x7575, 0x6465,
    0x6475, 0x7454, 0, 0,
];

/// What is decided: a number below 16, in a room. One octet, so that a board needs but a short instruction to say it.
#[derive(Clone, Copy, Debug)]
pub struct Label(u8);

impl Label {
    /// Number `number` of `room`.
    pub const fn new(room: Room, number: u8) -> Self {
        Self((room as u8) << 4 | number)
    }

    /// The label in hashes.
    pub const fn spread(self) -> u32 {
        ((self.0 & 15) as u32) << 16 | ROOMS[self.0 as usize >> 4] as u32
    }
}

/// Codes the `bits` low bits of `value`, most significant first, each in the context of those before it.
pub fn tree<D: Decide>(d: &mut D, contexts: &Contexts, label: Label, bits: u32, value: u32) -> u32 {
    grow(d, contexts, label.spread(), bits, value)
}

/// The same for a label as it is in hashes.
fn grow<D: Decide>(d: &mut D, contexts: &Contexts, label: u32, bits: u32, value: u32) -> u32 {
    let mut seen = 1u32;
    for at in (0..bits).rev() {
        let bit = d.decide(contexts.all(), mix(label, seen), value >> at & 1 == 1);
        seen = seen << 1 | u32::from(bit);
    }
    seen ^ 1 << bits
}

/// One decision.
pub fn flag<D: Decide>(d: &mut D, contexts: &Contexts, label: Label, value: bool) -> bool {
    d.decide(contexts.all(), mix(label.spread(), 1), value)
}

/// Codes the place of a symbol in a list ordered by frequency, at most 65,534 long: first how many bits it
/// takes, then those bits.
pub fn rank<D: Decide>(d: &mut D, contexts: &Contexts, label: Label, rank: u16) -> u16 {
    let label = label.spread();
    let above = u32::from(rank) + 1;
    let len = grow(d, contexts, label, 4, above.ilog2());
    let low = grow(
        d,
        contexts,
        mix(label, 100 + len),
        len,
        above & ((1 << len) - 1),
    );
    ((1 << len | low) - 1) as u16
}

/// Codes a number: its length and its two bits after the first by context, the rest flat.
pub fn number<D: Decide>(d: &mut D, contexts: &Contexts, label: Label, value: u32) -> u32 {
    let label = label.spread();
    let above = value.wrapping_add(1);
    // 2^32 is 0 with a length of 32.
    let len = grow(d, contexts, label, 6, above.checked_ilog2().unwrap_or(32)).min(32);
    let first = 1u32.unbounded_shl(len);
    let rest = above.wrapping_sub(first);
    let high_len = len.min(2);
    let low_len = len - high_len;
    let label = mix(label, 100 + len);
    let high = grow(d, contexts, label, high_len, rest >> low_len);
    let low = flat(d.coder(), rest, low_len);
    first.wrapping_add(high << low_len | low).wrapping_sub(1)
}

/// Codes the number of a slot; one that is none is read as 65,535, which no slot has.
pub fn slot<D: Decide>(d: &mut D, contexts: &Contexts, label: Label, slot: u16) -> u16 {
    number(d, contexts, label, u32::from(slot)).min(0xffff) as u16
}

/// Codes a number of either sign.
pub fn signed<D: Decide>(d: &mut D, contexts: &Contexts, label: Label, value: i32) -> i32 {
    let folded = (value << 1 ^ value >> 31).cast_unsigned();
    let folded = number(d, contexts, label, folded);
    (folded >> 1).cast_signed() ^ -(folded & 1).cast_signed()
}

/// Codes a number below `count`, at most 2^16, all equally likely.
pub fn uniform<D: Decide>(d: &mut D, count: u32, value: u32) -> u32 {
    let (mut low, mut high) = (0, count.max(1));
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        let p1 = ((high - middle) << 16) / (high - low);
        if d.coder().code(value >= middle, p1 as Prob) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

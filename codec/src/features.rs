//! A static table of small weights for log-linear prediction: the logit of a decision is the sum of the weights
//! of the contexts that were worth keeping. Refuses to change on the air, floats, and tables it cannot bound.
//!
//! Layout (little endian), made by `longwire_trainer` and only read here:
//!
//! ```text
//! "LF" version:u8=2 segment_log2:u8 dense:u16 seed:u16 windows:u32
//! level[16]: i16     weight of each level, 1/256 nat
//! gain: u8 each      confidence in what was found, 1/64: 33 of them; in large tables ROWS of PLACES
//! bias[dense]: i16   weight of each node below `dense`, 1/256 nat
//! word: u32          three cells of 10 bits each; words = (windows + 2) << segment_log2
//! ```
//!
//! The cells are a 3-wise binary fuse filter (Graf and Lemire, 2022): the exclusive or of a feature's three cells
//! is its fingerprint with the number of its level mixed in, so one probe answers both "is it there" and "how much".
//! All three are in the same third of their words, so that whole words can be mixed and one shift finds the cell.
//! A stranger is taken for a feature with probability 16 / 2^10; the trainer expects that noise.
//!
//! Confidence turns the sum into a logit. Small tables have one for each number of weights found, which tempers the whole
//! sum. Large ones (segments of the second size; feature `large`) have a row for each situation, see `row`, with one for
//! each place among the contexts, which tempers that context's weight alone.

#[cfg(feature = "large")]
mod large;
mod squash;
mod tree;

#[cfg(feature = "large")]
pub use large::{Adapting, PLACES, ROWS, longest, row};
pub use squash::squash;
pub use tree::Tree;

use crate::entropy::{Coder, HALF, Prob};

/// Most contexts of one decision.
pub const CONTEXTS: usize = 32;

/// Levels a weight can take.
pub const LEVELS: usize = 16;

/// Bits of a cell.
pub const CELL_BITS: u32 = 10;

/// Cells in a word.
pub const CELLS: u32 = 3;

/// Lowest bit of each cell in its word.
const SHIFTS: [u32; CELLS as usize] = [0, CELL_BITS, 2 * CELL_BITS];

/// Words in a segment, as powers of two: of tables for boards, and of large ones, which only readers with feature
/// `large` know. Only these, so that the reader is compiled for each and need not check what it masks.
pub const SEGMENTS_LOG2: [u8; 2] = [10, 13];

/// Octets before the level table.
const HEADER_LEN: usize = 12;
const GAIN_LEN: usize = CONTEXTS + 1;
const VERSION: u8 = 2;
const WINDOWS_MAX: u32 = 1 << 16;

/// Mixes `x` into the running hash `h`. The hash of contexts; part of the format.
// On a board a call is smaller, and quick enough.
#[cfg_attr(target_os = "none", inline(never))]
#[cfg_attr(not(target_os = "none"), inline)]
pub const fn mix(h: u32, x: u32) -> u32 {
    let h = (h ^ x).wrapping_mul(0x9e37_79b1);
    h ^ h >> 15
}

/// The name of a feature: one context at one node. Part of the format. Contexts are well mixed already, so nothing is
/// mixed again here: this is done for every context of every decision.
#[inline]
pub const fn key(context: u32, node: u32) -> u32 {
    context ^ salt(node)
}

/// Keeps nodes apart in keys.
#[inline]
const fn salt(node: u32) -> u32 {
    node.wrapping_mul(0x85eb_ca6b)
}

/// Where the cells of features are: `windows + 2` segments of `1 << log2` words.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    factor: u32,
    windows: u32,
    log2: u8,
}

/// The place of a feature's cells.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Place {
    /// The first of three segments.
    pub window: u32,
    /// The word in each of them.
    pub words: [u32; 3],
    /// Lowest bit of the cell in the words.
    pub shift: u32,
}

impl Shape {
    /// A table's shape; `log2` is one of [`SEGMENTS_LOG2`].
    pub const fn new(seed: u16, windows: u32, log2: u8) -> Self {
        Self {
            factor: mix(seed as u32, 0x27d4_eb2f) | 1,
            windows,
            log2,
        }
    }

    /// Where the cells of a feature are.
    pub const fn place(&self, key: u32) -> Place {
        self.place_in(key, self.log2 as u32)
    }

    #[inline]
    const fn place_in(&self, key: u32, log2: u32) -> Place {
        // The window comes from the upper bits of the key, the first word from those in the middle, the fingerprint
        // from the lower; the rest from the product, whose upper bits depend on all of them.
        let product = key.wrapping_mul(self.factor);
        let mask = (1 << log2) - 1;
        Place {
            window: ((key as u64 * self.windows as u64) >> 32) as u32,
            words: [
                key >> 11 & mask,
                product >> (32 - log2),
                product >> (22 - log2) & mask,
            ],
            shift: SHIFTS[(((product & 0xff) * CELLS) >> 8) as usize],
        }
    }
}

/// What a cell says to `key`: the number of its level, or [`LEVELS`] and more if it is not about `key`.
#[inline]
const fn level_in(cell: u32, key: u32) -> usize {
    ((cell ^ key) & ((1 << CELL_BITS) - 1)) as usize
}

/// A coder that can also be asked to code a decision by its contexts.
///
/// Layers above the table are written once against this: the codec decides through [`Deciding`], the trainer
/// listens through a type of its own.
pub trait Decide {
    /// The coder under it, for bits whose probability is known.
    fn coder(&mut self) -> &mut dyn Coder;

    /// Codes `bit`, decided at `node` in `contexts`.
    fn decide(&mut self, contexts: &[u32], node: u32, bit: bool) -> bool;
}

/// Decides by a table, through a coder.
pub struct Deciding<'c> {
    /// Where the bits go to or come from.
    pub coder: &'c mut dyn Coder,
    /// What is known of them; without a table every decision is even.
    pub features: Option<&'c Features<'c>>,
}

impl Decide for Deciding<'_> {
    fn coder(&mut self) -> &mut dyn Coder {
        self.coder
    }

    #[cfg_attr(not(target_os = "none"), inline)]
    fn decide(&mut self, contexts: &[u32], node: u32, bit: bool) -> bool {
        let p1 = match self.features {
            Some(features) => features.predict(contexts, node),
            None => HALF,
        };
        self.coder.code(bit, p1)
    }
}

/// How far weights are believed.
#[derive(Clone, Copy, Debug)]
enum Gain<'d> {
    /// By number found.
    Small(&'d [u8; GAIN_LEN]),
    /// By situation and place.
    #[cfg(feature = "large")]
    Large(&'d large::Gains),
}

impl<'d> Gain<'d> {
    /// Takes those of a table with segments of `log2` off `bytes`.
    fn split(bytes: &'d [u8], log2: u8) -> Option<(Self, &'d [u8])> {
        if log2 == SEGMENTS_LOG2[0] {
            let (gain, rest) = bytes.split_first_chunk()?;
            return Some((Self::Small(gain), rest));
        }
        #[cfg(feature = "large")]
        if log2 == SEGMENTS_LOG2[1] {
            let (gains, rest) = large::split(bytes)?;
            return Some((Self::Large(gains), rest));
        }
        None
    }

    fn len(self) -> usize {
        match self {
            Self::Small(gain) => gain.len(),
            #[cfg(feature = "large")]
            Self::Large(gains) => gains.as_flattened().len(),
        }
    }
}

/// The table, borrowed from flash or file.
#[derive(Clone, Copy, Debug)]
pub struct Features<'d> {
    shape: Shape,
    level: &'d [[u8; 2]; LEVELS],
    gain: Gain<'d>,
    bias: &'d [[u8; 2]],
    words: &'d [[u8; 4]],
}

impl<'d> Features<'d> {
    /// Reads the header of `bytes` and checks that everything it promises is there. Octets after the table are
    /// ignored; [`Self::len`] says where it ends.
    pub fn new(bytes: &'d [u8]) -> Option<Self> {
        let (header, rest) = bytes.split_first_chunk::<HEADER_LEN>()?;
        let [b'L', b'F', VERSION, log2, d0, d1, s0, s1, w0, w1, w2, w3] = *header else {
            return None;
        };
        let windows = u32::from_le_bytes([w0, w1, w2, w3]);
        let dense = usize::from(u16::from_le_bytes([d0, d1]));
        if windows.wrapping_sub(1) >= WINDOWS_MAX {
            return None;
        }
        let (level, rest) = rest.split_at_checked(2 * LEVELS)?;
        let (gain, rest) = Gain::split(rest, log2)?;
        let (bias, rest) = rest.split_at_checked(2 * dense)?;
        let words = rest.get(..4 * ((windows as usize + 2) << log2))?;
        Some(Self {
            shape: Shape::new(u16::from_le_bytes([s0, s1]), windows, log2),
            level: level.as_chunks().0.first_chunk()?,
            gain,
            bias: bias.as_chunks().0,
            words: words.as_chunks().0,
        })
    }

    /// Length of the table in octets, header included.
    #[expect(clippy::len_without_is_empty, reason = "a table is never empty")]
    pub fn len(&self) -> usize {
        HEADER_LEN + 2 * LEVELS + self.gain.len() + 2 * self.bias.len() + 4 * self.words.len()
    }

    /// Logit of a 1 at `node`, 1/256 nat: the node's bias and the weights of its contexts, tempered by the
    /// confidence the trainer measured for what was found. Contexts beyond [`CONTEXTS`] are ignored.
    #[inline]
    pub fn logit(&self, contexts: &[u32], node: u32) -> i32 {
        let bias = self.bias(node);
        let contexts = &contexts[..contexts.len().min(CONTEXTS)];
        match self.gain {
            Gain::Small(gain) => {
                let (mut sum, mut found) = (bias, 0);
                self.find::<{ 1 << SEGMENTS_LOG2[0] }>(contexts, node, |_, weight| {
                    sum += weight;
                    found += 1;
                });
                let gain = gain.get(found).copied().unwrap_or(64);
                (sum * i32::from(gain)) >> 6
            }
            #[cfg(feature = "large")]
            Gain::Large(gains) => bias + self.tempered(gains, contexts, node).iter().sum::<i32>(),
        }
    }

    /// The node's bias, 1/256 nat.
    #[inline]
    fn bias(&self, node: u32) -> i32 {
        let bias = self.bias.get(node as usize);
        bias.map_or(0, |bytes| i32::from(i16::from_le_bytes(*bytes)))
    }

    /// Calls `found` with the place and weight of each context that has one, in segments of `N` words.
    #[inline]
    fn find<const N: usize>(&self, contexts: &[u32], node: u32, mut found: impl FnMut(usize, i32)) {
        let (segments, _) = self.words.as_chunks::<N>();
        let salt = salt(node);
        for (place, context) in contexts.iter().enumerate() {
            let level = self.level_of(segments, context ^ salt);
            if let Some(weight) = self.level.get(level) {
                found(place, i32::from(i16::from_le_bytes(*weight)));
            }
        }
    }

    /// Number of the level of a feature, or [`LEVELS`] and more if it is not in the table (nor looks like it).
    #[inline]
    fn level_of<const N: usize>(&self, segments: &[[[u8; 4]; N]], key: u32) -> usize {
        let place = self.shape.place_in(key, N.trailing_zeros());
        let (window, [x, y, z]) = (place.window as usize, place.words);
        // There are three segments from any window on; the header was checked against the length.
        let Some([a, b, c]) = segments.get(window..window + 3) else {
            return LEVELS;
        };
        // `N` is a power of two, so that this changes nothing but what the compiler knows.
        let word = |segment: &[[u8; 4]; N], at| u32::from_le_bytes(segment[at as usize % N]);
        let word = word(a, x) ^ word(b, y) ^ word(c, z);
        level_in(word >> place.shift, key)
    }

    /// Probability of a 1 at `node`.
    #[inline]
    pub fn predict(&self, contexts: &[u32], node: u32) -> Prob {
        squash(self.logit(contexts, node))
    }
}

#[cfg(test)]
mod tests;

//! A static table of small weights for log-linear prediction: the logit of a decision is the sum of the weights
//! of the contexts that were worth keeping. Refuses to learn on the air, floats, and tables it cannot bound.
//!
//! Layout (little endian), made by `longwire_trainer` and only read here:
//!
//! ```text
//! "LF" version:u8=1 cell_bits:u8 levels:u8 segment_log2:u8 dense:u16 seed:u32 segments:u32
//! level[levels]: i16   weight of each level, 1/256 nat
//! gain[33]: u8         confidence by number of weights found, 1/64
//! bias[dense]: i16     weight of each node below `dense`, 1/256 nat
//! low[cells]: u8       low octet of each cell; cells = (segments + 2) << segment_log2
//! high: packed         the other cell_bits - 8 bits of each cell, least significant bit first
//! ```
//!
//! The cells are a 3-wise binary fuse filter (Graf and Lemire, 2022): the exclusive or of a feature's three cells
//! is its fingerprint with the number of its level mixed in, so one probe answers both "is it there" and "how much".
//! A stranger is taken for a feature with probability levels / 2^cell_bits; the trainer expects that noise.

mod squash;
mod tree;

pub use squash::squash;
pub use tree::Tree;

use crate::entropy::{Coder, HALF, Prob};

/// Most contexts of one decision.
pub const CONTEXTS: usize = 32;

/// Most levels a weight can take.
pub const LEVELS: usize = 16;

/// Octets before the level table.
const HEADER_LEN: usize = 16;
const GAIN_LEN: usize = CONTEXTS + 1;
const VERSION: u8 = 1;
/// Largest segment: positions inside two segments come from one 32-bit word.
const SEGMENT_LOG2_MAX: u8 = 16;
const CELL_BITS: core::ops::RangeInclusive<u8> = 8..=16;

/// Mixes `x` into the running hash `h`. The hash of contexts; part of the format.
#[inline]
pub const fn mix(h: u32, x: u32) -> u32 {
    let h = (h ^ x).wrapping_mul(0x9e37_79b1);
    h ^ h >> 15
}

/// Keeps nodes apart in keys.
const NODE_SALT: u32 = 0x85eb_ca6b;

/// The name of a feature: one context at one node. Part of the format.
#[inline]
pub const fn key(context: u32, node: u32) -> u32 {
    salted(context, node.wrapping_mul(NODE_SALT))
}

#[inline]
const fn salted(context: u32, salt: u32) -> u32 {
    let h = (context ^ salt).wrapping_mul(0xc2b2_ae35);
    h ^ h >> 16
}

/// Where the cells of features are: `segments + 2` segments of `1 << log2` cells.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    seed: u32,
    span: u32,
    mask: u32,
    log2: u8,
}

impl Shape {
    /// A table's shape. `segments << log2` fits 32 bits; `log2` is at most 16.
    pub const fn new(seed: u32, segments: u32, log2: u8) -> Self {
        Self {
            seed,
            span: segments << log2,
            mask: (1 << log2) - 1,
            log2,
        }
    }

    /// The three cells of a feature, all different.
    #[inline]
    pub const fn cells(&self, key: u32) -> [u32; 3] {
        let g = (key ^ self.seed).wrapping_mul(0x27d4_eb2f);
        let g = g ^ g >> 15;
        let first = ((key as u64 * self.span as u64) >> 32) as u32;
        let second = (first + self.mask + 1) ^ (g >> self.log2 & self.mask);
        let third = (first + 2 * (self.mask + 1)) ^ (g & self.mask);
        [first, second, third]
    }
}

/// A coder that can also be asked to code a decision by its contexts.
///
/// Layers above the table are written once against this: the codec decides through [`Deciding`], the trainer
/// listens through a type of its own.
pub trait Decide: Coder {
    /// Codes `bit`, decided at `node` in `contexts`.
    fn decide(&mut self, contexts: &[u32], node: u32, bit: bool) -> bool;
}

/// Decides by a table, through a coder.
#[derive(Debug)]
pub struct Deciding<'a, 'd, C: ?Sized> {
    /// Where the bits go to or come from.
    pub coder: &'a mut C,
    /// What is known of them; without a table every decision is even.
    pub features: Option<Features<'d>>,
}

impl<C: Coder + ?Sized> Coder for Deciding<'_, '_, C> {
    fn is_reading(&self) -> bool {
        self.coder.is_reading()
    }

    fn code(&mut self, bit: bool, p1: Prob) -> bool {
        self.coder.code(bit, p1)
    }
}

impl<C: Coder + ?Sized> Decide for Deciding<'_, '_, C> {
    fn decide(&mut self, contexts: &[u32], node: u32, bit: bool) -> bool {
        let p1 = match &self.features {
            Some(features) => features.predict(contexts, node),
            None => HALF,
        };
        self.coder.code(bit, p1)
    }
}

/// The table, borrowed from flash or file.
#[derive(Clone, Copy, Debug)]
pub struct Features<'d> {
    shape: Shape,
    high_bits: u32,
    high_mask: u32,
    levels: u8,
    level: [i16; LEVELS],
    gain: &'d [u8],
    bias: &'d [u8],
    low: &'d [u8],
    high: &'d [u8],
}

impl<'d> Features<'d> {
    /// Reads the header of `bytes` and checks that everything it promises is there. Octets after the table are
    /// ignored; [`Self::len`] says where it ends.
    pub fn new(bytes: &'d [u8]) -> Option<Self> {
        let header: &[u8; HEADER_LEN] = bytes.first_chunk()?;
        let [
            b'L',
            b'F',
            VERSION,
            cell_bits,
            levels,
            segment_log2,
            d0,
            d1,
            s0,
            s1,
            s2,
            s3,
            n0,
            n1,
            n2,
            n3,
        ] = *header
        else {
            return None;
        };
        let segments = u32::from_le_bytes([n0, n1, n2, n3]);
        let dense = usize::from(u16::from_le_bytes([d0, d1]));
        let sane = CELL_BITS.contains(&cell_bits)
            && (1..=LEVELS).contains(&usize::from(levels))
            && segment_log2 <= SEGMENT_LOG2_MAX
            && (1..1 << 28 >> segment_log2).contains(&segments);
        if !sane {
            return None;
        }
        let cells = ((segments + 2) << segment_log2) as usize;
        let high_bits = cell_bits - 8;
        let rest = &bytes[HEADER_LEN..];
        let (level_bytes, rest) = rest.split_at_checked(2 * usize::from(levels))?;
        let (gain, rest) = rest.split_at_checked(GAIN_LEN)?;
        let (bias, rest) = rest.split_at_checked(2 * dense)?;
        let (low, rest) = rest.split_at_checked(cells)?;
        let (high, _) = rest.split_at_checked(high_len(cells, high_bits))?;
        let mut level = [0; LEVELS];
        for (to, from) in level.iter_mut().zip(level_bytes.chunks_exact(2)) {
            *to = i16::from_le_bytes([from[0], from[1]]);
        }
        Some(Self {
            shape: Shape::new(u32::from_le_bytes([s0, s1, s2, s3]), segments, segment_log2),
            high_bits: u32::from(high_bits),
            high_mask: (1 << high_bits) - 1,
            levels,
            level,
            gain,
            bias,
            low,
            high,
        })
    }

    /// Length of the table in octets, header included.
    #[expect(clippy::len_without_is_empty, reason = "a table is never empty")]
    pub fn len(&self) -> usize {
        HEADER_LEN
            + 2 * usize::from(self.levels)
            + self.gain.len()
            + self.bias.len()
            + self.low.len()
            + self.high.len()
    }

    /// The weight of one feature, 1/256 nat, if the table holds it (or something that looks like it).
    #[inline]
    pub fn weight(&self, key: u32) -> Option<i32> {
        let [first, second, third] = self.shape.cells(key);
        let low = self.low_at(first) ^ self.low_at(second) ^ self.low_at(third);
        let level = low ^ key as u8;
        if level >= self.levels {
            return None;
        }
        if self.high_bits > 0 {
            // The high bits must agree too. Few strangers get this far.
            let high = self.high_at(first) ^ self.high_at(second) ^ self.high_at(third);
            if (high ^ key >> 8) & self.high_mask != 0 {
                return None;
            }
        }
        // There are `LEVELS` levels, 16; the mask only tells the compiler.
        Some(i32::from(self.level[usize::from(level & 15)]))
    }

    #[inline]
    fn low_at(&self, cell: u32) -> u8 {
        // `cells` stays below the number of cells for any key; the header was checked against the length.
        self.low.get(cell as usize).copied().unwrap_or(0)
    }

    /// The high bits of a cell, with others above them.
    #[inline]
    fn high_at(&self, cell: u32) -> u32 {
        if self.high_bits == 4 {
            // Two cells to an octet: the usual case, and the quick one.
            let pair = self.high.get(cell as usize >> 1).copied().unwrap_or(0);
            return u32::from(pair) >> (4 * (cell & 1));
        }
        let at = cell * self.high_bits;
        let octet = (at >> 3) as usize;
        match self.high.get(octet..octet + 2) {
            Some(pair) => u32::from(u16::from_le_bytes([pair[0], pair[1]])) >> (at & 7),
            None => 0,
        }
    }

    /// Logit of a 1 at `node`, 1/256 nat: the node's bias and the weights of its contexts, tempered by the
    /// confidence the trainer measured for that many weights found. Contexts beyond [`CONTEXTS`] are ignored.
    #[inline]
    pub fn logit(&self, contexts: &[u32], node: u32) -> i32 {
        let mut sum = self.bias(node);
        let mut found = 0;
        let salt = node.wrapping_mul(NODE_SALT);
        for context in &contexts[..contexts.len().min(CONTEXTS)] {
            if let Some(weight) = self.weight(salted(*context, salt)) {
                sum += weight;
                found += 1;
            }
        }
        let gain = self.gain.get(found).copied().unwrap_or(64);
        (sum * i32::from(gain)) >> 6
    }

    fn bias(&self, node: u32) -> i32 {
        let at = (node as usize).saturating_mul(2);
        match self.bias.get(at..).and_then(|rest| rest.first_chunk()) {
            Some(bytes) => i32::from(i16::from_le_bytes(*bytes)),
            None => 0,
        }
    }

    /// Probability of a 1 at `node`.
    #[inline]
    pub fn predict(&self, contexts: &[u32], node: u32) -> Prob {
        squash(self.logit(contexts, node))
    }
}

/// Octets that hold the high bits of `cells` cells. One spare octet, so that reading never needs a special case.
const fn high_len(cells: usize, high_bits: u8) -> usize {
    if high_bits == 0 {
        0
    } else {
        (cells * high_bits as usize).div_ceil(8) + 1
    }
}

#[cfg(test)]
mod tests;

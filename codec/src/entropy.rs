//! One binary arithmetic coder under everything: structure, values and text share its state, so that no
//! boundary inside a packet costs a bit. Refuses floats and adaptive state: probabilities come from outside.

pub mod range;

/// Probability that a bit is 1, in units of 1/65536. Zero is not a probability.
pub type Prob = u16;

/// One half.
pub const HALF: Prob = 1 << 15;

/// The state of a writing end at some time. Only that end knows how to read it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mark([u32; 3]);

/// Either end of the arithmetic coder.
///
/// A layer is written once, against this trait: the writing end returns the bit it is given, the reading end
/// ignores it and returns the one it decodes. What a layer does next may depend only on what `code` returned.
pub trait Coder {
    /// True on the reading end.
    fn is_reading(&self) -> bool;

    /// The state of a writing end, to come back to.
    fn mark(&self) -> Mark {
        Mark::default()
    }

    /// Comes back to an earlier state: what was written since never was. Of no effect on a reading end.
    fn rewind(&mut self, _: &Mark) {}

    /// What was written since, in 1/256 bit, at most `u32::MAX`; 0 on a reading end.
    fn cost_256ths(&self, _: &Mark) -> u32 {
        0
    }

    /// Codes one bit whose probability of being 1 is `p1`.
    fn code(&mut self, bit: bool, p1: Prob) -> bool;
}

/// Codes the `bits` low bits of `value`, most significant first, as if all values were equally likely.
pub fn flat(coder: &mut dyn Coder, value: u32, bits: u32) -> u32 {
    let mut seen = 0;
    for at in (0..bits).rev() {
        seen = seen << 1 | u32::from(coder.code(value >> at & 1 == 1, HALF));
    }
    seen
}

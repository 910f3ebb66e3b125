//! A text coded on trial: its bits with their probabilities, to be copied to the packet if the trial was good.
//! Refuses to grow: a text too long for it is modelled twice.

use crate::entropy::range::Meter;
use crate::entropy::{Coder, Prob};

/// Bits a draft holds: about 150 characters.
const LEN: usize = 768;

/// The draft.
pub(super) struct Draft {
    meter: Meter,
    /// Probability of a 1 and the bit.
    bits: [(Prob, bool); LEN],
    len: usize,
}

impl Draft {
    pub(super) fn new() -> Self {
        Self {
            meter: Meter::default(),
            bits: [(0, false); LEN],
            len: 0,
        }
    }

    pub(super) fn cost_256ths(&self) -> u64 {
        self.meter.cost_256ths()
    }

    /// Codes the same bits again; false, and nothing is coded, if they did not fit.
    pub(super) fn copy_to(&self, coder: &mut dyn Coder) -> bool {
        let Some(bits) = self.bits.get(..self.len) else {
            return false;
        };
        bits.iter().for_each(|(p1, bit)| _ = coder.code(*bit, *p1));
        true
    }
}

impl Coder for Draft {
    fn is_reading(&self) -> bool {
        false
    }

    fn code(&mut self, bit: bool, p1: Prob) -> bool {
        if let Some(place) = self.bits.get_mut(self.len) {
            *place = (p1, bit);
        }
        self.len = self.len.saturating_add(1);
        self.meter.code(bit, p1)
    }
}

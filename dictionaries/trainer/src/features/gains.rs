//! How far each context is believed in each situation, learned beside the weights. Refuses to learn it where weights do
//! once features have been seen before: what is known by heart says nothing of how far a stranger's text can be foretold.

use super::pack::rounded_64ths;
use longwire_codec::features::{PLACES, ROWS};

/// One decision in so many teaches confidences only, never weights.
const HELD_OUT: u64 = 32;

/// Size of a step.
const RATE: f32 = 0.006;

/// The first steps after the survey, in these steps: far fewer decisions teach then.
pub(super) const REFINED: f32 = 5.0;

/// Confidences of a large table, by situation and place.
#[derive(Clone, Debug)]
pub(super) struct Gains(Vec<[f32; PLACES]>);

impl Gains {
    /// All weights believed as they are.
    pub(super) fn even() -> Self {
        Self(vec![[1.0; PLACES]; ROWS])
    }

    /// Is this decision, by its place among the examples, one that weights do not learn from?
    pub(super) fn is_held_out(decision: u64) -> bool {
        decision.is_multiple_of(HELD_OUT)
    }

    /// Confidence in the context at `place`.
    pub(super) fn of(&self, row: usize, place: usize) -> f32 {
        self.0[row][place.min(PLACES - 1)]
    }

    /// Learns from a context's weight at `place` and the error of the decision; `share` of such a step.
    pub(super) fn learn(&mut self, row: usize, place: usize, weight: f32, error: f32, share: f32) {
        let gain = &mut self.0[row][place.min(PLACES - 1)];
        *gain = (*gain + share * RATE * error * weight).clamp(0.0, 3.9);
    }

    /// As the table has them, `confidence` of each.
    pub(super) fn octets(&self, confidence: f32) -> impl Iterator<Item = u8> {
        let all = self.0.as_flattened().iter();
        all.map(move |gain| rounded_64ths(*gain, confidence))
    }
}

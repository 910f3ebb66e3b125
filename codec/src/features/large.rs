//! What large tables have over small ones: a confidence for each context in each situation. Refuses to be on boards whose
//! tables are small.

use super::{Decide, Features, Gain, SEGMENTS_LOG2, squash};
use crate::entropy::Coder;

/// Contexts, from the first on, that are ordered from the shortest to the longest stretch of what came before.
const ORDERED: usize = 6;

/// Numbers of weights found that are told apart; more count as the last.
const FOUND: usize = 20;

/// Situations, see [`row`].
pub const ROWS: usize = (ORDERED + 1) * FOUND;

/// Places among the contexts that are told apart; later ones count as the last.
pub const PLACES: usize = 20;

/// Confidences by situation and place, 1/64.
pub(super) type Gains = [[u8; PLACES]; ROWS];

/// Takes the confidences off `bytes`.
pub(super) fn split(bytes: &[u8]) -> Option<(&Gains, &[u8])> {
    let (gains, rest) = bytes.split_at_checked(ROWS * PLACES)?;
    Some((gains.as_chunks().0.first_chunk()?, rest))
}

/// The situation: how many weights were `found`, and how many of the first six contexts come before the `longest` of them
/// that was found, itself included. Part of the format.
#[inline]
pub fn row(longest: usize, found: usize) -> usize {
    longest.min(ORDERED) * FOUND + found.min(FOUND - 1)
}

/// What the context at `place` makes `longest`.
#[inline]
pub fn longest(longest: usize, place: usize) -> usize {
    if place < ORDERED { place + 1 } else { longest }
}

/// Decides by a large table and learns, from one decision to the next, in which places this text is as expected: to be
/// made anew for each text.
pub struct Adapting<'c> {
    coder: &'c mut dyn Coder,
    features: Features<'c>,
    gains: &'c Gains,
    /// What is added to the confidence in each place, in parts of it, 2^-16.
    more: [i32; PLACES],
}

/// How fast: a step is the error times the weight in nats, times 2^-4.
const SLOWNESS: u32 = 12;

/// Ends of what is added, 2^-16.
const MORE_MAX: i32 = 1 << 16;

/// Ends of a weight that counts, 1/256 nat, so that no product of a damaged table overflows.
const WEIGHT_MAX: i32 = 1 << 12;

impl<'c> Adapting<'c> {
    /// Starts afresh, if the table is a large one.
    pub fn new(coder: &'c mut dyn Coder, features: Features<'c>) -> Option<Self> {
        let Gain::Large(gains) = features.gain else {
            return None;
        };
        Some(Self {
            coder,
            features,
            gains,
            more: [0; PLACES],
        })
    }

    /// Moves confidences to where this decision would have come out better: `error` is the bit less its probability, 2^-16.
    fn learn(&mut self, weights: &Weights, error: i32) {
        for (more, weight) in self.more.iter_mut().zip(weights) {
            let step = (error * weight.clamp(&-WEIGHT_MAX, &WEIGHT_MAX)) >> SLOWNESS;
            *more = (*more + step).clamp(-MORE_MAX, MORE_MAX);
        }
    }
}

impl Decide for Adapting<'_> {
    fn coder(&mut self) -> &mut dyn Coder {
        self.coder
    }

    #[inline]
    fn decide(&mut self, contexts: &[u32], node: u32, bit: bool) -> bool {
        let weights = self.features.tempered(self.gains, contexts, node);
        let mut logit = self.features.bias(node) + weights.iter().sum::<i32>();
        for (more, weight) in self.more.iter().zip(&weights) {
            logit += (more * weight.clamp(&-WEIGHT_MAX, &WEIGHT_MAX)) >> 16;
        }
        let p1 = squash(logit);
        let bit = self.coder.code(bit, p1);
        self.learn(&weights, (i32::from(bit) << 16) - i32::from(p1));
        bit
    }
}

/// What each place says, 1/256 nat; later places all count in the last.
type Weights = [i32; PLACES];

impl Features<'_> {
    /// The weights of `contexts` at `node`, each times its confidence.
    pub(super) fn tempered(&self, gains: &Gains, contexts: &[u32], node: u32) -> Weights {
        let mut weights = [0; PLACES];
        let (mut last, mut found) = (0, 0);
        self.find::<{ 1 << SEGMENTS_LOG2[1] }>(contexts, node, |place, weight| {
            weights[place.min(PLACES - 1)] += weight;
            last = longest(last, place);
            found += 1;
        });
        for (weight, gain) in weights.iter_mut().zip(&gains[row(last, found)]) {
            *weight = (*weight * i32::from(*gain)) >> 6;
        }
        weights
    }
}

//! What becomes of a frame on its way to one listener: a two-state loss process, bit errors, repeats. Refuses real
//! randomness: the seed decides.

use super::Weather;

/// The random course of one path.
#[derive(Debug)]
pub(super) struct Fates {
    state: u64,
    losing: bool,
}

impl Fates {
    /// A course of its own for each `path` of a medium.
    pub(super) fn new(seed: u64, path: u64) -> Self {
        Self {
            state: seed ^ path.wrapping_mul(0x9e37_79b9_7f4a_7c15),
            losing: false,
        }
    }

    /// Is the next frame lost? The mean run of losses is `burst`, their share `loss`.
    pub(super) fn is_lost(&mut self, weather: &Weather) -> bool {
        let end = 1.0 / weather.burst;
        let begin = if weather.loss < 1.0 {
            (weather.loss * end / (1.0 - weather.loss)).min(1.0)
        } else {
            1.0
        };
        let change = if self.losing { end } else { begin };
        if self.chance() < change {
            self.losing = !self.losing || weather.loss >= 1.0;
        }
        self.losing
    }

    /// Is the next frame heard twice?
    pub(super) fn is_repeated(&mut self, weather: &Weather) -> bool {
        weather.repeats > 0.0 && self.chance() < weather.repeats
    }

    /// Flips bits of `frame`.
    pub(super) fn flip(&mut self, weather: &Weather, frame: &mut [u8]) {
        if weather.bit_errors <= 0.0 {
            return;
        }
        for octet in frame {
            for bit in 0..8 {
                if self.chance() < weather.bit_errors {
                    *octet ^= 1 << bit;
                }
            }
        }
    }

    /// Uniform in [0, 1): splitmix64.
    fn chance(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

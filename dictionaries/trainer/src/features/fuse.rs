//! Solves the cells of a 3-wise binary fuse filter. Refuses to fail: it tries seeds until one works.

use super::Settings;
use longwire_codec::features::{CONTEXTS, Shape};

/// The solved cells.
pub(super) struct Fuse {
    pub(super) seed: u32,
    pub(super) segments: u32,
    pub(super) segment_log2: u8,
    pub(super) values: Vec<u16>,
}

/// Segments for `count` features, and the size of a segment: the figures of the paper.
fn shape(count: usize) -> (u32, u8) {
    let n = count.max(2) as f64;
    let segment_log2 = ((n.ln() / 3.33f64.ln() + 2.25).floor() as i32).clamp(2, 16) as u8;
    let factor = (0.875 + 0.25 * 1e6f64.ln() / n.ln()).max(1.125);
    let wanted = (n * factor).ceil() as u32;
    let segments = wanted.div_ceil(1 << segment_log2).saturating_sub(2).max(1);
    (segments, segment_log2)
}

/// Features that fit a table of the size asked for.
pub(super) fn capacity(settings: &Settings) -> usize {
    let fixed =
        16 + 2 * usize::from(settings.levels) + CONTEXTS + 1 + 2 * usize::from(settings.dense) + 2;
    let bits = settings.size.saturating_sub(fixed) * 8;
    let size = |count: usize| {
        let (segments, log2) = shape(count);
        ((segments as usize + 2) << log2) * usize::from(settings.cell_bits)
    };
    let (mut fits, mut beyond) = (0, bits);
    while beyond - fits > 1 {
        let middle = fits.midpoint(beyond);
        if size(middle) <= bits {
            fits = middle
        } else {
            beyond = middle
        }
    }
    fits
}

impl Fuse {
    /// Solves for `features`: distinct keys, each with its level.
    pub(super) fn of(features: &[(u32, u8)], cell_bits: u8) -> Self {
        let (segments, segment_log2) = shape(features.len());
        for seed in 1.. {
            let mut fuse = Self {
                seed,
                segments,
                segment_log2,
                values: Vec::new(),
            };
            if let Some(order) = fuse.peel(features) {
                fuse.assign(features, &order, cell_bits);
                return fuse;
            }
        }
        unreachable!("some seed works")
    }

    fn cells(&self, key: u32) -> [u32; 3] {
        Shape::new(self.seed, self.segments, self.segment_log2).cells(key)
    }

    /// The features in an order in which each has a cell that no later one uses, with that cell; or none.
    fn peel(&self, features: &[(u32, u8)]) -> Option<Vec<(u32, u32)>> {
        let size = (self.segments as usize + 2) << self.segment_log2;
        let mut count = vec![0u32; size];
        let mut mixed = vec![0u32; size];
        for (index, (key, _)) in features.iter().enumerate() {
            for cell in self.cells(*key) {
                count[cell as usize] += 1;
                mixed[cell as usize] ^= index as u32;
            }
        }
        let mut alone: Vec<u32> = (0..size as u32)
            .filter(|c| count[*c as usize] == 1)
            .collect();
        let mut order = Vec::with_capacity(features.len());
        while let Some(cell) = alone.pop() {
            if count[cell as usize] != 1 {
                continue;
            }
            let index = mixed[cell as usize];
            order.push((index, cell));
            for other in self.cells(features[index as usize].0) {
                count[other as usize] -= 1;
                mixed[other as usize] ^= index;
                if count[other as usize] == 1 {
                    alone.push(other);
                }
            }
        }
        (order.len() == features.len()).then_some(order)
    }

    fn assign(&mut self, features: &[(u32, u8)], order: &[(u32, u32)], cell_bits: u8) {
        let mask = ((1u32 << cell_bits) - 1) as u16;
        self.values = vec![0; (self.segments as usize + 2) << self.segment_log2];
        for (index, own) in order.iter().rev() {
            let (key, level) = features[*index as usize];
            let wanted = (key as u16 ^ u16::from(level)) & mask;
            let others = self.cells(key).into_iter().filter(|cell| cell != own);
            let mixed = others.fold(wanted, |value, cell| value ^ self.values[cell as usize]);
            self.values[*own as usize] = mixed;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use longwire_codec::features::mix;

    #[test]
    fn solved_for_any_number_of_features() {
        for count in [0, 1, 2, 3, 10, 100, 5000, 60_000] {
            let mut features: Vec<(u32, u8)> =
                (0..count).map(|k| (mix(9, k), (k % 16) as u8)).collect();
            features.sort_unstable();
            features.dedup_by_key(|f| f.0);
            let fuse = Fuse::of(&features, 10);
            for (key, level) in &features {
                let mixed = fuse
                    .cells(*key)
                    .into_iter()
                    .fold(0, |v, c| v ^ fuse.values[c as usize]);
                assert_eq!((mixed ^ *key as u16) & 0x3ff, u16::from(*level));
            }
        }
    }
}

//! Solves the cells of a 3-wise binary fuse filter. Refuses to fail: it tries seeds until one works.

use super::Settings;
use longwire_codec::features::{
    CELL_BITS, CELLS, CONTEXTS, LEVELS, PLACES, Place, ROWS, SEGMENTS_LOG2, Shape,
};

/// The solved words.
pub(super) struct Fuse {
    pub(super) seed: u16,
    pub(super) windows: u32,
    pub(super) segment_log2: u8,
    pub(super) words: Vec<u32>,
}

/// Tables of so many words and more have the larger segments.
const LARGE_WORDS: usize = 1 << 18;

/// Share of the cells that can be used and still solved, the ends left out, for each size of segments: found by
/// trial. The fewer words a segment has, the more chance overfills one here and there.
const FULL: [f64; 2] = [0.855, 0.88];

/// Windows and size of segments for a table of at most `words` words.
fn shape(words: usize) -> (u32, u8) {
    let [small, large] = SEGMENTS_LOG2;
    let log2 = if words < LARGE_WORDS { small } else { large };
    (((words >> log2) as u32).saturating_sub(2).max(1), log2)
}

/// Words of a table of the size asked for.
fn words(settings: &Settings) -> usize {
    let fixed = 12 + 2 * LEVELS + 2 * usize::from(settings.dense);
    let words = |gains: usize| settings.size.saturating_sub(fixed + gains) / 4;
    match words(CONTEXTS + 1) {
        small if small < LARGE_WORDS => small,
        _ => words(ROWS * PLACES).max(LARGE_WORDS),
    }
}

/// Is a table of the size asked for a large one, with confidences by situation?
pub(super) fn is_large(settings: &Settings) -> bool {
    shape(words(settings)).1 == SEGMENTS_LOG2[1]
}

/// Features that fit a table of the size asked for.
pub(super) fn capacity(settings: &Settings) -> usize {
    let (windows, log2) = shape(words(settings));
    (window_load(log2) * f64::from(windows)) as usize
}

/// Features for each window of a table that can still be solved.
fn window_load(log2: u8) -> f64 {
    let full = FULL[usize::from(log2 == SEGMENTS_LOG2[1])];
    f64::from(CELLS) * full * f64::from(1u32 << log2)
}

impl Fuse {
    /// Solves for `features`: distinct keys, each with its level; no more than there is [`capacity`] for.
    /// Seeds are tried from `first` on.
    pub(super) fn of(features: &[(u32, u8)], settings: &Settings, first: u16) -> Self {
        let (windows, segment_log2) = shape(words(settings));
        // No larger than the features need, if they are few.
        let needed = (features.len() as f64 / window_load(segment_log2)).ceil() as u32;
        let windows = needed.clamp(1, windows);
        let mut fuse = Self {
            seed: 0,
            windows,
            segment_log2,
            words: Vec::new(),
        };
        for seed in first.. {
            fuse.seed = seed;
            if let Some(order) = fuse.peel(features) {
                fuse.assign(features, &order);
                return fuse;
            }
        }
        unreachable!("some seed works")
    }

    fn size(&self) -> usize {
        (self.windows as usize + 2) << self.segment_log2
    }

    /// The cells of a feature, numbered from 0, those of a word in a row.
    fn cells(&self, key: u32) -> [u32; 3] {
        let shape = Shape::new(self.seed, self.windows, self.segment_log2);
        let Place {
            window,
            words,
            shift,
        } = shape.place(key);
        let cell = |at: usize| {
            let segment = window + at as u32;
            ((segment << self.segment_log2) + words[at]) * CELLS + shift / CELL_BITS
        };
        [cell(0), cell(1), cell(2)]
    }

    /// The features in an order in which each has a cell that no later one uses, with that cell; or none.
    fn peel(&self, features: &[(u32, u8)]) -> Option<Vec<(u32, u32)>> {
        let size = self.size() * CELLS as usize;
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

    fn assign(&mut self, features: &[(u32, u8)], order: &[(u32, u32)]) {
        let mut cells = vec![0u16; self.size() * CELLS as usize];
        for (index, own) in order.iter().rev() {
            let (key, level) = features[*index as usize];
            let wanted = key as u16 & CELL_MASK ^ u16::from(level);
            let others = self.cells(key).into_iter().filter(|cell| cell != own);
            cells[*own as usize] = others.fold(wanted, |value, cell| value ^ cells[cell as usize]);
        }
        let in_word = |cells: &[u16]| {
            let shifted = cells.iter().enumerate();
            shifted.fold(0, |word, (at, cell)| {
                word | u32::from(*cell) << (at as u32 * CELL_BITS)
            })
        };
        self.words = cells.chunks(CELLS as usize).map(in_word).collect();
    }
}

const CELL_MASK: u16 = (1 << CELL_BITS) - 1;

#[cfg(test)]
mod tests {
    use super::*;
    use longwire_codec::features::mix;

    #[test]
    fn solved_for_any_number_of_features_and_when_full() {
        for (size, share) in [
            (12 << 10, 1.0),
            (128 << 10, 1.0),
            (128 << 10, 0.3),
            (512 << 10, 1.0),
            (2 << 20, 1.0),
            (64 << 10, 0.0),
        ] {
            let settings = Settings {
                size,
                ..Settings::default()
            };
            let count = (capacity(&settings) as f64 * share) as u32;
            let mut features: Vec<(u32, u8)> = (0..count)
                .map(|k| (mix(mix(9, k), !k), (k % 16) as u8))
                .collect();
            features.sort_unstable();
            features.dedup_by_key(|f| f.0);
            let fuse = Fuse::of(&features, &settings, 1);
            for (key, level) in &features {
                let cell = fuse.cells(*key).into_iter().fold(0, |mixed, cell| {
                    mixed ^ fuse.words[(cell / CELLS) as usize] >> (cell % CELLS * CELL_BITS)
                });
                assert_eq!((cell ^ key) & u32::from(CELL_MASK), u32::from(*level));
            }
        }
    }
}

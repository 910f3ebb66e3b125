//! Which segments of a packet there are, or went. Refuses to know which packet.

use super::SEGMENTS_MAX;

/// A set of segments, by index.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Segments([u32; SEGMENTS_MAX / 32]);

impl Segments {
    pub(super) fn has(&self, index: usize) -> bool {
        let word = self.0.get(index / 32);
        word.is_some_and(|word| word >> (index % 32) & 1 == 1)
    }

    /// Adds a segment; one that no packet has is left out.
    pub(super) fn insert(&mut self, index: usize) {
        if let Some(word) = self.0.get_mut(index / 32) {
            *word |= 1 << (index % 32);
        }
    }

    pub(super) fn count(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }
}

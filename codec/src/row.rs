//! Rows of at most so many items, and copies that may not fit. Refuses to panic: what does not fit is said.

use core::ops::Range;

/// At most `N` items.
// The length first: on a board what lies near the start is read by shorter instructions.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Row<T, const N: usize> {
    len: usize,
    items: [T; N],
}

impl<T: Copy, const N: usize> Row<T, N> {
    /// No items; `blank` stands where none is.
    #[inline(always)]
    pub(crate) const fn new(blank: T) -> Self {
        Self {
            items: [blank; N],
            len: 0,
        }
    }

    /// Adds an item, if there is room.
    pub(crate) fn push(&mut self, item: T) {
        if let Some(place) = self.items.get_mut(self.len) {
            *place = item;
            self.len += 1;
        }
    }

    /// Leaves nothing.
    pub(crate) fn clear(&mut self) {
        self.len = 0;
    }

    /// The items.
    pub(crate) fn all(&self) -> &[T] {
        &self.items[..self.len.min(N)]
    }

    /// The items, to change.
    pub(crate) fn all_mut(&mut self) -> &mut [T] {
        &mut self.items[..self.len.min(N)]
    }

    /// Room for another?
    pub(crate) fn has_room(&self) -> bool {
        self.len < N
    }
}

/// Copies `octets` to the start of `out`; false if they do not fit.
pub(crate) fn put(out: &mut [u8], octets: &[u8]) -> bool {
    let place = out.get_mut(..octets.len());
    let fits = place.is_some();
    if let Some(place) = place {
        place.copy_from_slice(octets);
    }
    fits
}

/// Moves the items of `from` so that they begin at `to`, if both places are there.
pub(crate) fn slide<T: Copy>(items: &mut [T], from: Range<usize>, to: usize) {
    let len = items.len();
    if from.start <= from.end && from.end <= len && to <= len - from.len() {
        items.copy_within(from, to);
    }
}

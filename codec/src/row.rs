//! Rows of at most so many items, and copies that may not fit. Refuses to panic: what does not fit is said.

use core::cell::Cell;
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
    let fits = octets.len() <= out.len();
    if fits {
        for (place, octet) in out.iter_mut().zip(octets) {
            *place = *octet;
        }
    }
    fits
}

/// Moves the items of `from` so that they begin at `to`, if both places are there.
pub(crate) fn slide<T: Copy>(items: &mut [T], from: Range<usize>, to: usize) {
    let cells = Cell::from_mut(items).as_slice_of_cells();
    let target = cells.get(to..to + from.len());
    let down = to < from.start;
    if let (Some(source), Some(target)) = (cells.get(from), target) {
        let pairs = source.iter().zip(target);
        let copy = |(from, to): (&Cell<T>, &Cell<T>)| to.set(from.get());
        if down {
            pairs.for_each(copy);
        } else {
            pairs.rev().for_each(copy);
        }
    }
}

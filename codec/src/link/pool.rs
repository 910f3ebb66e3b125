//! Packets of any length back to back in a slice. Refuses to allocate: when it is full, it is full.

use core::ops::Range;

use super::{PacketNumber, WINDOW_MAX};
use crate::row::slide;

/// Where one packet's bytes are.
#[derive(Clone, Copy, Debug)]
struct Span {
    start: u32,
    len: u32,
}

const NOTHING: Span = Span { start: 0, len: 0 };

/// The table of contents of a part of a slice the caller keeps: a span for each number of a window, most of them empty.
// The ends first: a board reaches them with short instructions.
#[repr(C)]
#[derive(Debug)]
pub(super) struct Pool {
    /// Where the packets end: there are no gaps.
    end: u32,
    /// Where the part of the slice begins, and where it ends.
    first: u32,
    last: u32,
    spans: [Span; WINDOW_MAX as usize],
}

impl Pool {
    // Made where it is to stay: a copy would lie on the stack of a board.
    #[inline(always)]
    pub(super) const fn new(first: usize, last: usize) -> Self {
        Self {
            end: first as u32,
            first: first as u32,
            last: last as u32,
            spans: [NOTHING; WINDOW_MAX as usize],
        }
    }

    fn range(&self, number: PacketNumber) -> Range<usize> {
        // The index is below the length.
        let Span { start, len } = self.spans[number.slot()];
        start as usize..(start + len) as usize
    }

    /// Bytes still free.
    pub(super) fn free(&self) -> usize {
        self.last.saturating_sub(self.end) as usize
    }

    /// Bytes of a packet.
    pub(super) fn len(&self, number: PacketNumber) -> usize {
        self.spans[number.slot()].len as usize
    }

    /// The bytes of a packet.
    pub(super) fn get<'b>(&self, bytes: &'b [u8], number: PacketNumber) -> &'b [u8] {
        bytes.get(self.range(number)).unwrap_or(&[])
    }

    /// The bytes of a packet, to write.
    pub(super) fn get_mut<'b>(&self, bytes: &'b mut [u8], number: PacketNumber) -> &'b mut [u8] {
        bytes.get_mut(self.range(number)).unwrap_or(&mut [])
    }

    /// The free bytes after the last packet.
    pub(super) fn tail<'b>(&self, bytes: &'b mut [u8]) -> &'b mut [u8] {
        let tail = self.end as usize..self.last as usize;
        bytes.get_mut(tail).unwrap_or(&mut [])
    }

    /// Turns the first `len` free bytes into a packet. False if they are not free.
    pub(super) fn push(&mut self, number: PacketNumber, len: usize) -> bool {
        let fits = len <= self.free();
        if fits {
            self.spans[number.slot()] = Span {
                start: self.end,
                len: len as u32,
            };
            self.end += len as u32;
        }
        fits
    }

    /// Makes a packet longer or shorter and moves those after it. False if there is no room.
    pub(super) fn resize(&mut self, bytes: &mut [u8], number: PacketNumber, len: usize) -> bool {
        let Range { start, end } = self.range(number);
        let to = start + len;
        let fits = to <= end + self.free();
        if fits {
            slide(bytes, end..self.end as usize, to);
            let step = (to as u32).wrapping_sub(end as u32);
            for span in &mut self.spans {
                if span.start as usize >= end {
                    span.start = span.start.wrapping_add(step);
                }
            }
            self.spans[number.slot()] = Span {
                start: start as u32,
                len: len as u32,
            };
            self.end = self.end.wrapping_add(step);
        }
        fits
    }

    /// Forgets a packet and closes the gap.
    pub(super) fn remove(&mut self, bytes: &mut [u8], number: PacketNumber) {
        self.resize(bytes, number, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_keep_their_bytes_while_others_come_grow_and_go() {
        let mut bytes = [0; 20];
        let mut pool = Pool::new(0, 20);
        let number = PacketNumber::new;
        for n in 0..4 {
            pool.tail(&mut bytes)[..4].fill(n as u8);
            assert!(pool.push(number(n), 4));
        }
        assert!(!pool.push(number(9), 5));
        pool.remove(&mut bytes, number(1));
        assert!(pool.resize(&mut bytes, number(0), 8) && !pool.resize(&mut bytes, number(2), 9));
        pool.resize(&mut bytes, number(2), 3);
        assert_eq!(pool.get(&bytes, number(0))[..4], [0; 4]);
        assert_eq!(pool.get(&bytes, number(1)), []);
        assert_eq!(pool.get(&bytes, number(2)), [2; 3]);
        assert_eq!(pool.get(&bytes, number(3)), [3; 4]);
        assert_eq!(pool.free(), 20 - 15);
    }
}

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

/// The table of contents of a slice the caller keeps: a span for each number of a window, most of them empty.
// The length first: a board reaches it with short instructions.
#[repr(C)]
#[derive(Debug)]
pub(super) struct Pool {
    /// Bytes of all packets: there are no gaps.
    len: u32,
    spans: [Span; WINDOW_MAX as usize],
}

impl Pool {
    // Made where it is to stay: a copy would lie on the stack of a board.
    #[inline(always)]
    pub(super) const fn new() -> Self {
        Self {
            len: 0,
            spans: [NOTHING; WINDOW_MAX as usize],
        }
    }

    fn range(&self, number: PacketNumber) -> Range<usize> {
        // The index is below the length.
        let Span { start, len } = self.spans[number.slot()];
        start as usize..(start + len) as usize
    }

    /// Bytes still free of `bytes`.
    pub(super) fn free(&self, bytes: &[u8]) -> usize {
        bytes.len().saturating_sub(self.len as usize)
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
        bytes.get_mut(self.len as usize..).unwrap_or(&mut [])
    }

    /// Turns the first `len` free bytes into a packet. False if they are not free.
    pub(super) fn push(&mut self, bytes: &[u8], number: PacketNumber, len: usize) -> bool {
        let fits = len <= self.free(bytes);
        if fits {
            self.spans[number.slot()] = Span {
                start: self.len,
                len: len as u32,
            };
            self.len += len as u32;
        }
        fits
    }

    /// Makes a packet longer or shorter and moves those after it. False if there is no room.
    pub(super) fn resize(&mut self, bytes: &mut [u8], number: PacketNumber, len: usize) -> bool {
        let Range { start, end } = self.range(number);
        let (to, all) = (start + len, self.len as usize);
        let fits = to + (all - end) <= bytes.len();
        if fits {
            slide(bytes, end..all, to);
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
            self.len = self.len.wrapping_add(step);
        }
        fits
    }

    /// Forgets a packet and closes the gap.
    pub(super) fn remove(&mut self, bytes: &mut [u8], number: PacketNumber) {
        self.resize(bytes, number, 0);
    }

    /// Forgets all packets.
    pub(super) fn clear(&mut self) {
        self.len = 0;
        self.spans.fill(NOTHING);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_keep_their_bytes_while_others_come_grow_and_go() {
        let mut bytes = [0; 20];
        let mut pool = Pool::new();
        let number = PacketNumber::new;
        for n in 0..4 {
            pool.tail(&mut bytes)[..4].fill(n as u8);
            assert!(pool.push(&bytes, number(n), 4));
        }
        assert!(!pool.push(&bytes, number(9), 5));
        pool.remove(&mut bytes, number(1));
        assert!(pool.resize(&mut bytes, number(0), 8) && !pool.resize(&mut bytes, number(2), 9));
        pool.resize(&mut bytes, number(2), 3);
        assert_eq!(pool.get(&bytes, number(0))[..4], [0; 4]);
        assert_eq!(pool.get(&bytes, number(1)), []);
        assert_eq!(pool.get(&bytes, number(2)), [2; 3]);
        assert_eq!(pool.get(&bytes, number(3)), [3; 4]);
        assert_eq!(pool.free(&bytes), 20 - 15);
    }
}

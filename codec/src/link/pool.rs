//! Packets of any length back to back in a slice. Refuses to allocate: when it is full, it is full.

use super::PacketNumber;
use crate::row::slide;

/// One packet's bytes: those after all packets before it.
#[derive(Clone, Copy, Debug)]
struct Span {
    number: PacketNumber,
    len: u32,
}

/// Most packets in one pool: one window, and one being written.
const SPANS: usize = 66;

/// The table of contents of a slice the caller keeps.
#[derive(Debug)]
pub(super) struct Pool {
    /// In the order of their bytes, without gaps.
    spans: [Span; SPANS],
    count: usize,
}

impl Pool {
    // Made where it is to stay: a copy would lie on the stack of a board.
    #[inline(always)]
    pub(super) const fn new() -> Self {
        Self {
            spans: [Span {
                number: PacketNumber::new(0),
                len: 0,
            }; SPANS],
            count: 0,
        }
    }

    fn used(&self) -> &[Span] {
        self.spans.get(..self.count).unwrap_or(&[])
    }

    /// Which span a packet is, where its bytes start and where they end.
    fn find(&self, number: PacketNumber) -> Option<(usize, usize, usize)> {
        let mut start = 0;
        for (at, span) in self.used().iter().enumerate() {
            let end = start + span.len as usize;
            if span.number == number {
                return Some((at, start, end));
            }
            start = end;
        }
        None
    }

    fn end(&self) -> usize {
        self.used().iter().map(|span| span.len as usize).sum()
    }

    /// Bytes still free of `bytes`.
    pub(super) fn free(&self, bytes: &[u8]) -> usize {
        if self.count == SPANS {
            0
        } else {
            bytes.len().saturating_sub(self.end())
        }
    }

    /// The bytes of a packet.
    pub(super) fn get<'b>(&self, bytes: &'b [u8], number: PacketNumber) -> Option<&'b [u8]> {
        let (_, start, end) = self.find(number)?;
        bytes.get(start..end)
    }

    /// The bytes of a packet, to write.
    pub(super) fn get_mut<'b>(
        &self,
        bytes: &'b mut [u8],
        number: PacketNumber,
    ) -> Option<&'b mut [u8]> {
        let (_, start, end) = self.find(number)?;
        bytes.get_mut(start..end)
    }

    /// The free bytes after the last packet.
    pub(super) fn tail<'b>(&self, bytes: &'b mut [u8]) -> &'b mut [u8] {
        bytes.get_mut(self.end()..).unwrap_or(&mut [])
    }

    /// Turns the first `len` free bytes into a packet. False if they are not free.
    pub(super) fn push(&mut self, bytes: &[u8], number: PacketNumber, len: usize) -> bool {
        if len > self.free(bytes) || self.find(number).is_some() {
            return false;
        }
        let (Some(span), Ok(len)) = (self.spans.get_mut(self.count), u32::try_from(len)) else {
            return false;
        };
        *span = Span { number, len };
        self.count += 1;
        true
    }

    /// Makes a packet at least `len` bytes long, moving those after it. False if there is no room.
    pub(super) fn grow(&mut self, bytes: &mut [u8], number: PacketNumber, len: usize) -> bool {
        let Some((_, start, end)) = self.find(number) else {
            return false;
        };
        len <= end - start || self.resize(bytes, number, len)
    }

    /// Cuts a packet to its first `len` bytes.
    pub(super) fn truncate(&mut self, bytes: &mut [u8], number: PacketNumber, len: usize) {
        self.resize(bytes, number, len);
    }

    /// Moves what comes after a packet. False if there is no room, or no such packet.
    fn resize(&mut self, bytes: &mut [u8], number: PacketNumber, len: usize) -> bool {
        let (Some((at, start, end)), all) = (self.find(number), self.end()) else {
            return false;
        };
        let (to, Ok(len)) = (start + len, u32::try_from(len)) else {
            return false;
        };
        let fits = to + (all - end) <= bytes.len();
        if let Some(span) = self.spans.get_mut(at).filter(|_| fits) {
            slide(bytes, end..all, to);
            span.len = len;
        }
        fits
    }

    /// Forgets a packet and closes the gap.
    pub(super) fn remove(&mut self, bytes: &mut [u8], number: PacketNumber) {
        self.truncate(bytes, number, 0);
        if let Some((at, ..)) = self.find(number) {
            slide(&mut self.spans, at + 1..self.count, at);
            self.count -= 1;
        }
    }

    /// Forgets all packets.
    pub(super) fn clear(&mut self) {
        self.count = 0;
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
        assert!(!pool.push(&bytes, number(9), 5) && !pool.push(&bytes, number(1), 1));
        pool.remove(&mut bytes, number(1));
        assert!(pool.grow(&mut bytes, number(0), 8) && !pool.grow(&mut bytes, number(2), 9));
        pool.truncate(&mut bytes, number(2), 3);
        assert_eq!(pool.get(&bytes, number(0)).unwrap()[..4], [0; 4]);
        assert_eq!(pool.get(&bytes, number(1)), None);
        assert_eq!(pool.get(&bytes, number(2)), Some(&[2; 3][..]));
        assert_eq!(pool.get(&bytes, number(3)), Some(&[3; 4][..]));
        assert_eq!(pool.free(&bytes), 20 - 15);
    }
}

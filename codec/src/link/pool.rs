//! Packets of any length back to back in a slice. Refuses to allocate: when it is full, it is full.

use super::PacketNumber;

/// Where one packet's bytes are.
#[derive(Clone, Copy, Debug)]
struct Span {
    number: PacketNumber,
    start: u32,
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
                start: 0,
                len: 0,
            }; SPANS],
            count: 0,
        }
    }

    fn used(&self) -> &[Span] {
        self.spans.get(..self.count).unwrap_or(&[])
    }

    fn find(&self, number: PacketNumber) -> Option<usize> {
        self.used().iter().position(|span| span.number == number)
    }

    fn end(&self) -> usize {
        self.used()
            .last()
            .map_or(0, |span| (span.start + span.len) as usize)
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
        let span = self.used().get(self.find(number)?)?;
        bytes.get(span.start as usize..(span.start + span.len) as usize)
    }

    /// The bytes of a packet, to write.
    pub(super) fn get_mut<'b>(
        &self,
        bytes: &'b mut [u8],
        number: PacketNumber,
    ) -> Option<&'b mut [u8]> {
        let span = self.used().get(self.find(number)?)?;
        bytes.get_mut(span.start as usize..(span.start + span.len) as usize)
    }

    /// The free bytes after the last packet.
    pub(super) fn tail<'b>(&self, bytes: &'b mut [u8]) -> &'b mut [u8] {
        bytes.get_mut(self.end()..).unwrap_or(&mut [])
    }

    /// Turns the first `len` free bytes into a packet. False if they are not free.
    pub(super) fn push(&mut self, bytes: &[u8], number: PacketNumber, len: usize) -> bool {
        let (Ok(start), Ok(len32)) = (u32::try_from(self.end()), u32::try_from(len)) else {
            return false;
        };
        if len > self.free(bytes) || self.find(number).is_some() {
            return false;
        }
        let Some(span) = self.spans.get_mut(self.count) else {
            return false;
        };
        *span = Span {
            number,
            start,
            len: len32,
        };
        self.count += 1;
        true
    }

    /// Makes a packet at least `len` bytes long, moving those after it. False if there is no room.
    pub(super) fn grow(&mut self, bytes: &mut [u8], number: PacketNumber, len: usize) -> bool {
        let Some(at) = self.find(number) else {
            return false;
        };
        let end = self.end();
        let Some(&span) = self.used().get(at) else {
            return false;
        };
        let Some(more) = len.checked_sub(span.len as usize) else {
            return true;
        };
        let Ok(more32) = u32::try_from(more) else {
            return false;
        };
        if end + more > bytes.len() {
            return false;
        }
        let after = (span.start + span.len) as usize;
        bytes.copy_within(after..end, after + more);
        self.shift(at, |span| span.start += more32);
        if let Some(span) = self.spans.get_mut(at) {
            span.len += more32;
        }
        true
    }

    /// Cuts a packet to its first `len` bytes.
    pub(super) fn truncate(&mut self, bytes: &mut [u8], number: PacketNumber, len: usize) {
        let Some(at) = self.find(number) else { return };
        let end = self.end();
        let Some(span) = self.spans.get_mut(at) else {
            return;
        };
        let Some(less) = (span.len as usize).checked_sub(len) else {
            return;
        };
        let after = (span.start + span.len) as usize;
        let less32 = u32::try_from(less).unwrap_or(0);
        span.len -= less32;
        bytes.copy_within(after..end, after - less);
        self.shift(at, |span| span.start -= less32);
    }

    /// Forgets a packet and closes the gap.
    pub(super) fn remove(&mut self, bytes: &mut [u8], number: PacketNumber) {
        self.truncate(bytes, number, 0);
        let Some(at) = self.find(number) else { return };
        self.spans.copy_within(at + 1..self.count, at);
        self.count -= 1;
    }

    /// Forgets all packets.
    pub(super) fn clear(&mut self) {
        self.count = 0;
    }

    fn shift(&mut self, at: usize, change: impl FnMut(&mut Span)) {
        self.spans
            .get_mut(at + 1..self.count)
            .unwrap_or(&mut [])
            .iter_mut()
            .for_each(change);
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

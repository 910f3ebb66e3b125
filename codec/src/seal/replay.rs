//! Which counters were seen. Refuses to open frames: it only says whether one may be opened.

/// Counters of one direction in one session.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Replay {
    /// One above the highest counter received.
    next: u64,
    /// Bit i: counter `next - 1 - i` was received.
    seen: u64,
    /// Counters below this are refused: an acknowledgement told the sender that they count as lost.
    floor: u64,
}

impl Replay {
    /// The full counter with these low 8 bits that is nearest above what was received: up to 192 ahead, 64 behind.
    pub(crate) fn resolve(&self, low: u8) -> u64 {
        let start = self.next.saturating_sub(64);
        start + (u64::from(low).wrapping_sub(start) & 0xff)
    }

    /// The full counter with the low 24 bits of `low`, at or above the next expected; that one if it is behind.
    pub(crate) fn resolve_wide(&self, low: u64) -> u64 {
        let ahead = low.wrapping_sub(self.next) & 0xff_ffff;
        if ahead < 1 << 23 {
            self.next + ahead
        } else {
            self.next
        }
    }

    /// Whether a frame with this counter is new.
    pub(crate) fn is_new(&self, counter: u64) -> bool {
        if counter < self.floor {
            return false;
        }
        match (self.next.checked_sub(1)).and_then(|top| top.checked_sub(counter)) {
            None => true,
            Some(age) => age < 64 && self.seen >> age & 1 == 0,
        }
    }

    /// Whether none with a higher counter was received.
    pub(crate) fn is_newest(&self, counter: u64) -> bool {
        counter >= self.next
    }

    /// Records an authentic frame.
    pub(crate) fn record(&mut self, counter: u64) {
        if counter >= self.next {
            let shift = u32::try_from(counter + 1 - self.next).unwrap_or(u32::MAX);
            self.seen = self.seen.checked_shl(shift).unwrap_or(0) | 1;
            self.next = counter + 1;
        } else if self.next - 1 - counter < 64 {
            self.seen |= 1 << (self.next - 1 - counter);
        }
    }

    /// Everything up to the highest received counts as lost from now on. Gives the low bits of that counter.
    pub(crate) fn close(&mut self) -> u8 {
        self.floor = self.next;
        self.next.wrapping_sub(1).to_le_bytes()[0]
    }

    /// The sender's next counter is authentically known to be at least `counter`.
    pub(crate) fn advance(&mut self, counter: u64) {
        if counter > self.next {
            let shift = u32::try_from(counter - self.next).unwrap_or(u32::MAX);
            self.seen = self.seen.checked_shl(shift).unwrap_or(0);
            self.next = counter;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_counter_passes_once() {
        let mut replay = Replay::default();
        for counter in [0u64, 2, 1, 5, 300, 299] {
            assert_eq!(replay.resolve(counter.to_le_bytes()[0]), counter);
            assert!(replay.is_new(counter));
            replay.record(counter);
            assert!(!replay.is_new(counter), "{counter}");
            if counter == 5 {
                replay.advance(250);
            }
        }
        assert!(!replay.is_new(236), "out of the window");
        assert!(replay.is_new(298));
        assert_eq!(replay.close(), 44);
        assert!(!replay.is_new(298), "an acknowledgement called it lost");
    }
}

//! Which counters were seen. Refuses to open frames: it only says whether one may be opened.

/// Counters of one direction in one session.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Replay {
    /// One above the highest counter received.
    next: u32,
    /// Bit i: counter `next - 1 - i` was received.
    seen: u32,
    /// Counters below this are refused: an acknowledgement told the sender that they count as lost.
    floor: u32,
}

impl Replay {
    /// The full counter with these low 8 bits that is nearest above what was received: up to 192 ahead, 64 behind.
    pub(crate) fn resolve(&self, low: u8) -> u32 {
        let start = self.next.saturating_sub(64);
        start.saturating_add(u32::from(low).wrapping_sub(start) & 0xff)
    }

    /// The full counter with the low 24 bits of `low`, at or above the next expected; that one if it is behind.
    pub(crate) fn resolve_wide(&self, low: u32) -> u32 {
        let ahead = low.wrapping_sub(self.next) & 0xff_ffff;
        if ahead < 1 << 23 {
            self.next.saturating_add(ahead)
        } else {
            self.next
        }
    }

    /// Whether a frame with this counter is new.
    pub(crate) fn is_new(&self, counter: u32) -> bool {
        if counter < self.floor {
            return false;
        }
        match (self.next.checked_sub(1)).and_then(|top| top.checked_sub(counter)) {
            None => true,
            Some(age) => age < u32::BITS && self.seen >> age & 1 == 0,
        }
    }

    /// Whether none with a higher counter was received.
    pub(crate) fn is_newest(&self, counter: u32) -> bool {
        counter >= self.next
    }

    /// Records an authentic frame.
    pub(crate) fn record(&mut self, counter: u32) {
        if counter >= self.next {
            let next = counter.saturating_add(1);
            self.advance(next);
            self.seen |= 1;
        } else {
            let age = self.next - 1 - counter;
            self.seen |= 1u32.checked_shl(age).unwrap_or(0);
        }
    }

    /// The low bits of the highest counter received.
    pub(crate) fn heard(&self) -> u8 {
        self.next.wrapping_sub(1) as u8
    }

    /// Everything up to that counter counts as lost from now on.
    pub(crate) fn close(&mut self) {
        self.floor = self.next;
    }

    /// The sender's next counter is authentically known to be at least `counter`.
    pub(crate) fn advance(&mut self, counter: u32) {
        if counter > self.next {
            self.seen = self.seen.checked_shl(counter - self.next).unwrap_or(0);
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
        for counter in [0u32, 2, 1, 5, 300, 299] {
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
        replay.close();
        assert_eq!(replay.heard(), 44);
        assert!(!replay.is_new(298), "an acknowledgement called it lost");
    }
}

//! Packets under way: written, neither acknowledged nor abandoned. Refuses to grow: beyond its spread packets are
//! written without memory.

/// Numbers of packets under way that may refer to what both ends remember lie closer than this.
const SPREAD_MAX: u32 = u32::BITS;

/// See the module.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pending {
    /// The oldest, if there is any.
    first: u32,
    /// Bit n: packet `first + n` is under way.
    bits: u32,
}

impl Pending {
    /// Nothing under way.
    pub const fn new() -> Self {
        Self { first: 0, bits: 0 }
    }

    /// The place of a packet's bit, if it has one.
    fn bit(&self, number: u32) -> u32 {
        let ahead = number.checked_sub(self.first);
        ahead.and_then(|ahead| 1u32.checked_shl(ahead)).unwrap_or(0)
    }

    /// Would a packet of this number lie too far from others under way?
    pub fn is_ahead(&self, number: u32) -> bool {
        let Some(newest) = self.bits.checked_ilog2() else {
            return false;
        };
        let is_far = |other: u32| number.abs_diff(other) >= SPREAD_MAX;
        is_far(self.first) || is_far(self.first.saturating_add(newest))
    }

    /// A packet leaves. The caller has made sure that it is not ahead.
    pub fn add(&mut self, number: u32) {
        if self.bits == 0 {
            self.first = number;
        } else if let Some(before) = self.first.checked_sub(number) {
            self.bits = self.bits.checked_shl(before).unwrap_or(0);
            self.first = number;
        }
        self.bits |= self.bit(number);
    }

    /// The oldest, if any is under way.
    pub fn oldest(&self) -> Option<u32> {
        (self.bits != 0).then_some(self.first)
    }

    /// A packet was acknowledged or abandoned. False if it was not under way.
    pub fn remove(&mut self, number: u32) -> bool {
        let bit = self.bit(number);
        if self.bits & bit == 0 {
            return false;
        }
        self.bits &= !bit;
        if self.bits != 0 {
            let gone = self.bits.trailing_zeros();
            self.bits >>= gone;
            self.first += gone;
        }
        true
    }

    /// No packet under way is as old as `number`, so that none can refer to what only it and older ones did.
    pub fn is_past(&self, number: u32) -> bool {
        self.bits == 0 || self.first > number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_come_and_go_in_any_order() {
        let mut pending = Pending::new();
        assert!(pending.is_past(0) && !pending.is_ahead(u32::MAX));
        for number in [40, 50, 31, 62] {
            assert!(!pending.is_ahead(number), "{number}");
            pending.add(number);
        }
        assert!(pending.is_ahead(63) && pending.is_ahead(30));
        assert!(!pending.remove(41) && !pending.remove(63) && !pending.remove(30));
        assert!(pending.is_past(30) && !pending.is_past(31));
        assert!(pending.remove(31) && !pending.remove(31));
        assert!(pending.is_past(39) && !pending.is_past(40));
        assert!(!pending.is_ahead(71) && pending.is_ahead(72));
        for number in [62, 40, 50] {
            assert!(pending.remove(number), "{number}");
        }
        assert!(pending.is_past(u32::MAX));
        pending.add(u32::MAX);
        assert!(pending.is_ahead(0) && pending.remove(u32::MAX));
    }
}

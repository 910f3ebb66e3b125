//! Packet numbers and the record of which were accepted. Refuses to be a queue: it holds no bytes.

use core::fmt;

use crate::frame::Bits;

/// The link's number of a packet in its direction: counts from 0, never reused, kept across restarts.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PacketNumber(u32);

impl PacketNumber {
    /// The number `value`.
    pub const fn new(value: u32) -> Self {
        Self(value)
    }

    /// The number as an integer, to store it.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The number `distance` later; the last number saturates.
    #[must_use]
    pub const fn plus(self, distance: u32) -> Self {
        Self(self.0.saturating_add(distance))
    }

    /// How many numbers `self` lies after `earlier`; `None` if it lies before.
    pub const fn distance_from(self, earlier: Self) -> Option<u32> {
        self.0.checked_sub(earlier.0)
    }

    /// The lowest eight bits.
    pub(super) const fn low(self) -> u8 {
        self.0 as u8
    }

    /// Its place in tables of one window.
    pub(super) const fn slot(self) -> usize {
        (self.0 % super::WINDOW_MAX) as usize
    }

    /// The only number with these low `bits` in the 2^bits numbers that start `back` before `self`.
    #[must_use]
    pub fn resolve(self, low: u32, bits: u32, back: u32) -> Option<Self> {
        let start = self.0.wrapping_sub(back);
        let ahead = low.wrapping_sub(start) & ((1 << bits) - 1);
        let number = start.wrapping_add(ahead);
        // What lies before the first packet went around.
        (number < self.0.saturating_add(1 << bits)).then_some(Self(number))
    }
}

/// The numbers from one up to, not including, another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbers(pub(super) PacketNumber, pub(super) PacketNumber);

impl Iterator for Numbers {
    type Item = PacketNumber;

    #[inline(always)]
    fn next(&mut self) -> Option<PacketNumber> {
        let number = self.0;
        (number < self.1).then(|| {
            self.0.0 += 1;
            number
        })
    }
}

impl fmt::Display for PacketNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which packets of the peer the application holds durably: everything below `base`, and `base + 1 + i`
/// for each bit `i` of `beyond`. Twelve bytes: small enough for one row or one flash record.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Accepted {
    /// The lowest number not accepted.
    pub base: PacketNumber,
    /// Accepted numbers above `base`; bit 0 is `base + 1`.
    pub beyond: u64,
}

impl Accepted {
    /// The highest number accepted, if any is.
    pub fn highest(&self) -> Option<PacketNumber> {
        match self.beyond {
            0 => self.base.get().checked_sub(1).map(PacketNumber::new),
            beyond => Some(self.base.plus(64 - beyond.leading_zeros())),
        }
    }

    /// Whether `number` is accepted.
    pub fn contains(&self, number: PacketNumber) -> bool {
        match number.distance_from(self.base) {
            None => true,
            Some(n) => self.bits().has((n as usize).wrapping_sub(1)),
        }
    }

    /// Records `number`. False if it was already there, or lies too far ahead to be recorded.
    pub fn insert(&mut self, number: PacketNumber) -> bool {
        let distance = number.distance_from(self.base);
        if self.contains(number) || distance > Some(u64::BITS) {
            return false;
        }
        match distance {
            Some(n @ 1..) => {
                let mut bits = self.bits();
                bits.insert(n as usize - 1);
                self.beyond = u64::from_le_bytes(bits.0);
            }
            _ => loop {
                self.base = self.base.plus(1);
                let next = self.beyond & 1;
                self.beyond >>= 1;
                if next == 0 {
                    break;
                }
            },
        }
        true
    }

    /// `beyond` as it crosses.
    pub(super) fn bits(&self) -> Bits<8> {
        Bits(self.beyond.to_le_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepted_in_any_order_ends_at_the_same_base() {
        let mut accepted = Accepted::default();
        for n in [3, 1, 2, 64] {
            assert!(accepted.insert(PacketNumber::new(n)));
            assert!(!accepted.insert(PacketNumber::new(n)), "{n} twice");
        }
        assert_eq!(accepted.highest(), Some(PacketNumber::new(64)));
        assert_eq!(Accepted::default().highest(), None);
        assert!(!accepted.insert(PacketNumber::new(65)), "too far ahead");
        assert!(accepted.insert(PacketNumber::new(0)));
        assert_eq!(accepted.base.get(), 4);
        assert!(
            accepted.contains(PacketNumber::new(64)) && !accepted.contains(PacketNumber::new(63))
        );
        for n in 4..64 {
            assert!(accepted.insert(PacketNumber::new(n)));
        }
        assert_eq!(
            accepted,
            Accepted {
                base: PacketNumber::new(65),
                beyond: 0
            }
        );
    }

    #[test]
    fn low_bits_name_one_number_near_the_base() {
        let base = PacketNumber::new(1000);
        for n in 1000 - 192..1000 + 64 {
            assert_eq!(base.resolve(n & 255, 8, 192), Some(PacketNumber::new(n)));
        }
        assert_eq!(
            PacketNumber::new(3).resolve(250, 8, 192),
            None,
            "before the first packet"
        );
    }
}

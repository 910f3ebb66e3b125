//! The record of which packets of a group were stored. Refuses to wait for ever: what lies too far behind counts as
//! stored.

use crate::link::PacketNumber;

/// Numbers above the base that the record tells apart: as many as the longest window has segments.
const REACH: u32 = 256;

/// Which packets the application holds durably or has given up: everything below `base`, and `base + 1 + i` for each
/// bit `i` of `beyond`. 36 bytes: one row or one flash record.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct GroupAccepted {
    /// The lowest number neither accepted nor given up.
    pub base: PacketNumber,
    /// Accepted numbers above `base`, low words first; bit 0 is `base + 1`.
    pub beyond: [u64; 4],
}

impl GroupAccepted {
    /// Whether `number` is accepted or given up.
    pub fn contains(&self, number: PacketNumber) -> bool {
        match number.distance_from(self.base) {
            None => true,
            Some(0) => false,
            Some(far) => self.word(far).is_some_and(|word| word >> bit(far) & 1 == 1),
        }
    }

    fn word(&self, far: u32) -> Option<u64> {
        self.beyond.get((far as usize - 1) / 64).copied()
    }

    /// Records `number`, giving up numbers more than 256 behind it. Gives how many those were.
    pub(super) fn record(&mut self, number: PacketNumber) -> u32 {
        let Some(far) = number.distance_from(self.base) else {
            return 0;
        };
        let mut passed = 0;
        if far > 2 * REACH {
            // Nothing known reaches that far.
            let known: u32 = self.beyond.iter().map(|word| word.count_ones()).sum();
            passed = far - REACH - known;
            *self = Self {
                base: self.base.plus(far - REACH),
                beyond: [0; 4],
            };
        }
        while (number.distance_from(self.base)).is_some_and(|far| far > REACH) {
            self.advance();
            passed += 1;
        }
        match number.distance_from(self.base) {
            Some(0) => self.advance(),
            Some(far) => {
                if let Some(word) = self.beyond.get_mut((far as usize - 1) / 64) {
                    *word |= 1 << bit(far);
                }
            }
            None => {}
        }
        passed
    }

    /// Moves the base to the next number that is missing.
    fn advance(&mut self) {
        loop {
            let held = self.beyond[0] & 1 == 1;
            let mut carry = 0;
            for word in self.beyond.iter_mut().rev() {
                (*word, carry) = (*word >> 1 | carry, *word << 63);
            }
            self.base = self.base.plus(1);
            if !held {
                return;
            }
        }
    }
}

/// Where in its word the number `far` above the base lies.
const fn bit(far: u32) -> u32 {
    (far - 1) % 64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_moves_like_a_set() {
        let number = PacketNumber::new;
        let mut accepted = GroupAccepted::default();
        let (mut passed, mut given, mut highest) = (0, 0, 0);
        for n in (0..9000u32).filter(|n| n * n % 7 != 1 && n % 3000 < 2100) {
            passed += accepted.record(number(n));
            passed += accepted.record(number(n));
            (given, highest) = (given + 1, n);
            assert!(accepted.contains(number(n)) && !accepted.contains(number(n + 1)));
        }
        let open = (0..highest).filter(|n| !accepted.contains(number(*n)));
        assert_eq!(passed + given + open.count() as u32, highest + 1);
        assert!(!accepted.contains(number(u32::MAX)));
        accepted.record(number(u32::MAX));
        assert!(accepted.contains(number(u32::MAX)));
    }
}

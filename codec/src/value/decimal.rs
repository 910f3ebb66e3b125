//! Whole numbers and decimal fractions, as written without needless zeros in front. Refuses exponents, plus signs
//! and anything beyond 17 digits.

use crate::features::Decide;
use crate::structure::{Contexts, flag, number, signed, tree};

/// Longest text.
pub const LEN_MAX: usize = 24;
const DIGITS_MAX: usize = 17;
const SIGN: u32 = 0x0001_6465;
const SIZE: u32 = 0x0002_6465;
const PLACES: u32 = 0x0003_6465;
const NEAR: u32 = 0x0004_6465;
const DELTA: u32 = 0x0005_6465;

/// A number: `scaled` divided by ten to the power of `places`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Decimal {
    scaled: i64,
    places: u32,
}

impl Decimal {
    /// Reads a number that [`Self::write`] writes the same way.
    pub fn parse(text: &str) -> Option<Self> {
        let octets = text.as_bytes();
        let digits = octets.strip_prefix(b"-").unwrap_or(octets);
        let places = digits.iter().rev().position(|octet| *octet == b'.');
        if digits.len() - usize::from(places.is_some()) > DIGITS_MAX {
            return None;
        }
        let mut scaled = 0i64;
        for octet in digits.iter().filter(|octet| **octet != b'.') {
            let digit = octet.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            scaled = scaled * 10 + i64::from(digit);
        }
        let number = Self {
            scaled: if digits.len() < octets.len() {
                -scaled
            } else {
                scaled
            },
            places: places.unwrap_or(0) as u32,
        };
        let mut again = [0; LEN_MAX];
        (number.write(&mut again) == octets).then_some(number)
    }

    /// True for a number without a fraction.
    pub fn is_whole(self) -> bool {
        self.places == 0
    }

    /// Writes it; returns what was written.
    pub fn write(self, out: &mut [u8; LEN_MAX]) -> &[u8] {
        let mut start = LEN_MAX;
        let mut push = |octet| {
            start -= 1;
            if let Some(place) = out.get_mut(start) {
                *place = octet;
            }
        };
        // From its end; at most 18 digits, a point and a sign.
        let mut rest = self.scaled.unsigned_abs();
        let mut count = 0;
        while rest > 0 || count <= self.places {
            push(b'0' + (rest % 10) as u8);
            rest /= 10;
            count += 1;
            if count == self.places {
                push(b'.');
            }
        }
        if self.scaled < 0 {
            push(b'-');
        }
        out.get(start..).unwrap_or(&[])
    }

    /// Codes a whole number.
    pub fn code_whole<D: Decide>(self, d: &mut D, contexts: &Contexts) -> Option<Self> {
        let negative = flag(d, contexts, SIGN, self.scaled < 0);
        let size = number(d, contexts, SIZE, self.scaled.unsigned_abs());
        Self::checked(negative, size, 0)
    }

    /// Codes a fraction; cheaply if it is near `base`.
    pub fn code_fraction<D: Decide>(
        self,
        d: &mut D,
        contexts: &Contexts,
        base: Option<Self>,
    ) -> Option<Self> {
        if let Some(base) = base {
            let near = self.places == base.places && self.scaled.abs_diff(base.scaled) < 1 << 40;
            if flag(d, contexts, NEAR, near) {
                let delta = signed(d, contexts, DELTA, self.scaled.wrapping_sub(base.scaled));
                let scaled = base.scaled.checked_add(delta)?;
                return Self::checked(scaled < 0, scaled.unsigned_abs(), base.places);
            }
        }
        let places = tree(d, contexts, PLACES, 5, self.places);
        let negative = flag(d, contexts, SIGN, self.scaled < 0);
        let size = number(d, contexts, SIZE + 16, self.scaled.unsigned_abs());
        Self::checked(negative, size, places)
    }

    fn checked(negative: bool, size: u64, places: u32) -> Option<Self> {
        let fits = size < 10u64.pow(DIGITS_MAX as u32) && places <= DIGITS_MAX as u32;
        let size = i64::try_from(size).ok().filter(|_| fits)?;
        let scaled = if negative { -size } else { size };
        Some(Self { scaled, places })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_written_again() {
        for text in [
            "0",
            "-1",
            "42",
            "0.5",
            "-0.05",
            "59.329323",
            "0.0",
            "12345678901234567",
            "0.0000000000000001",
        ] {
            let number = Decimal::parse(text).expect(text);
            assert_eq!(number.write(&mut [0; LEN_MAX]), text.as_bytes());
        }
        for text in [
            "",
            "-",
            "-0",
            "00",
            "01",
            "+1",
            "1.",
            ".5",
            "1e3",
            "1.2.3",
            "-0.0",
            "1 ",
            "123456789012345678",
        ] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }
}

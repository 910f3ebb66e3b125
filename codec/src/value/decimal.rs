//! Whole numbers and decimal fractions, as written without needless zeros in front. Refuses exponents, plus signs
//! and what does not fit 31 bits without its point.

use super::Line;
use crate::features::Decide;
use crate::structure::{Contexts, Label, Room, flag, number, signed, tree};

/// Longest text: it has at most 31 places.
pub const LEN_MAX: usize = 33;
const SIGN: Label = Label::new(Room::Decimal, 1);
const WHOLE_SIZE: Label = Label::new(Room::Decimal, 2);
const SIZE: Label = Label::new(Room::Fraction, 2);
const PLACES: Label = Label::new(Room::Decimal, 3);
const NEAR: Label = Label::new(Room::Decimal, 4);
const DELTA: Label = Label::new(Room::Decimal, 5);

/// A number: `scaled` divided by ten to the power of `places`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Decimal {
    scaled: i32,
    places: u32,
}

impl Decimal {
    /// Reads a number that [`Self::write`] writes the same way.
    pub fn parse(text: &str) -> Option<Self> {
        let octets = text.as_bytes();
        let digits = octets.strip_prefix(b"-").unwrap_or(octets);
        let (mut scaled, mut places) = (0, 0);
        for (at, octet) in digits.iter().enumerate() {
            if *octet == b'.' {
                places = digits.len() - at - 1;
                continue;
            }
            let digit = octet.wrapping_sub(b'0');
            if digit > 9 || scaled >= i32::MAX / 10 {
                return None;
            }
            scaled = scaled * 10 + i32::from(digit);
        }
        if digits.len() < octets.len() {
            scaled = -scaled;
        }
        let number = Self {
            scaled,
            places: places as u32,
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
        let mut line = Line::new(out);
        let mut rest = self.scaled.unsigned_abs();
        let mut count = 0;
        while rest > 0 || count <= self.places {
            line.digits(rest, 1);
            rest /= 10;
            count += 1;
            if count == self.places {
                line.push(b".");
            }
        }
        if self.scaled < 0 {
            line.push(b"-");
        }
        line.written()
    }

    /// Codes it, a whole number or a fraction; a fraction cheaply if it is near `base`.
    pub fn code<D: Decide>(
        self,
        d: &mut D,
        contexts: &Contexts,
        whole: bool,
        base: Option<Self>,
    ) -> Self {
        let (mut places, mut label) = (0, WHOLE_SIZE);
        if !whole {
            if let Some(base) = base
                && flag(d, contexts, NEAR, self.places == base.places)
            {
                let delta = self.scaled.wrapping_sub(base.scaled);
                let scaled = base.scaled.wrapping_add(signed(d, contexts, DELTA, delta));
                return Self { scaled, ..base };
            }
            places = tree(d, contexts, PLACES, 5, self.places);
            label = SIZE;
        }
        let negative = flag(d, contexts, SIGN, self.scaled < 0);
        let size = number(d, contexts, label, self.scaled.unsigned_abs()).cast_signed();
        let scaled = if negative { size.wrapping_neg() } else { size };
        Self { scaled, places }
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
            "-179.9999999",
            "0.0",
            "2147483639",
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
            "12345678901",
            "0.00000000000000000000000000000000000001",
        ] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }
}

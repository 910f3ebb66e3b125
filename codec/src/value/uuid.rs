//! UUIDs in their usual form of 36 characters, all lower or all upper case, or random ones as 32 lower-case digits.
//! Refuses braces and mixed case.

use super::is_among;
use super::token::{HEX, letters, put, value};
use crate::features::Decide;
use crate::structure::{Contexts, flag, tree, uniform};

/// Length in text.
pub const LEN: usize = 36;
const FORM: u32 = 0x0001_7575;
const RANDOM: u32 = 0x0002_7575;

/// Digits of a UUID, and those that tell the version and the variant (RFC 9562 section 4).
const DIGITS: usize = 32;
const VERSION_AT: usize = 12;
const VARIANT_AT: usize = 16;

/// How a UUID is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Form {
    /// Lower case.
    Lower,
    /// Upper case.
    Upper,
    /// Lower case without hyphens.
    Plain,
}

impl Form {
    /// That of a UUID in its usual form.
    pub fn of(text: &str) -> Option<Self> {
        let forms = [Self::Lower, Self::Upper];
        forms.into_iter().find(|form| form.fits(text.as_bytes()))
    }

    /// Is it a random UUID without hyphens?
    pub fn is_plain(text: &str) -> bool {
        let text = text.as_bytes();
        Self::Plain.fits(text) && Self::Plain.is_random(text)
    }

    fn digits(self) -> &'static [u8] {
        letters(HEX[usize::from(self == Self::Upper)])
    }

    fn len(self) -> usize {
        self.place(DIGITS)
    }

    fn has_hyphen_before(self, digit: usize) -> bool {
        self != Self::Plain && matches!(digit, 8 | 12 | 16 | 20)
    }

    /// Where a digit stands.
    fn place(self, digit: usize) -> usize {
        match self {
            Self::Plain => digit,
            _ => digit + (digit / 4).clamp(1, 5) - 1,
        }
    }

    fn fits(self, text: &[u8]) -> bool {
        text.len() == self.len()
            && (0..DIGITS).all(|digit| {
                let at = self.place(digit);
                let hyphen = !self.has_hyphen_before(digit) || text.get(at - 1) == Some(&b'-');
                hyphen
                    && text
                        .get(at)
                        .is_some_and(|letter| is_among(self.digits(), *letter))
            })
    }

    fn is_random(self, text: &[u8]) -> bool {
        let value = |digit| value(self.digits(), text.get(self.place(digit)));
        value(VERSION_AT) == 4 && value(VARIANT_AT) >> 2 == 2
    }
}

/// Codes a UUID: 122 even bits for a random one, 128 for any other. On the reading end it goes to `out`; returns its length.
pub fn code<D: Decide>(d: &mut D, contexts: &Contexts, text: &str, out: &mut [u8]) -> usize {
    let form = Form::of(text).unwrap_or(Form::Plain);
    let text = text.as_bytes();
    let form = match tree(d, contexts, FORM, 2, form as u32) {
        0 => Form::Lower,
        1 => Form::Upper,
        _ => Form::Plain,
    };
    let random = flag(d, contexts, RANDOM, form.is_random(text));
    let digits = form.digits();
    for digit in 0..DIGITS {
        let at = form.place(digit);
        if form.has_hyphen_before(digit) {
            put(out, at - 1, Some(&b'-'));
        }
        let (least, count) = match digit {
            VERSION_AT if random => (4, 1),
            VARIANT_AT if random => (8, 4),
            _ => (0, 16),
        };
        let value = value(digits, text.get(at)).wrapping_sub(least);
        let value = least + uniform(d, count, value);
        put(out, at, digits.get(value as usize));
    }
    form.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_case_only() {
        for (text, form) in [
            ("0A488592-D7CA-4D6E-B047-C94AD9302CF8", Some(Form::Upper)),
            ("0a488592-d7ca-1d6e-b047-c94ad9302cf8", Some(Form::Lower)),
            ("0a488592-d7ca-4d6e-b047-C94ad9302cf8", None),
            ("0a488592-d7ca-4d6e-b047-c94ad9302cf", None),
            ("0a488592-d7ca-4d6e-b0470c94ad9302cf8", None),
            ("", None),
        ] {
            assert_eq!(Form::of(text), form, "{text}");
        }
        assert!(Form::is_plain("0a488592d7ca4d6eb047c94ad9302cf8"));
        assert!(!Form::is_plain("0a488592d7ca5d6eb047c94ad9302cf8"));
        assert!(!Form::is_plain("0a488592d7ca4d6e7047c94ad9302cf8"));
        assert!(!Form::is_plain("+a488592d7ca4d6eb047c94ad9302cf8"));
    }
}

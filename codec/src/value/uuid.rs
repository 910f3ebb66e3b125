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
        if self == Self::Plain { LEN - 4 } else { LEN }
    }

    fn is_hyphen(self, at: usize) -> bool {
        self != Self::Plain && matches!(at, 8 | 13 | 18 | 23)
    }

    fn fits(self, text: &[u8]) -> bool {
        let fits = |(at, letter): (usize, &u8)| match self.is_hyphen(at) {
            true => *letter == b'-',
            false => is_among(self.digits(), *letter),
        };
        text.len() == self.len() && text.iter().enumerate().all(fits)
    }

    /// Where the digit of the version is, and that of the variant.
    fn marks(self) -> [usize; 2] {
        if self == Self::Plain {
            [12, 16]
        } else {
            [14, 19]
        }
    }

    /// What the digit at `at` of a random UUID (RFC 9562 version 4) is at least, and how many it can be.
    fn range(self, at: usize) -> (u32, u32) {
        let [version, variant] = self.marks();
        match at {
            _ if at == version => (4, 1),
            _ if at == variant => (8, 4),
            _ => (0, 16),
        }
    }

    fn is_random(self, text: &[u8]) -> bool {
        self.marks().into_iter().all(|at| {
            let (least, count) = self.range(at);
            value(self.digits(), text.get(at)).wrapping_sub(least) < count
        })
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
    for at in 0..form.len() {
        if form.is_hyphen(at) {
            put(out, at, Some(&b'-'));
            continue;
        }
        let (least, count) = if random { form.range(at) } else { (0, 16) };
        let digit = value(digits, text.get(at)).wrapping_sub(least);
        let digit = least + uniform(d, count, digit);
        put(out, at, digits.get(digit as usize));
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

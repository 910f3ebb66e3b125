//! UUIDs in their usual form of 36 characters, all lower or all upper case, or random ones as 32 lower-case digits.
//! Refuses braces and mixed case.

use super::is_among;
use super::token::{HEX, letters, put, value};
use crate::features::Decide;
use crate::structure::{Contexts, Label, Room, flag, tree, uniform};

/// Length in text.
pub const LEN: usize = 36;
const FORM: Label = Label::new(Room::Uuid, 1);
const RANDOM: Label = Label::new(Room::Uuid, 2);

/// What stands where: digits, of which those of the version and the variant (RFC 9562 section 4) tell a random one.
const USUAL: &[u8; LEN] = b"dddddddd-dddd-Vddd-vddd-dddddddddddd";
const PLAIN: &[u8; 32] = b"ddddddddddddVdddvddddddddddddddd";

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
        forms
            .into_iter()
            .find(|form| form.fits(text.as_bytes(), false))
    }

    /// Is it a random UUID without hyphens?
    pub fn is_plain(text: &str) -> bool {
        Self::Plain.fits(text.as_bytes(), true)
    }

    fn places(self) -> &'static [u8] {
        match self {
            Self::Plain => PLAIN,
            _ => USUAL,
        }
    }

    /// What can stand in a place of a random one or of any, in the order of its values.
    fn set(self, place: u8, random: bool) -> &'static [u8] {
        match (place, self) {
            (b'-', _) => b"-",
            (b'V', _) if random => b"4",
            (b'v', Self::Upper) if random => b"89AB",
            (b'v', _) if random => b"89ab",
            _ => letters(HEX[usize::from(self == Self::Upper)]),
        }
    }

    fn fits(self, text: &[u8], random: bool) -> bool {
        let mut places = self.places().iter().zip(text);
        text.len() == self.places().len()
            && places.all(|(place, letter)| is_among(self.set(*place, random), *letter))
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
    let random = flag(d, contexts, RANDOM, form.fits(text, true));
    let places = form.places();
    for (at, place) in places.iter().enumerate() {
        let set = form.set(*place, random);
        let value = uniform(d, set.len() as u32, value(set, text.get(at)));
        put(out, at, set.get(value as usize));
    }
    places.len()
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
        assert!(Form::Upper.fits(b"0A488592-D7CA-4D6E-B047-C94AD9302CF8", true));
        assert!(!Form::Upper.fits(b"0A488592-D7CA-ED6E-5047-C94AD9302CF8", true));
        assert!(Form::is_plain("0a488592d7ca4d6eb047c94ad9302cf8"));
        assert!(!Form::is_plain("0a488592d7ca5d6eb047c94ad9302cf8"));
        assert!(!Form::is_plain("0a488592d7ca4d6e7047c94ad9302cf8"));
        assert!(!Form::is_plain("+a488592d7ca4d6eb047c94ad9302cf8"));
    }
}

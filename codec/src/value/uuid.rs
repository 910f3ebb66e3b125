//! UUIDs in their usual form of 36 characters, all lower or all upper case, or random ones as 32 lower-case digits.
//! Refuses braces and mixed case.

use super::Line;
use crate::features::Decide;
use crate::structure::{Contexts, flag, tree};

/// Length in text.
pub const LEN: usize = 36;
const FORM: u32 = 0x0001_7575;
const RANDOM: u32 = 0x0002_7575;
/// The octet that begins with the version, and the one that begins with the variant.
const VERSION_AT: usize = 6;
const VARIANT_AT: usize = 8;

/// A UUID as written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Uuid {
    octets: [u8; 16],
    form: Form,
}

/// How a UUID is written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Form {
    #[default]
    Lower,
    Upper,
    /// Lower case without hyphens.
    Plain,
}

impl Uuid {
    /// Reads the usual form.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != LEN {
            return None;
        }
        let any_upper = text.bytes().any(|octet| octet.is_ascii_uppercase());
        Self::read(text, if any_upper { Form::Upper } else { Form::Lower })
    }

    /// Reads a random UUID without hyphens.
    pub fn parse_plain(text: &str) -> Option<Self> {
        Self::read(text, Form::Plain).filter(|uuid| uuid.is_random())
    }

    fn read(text: &str, form: Form) -> Option<Self> {
        let digits = text.bytes().filter(|octet| *octet != b'-');
        let mut digits = digits.map(|octet| char::from(octet).to_digit(16));
        let mut octets = [0; 16];
        for octet in &mut octets {
            *octet = (digits.next()?? << 4 | digits.next()??) as u8;
        }
        let uuid = Self { octets, form };
        (uuid.write(&mut [0; LEN]) == text.as_bytes()).then_some(uuid)
    }

    /// Writes it; returns what was written.
    pub fn write(self, out: &mut [u8; LEN]) -> &[u8] {
        let ten = if self.form == Form::Upper { b'A' } else { b'a' };
        let mut line = Line::new(out);
        for (at, octet) in self.octets.iter().enumerate() {
            if self.form != Form::Plain && matches!(at, 4 | 6 | 8 | 10) {
                line.push(b"-");
            }
            let digit = |value: u8| value + if value < 10 { b'0' } else { ten - 10 };
            line.push(&[digit(octet >> 4), digit(octet & 15)]);
        }
        line.written()
    }

    fn is_random(&self) -> bool {
        self.octets[VERSION_AT] >> 4 == 4 && self.octets[VARIANT_AT] >> 6 == 2
    }

    /// Codes it: 122 flat bits for a random one (RFC 9562 version 4), 128 for any other.
    pub fn code<D: Decide>(mut self, d: &mut D, contexts: &Contexts) -> Self {
        self.form = match tree(d, contexts, FORM, 2, self.form as u32) {
            0 => Form::Lower,
            1 => Form::Upper,
            _ => Form::Plain,
        };
        let random = flag(d, contexts, RANDOM, self.is_random());
        for (at, octet) in self.octets.iter_mut().enumerate() {
            let (fixed, bits) = match at {
                VERSION_AT if random => (0x40, 4),
                VARIANT_AT if random => (0x80, 6),
                _ => (0, 8),
            };
            *octet = fixed | d.code_bits(u32::from(*octet), bits) as u8;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_case_only() {
        let text = "0A488592-D7CA-4D6E-B047-C94AD9302CF8";
        let uuid = Uuid::parse(text).expect("upper");
        let mut out = [0; LEN];
        assert_eq!(uuid.write(&mut out), text.as_bytes());
        assert!(uuid.is_random());
        assert_eq!(Uuid::parse("0a488592-d7ca-4d6e-b047-C94ad9302cf8"), None);
        assert_eq!(Uuid::parse("0a488592-d7ca-4d6e-b047-c94ad9302cf"), None);
        let plain = "0a488592d7ca4d6eb047c94ad9302cf8";
        let uuid = Uuid::parse_plain(plain).expect("random");
        assert_eq!(uuid.write(&mut out), plain.as_bytes());
        assert_eq!(Uuid::parse_plain("0a488592d7ca5d6eb047c94ad9302cf8"), None);
        assert_eq!(Uuid::parse_plain("+a488592d7ca4d6eb047c94ad9302cf8"), None);
    }
}

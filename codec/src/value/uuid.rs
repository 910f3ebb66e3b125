//! UUIDs in their usual form of 36 characters, all lower or all upper case, or random ones as 32 lower-case digits.
//! Refuses braces and mixed case.

use crate::features::Decide;
use crate::structure::{Contexts, flag, tree};

/// Length in text.
pub const LEN: usize = 36;
const FORM: u32 = 0x7575_0001;
const RANDOM: u32 = 0x7575_0002;
const VERSION_SHIFT: u32 = 76;
const VARIANT_SHIFT: u32 = 62;

/// A UUID as written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Uuid {
    bits: u128,
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
        let octets: &[u8; LEN] = text.as_bytes().try_into().ok()?;
        let mut bits = 0u128;
        let (mut any_upper, mut any_lower) = (false, false);
        for (at, octet) in octets.iter().enumerate() {
            if matches!(at, 8 | 13 | 18 | 23) {
                if *octet != b'-' {
                    return None;
                }
                continue;
            }
            any_upper |= octet.is_ascii_uppercase();
            any_lower |= octet.is_ascii_lowercase();
            bits = bits << 4 | u128::from(char::from(*octet).to_digit(16)?);
        }
        (!(any_upper && any_lower)).then_some(Self {
            bits,
            form: if any_upper { Form::Upper } else { Form::Lower },
        })
    }

    /// Reads a random UUID without hyphens.
    pub fn parse_plain(text: &str) -> Option<Self> {
        let is_digit = |octet: u8| matches!(octet, b'0'..=b'9' | b'a'..=b'f');
        let fits = text.len() == 32 && text.bytes().all(is_digit);
        let bits = u128::from_str_radix(text, 16).ok().filter(|_| fits)?;
        let uuid = Self {
            bits,
            form: Form::Plain,
        };
        uuid.is_random().then_some(uuid)
    }

    /// Writes it; returns the length.
    pub fn write(self, out: &mut [u8; LEN]) -> usize {
        let digits = if self.form == Form::Upper {
            b"0123456789ABCDEF"
        } else {
            b"0123456789abcdef"
        };
        let mut places = out.iter_mut();
        for at in 0..32 {
            if self.form != Form::Plain
                && matches!(at, 8 | 12 | 16 | 20)
                && let Some(place) = places.next()
            {
                *place = b'-';
            }
            if let Some(place) = places.next() {
                *place = digits[(self.bits >> (124 - 4 * at) & 15) as usize];
            }
        }
        LEN - places.len()
    }

    fn is_random(self) -> bool {
        self.bits >> VERSION_SHIFT & 15 == 4 && self.bits >> VARIANT_SHIFT & 3 == 2
    }

    /// Codes it: 122 flat bits for a random one (RFC 9562 version 4), 128 for any other.
    pub fn code<D: Decide>(self, d: &mut D, contexts: &Contexts) -> Self {
        let form = match tree(d, contexts, FORM, 2, self.form as u32) {
            0 => Form::Lower,
            1 => Form::Upper,
            _ => Form::Plain,
        };
        let random = flag(d, contexts, RANDOM, self.is_random());
        let mut bits = 0u128;
        for shift in (0..16).rev().map(|octet| octet * 8) {
            let octet = (self.bits >> shift) as u32 & 0xff;
            let octet = match (random, shift) {
                (true, 72) => 0x40 | d.code_bits(octet, 4),
                (true, 56) => 0x80 | d.code_bits(octet, 6),
                _ => d.code_bits(octet, 8),
            };
            bits |= u128::from(octet) << shift;
        }
        Self { bits, form }
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
        assert_eq!(uuid.write(&mut out), LEN);
        assert_eq!(&out, text.as_bytes());
        assert!(uuid.is_random());
        assert_eq!(Uuid::parse("0a488592-d7ca-4d6e-b047-C94ad9302cf8"), None);
        assert_eq!(Uuid::parse("0a488592-d7ca-4d6e-b047-c94ad9302cf"), None);
        let plain = "0a488592d7ca4d6eb047c94ad9302cf8";
        let len = Uuid::parse_plain(plain).expect("random").write(&mut out);
        assert_eq!(&out[..len], plain.as_bytes());
        assert_eq!(Uuid::parse_plain("0a488592d7ca5d6eb047c94ad9302cf8"), None);
        assert_eq!(Uuid::parse_plain("+a488592d7ca4d6eb047c94ad9302cf8"), None);
    }
}

//! UUIDs in their usual form of 36 characters, all lower or all upper case. Refuses braces and mixed case.

use crate::features::Decide;
use crate::structure::{Contexts, flag};

/// Length in text.
pub const LEN: usize = 36;
const UPPER: u32 = 0x7575_0001;
const RANDOM: u32 = 0x7575_0002;
const VERSION_SHIFT: u32 = 76;
const VARIANT_SHIFT: u32 = 62;

/// A UUID as written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Uuid {
    bits: u128,
    upper: bool,
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
            upper: any_upper,
        })
    }

    /// Writes it.
    pub fn write(self) -> [u8; LEN] {
        let digits = if self.upper {
            b"0123456789ABCDEF"
        } else {
            b"0123456789abcdef"
        };
        let mut out = [b'-'; LEN];
        let mut shift = 128;
        for (at, place) in out.iter_mut().enumerate() {
            if !matches!(at, 8 | 13 | 18 | 23) {
                shift -= 4;
                *place = digits[(self.bits >> shift & 15) as usize];
            }
        }
        out
    }

    fn is_random(self) -> bool {
        self.bits >> VERSION_SHIFT & 15 == 4 && self.bits >> VARIANT_SHIFT & 3 == 2
    }

    /// Codes it: 122 flat bits for a random one (RFC 9562 version 4), 128 for any other.
    pub fn code<D: Decide>(self, d: &mut D, contexts: &Contexts) -> Self {
        let upper = flag(d, contexts, UPPER, self.upper);
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
        Self { bits, upper }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_case_only() {
        let text = "0A488592-D7CA-4D6E-B047-C94AD9302CF8";
        let uuid = Uuid::parse(text).expect("upper");
        assert_eq!(&uuid.write(), text.as_bytes());
        assert!(uuid.is_random());
        assert_eq!(Uuid::parse("0a488592-d7ca-4d6e-b047-C94ad9302cf8"), None);
        assert_eq!(Uuid::parse("0a488592-d7ca-4d6e-b047-c94ad9302cf"), None);
    }
}

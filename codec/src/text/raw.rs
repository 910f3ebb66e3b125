//! Text the model knows nothing about: octets as they are, and a cheap end. Refuses to cost more than 8 bits for an
//! octet and 2 for the end.

use super::END;
use crate::entropy::{Coder, HALF, flat};

/// How many bits [`code`] needs.
pub(super) fn bits(text: &[u8]) -> u32 {
    let mut bits = 2u32;
    for octet in text {
        bits += if octet & 0xc0 == 0x80 { 6 } else { 8 };
    }
    bits
}

/// Codes octets and their end; returns how many, or more than `out` has if they did not fit.
pub(super) fn code(coder: &mut dyn Coder, text: &[u8], out: &mut [u8]) -> usize {
    let mut len = 0;
    // Octets still missing of the character under way.
    let mut missing = 0u32;
    loop {
        let next = text.get(len).copied().unwrap_or(END);
        let (begun, bits) = if missing > 0 {
            (0x80, 6)
        } else if !coder.code(next >= 0x80, HALF) {
            (0, 7)
        } else if !coder.code(next == END, HALF) {
            (0xc0, 6)
        } else {
            return len;
        };
        let octet = begun | flat(coder, next.into(), bits) as u8;
        if coder.is_reading() {
            match out.get_mut(len) {
                Some(place) => *place = octet,
                None => return len + 1,
            }
        }
        len += 1;
        // The first octet of several begins with as many ones.
        missing = missing.max(octet.leading_ones()).saturating_sub(1);
    }
}

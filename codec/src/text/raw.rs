//! Text the model knows nothing about: octets as they are, and a cheap end. Refuses to cost more than 8 bits for an
//! octet and 2 for the end.

use super::{END, TextError};
use crate::entropy::{Coder, flat};

/// What [`code`] costs, in 1/256 bit.
pub(super) fn cost_256ths(text: &[u8]) -> u32 {
    let mut bits = 2u32;
    for octet in text {
        bits = bits.saturating_add(if octet & 0xc0 == 0x80 { 6 } else { 8 });
    }
    bits.saturating_mul(256)
}

/// Codes octets and their end; returns how many.
pub(super) fn code(coder: &mut dyn Coder, text: &[u8], out: &mut [u8]) -> Result<usize, TextError> {
    let mut len = 0;
    // Octets still missing of the character under way.
    let mut missing = 0;
    loop {
        let next = text.get(len).copied().unwrap_or(END);
        let octet = if missing > 0 {
            missing -= 1;
            0x80 | flat(coder, u32::from(next & 0x3f), 6) as u8
        } else {
            first(coder, next)
        };
        if octet == END {
            return Ok(len);
        }
        if missing == 0 {
            missing = match octet {
                0xc0..=0xdf => 1,
                0xe0..=0xef => 2,
                0xf0.. => 3,
                _ => 0,
            };
        }
        if coder.is_reading() {
            *out.get_mut(len).ok_or(TextError::Full)? = octet;
        }
        len += 1;
    }
}

/// Codes the first octet of a character, or the end.
fn first(coder: &mut dyn Coder, next: u8) -> u8 {
    if !coder.code(next >= 0x80, crate::entropy::HALF) {
        flat(coder, u32::from(next), 7) as u8
    } else if coder.code(next == END, crate::entropy::HALF) {
        END
    } else {
        0xc0 | flat(coder, u32::from(next & 0x3f), 6) as u8
    }
}

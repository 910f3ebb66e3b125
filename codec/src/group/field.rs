//! The field of 256 elements and the code over it. Refuses to know of segments: it multiplies octets.
//!
//! Polynomial x^8 + x^4 + x^3 + x^2 + 1, generator 2. Parity row r of a block is the sum over its data rows j of
//! 1 / (r + (32 + j)) times the row: a Cauchy matrix, every square part of which can be inverted, so any K of K + R
//! rows give back all. Not constant in time: what it works on is no secret to who can watch the processor.

/// Most rows of a block, data and parity.
pub(super) const ROWS_MAX: usize = 32;

const TABLES: ([u8; 256], [u8; 256]) = tables();

/// Powers of 2, and the exponent of each octet.
const fn tables() -> ([u8; 256], [u8; 256]) {
    let (mut exp, mut log) = ([0; 256], [0; 256]);
    let (mut i, mut power) = (0u8, 1u8);
    while i < 255 {
        exp[i as usize] = power;
        log[power as usize] = i;
        power = power << 1 ^ if power & 0x80 != 0 { 0x1d } else { 0 };
        i += 1;
    }
    (exp, log)
}

/// The product.
pub(super) fn product(a: u8, b: u8) -> u8 {
    if a == 0 || b == 0 {
        return 0;
    }
    let log = |octet: u8| usize::from(TABLES.1[usize::from(octet)]);
    TABLES.0[(log(a) + log(b)) % 255]
}

/// The inverse; 0 has none and gives 0.
pub(super) fn inverse(a: u8) -> u8 {
    if a == 0 {
        return 0;
    }
    TABLES.0[(255 - usize::from(TABLES.1[usize::from(a)])) % 255]
}

/// What data row `data` counts in parity row `parity`; both are below 32.
pub(super) fn coefficient(parity: u8, data: u8) -> u8 {
    inverse(parity ^ (32 + data))
}

/// Adds `factor` times `row` to `sum`, as far as both reach.
pub(super) fn add_scaled(sum: &mut [u8], row: &[u8], factor: u8) {
    for (sum, octet) in sum.iter_mut().zip(row) {
        *sum ^= product(*octet, factor);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Multiplication bit by bit, as in the textbook.
    fn slow(mut a: u8, mut b: u8) -> u8 {
        let mut sum = 0;
        while b != 0 {
            sum ^= if b & 1 == 1 { a } else { 0 };
            a = a << 1 ^ if a & 0x80 != 0 { 0x1d } else { 0 };
            b >>= 1;
        }
        sum
    }

    #[test]
    fn products_are_those_of_the_field() {
        for a in 0..=255 {
            for b in 0..=255 {
                assert_eq!(product(a, b), slow(a, b), "{a} times {b}");
            }
            assert_eq!(product(a, inverse(a)), u8::from(a != 0), "inverse of {a}");
        }
    }

    #[test]
    fn no_coefficient_is_nothing() {
        for parity in 0..32 {
            for data in 0..32 {
                assert_ne!(coefficient(parity, data), 0);
            }
        }
    }
}

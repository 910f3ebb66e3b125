//! Sets of small numbers, a bit for each. Refuses numbers it has no bit for: they are never in it.

use core::fmt;

/// Numbers below `8 * N`, as they cross: number 0 is the lowest bit of the first octet.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Bits<const N: usize>(pub [u8; N]);

impl<const N: usize> Bits<N> {
    /// No number.
    pub const NONE: Self = Self([0; N]);

    /// Whether `number` is in it.
    pub fn has(&self, number: usize) -> bool {
        has(&self.0, number)
    }

    /// Adds `number`.
    pub fn insert(&mut self, number: usize) {
        insert(&mut self.0, number);
    }

    /// How many are in it.
    pub fn count(&self) -> u32 {
        self.0.iter().map(|octet| octet.count_ones()).sum()
    }

    /// The octets without the zeros at the end.
    pub fn trimmed(&self) -> &[u8] {
        let mut octets = &self.0[..];
        while let [rest @ .., 0] = octets {
            octets = rest;
        }
        octets
    }
}

// For sets of every size, and not merged into callers.
#[inline(never)]
fn has(octets: &[u8], number: usize) -> bool {
    let octet = octets.get(number / 8).copied().unwrap_or(0);
    octet >> (number % 8) & 1 == 1
}

#[inline(never)]
fn insert(octets: &mut [u8], number: usize) {
    if let Some(octet) = octets.get_mut(number / 8) {
        *octet |= 1 << (number % 8);
    }
}

impl<const N: usize> fmt::Display for Bits<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let len = 8 * N - (0..8 * N).rev().take_while(|i| !self.has(*i)).count();
        (0..len).try_for_each(|i| write!(f, "{}", u8::from(self.has(i))))
    }
}

impl<const N: usize> fmt::Debug for Bits<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

//! The arithmetic coder: 32-bit, carry-less, most significant octet first; and a meter that only counts.
//!
//! A packet has no trailer: the frame says how long it is, the writer ends on the shortest octet string inside
//! the final interval, and the reader sees zeros beyond the end. Trailing zero octets are therefore never written.

use super::{Coder, Mark, Prob};

/// The interval shared by both ends: `low..=high`, at least two values wide between bits.
#[derive(Clone, Copy, Debug)]
struct Interval {
    low: u32,
    high: u32,
}

impl Interval {
    const FULL: Self = Self {
        low: 0,
        high: u32::MAX,
    };

    /// Last value of the part that stands for a 1 bit: inside `low..high`, so both parts have a value.
    fn split(self, p1: Prob) -> u32 {
        let span = u64::from(self.high - self.low);
        // `p1` is at most 65535/65536, so the shifted product is less than `span` and fits 32 bits.
        self.low + ((span * u64::from(p1)) >> 16) as u32
    }

    fn take(&mut self, bit: bool, split: u32) {
        if bit {
            self.high = split;
        } else {
            self.low = split + 1;
        }
    }

    /// Binary logarithm of the number of values, 1/256.
    fn size_256ths(self) -> u32 {
        // At least 1, so that its top bit exists.
        let span = (self.high - self.low).max(1);
        let above = span.leading_zeros();
        (31 - above) << 8 | log2_256ths(span << above)
    }

    /// The next settled octet, if both ends of the interval agree on it.
    fn settle(&mut self) -> Option<u8> {
        let octet = self.high >> 24;
        if self.low >> 24 != octet {
            return None;
        }
        self.low <<= 8;
        self.high = self.high << 8 | 0xff;
        Some(octet as u8)
    }
}

/// There is no room for the packet in the buffer it was to be written to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PacketFull;

/// The writing end.
#[derive(Debug)]
pub struct Encoder<'b> {
    interval: Interval,
    out: &'b mut [u8],
    len: usize,
}

impl<'b> Encoder<'b> {
    /// Writes to `out`, from its start.
    pub fn new(out: &'b mut [u8]) -> Self {
        Self {
            interval: Interval::FULL,
            out,
            len: 0,
        }
    }

    /// True once more octets were settled than the buffer holds; what follows is lost.
    pub fn is_full(&self) -> bool {
        self.len > self.out.len()
    }

    fn push(&mut self, octet: u8) {
        if let Some(place) = self.out.get_mut(self.len) {
            *place = octet;
        }
        self.len = self.len.saturating_add(1);
    }

    /// Ends the packet on the shortest octet string inside the interval; returns its length.
    ///
    /// # Errors
    /// `PacketFull` if the buffer was too short; its contents are then meaningless.
    pub fn finish(mut self) -> Result<usize, PacketFull> {
        let Interval { low, high } = self.interval;
        // The least value not below `low` with as many octets of zero at its end as there can be.
        let mut mask = u32::MAX;
        let mut value = loop {
            match low.checked_add(mask) {
                Some(above) if above & !mask <= high => break above & !mask,
                _ => mask >>= 8,
            }
        };
        while value > 0 {
            self.push((value >> 24) as u8);
            value <<= 8;
        }
        if self.is_full() {
            return Err(PacketFull);
        }
        while self.len > 0 && self.out[self.len - 1] == 0 {
            self.len -= 1;
        }
        Ok(self.len)
    }
}

impl Coder for Encoder<'_> {
    fn is_reading(&self) -> bool {
        false
    }

    fn mark(&self) -> Mark {
        let Interval { low, high } = self.interval;
        Mark([low, high, self.len as u32])
    }

    fn rewind(&mut self, &Mark([low, high, len]): &Mark) {
        self.interval = Interval { low, high };
        self.len = len as usize;
    }

    fn cost_256ths(&self, &Mark([low, high, len]): &Mark) -> u32 {
        let settled = (self.len as u32).wrapping_sub(len).saturating_mul(8 * 256);
        let before = Interval { low, high }.size_256ths();
        let now = self.interval.size_256ths();
        settled.saturating_add(before).saturating_sub(now)
    }

    fn code(&mut self, bit: bool, p1: Prob) -> bool {
        let split = self.interval.split(p1);
        self.interval.take(bit, split);
        while let Some(octet) = self.interval.settle() {
            self.push(octet);
        }
        bit
    }
}

/// The reading end. Any octets decode to something; beyond their end it reads zeros.
#[derive(Debug)]
pub struct Decoder<'p> {
    interval: Interval,
    value: u32,
    packet: &'p [u8],
    /// Octets read.
    read: usize,
}

impl<'p> Decoder<'p> {
    /// Reads `packet`, whole.
    pub fn new(packet: &'p [u8]) -> Self {
        let mut decoder = Self {
            interval: Interval::FULL,
            value: 0,
            packet,
            read: 0,
        };
        for _ in 0..4 {
            decoder.shift();
        }
        decoder
    }

    /// Octets read beyond the end of the packet. A packet that was really written never needs more than 4.
    pub fn past_end(&self) -> usize {
        self.read.saturating_sub(self.packet.len())
    }

    fn shift(&mut self) {
        let octet = self.packet.get(self.read).copied().unwrap_or(0);
        self.read += 1;
        self.value = self.value << 8 | u32::from(octet);
    }
}

impl Coder for Decoder<'_> {
    fn is_reading(&self) -> bool {
        true
    }

    fn code(&mut self, _: bool, p1: Prob) -> bool {
        let split = self.interval.split(p1);
        let bit = self.value <= split;
        self.interval.take(bit, split);
        while self.interval.settle().is_some() {
            self.shift();
        }
        bit
    }
}

/// Counts what bits would cost and writes nothing: for `explain`, and for choosing the cheaper of two codes.
#[derive(Clone, Copy, Debug)]
pub struct Meter {
    /// Whole bits.
    bits: u32,
    /// The rest as a probability: `rest / 2^31`, from 1 up to but not 2, to be multiplied with `2^-bits`.
    rest: u32,
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            bits: 0,
            rest: 1 << 31,
        }
    }
}

impl Meter {
    /// Cost so far, in 1/256 bit, rounded up.
    pub fn total_256ths(&self) -> u64 {
        (u64::from(self.bits) << 8) - u64::from(log2_256ths(self.rest))
    }
}

impl Coder for Meter {
    fn is_reading(&self) -> bool {
        false
    }

    fn mark(&self) -> Mark {
        Mark([self.bits, self.rest, 0])
    }

    fn rewind(&mut self, &Mark([bits, rest, _]): &Mark) {
        *self = Self { bits, rest };
    }

    fn cost_256ths(&self, &Mark([bits, rest, _]): &Mark) -> u32 {
        let before = Self { bits, rest }.total_256ths();
        u32::try_from(self.total_256ths() - before).unwrap_or(u32::MAX)
    }

    #[inline]
    fn code(&mut self, bit: bool, p1: Prob) -> bool {
        let p1 = u32::from(p1);
        let p = if bit { p1 } else { 65536 - p1 };
        // At least 2^31 times 1, at most 2^32 times 2^16.
        let product = u64::from(self.rest) * u64::from(p.max(1));
        let top = 63 - product.leading_zeros();
        self.rest = (product >> (top - 31)) as u32;
        self.bits = self.bits.saturating_add(47u32.saturating_sub(top));
        bit
    }
}

/// log2(rest / 2^31) in 1/256, rounded down; `rest` has its top bit set.
fn log2_256ths(rest: u32) -> u32 {
    let mut mantissa = u64::from(rest);
    let mut log = 0;
    for _ in 0..8 {
        mantissa = (mantissa * mantissa) >> 31;
        let carry = (mantissa >> 32) as u32;
        mantissa >>= carry;
        log = log << 1 | carry;
    }
    log
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bits_come_back() {
        let mut seed = 1u32;
        let mut next = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            seed >> 8
        };
        for count in 0..400 {
            let bits: [(bool, Prob); 400] = core::array::from_fn(|_| {
                let p = (next() as Prob).max(1) >> (next() % 15);
                let p = if next() & 1 == 0 {
                    p.max(1)
                } else {
                    u16::MAX - p
                };
                ((next() as u16) < p, p.max(1))
            });
            let mut out = [0; 512];
            let mut encoder = Encoder::new(&mut out);
            bits[..count]
                .iter()
                .for_each(|(bit, p)| _ = encoder.code(*bit, *p));
            let len = encoder.finish().expect("512 octets are plenty");
            let mut decoder = Decoder::new(&out[..len]);
            for (bit, p) in &bits[..count] {
                assert_eq!(decoder.code(false, *p), *bit);
            }
            assert!(decoder.past_end() <= 4, "{count}: {}", decoder.past_end());
        }
    }

    #[test]
    fn certain_bits_are_free() {
        let mut out = [0; 4];
        let mut encoder = Encoder::new(&mut out);
        for _ in 0..1000 {
            encoder.code(true, u16::MAX);
        }
        assert_eq!(encoder.finish(), Ok(0));
    }

    #[test]
    fn meter_knows_halves_and_quarters() {
        let cost = |p1s: &[Prob]| {
            let mut meter = Meter::default();
            p1s.iter().for_each(|p1| _ = meter.code(true, *p1));
            meter.total_256ths()
        };
        assert_eq!(cost(&[]), 0);
        assert_eq!(cost(&[32768]), 256);
        assert_eq!(cost(&[16384, 32768]), 3 * 256);
        assert_eq!(cost(&[1]), 16 * 256);
        assert_eq!(cost(&[46341]), 128);
        assert_eq!(cost(&[46341; 2000]), 256_000);
        assert_eq!(cost(&[65535; 10]), 1);
    }
}

//! A NOR flash in memory that can lose its power at any octet. For tests only.

use std::vec::Vec;

use embedded_storage_async::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};

use crate::tests::base::Dice;

/// Four blocks of 4 KiB; writing clears bits, erasing sets them.
#[derive(Clone, Debug)]
pub(crate) struct RamFlash {
    octets: Vec<u8>,
    /// Octets written or erased so far.
    pub(crate) written: usize,
    /// Octets read so far.
    pub(crate) read: usize,
    /// The power fails when this many octets have been written.
    pub(crate) power_until: Option<usize>,
}

impl RamFlash {
    /// Octets in all.
    pub(crate) const SIZE: usize = 4 * 4096;

    /// Erased.
    pub(crate) fn new() -> Self {
        Self {
            octets: std::vec![0xff; Self::SIZE],
            written: 0,
            read: 0,
            power_until: None,
        }
    }

    /// Whether these octets lie anywhere.
    pub(crate) fn holds(&self, octets: &[u8]) -> bool {
        self.octets
            .windows(octets.len())
            .any(|found| found == octets)
    }

    /// Half as large.
    pub(crate) fn small() -> Self {
        Self {
            octets: std::vec![0xff; Self::SIZE / 2],
            ..Self::new()
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.octets.len()
    }

    /// One bit of it changes.
    pub(crate) fn flip(&mut self, bit: usize) {
        self.octets[bit / 8] ^= 1 << (bit % 8);
    }

    /// Damages it as worn parts, a torn copy or a careless hand do.
    pub(crate) fn spoil(&mut self, dice: &mut Dice) {
        let (at, len) = (dice.below(self.len()), self.len());
        match dice.below(3) {
            0 => (0..64).for_each(|_| self.octets[dice.below(len)] = dice.below(256) as u8),
            1 => self.octets[at..].fill(0xff),
            _ => self.octets[at..len.min(at + 600)].fill(0),
        }
    }

    /// Octets up to the last that is not erased.
    pub(crate) fn used(&self) -> usize {
        self.octets
            .iter()
            .rposition(|octet| *octet != 0xff)
            .map_or(0, |at| at + 1)
    }

    fn change(&mut self, at: usize, value: u8) -> Result<(), NorFlashErrorKind> {
        if self.power_until.is_some_and(|until| self.written >= until) {
            return Err(NorFlashErrorKind::Other);
        }
        self.octets[at] = value;
        self.written += 1;
        Ok(())
    }
}

impl ErrorType for RamFlash {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for RamFlash {
    const READ_SIZE: usize = 1;

    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        let from = offset as usize;
        self.read += bytes.len();
        bytes.copy_from_slice(&self.octets[from..from + bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.len()
    }
}

impl NorFlash for RamFlash {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 4096;

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
        (from as usize..to as usize).try_for_each(|at| self.change(at, 0xff))
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        for (at, octet) in bytes.iter().enumerate() {
            let at = offset as usize + at;
            self.change(at, self.octets[at] & octet)?;
        }
        Ok(())
    }
}

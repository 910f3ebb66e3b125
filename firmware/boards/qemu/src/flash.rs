//! A NOR flash at the start of the board's PSRAM, which QEMU keeps in a file of the host: it outlives the emulator, however
//! that ends. Refuses to fail: it is memory.

use core::convert::Infallible;
use core::future::poll_fn;
use core::task::Poll;

use embedded_storage_async::nor_flash::{ErrorType, NorFlash, ReadNorFlash};

use crate::machine;

/// Where the PSRAM begins (ARM DAI 0386, table 3-1); the linker puts nothing there.
const START: usize = 0x2100_0000;
/// Octets in all.
pub const SIZE: u32 = 64 * 1024;
const WORD: usize = size_of::<u32>();

/// The flash.
pub struct Flash;

/// Address of the word that this octet is in. Beyond the end it comes round.
fn word_at(offset: u32) -> usize {
    START + (offset % SIZE) as usize / WORD * WORD
}

/// A future that never waits, and that can be asked again: `async` would panic then.
fn done(mut work: impl FnMut()) -> impl Future<Output = Result<(), Infallible>> {
    poll_fn(move |_| {
        work();
        Poll::Ready(Ok(()))
    })
}

impl ErrorType for Flash {
    type Error = Infallible;
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = 1;

    fn read(
        &mut self,
        offset: u32,
        octets: &mut [u8],
    ) -> impl Future<Output = Result<(), Infallible>> {
        done(move || {
            for (at, octet) in (offset..).zip(&mut *octets) {
                let word = machine::read(word_at(at)).to_le_bytes();
                *octet = word[at as usize % WORD];
            }
        })
    }

    fn capacity(&self) -> usize {
        SIZE as usize
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = 4096;

    fn erase(&mut self, from: u32, to: u32) -> impl Future<Output = Result<(), Infallible>> {
        done(move || {
            (from..to)
                .step_by(WORD)
                .for_each(|at| machine::write(word_at(at), u32::MAX))
        })
    }

    /// Bits that are 0 stay so.
    fn write(
        &mut self,
        offset: u32,
        octets: &[u8],
    ) -> impl Future<Output = Result<(), Infallible>> {
        done(move || {
            for (at, word) in (offset..).step_by(WORD).zip(octets.as_chunks().0) {
                let at = word_at(at);
                machine::write(at, machine::read(at) & u32::from_le_bytes(*word));
            }
        })
    }
}

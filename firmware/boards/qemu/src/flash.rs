//! A NOR flash in the file `flash.bin` of the host, through semihosting: it outlives the emulator, however that ends.

use core::ffi::CStr;
use core::future::poll_fn;
use core::task::Poll;

use embedded_storage_async::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};
use semihosting::fs::File;
use semihosting::io::{Read, Seek, SeekFrom, Write};

const PATH: &CStr = c"flash.bin";
/// Octets in all.
pub const SIZE: u32 = 64 * 1024;

/// The file.
pub struct FileFlash(File);

impl FileFlash {
    /// Opens the file, which must hold [`SIZE`] octets: erased ones are all ones.
    pub fn open() -> Option<Self> {
        File::options()
            .read(true)
            .write(true)
            .open(PATH)
            .ok()
            .map(Self)
    }

    fn seek(&mut self, offset: u32) -> Option<()> {
        self.0.seek(SeekFrom::Start(u64::from(offset))).ok()?;
        Some(())
    }

    fn get(&mut self, offset: u32, octets: &mut [u8]) -> Option<()> {
        self.seek(offset)?;
        fill(&mut self.0, octets)
    }

    fn put(&mut self, offset: u32, mut octets: &[u8]) -> Option<()> {
        self.seek(offset)?;
        while !octets.is_empty() {
            let len = self.0.write(octets).ok().filter(|len| *len > 0)?;
            octets = octets.get(len..)?;
        }
        Some(())
    }
}

/// Reads as much as there is room for; `None` at the end of the file.
pub(crate) fn fill(file: &mut File, mut octets: &mut [u8]) -> Option<()> {
    while !octets.is_empty() {
        let len = file.read(octets).ok().filter(|len| *len > 0)?;
        octets = octets.get_mut(len..)?;
    }
    Some(())
}

/// A future that never waits, and that can be asked again: `async` would panic then.
fn done(
    mut work: impl FnMut() -> Option<()>,
) -> impl Future<Output = Result<(), NorFlashErrorKind>> {
    poll_fn(move |_| Poll::Ready(work().ok_or(NorFlashErrorKind::Other)))
}

impl ErrorType for FileFlash {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for FileFlash {
    const READ_SIZE: usize = 1;

    fn read(
        &mut self,
        offset: u32,
        octets: &mut [u8],
    ) -> impl Future<Output = Result<(), Self::Error>> {
        done(move || self.get(offset, octets))
    }

    fn capacity(&self) -> usize {
        SIZE as usize
    }
}

impl NorFlash for FileFlash {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 4096;

    fn erase(&mut self, from: u32, to: u32) -> impl Future<Output = Result<(), Self::Error>> {
        done(move || {
            let mut blocks = (from..to).step_by(64);
            blocks.try_for_each(|at| self.put(at, &[0xff; 64]))
        })
    }

    fn write(
        &mut self,
        offset: u32,
        octets: &[u8],
    ) -> impl Future<Output = Result<(), Self::Error>> {
        done(move || self.put(offset, octets))
    }
}

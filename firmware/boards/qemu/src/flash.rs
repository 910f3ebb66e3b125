//! A NOR flash in the file `flash.bin` of the host, through semihosting: it outlives the emulator, however that ends.

use core::ffi::CStr;

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

    fn seek(&mut self, offset: u32) -> Result<(), NorFlashErrorKind> {
        let at = self.0.seek(SeekFrom::Start(u64::from(offset)));
        at.map(|_| ()).map_err(|_| NorFlashErrorKind::Other)
    }
}

impl ErrorType for FileFlash {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for FileFlash {
    const READ_SIZE: usize = 1;

    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        self.seek(offset)?;
        let mut done = 0;
        while done < bytes.len() {
            match self.0.read(&mut bytes[done..]) {
                Ok(len) if len > 0 => done += len,
                _ => return Err(NorFlashErrorKind::OutOfBounds),
            }
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        SIZE as usize
    }
}

impl NorFlash for FileFlash {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 4096;

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
        self.seek(from)?;
        for _ in (from..to).step_by(64) {
            self.0
                .write_all(&[0xff; 64])
                .map_err(|_| NorFlashErrorKind::Other)?;
        }
        Ok(())
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        self.seek(offset)?;
        self.0
            .write_all(bytes)
            .map_err(|_| NorFlashErrorKind::Other)
    }
}

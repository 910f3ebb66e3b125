//! A serial port whose other end may not be there: USB, a UART. Refuses to wait for a host that does not read: what it does
//! not take in time is dropped, so that a terminal left open never stops the link.

use core::convert::Infallible;

use embassy_time::{Duration, Timer, with_timeout};
use embedded_io_async::{ErrorType, Read, Write};

/// How long a host may take for what was sent to it, if it took what came before.
const HOST_MAX: Duration = Duration::from_millis(250);
/// Pause after a port failed: a cable not plugged in.
const RETRY: Duration = Duration::from_millis(100);
/// Octets written at once: less than a USB packet, so that each ends its transfer.
const CHUNK: usize = 63;

/// The port that a driver's receiver and its sender make. Reading from `R` must lose nothing when it is cancelled.
pub struct Port<R, W> {
    from_host: R,
    to_host: W,
    /// The host took what was sent last.
    reads: bool,
}

impl<R, W> Port<R, W> {
    /// Of these two.
    pub const fn new(from_host: R, to_host: W) -> Self {
        Self {
            from_host,
            to_host,
            reads: true,
        }
    }
}

impl<R, W> ErrorType for Port<R, W> {
    type Error = Infallible;
}

impl<R: Read, W> Read for Port<R, W> {
    async fn read(&mut self, octets: &mut [u8]) -> Result<usize, Infallible> {
        loop {
            match self.from_host.read(octets).await {
                Ok(len) if len > 0 => return Ok(len),
                _ => Timer::after(RETRY).await,
            }
        }
    }
}

impl<R, W: Write> Write for Port<R, W> {
    async fn write(&mut self, octets: &[u8]) -> Result<usize, Infallible> {
        let part = octets.get(..CHUNK).unwrap_or(octets);
        let patience = if self.reads { HOST_MAX } else { Duration::MIN };
        let taken = match with_timeout(patience, self.to_host.write(part)).await {
            Ok(Ok(len)) => len,
            _ => 0,
        };
        self.reads = taken > 0;
        Ok(if self.reads { taken } else { part.len() })
    }

    async fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

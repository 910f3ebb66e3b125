//! A serial port as two queues, and the pump between them and whatever is behind: USB, a UART. Refuses to wait for a
//! host that does not read: what it does not take in time is dropped, so that a terminal left open never stops the link.

use core::convert::Infallible;

use embassy_futures::join::join;
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embassy_sync::pipe::Pipe;
use embassy_time::{Duration, Timer, with_timeout};
use embedded_io_async::{ErrorType, Read, Write};

/// How long a host may take for what was sent to it.
const HOST_MAX: Duration = Duration::from_millis(250);
/// Pause after a port failed: a cable not plugged in.
const RETRY: Duration = Duration::from_millis(100);
/// Octets written at once: less than a USB packet, so that each ends its transfer.
const CHUNK: usize = 63;

/// What a person's console needs: with as much in a UART's driver, the longest line.
pub type Console<'p> = End<'p, 256>;
/// What the port of a gateway needs: more than the longest frame on the wire.
pub type Gateway<'p> = End<'p, 512>;

type Queue<const N: usize> = Pipe<NoopRawMutex, N>;

/// The queues, of `N` octets each.
pub struct Port<const N: usize> {
    from_host: Queue<N>,
    to_host: Queue<N>,
}

impl<const N: usize> Port<N> {
    /// Both queues empty.
    pub const fn new() -> Self {
        Self {
            from_host: Queue::new(),
            to_host: Queue::new(),
        }
    }

    /// The end of the program.
    pub fn near(&self) -> End<'_, N> {
        End {
            heard: &self.from_host,
            said: &self.to_host,
        }
    }

    /// Carries octets between the queues and a device, for ever.
    pub async fn pump(&self, mut from_host: impl Read, mut to_host: impl Write) -> Infallible {
        let outward = async {
            let mut octets = [0; CHUNK];
            loop {
                let len = self.to_host.read(&mut octets).await;
                let sent = async {
                    to_host.write_all(&octets[..len]).await?;
                    to_host.flush().await
                };
                let _ = with_timeout(HOST_MAX, sent).await;
            }
        };
        let inward = async {
            let mut octets = [0; CHUNK + 1];
            loop {
                match from_host.read(&mut octets).await {
                    Ok(len) if len > 0 => self.from_host.write_all(&octets[..len]).await,
                    _ => Timer::after(RETRY).await,
                }
            }
        };
        join::<_, _>(outward, inward).await.0
    }
}

impl<const N: usize> Default for Port<N> {
    fn default() -> Self {
        Self::new()
    }
}

/// What the program reads and writes.
#[derive(Clone, Copy)]
pub struct End<'p, const N: usize> {
    heard: &'p Queue<N>,
    said: &'p Queue<N>,
}

impl<const N: usize> ErrorType for End<'_, N> {
    type Error = Infallible;
}

impl<const N: usize> Read for End<'_, N> {
    async fn read(&mut self, octets: &mut [u8]) -> Result<usize, Infallible> {
        Ok(self.heard.read(octets).await)
    }
}

impl<const N: usize> Write for End<'_, N> {
    async fn write(&mut self, octets: &[u8]) -> Result<usize, Infallible> {
        Ok(self.said.write(octets).await)
    }

    async fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

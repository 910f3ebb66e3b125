//! A byte stream to a device: a serial port or a TCP socket, opened when needed and again when it went away.
//! Refuses framing; it only keeps octets that were read and not yet used.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_serial::SerialPortBuilderExt;
use tracing::{info, warn};

/// First pause before a device is tried again; it doubles up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(250);
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// A TNC that does not answer the connection attempt in this time is not there.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// A device that takes no octet for this long is gone.
const WRITE_MAX: Duration = Duration::from_secs(60);

trait Octets: AsyncRead + AsyncWrite + Send {}
impl<T: AsyncRead + AsyncWrite + Send> Octets for T {}

/// Where the octets come from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Target {
    /// Device path and line rate, 8N1.
    Serial { path: String, baud: u32 },
    /// `host:port`.
    Tcp(String),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Serial { path, .. } => f.write_str(path),
            Self::Tcp(address) => f.write_str(address),
        }
    }
}

/// The stream, if it is open, and what was read ahead.
pub(super) struct Line {
    target: Target,
    stream: Option<Pin<Box<dyn Octets>>>,
    pause: Duration,
    ahead: Box<[u8; 1024]>,
    at: usize,
    end: usize,
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line")
            .field("target", &self.target)
            .field("open", &self.stream.is_some())
            .finish_non_exhaustive()
    }
}

impl Line {
    pub(super) fn new(target: Target) -> Self {
        Self {
            target,
            stream: None,
            pause: PAUSE_MIN,
            ahead: Box::new([0; 1024]),
            at: 0,
            end: 0,
        }
    }

    /// The next octet; `Err` once when the device went away, so that the caller forgets a frame begun.
    pub(super) async fn octet(&mut self) -> io::Result<u8> {
        while self.at == self.end {
            if self.stream.is_none() {
                self.open_patiently().await;
            }
            let Some(stream) = &mut self.stream else {
                continue;
            };
            match stream.read(&mut self.ahead[..]).await {
                Ok(len) if len > 0 => (self.at, self.end) = (0, len),
                Ok(_) => return Err(self.lost(io::ErrorKind::UnexpectedEof.into())),
                Err(error) => return Err(self.lost(error)),
            }
        }
        self.at += 1;
        Ok(self.ahead[self.at - 1])
    }

    /// Writes all of `octets`; `true` if the device had to be opened for it, and so has forgotten its settings.
    pub(super) async fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        if self.stream.is_none() {
            self.stream = Some(open(&self.target).await?);
        }
        let Some(stream) = &mut self.stream else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        let written = tokio::time::timeout(WRITE_MAX, stream.write_all(octets)).await;
        match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.lost(error)),
            Err(_) => Err(self.lost(io::ErrorKind::TimedOut.into())),
        }
    }

    /// Is the device open?
    pub(super) fn is_open(&self) -> bool {
        self.stream.is_some()
    }

    async fn open_patiently(&mut self) {
        match open(&self.target).await {
            Ok(stream) => {
                info!(device = %self.target, "modem opened");
                self.stream = Some(stream);
                self.pause = PAUSE_MIN;
            }
            Err(error) => {
                if self.pause == PAUSE_MIN {
                    warn!(device = %self.target, %error, "cannot open the modem, will keep trying");
                }
                sleep(self.pause).await;
                self.pause = (self.pause * 2).min(PAUSE_MAX);
            }
        }
    }

    fn lost(&mut self, error: io::Error) -> io::Error {
        warn!(device = %self.target, %error, "modem went away");
        self.stream = None;
        (self.at, self.end) = (0, 0);
        error
    }
}

async fn open(target: &Target) -> io::Result<Pin<Box<dyn Octets>>> {
    match target {
        Target::Serial { path, baud } => {
            let port = tokio_serial::new(path, *baud).open_native_async()?;
            Ok(Box::pin(port))
        }
        Target::Tcp(address) => {
            let connecting = TcpStream::connect(address);
            let stream = tokio::time::timeout(CONNECT_MAX, connecting)
                .await
                .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
            stream.set_nodelay(true)?;
            Ok(Box::pin(stream))
        }
    }
}

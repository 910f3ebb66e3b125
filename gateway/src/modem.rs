//! The radios: a half-duplex device that takes one frame and, sometimes, brings one. Refuses to know what is in a
//! frame; sealing, acknowledging and repeating are the link's.
//!
//! Which modem it is comes from a URL:
//!
//! | URL | modem |
//! |---|---|
//! | `serial:/dev/ttyUSB0?baud=9600` | transparent serial modem, or a cable; frames in COBS with a checksum |
//! | `kiss+serial:/dev/ttyUSB0?baud=9600&port=0` | KISS TNC on a serial port |
//! | `kiss+tcp://127.0.0.1:8001?ax25=N0A>N0B` | KISS TNC on TCP, such as Dire Wolf |
//! | `air:NAME?rate=300&loss=0.1&seed=7` | simulated air; stations of one process that use NAME hear each other |
//! | `air:/run/hf.sock?rate=300` | the same across processes, over a Unix socket |

pub mod air;
mod hub;
mod kiss;
mod line;
mod serial;
pub mod url;

use std::io;

use longwire_codec::channel::Channel;
use tokio::sync::watch;

use air::Station;
use kiss::Kiss;
use serial::Serial;
use url::{ModemUrl, UrlError};

/// Largest frame any modem here carries, octets.
pub const FRAME_MAX: usize = 2048;

/// The time in which a modem at `bit_rate` sends `octets` it puts around each frame.
fn overhead_ms(octets: usize, bit_rate: u32) -> u32 {
    let millis = (octets as u64 * 8000).div_ceil(u64::from(bit_rate.max(1)));
    u32::try_from(millis).unwrap_or(u32::MAX)
}

/// A half-duplex packet modem.
#[expect(async_fn_in_trait, reason = "driven on one thread by radio.rs only")]
pub trait Modem {
    /// The channel it is on; may change between calls.
    fn channel(&self) -> Channel;

    /// Is the device there, as far as is known? It is tried with the first `receive` or `transmit`.
    fn is_open(&self) -> bool;

    /// Sends one frame; completes when the air is free again.
    ///
    /// # Errors
    /// The device is gone; to the link this is a lost frame. The next call tries to open it again.
    async fn transmit(&mut self, frame: &[u8]) -> io::Result<()>;

    /// Waits for one frame and says how long it is. Cancel safe.
    ///
    /// # Errors
    /// Never for a device that went away: it is opened again with a growing pause.
    async fn receive(&mut self, frame: &mut [u8]) -> io::Result<usize>;

    /// Whether a signal comes in, where the modem can tell; kept up to date by `receive`.
    fn carrier(&self) -> Option<watch::Receiver<bool>> {
        None
    }
}

/// Any of the modems, as opened from a URL.
#[derive(Debug)]
#[non_exhaustive]
pub enum AnyModem {
    /// Transparent serial line.
    Serial(Serial),
    /// KISS TNC.
    Kiss(Kiss),
    /// Simulated air.
    Air(Station),
}

impl AnyModem {
    /// A modem for `url`. Devices open when first used, so that a radio may be plugged in later; `channel` is what
    /// the configuration says, `air:` URLs may say otherwise.
    ///
    /// # Errors
    /// [`UrlError`]: unknown scheme or option, with the nearest known one.
    pub fn open(url: &str, channel: Channel) -> Result<Self, UrlError> {
        let url = ModemUrl::parse(url)?;
        match url.scheme.as_str() {
            "serial" => Serial::new(&url, channel).map(Self::Serial),
            "kiss+serial" | "kiss+tcp" => Kiss::new(&url, channel).map(Self::Kiss),
            "air" => Station::open(&url, channel).map(Self::Air),
            other => Err(UrlError::scheme(other)),
        }
    }
}

impl Modem for AnyModem {
    fn channel(&self) -> Channel {
        match self {
            Self::Serial(modem) => modem.channel(),
            Self::Kiss(modem) => modem.channel(),
            Self::Air(modem) => modem.channel(),
        }
    }

    fn is_open(&self) -> bool {
        match self {
            Self::Serial(modem) => modem.is_open(),
            Self::Kiss(modem) => modem.is_open(),
            Self::Air(modem) => modem.is_open(),
        }
    }

    async fn transmit(&mut self, frame: &[u8]) -> io::Result<()> {
        match self {
            Self::Serial(modem) => modem.transmit(frame).await,
            Self::Kiss(modem) => modem.transmit(frame).await,
            Self::Air(modem) => modem.transmit(frame).await,
        }
    }

    async fn receive(&mut self, frame: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Serial(modem) => modem.receive(frame).await,
            Self::Kiss(modem) => modem.receive(frame).await,
            Self::Air(modem) => modem.receive(frame).await,
        }
    }

    fn carrier(&self) -> Option<watch::Receiver<bool>> {
        match self {
            Self::Serial(modem) => modem.carrier(),
            _ => None,
        }
    }
}

//! Simulated air: stations that name the same medium hear each other, with the losses, delays and collisions its URL
//! asks for. Refuses wall-clock time: under tokio's paused clock hours of radio pass in an instant.
//!
//! | option | meaning | default |
//! |---|---|---|
//! | `rate` | bit/s on the air | the modem's `bit-rate` |
//! | `turnaround` | key-up before the first bit of a turn | the modem's `turnaround` |
//! | `mtu` | largest frame, octets | the modem's `mtu` |
//! | `delay` | interleaver or path delay, one way | 0 |
//! | `loss` | share of frames lost, 0 to 1 | 0 |
//! | `burst` | mean length of a run of lost frames | 1 |
//! | `ber` | share of bits flipped | 0 |
//! | `dup` | share of frames heard twice | 0 |
//! | `outage`, `every` | silence of `outage` at the end of each `every` | none |
//! | `duplex` | `full`: no collisions, stations hear while they talk | `half` |
//! | `seed` | same seed, same air | 0 |
//!
//! Durations are milliseconds, or carry their unit: `500`, `2s`, `10m`. The first station of a medium decides its
//! losses. A target that is a path (`air:/run/hf.sock`) reaches stations of other processes: the hub.

mod fate;
mod medium;

use std::io;

pub use medium::{Medium, Traffic};

use super::hub::Socket;
use super::url::{ModemUrl, UrlError};
use super::{Channel, FRAME_MAX, Modem};
use fate::Fates;
pub(super) use medium::Place;

/// Options of the URL.
const OPTIONS: [&str; 12] = [
    "rate",
    "turnaround",
    "mtu",
    "delay",
    "loss",
    "burst",
    "ber",
    "dup",
    "outage",
    "every",
    "duplex",
    "seed",
];

/// What a medium does to frames; see the module's table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weather {
    /// One-way delay after the last bit.
    pub delay_ms: u64,
    /// Share of frames lost.
    pub loss: f64,
    /// Mean run of lost frames.
    pub burst: f64,
    /// Share of bits flipped.
    pub bit_errors: f64,
    /// Share of frames heard twice.
    pub repeats: f64,
    /// Length of the periodic silence.
    pub outage_ms: u64,
    /// Its period; 0: none.
    pub every_ms: u64,
    /// Stations hear while they talk.
    pub full_duplex: bool,
    /// Start of the random sequence.
    pub seed: u64,
}

impl Weather {
    fn parse(url: &ModemUrl) -> Result<Self, UrlError> {
        let weather = Self {
            delay_ms: url.millis("delay", 0)?,
            loss: share(url, "loss")?,
            burst: url.number("burst", 1.0f64)?.max(1.0),
            bit_errors: share(url, "ber")?,
            repeats: share(url, "dup")?,
            outage_ms: url.millis("outage", 0)?,
            every_ms: url.millis("every", 0)?,
            full_duplex: match url.text("duplex") {
                None | Some("half") => false,
                Some("full") => true,
                Some(other) => return Err(UrlError::value("duplex", other, "half or full")),
            },
            seed: url.number("seed", 0u64)?,
        };
        Ok(weather)
    }
}

fn share(url: &ModemUrl, name: &str) -> Result<f64, UrlError> {
    let value = url.number(name, 0.0f64)?;
    if (0.0..=1.0).contains(&value) {
        Ok(value)
    } else {
        Err(UrlError::value(name, value, "a share from 0 to 1"))
    }
}

/// One station's modem.
#[derive(Debug)]
pub struct Station {
    channel: Channel,
    way: Way,
}

#[derive(Debug)]
enum Way {
    /// The medium is in this process.
    Here(Place),
    /// It is behind a socket, or will be once somebody opens it.
    Socket(Box<Socket>),
}

impl Station {
    /// A station on the medium the URL names.
    ///
    /// # Errors
    /// [`UrlError`].
    pub fn open(url: &ModemUrl, channel: Channel) -> Result<Self, UrlError> {
        url.only(&OPTIONS)?;
        let weather = Weather::parse(url)?;
        let turnaround_ms = url.millis("turnaround", channel.turnaround_ms.into())?;
        let channel = Channel {
            mtu: url.number("mtu", channel.mtu)?.min(FRAME_MAX as u16),
            bit_rate: url.number("rate", channel.bit_rate)?.max(1),
            turnaround_ms: u32::try_from(turnaround_ms)
                .map_err(|_| UrlError::value("turnaround", turnaround_ms, "at most 49 days"))?,
            interleaver_ms: u32::try_from(weather.delay_ms).unwrap_or(u32::MAX),
            full_duplex: weather.full_duplex,
            ..channel
        };
        let way = if url.target.starts_with('/') {
            Way::Socket(Box::new(Socket::new(
                url.target.clone().into(),
                channel,
                weather,
            )))
        } else {
            Way::Here(Medium::named(&url.target, channel, weather).join())
        };
        Ok(Self { channel, way })
    }
}

impl Modem for Station {
    fn channel(&self) -> Channel {
        self.channel
    }

    fn is_open(&self) -> bool {
        true
    }

    async fn transmit(&mut self, frame: &[u8]) -> io::Result<()> {
        match &mut self.way {
            Way::Here(place) => {
                place.transmit(frame).await;
                Ok(())
            }
            Way::Socket(socket) => socket.transmit(frame).await,
        }
    }

    async fn receive(&mut self, frame: &mut [u8]) -> io::Result<usize> {
        match &mut self.way {
            Way::Here(place) => Ok(place.receive(frame).await),
            Way::Socket(socket) => Ok(socket.receive(frame).await),
        }
    }
}

#[cfg(test)]
mod tests;

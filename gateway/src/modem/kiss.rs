//! KISS TNCs over serial and TCP, with the codec's framing. Refuses to believe in flow control, which KISS does not have:
//! it waits for the computed airtime of what it sent.

use std::io;
use std::time::Duration;

use longwire_codec::kiss::{self, Ax25, Deframer};
use tokio::time::sleep;

use super::line::{Line, Target};
use super::url::{ModemUrl, UrlError};
use super::{Channel, FRAME_MAX, Modem};

const WIRE_MAX: usize = kiss::wire_len_max(FRAME_MAX);

/// A KISS TNC.
#[derive(Debug)]
pub struct Kiss {
    line: Line,
    kiss: kiss::Kiss,
    deframer: Deframer<Vec<u8>>,
    channel: Channel,
    wire: Vec<u8>,
}

impl Kiss {
    /// `kiss+serial:PATH` or `kiss+tcp://HOST:PORT` with options `baud`, `port` (0 to 15), `ax25=SOURCE>DESTINATION`,
    /// `txdelay` and `txtail` (ms), `persistence` (0 to 255), `slottime` (ms).
    ///
    /// # Errors
    /// [`UrlError`].
    pub fn new(url: &ModemUrl, channel: Channel) -> Result<Self, UrlError> {
        url.only(&[
            "baud",
            "port",
            "ax25",
            "txdelay",
            "txtail",
            "persistence",
            "slottime",
        ])?;
        let kiss = settings(url)?;
        let target = match url.scheme.as_str() {
            "kiss+tcp" => Target::Tcp(url.target.clone()),
            _ => Target::Serial {
                path: url.target.clone(),
                baud: url.number("baud", 9600u32)?,
            },
        };
        Ok(Self {
            line: Line::new(target),
            deframer: Deframer::new(kiss, vec![0; WIRE_MAX]),
            channel: kiss.channel(channel),
            kiss,
            wire: vec![0; WIRE_MAX],
        })
    }
}

/// What the URL says of the TNC.
fn settings(url: &ModemUrl) -> Result<kiss::Kiss, UrlError> {
    let port = url.number("port", 0u8)?;
    if port > 15 {
        return Err(UrlError::value("port", port, "0 to 15"));
    }
    let ax25 = match url.text("ax25") {
        None => None,
        Some(text) => Some(Ax25::parse(text).ok_or_else(|| {
            UrlError::value("ax25", text, "two call signs, such as N0CALL-1>N0CALL-2")
        })?),
    };
    let persistence = match url.text("persistence") {
        None => None,
        Some(_) => Some(url.number("persistence", 63u8)?),
    };
    Ok(kiss::Kiss {
        port,
        ax25,
        txdelay_10ms: tens(url, "txdelay")?,
        txtail_10ms: tens(url, "txtail")?,
        slottime_10ms: tens(url, "slottime")?,
        persistence,
    })
}

/// A duration in units of 10 ms, if the URL names it.
fn tens(url: &ModemUrl, name: &str) -> Result<Option<u8>, UrlError> {
    if url.text(name).is_none() {
        return Ok(None);
    }
    let tens = url.millis(name, 0)? / 10;
    u8::try_from(tens)
        .map(Some)
        .map_err(|_| UrlError::value(name, tens * 10, "at most 2550 ms"))
}

impl Modem for Kiss {
    fn channel(&self) -> Channel {
        self.channel
    }

    fn is_open(&self) -> bool {
        self.line.is_open()
    }

    async fn transmit(&mut self, frame: &[u8]) -> io::Result<()> {
        let len = self.kiss.emit(frame, &mut self.wire);
        let len = len.ok_or(io::ErrorKind::InvalidInput)?;
        self.line.write(&self.wire[..len]).await?;
        let airtime_ms = self.channel.airtime_ms(frame.len()) + self.kiss.keying_ms();
        sleep(Duration::from_millis(airtime_ms)).await;
        Ok(())
    }

    async fn receive(&mut self, frame: &mut [u8]) -> io::Result<usize> {
        loop {
            let Ok(octet) = self.line.octet().await else {
                self.deframer.clear();
                continue;
            };
            let Some(found) = self.deframer.push(octet) else {
                continue;
            };
            if let Some(room) = frame.get_mut(..found.len()) {
                room.copy_from_slice(found);
                return Ok(found.len());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEND: u8 = 0xc0;
    const FESC: u8 = 0xdb;

    #[test]
    fn settings_become_commands() {
        let url = ModemUrl::parse("kiss+tcp://h:1?txdelay=300&persistence=255&port=1").unwrap();
        let mut wire = [0; WIRE_MAX];
        let len = settings(&url).unwrap().emit(b"x", &mut wire).unwrap();
        let commands = [FEND, 0x11, 30, FEND, FEND, 0x12, 255, FEND];
        assert_eq!(
            wire[..len],
            [&commands[..], &[FEND, 0x10, b'x', FEND]].concat()
        );
        let url = ModemUrl::parse("kiss+tcp://h:1?txtail=3s").unwrap();
        assert!(settings(&url).is_err());
    }

    /// Two modems, and a TNC on TCP between them that says things of its own.
    #[tokio::test]
    async fn frames_cross_between_two_tncs_on_tcp() {
        use tokio::io::{AsyncWriteExt, copy};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (a, _) = listener.accept().await.unwrap();
            let (mut b, _) = listener.accept().await.unwrap();
            b.write_all(&[FEND, 6, b'o', b'k', FEND, FEND, 0, b'?', FEND])
                .await
                .unwrap();
            let ((mut a_in, mut a_out), (mut b_in, mut b_out)) = (a.into_split(), b.into_split());
            let _ = tokio::join!(copy(&mut a_in, &mut b_out), copy(&mut b_in, &mut a_out));
        });
        let open = |calls: &str| {
            let url = format!("kiss+tcp://{address}?ax25={calls}&txdelay=10");
            let url = ModemUrl::parse(&url).unwrap();
            Kiss::new(&url, Channel::radio(256, 1_000_000, 0)).unwrap()
        };
        let (mut a, mut b) = (open("N0A>N0B"), open("N0B>N0A"));
        let mut frame = [0; FRAME_MAX];
        a.transmit(&[FEND, FESC, 0, 255]).await.unwrap();
        let len = b.receive(&mut frame).await.unwrap();
        assert_eq!(frame[..len], [FEND, FESC, 0, 255]);
        b.transmit(b"answer").await.unwrap();
        let len = a.receive(&mut frame).await.unwrap();
        assert_eq!(&frame[..len], b"answer");
        assert!(a.channel().preamble_ms > 0 && a.is_open() && b.is_open());
    }
}

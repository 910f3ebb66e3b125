//! KISS TNCs over serial and TCP: escape, port nibble, optional AX.25 addresses. Refuses to believe in flow control,
//! which KISS does not have: it waits for the computed airtime of what it sent.

use std::io;

use tokio::time::sleep;

use super::ax25::{self, Ax25};
use super::line::{Line, Target};
use super::url::{ModemUrl, UrlError};
use super::{Channel, FRAME_MAX, Modem, overhead_ms};

const FEND: u8 = 0xc0;
const FESC: u8 = 0xdb;
const TFEND: u8 = 0xdc;
const TFESC: u8 = 0xdd;

/// Commands, low nibble of the type octet; times in 10 ms.
const DATA: u8 = 0;
const TXDELAY: u8 = 1;
const PERSISTENCE: u8 = 2;
const SLOT_TIME: u8 = 3;
const TX_TAIL: u8 = 4;
/// HDLC flags and checksum around a frame, octets.
const HDLC_OVERHEAD: usize = 4;

/// A KISS TNC.
#[derive(Debug)]
pub struct Kiss {
    line: Line,
    deframer: Deframer,
    channel: Channel,
    ax25: Option<Ax25>,
    /// Command octets sent whenever the TNC was opened.
    settings: Vec<u8>,
    configured: bool,
    port: u8,
    wire: Vec<u8>,
    /// Key-up and tail of one transmission.
    keying_ms: u64,
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
        let target = match url.scheme.as_str() {
            "kiss+tcp" => Target::Tcp(url.target.clone()),
            _ => Target::Serial {
                path: url.target.clone(),
                baud: url.number("baud", 9600u32)?,
            },
        };
        let wrapper = if ax25.is_some() { ax25::HEADER_LEN } else { 0 };
        Ok(Self {
            line: Line::new(target),
            deframer: Deframer::new(port),
            channel: Channel {
                preamble_ms: channel.preamble_ms
                    + overhead_ms(HDLC_OVERHEAD + wrapper, channel.bit_rate),
                ..channel
            },
            ax25,
            settings: settings(url, port)?,
            configured: false,
            port,
            wire: Vec::new(),
            keying_ms: url.millis("txdelay", 0)? + url.millis("txtail", 0)?,
        })
    }
}

/// The settings that the URL names, as KISS commands.
fn settings(url: &ModemUrl, port: u8) -> Result<Vec<u8>, UrlError> {
    let mut wire = Vec::new();
    let timed = [
        ("txdelay", TXDELAY),
        ("slottime", SLOT_TIME),
        ("txtail", TX_TAIL),
    ];
    for (name, command) in timed {
        if url.text(name).is_some() {
            let tens = url.millis(name, 0)? / 10;
            let value = u8::try_from(tens)
                .map_err(|_| UrlError::value(name, tens * 10, "at most 2550 ms"))?;
            emit(port << 4 | command, &[value], &mut wire);
        }
    }
    if url.text("persistence").is_some() {
        let value = url.number("persistence", 63u8)?;
        emit(port << 4 | PERSISTENCE, &[value], &mut wire);
    }
    Ok(wire)
}

impl Modem for Kiss {
    fn channel(&self) -> Channel {
        self.channel
    }

    fn is_open(&self) -> bool {
        self.line.is_open()
    }

    async fn transmit(&mut self, frame: &[u8]) -> io::Result<()> {
        let mut framed = Vec::with_capacity(frame.len() + ax25::HEADER_LEN);
        match &self.ax25 {
            Some(ax25) => ax25.emit(frame, &mut framed),
            None => framed.extend_from_slice(frame),
        }
        self.wire.clear();
        self.configured &= self.line.is_open();
        if !self.configured {
            self.wire.extend_from_slice(&self.settings);
        }
        emit(self.port << 4 | DATA, &framed, &mut self.wire);
        self.line.write(&self.wire).await?;
        self.configured = true;
        let airtime_ms = self.channel.airtime_ms(frame.len()) + self.keying_ms;
        sleep(std::time::Duration::from_millis(airtime_ms)).await;
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
            let payload = match self.ax25 {
                Some(_) => Ax25::open(&found),
                None => Some(&found[..]),
            };
            let room = payload.and_then(|it| Some((it, frame.get_mut(..it.len())?)));
            if let Some((payload, room)) = room {
                room.copy_from_slice(payload);
                return Ok(payload.len());
            }
        }
    }
}

/// One KISS frame with a FEND on both sides.
fn emit(kind: u8, payload: &[u8], wire: &mut Vec<u8>) {
    wire.push(FEND);
    for octet in std::iter::once(&kind).chain(payload) {
        match *octet {
            FEND => wire.extend_from_slice(&[FESC, TFEND]),
            FESC => wire.extend_from_slice(&[FESC, TFESC]),
            octet => wire.push(octet),
        }
    }
    wire.push(FEND);
}

/// Collects octets until a data frame of our port is complete.
#[derive(Debug)]
struct Deframer {
    frame: Vec<u8>,
    escaped: bool,
    spoilt: bool,
    port: u8,
}

impl Deframer {
    fn new(port: u8) -> Self {
        Self {
            frame: Vec::new(),
            escaped: false,
            // Until the first FEND it is unknown what the octets belong to.
            spoilt: true,
            port,
        }
    }

    fn push(&mut self, octet: u8) -> Option<Vec<u8>> {
        if octet == FEND {
            let whole = !self.spoilt && !self.escaped;
            let ours = self.frame.first() == Some(&(self.port << 4 | DATA));
            let found = (whole && ours && self.frame.len() > 1).then(|| self.frame[1..].to_vec());
            self.frame.clear();
            (self.escaped, self.spoilt) = (false, false);
            return found;
        }
        let plain = match (self.escaped, octet) {
            (false, FESC) => {
                self.escaped = true;
                return None;
            }
            (false, octet) => octet,
            (true, TFEND) => FEND,
            (true, TFESC) => FESC,
            (true, _) => {
                self.spoilt = true;
                return None;
            }
        };
        self.escaped = false;
        self.spoilt |= self.frame.len() > FRAME_MAX + ax25::HEADER_LEN;
        if !self.spoilt {
            self.frame.push(plain);
        }
        None
    }

    fn clear(&mut self) {
        *self = Self::new(self.port);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(wire: &[u8]) -> Vec<Vec<u8>> {
        let mut deframer = Deframer::new(0);
        wire.iter()
            .filter_map(|octet| deframer.push(*octet))
            .collect()
    }

    #[test]
    fn special_octets_survive() {
        let frame: Vec<u8> = (0..=255).collect();
        let mut wire = Vec::new();
        emit(DATA, &frame, &mut wire);
        assert_eq!(through(&wire), [frame]);
    }

    #[test]
    fn garbage_costs_only_the_frame_it_hits() {
        let mut wire = vec![1, 2, 3];
        emit(DATA, b"one", &mut wire);
        wire.extend_from_slice(&[0, FESC, b'x', b'y']);
        emit(DATA, b"two", &mut wire);
        emit(6, b"DIREWOLF 1.6", &mut wire);
        emit(0x30, b"other port", &mut wire);
        assert_eq!(through(&wire), [b"one".to_vec(), b"two".to_vec()]);
    }

    #[test]
    fn settings_become_commands() {
        let url = ModemUrl::parse("kiss+tcp://h:1?txdelay=300&persistence=255").unwrap();
        let wire = settings(&url, 0).unwrap();
        assert_eq!(wire, [FEND, 1, 30, FEND, FEND, 2, 255, FEND]);
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

//! A transparent serial modem, or a cable: frames in COBS with a checksum, found again after any garbage. Refuses
//! flow control by guesswork: it waits as long as the octets need at the line's rate.

use std::io;
use std::time::Duration;

use longwire_codec::serial::{self, Deframer};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};

use super::line::{Line, Target};
use super::url::{ModemUrl, UrlError};
use super::{Channel, FRAME_MAX, Modem, overhead_ms};

/// Start bit, eight data bits, stop bit.
const BITS_PER_OCTET: u64 = 10;

/// How late the octets of a frame may come, besides the time they take on the air.
const SILENCE: Duration = Duration::from_millis(30);

/// A serial modem.
#[derive(Debug)]
pub struct Serial {
    line: Line,
    deframer: Deframer<Vec<u8>>,
    channel: Channel,
    wire: Vec<u8>,
    /// Octets come in: on a transparent modem that is the carrier.
    carrier: watch::Sender<bool>,
    /// When it counts as gone if none follows.
    silent_at: Instant,
}

impl Serial {
    /// `serial:PATH?baud=9600`. The rate on the air is the slower one of `channel.bit_rate` and the line.
    ///
    /// # Errors
    /// [`UrlError`].
    pub fn new(url: &ModemUrl, channel: Channel) -> Result<Self, UrlError> {
        url.only(&["baud"])?;
        let baud = url.number("baud", 9600u32)?;
        if baud < 50 {
            return Err(UrlError::value("baud", baud, "50 or more"));
        }
        let line_rate = u32::try_from(u64::from(baud) * 8 / BITS_PER_OCTET).unwrap_or(u32::MAX);
        let bit_rate = channel.bit_rate.min(line_rate);
        Ok(Self {
            line: Line::new(Target::Serial {
                path: url.target.clone(),
                baud,
            }),
            deframer: Deframer::new(vec![0; serial::wire_len_max(FRAME_MAX)]),
            channel: Channel {
                bit_rate,
                preamble_ms: channel.preamble_ms + overhead_ms(serial::OVERHEAD, bit_rate),
                ..channel
            },
            wire: vec![0; serial::wire_len_max(FRAME_MAX)],
            carrier: watch::Sender::new(false),
            silent_at: Instant::now(),
        })
    }
}

impl Modem for Serial {
    fn channel(&self) -> Channel {
        self.channel
    }

    fn is_open(&self) -> bool {
        self.line.is_open()
    }

    async fn transmit(&mut self, frame: &[u8]) -> io::Result<()> {
        let len = serial::emit(frame, &mut self.wire).ok_or(io::ErrorKind::InvalidInput)?;
        self.line.write(&self.wire[..len]).await?;
        sleep(Duration::from_millis(self.channel.airtime_ms(frame.len()))).await;
        Ok(())
    }

    async fn receive(&mut self, frame: &mut [u8]) -> io::Result<usize> {
        loop {
            let busy = *self.carrier.borrow();
            let octet = if busy {
                timeout_at(self.silent_at, self.line.octet()).await
            } else {
                Ok(self.line.octet().await)
            };
            let Ok(Ok(octet)) = octet else {
                if octet.is_ok() {
                    self.deframer.clear();
                }
                self.carrier.send_if_modified(std::mem::take);
                continue;
            };
            let Some(found) = self.deframer.push(octet) else {
                let octets_ms = overhead_ms(4, self.channel.bit_rate);
                self.silent_at = Instant::now() + SILENCE + Duration::from_millis(octets_ms.into());
                self.carrier
                    .send_if_modified(|busy| !std::mem::replace(busy, true));
                continue;
            };
            self.carrier.send_if_modified(std::mem::take);
            if let Some(room) = frame.get_mut(..found.len()) {
                room.copy_from_slice(found);
                return Ok(found.len());
            }
        }
    }

    fn carrier(&self) -> Option<watch::Receiver<bool>> {
        Some(self.carrier.subscribe())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modem::AnyModem;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio_serial::{SerialPort, SerialStream};

    const CHANNEL: Channel = Channel::radio(256, 76_800, 0);

    /// A pseudo-terminal and the modem at its far end.
    fn port() -> (SerialStream, AnyModem) {
        let (near, far) = SerialStream::pair().unwrap();
        let path = far.name().unwrap();
        // It holds the lock the modem needs.
        drop(far);
        let modem = AnyModem::open(&format!("serial:{path}?baud=115200"), CHANNEL).unwrap();
        (near, modem)
    }

    #[tokio::test]
    async fn frames_cross_a_cable_and_survive_garbage() {
        let (mut left, mut a) = port();
        let (mut right, mut b) = port();
        let mut frame = [0; 2048];
        // Opens the device, so that the garbage meets an open one.
        let early = tokio::time::timeout(Duration::from_millis(50), b.receive(&mut frame)).await;
        assert!(early.is_err());
        right
            .write_all(b"AT\r\nOK\r\nCONNECT 300\x7f\x00\x03")
            .await
            .unwrap();
        let sent: Vec<u8> = (0..=255).collect();
        a.transmit(&sent).await.unwrap();
        let mut wire = vec![0; 1000];
        let len = left.read(&mut wire).await.unwrap();
        right.write_all(&wire[..len]).await.unwrap();
        let heard = tokio::time::timeout(Duration::from_secs(5), b.receive(&mut frame)).await;
        assert_eq!(frame[..heard.unwrap().unwrap()], sent);
    }

    #[tokio::test]
    async fn a_missing_device_is_an_error_to_send_and_silence_to_receive() {
        let mut modem = AnyModem::open("serial:/nonexistent/tty?baud=300", CHANNEL).unwrap();
        assert_eq!(modem.channel().bit_rate, 240, "ten bits an octet");
        assert!(modem.transmit(b"x").await.is_err());
        let heard =
            tokio::time::timeout(Duration::from_millis(50), modem.receive(&mut [0; 9])).await;
        assert!(heard.is_err());
    }

    #[tokio::test]
    async fn octets_are_a_carrier_until_the_frame_or_a_silence() {
        let (mut line, mut modem) = port();
        let mut carrier = modem.carrier().unwrap();
        let mut frame = [0; 2048];
        let mut wire = [0; 64];
        let len = serial::emit(b"hello", &mut wire).unwrap();
        let mut said = Vec::new();
        let talk = async {
            // Opened first, so that nothing is written to a closed device.
            sleep(Duration::from_millis(50)).await;
            for octets in [&wire[..3], &wire[3..len], b"noise"] {
                line.write_all(octets).await.unwrap();
                carrier.changed().await.unwrap();
                said.push(*carrier.borrow_and_update());
            }
            carrier.changed().await.unwrap();
            said.push(*carrier.borrow_and_update());
        };
        let hear = async {
            let len = modem.receive(&mut frame).await.unwrap();
            assert_eq!(&frame[..len], b"hello");
            let _ = modem.receive(&mut frame).await;
        };
        tokio::select! {
            () = hear => unreachable!("noise is no frame"),
            () = talk => {}
            () = sleep(Duration::from_secs(20)) => panic!("no news of the carrier"),
        }
        assert_eq!(said, [true, false, true, false]);
    }
}

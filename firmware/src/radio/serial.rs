//! A modem behind a UART, with the framing the gateway's `serial:` or `kiss+serial:` modem speaks. Refuses flow control:
//! it waits for the airtime of what it sent.

use embassy_futures::select::{Either, select};
use embedded_hal_async::delay::DelayNs;
use embedded_io_async::{Read, Write};
use longwire_codec::channel::Channel;
use longwire_codec::kiss::{self, Kiss};
use longwire_codec::serial::{self, Deframer};

use super::Radio;
use crate::flash::copy;
use crate::uart::{WriteError, write};

/// How late the octets of a frame may come, besides the time they take on the air, in milliseconds.
const SILENCE_MS: u64 = 30;

/// How frames lie on the UART.
pub trait Framing {
    /// The channel with what the modem adds to each frame.
    fn channel(&self, channel: Channel) -> Channel {
        channel
    }

    /// Whether what comes in is just on the air: octets are a carrier.
    fn is_carrier(&self) -> bool;

    /// Writes a frame to `wire`; `None` if it does not fit.
    fn emit(&self, frame: &[u8], wire: &mut [u8]) -> Option<usize>;

    /// Takes an octet; the frame if it was the last of one.
    fn push(&mut self, octet: u8) -> Option<&[u8]>;

    /// How long the modem is busy with a frame of `len` octets that took `wire_len` on the UART.
    fn airtime_ms(&self, channel: &Channel, len: usize, wire_len: usize) -> u64;
}

/// COBS with a checksum, on a transparent modem or a cable: what is on the UART is what is on the air.
#[derive(Debug)]
pub struct Transparent<const N: usize>(Deframer<[u8; N]>);

impl<const N: usize> Transparent<N> {
    /// Frames of up to `N` octets on the UART.
    #[expect(clippy::new_without_default, reason = "nobody asks for a default one")]
    pub const fn new() -> Self {
        Self(Deframer::new([0; N]))
    }
}

impl<const N: usize> Framing for Transparent<N> {
    fn is_carrier(&self) -> bool {
        true
    }

    fn emit(&self, frame: &[u8], wire: &mut [u8]) -> Option<usize> {
        serial::emit(frame, wire)
    }

    fn push(&mut self, octet: u8) -> Option<&[u8]> {
        self.0.push(octet)
    }

    fn airtime_ms(&self, channel: &Channel, _: usize, wire_len: usize) -> u64 {
        channel.airtime_ms(wire_len)
    }
}

/// A KISS TNC.
#[derive(Debug)]
pub struct Tnc<const N: usize> {
    kiss: Kiss,
    deframer: kiss::Deframer<[u8; N]>,
}

impl<const N: usize> Tnc<N> {
    /// A TNC spoken to like this; frames of up to `N` octets on the UART.
    pub const fn new(kiss: Kiss) -> Self {
        Self {
            kiss,
            deframer: kiss::Deframer::new(kiss, [0; N]),
        }
    }
}

impl<const N: usize> Framing for Tnc<N> {
    fn channel(&self, channel: Channel) -> Channel {
        self.kiss.channel(channel)
    }

    fn is_carrier(&self) -> bool {
        false
    }

    fn emit(&self, frame: &[u8], wire: &mut [u8]) -> Option<usize> {
        self.kiss.emit(frame, wire)
    }

    fn push(&mut self, octet: u8) -> Option<&[u8]> {
        self.deframer.push(octet)
    }

    fn airtime_ms(&self, channel: &Channel, len: usize, _: usize) -> u64 {
        channel.airtime_ms(len) + self.kiss.keying_ms()
    }
}

/// A modem on a UART; `N` octets of buffer for a frame on its way out: `wire_len_max(channel.mtu)` of the framing.
#[derive(Debug)]
pub struct UartRadio<U, D, G, const N: usize> {
    uart: U,
    delay: D,
    channel: Channel,
    framing: G,
    wire: [u8; N],
    /// Octets come in.
    busy: bool,
}

/// Why a frame did not go out or come in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SerialError<E> {
    /// The UART reported this.
    Uart(E),
    /// The UART has come to its end.
    Closed,
    /// The frame is longer than the buffers of this radio, or of the caller.
    TooLong,
}

impl<E> From<WriteError<E>> for SerialError<E> {
    fn from(error: WriteError<E>) -> Self {
        match error {
            WriteError::Uart(error) => Self::Uart(error),
            WriteError::Closed => Self::Closed,
        }
    }
}

impl<U, D, G: Framing, const N: usize> UartRadio<U, D, G, N> {
    /// A modem on `uart`.
    pub fn new(uart: U, delay: D, channel: Channel, framing: G) -> Self {
        Self {
            uart,
            delay,
            channel: framing.channel(channel),
            framing,
            wire: [0; N],
            busy: false,
        }
    }
}

impl<U: Read + Write, D: DelayNs, G: Framing, const N: usize> Radio for UartRadio<U, D, G, N> {
    type Error = SerialError<U::Error>;

    fn channel(&self) -> Channel {
        self.channel
    }

    async fn transmit(&mut self, frame: &[u8], _: &mut [u8]) -> Result<usize, Self::Error> {
        let len = self.framing.emit(frame, &mut self.wire);
        let len = len.ok_or(SerialError::TooLong)?;
        let wire = self.wire.get(..len).unwrap_or(&[]);
        write(&mut self.uart, wire).await?;
        let airtime_ms = self.framing.airtime_ms(&self.channel, frame.len(), len);
        self.delay
            .delay_ms(u32::try_from(airtime_ms).unwrap_or(u32::MAX))
            .await;
        Ok(0)
    }

    async fn receive(&mut self, frame: &mut [u8]) -> Result<usize, Self::Error> {
        let mut octet = [0; 1];
        loop {
            let mut silence_ms = u32::MAX;
            if self.busy {
                let wait_ms = SILENCE_MS + self.channel.airtime_ms(4);
                silence_ms = u32::try_from(wait_ms).unwrap_or(u32::MAX);
            }
            let silence = self.delay.delay_ms(silence_ms);
            let Either::First(read) = select(self.uart.read(&mut octet), silence).await else {
                self.busy = false;
                return Ok(0);
            };
            if read.map_err(SerialError::Uart)? == 0 {
                return Err(SerialError::Closed);
            }
            if let Some(found) = self.framing.push(octet[0]) {
                copy(frame, found).ok_or(SerialError::TooLong)?;
                self.busy = false;
                return Ok(found.len());
            }
            if self.framing.is_carrier() && !core::mem::replace(&mut self.busy, true) {
                return Ok(0);
            }
        }
    }

    fn carrier(&self) -> Option<bool> {
        self.framing.is_carrier().then_some(self.busy)
    }
}

//! A modem behind a UART, with the framing the gateway's `serial:` modem speaks. Refuses flow control: it waits for the
//! airtime of what it sent.

use embedded_hal_async::delay::DelayNs;
use embedded_io_async::{Read, Write};
use longwire_codec::channel::Channel;
use longwire_codec::serial::{self, Deframer};

use super::Radio;

/// A UART modem; `N` octets of buffer each way, at least `serial::wire_len_max(channel.mtu)`.
#[derive(Debug)]
pub struct SerialRadio<U, D, const N: usize> {
    uart: U,
    delay: D,
    channel: Channel,
    deframer: Deframer<[u8; N]>,
    wire: [u8; N],
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

impl<U: Read + Write, D: DelayNs, const N: usize> SerialRadio<U, D, N> {
    /// A modem on `uart`.
    pub fn new(uart: U, delay: D, channel: Channel) -> Self {
        Self {
            uart,
            delay,
            channel,
            deframer: Deframer::new([0; N]),
            wire: [0; N],
        }
    }
}

impl<U: Read + Write, D: DelayNs, const N: usize> Radio for SerialRadio<U, D, N> {
    type Error = SerialError<U::Error>;

    fn channel(&self) -> Channel {
        self.channel
    }

    async fn transmit(&mut self, frame: &[u8]) -> Result<(), Self::Error> {
        let len = serial::emit(frame, &mut self.wire).ok_or(SerialError::TooLong)?;
        self.uart
            .write_all(&self.wire[..len])
            .await
            .map_err(SerialError::Uart)?;
        self.uart.flush().await.map_err(SerialError::Uart)?;
        let airtime_ms = self.channel.airtime_ms(len);
        self.delay
            .delay_ms(u32::try_from(airtime_ms).unwrap_or(u32::MAX))
            .await;
        Ok(())
    }

    async fn receive(&mut self, frame: &mut [u8]) -> Result<usize, Self::Error> {
        let mut octet = [0];
        loop {
            let read = self.uart.read(&mut octet).await;
            if read.map_err(SerialError::Uart)? == 0 {
                return Err(SerialError::Closed);
            }
            if let Some(found) = self.deframer.push(octet[0]) {
                let place = frame.get_mut(..found.len()).ok_or(SerialError::TooLong)?;
                place.copy_from_slice(found);
                return Ok(found.len());
            }
        }
    }
}

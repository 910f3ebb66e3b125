//! A board as the modem of a gateway: frames between a serial port, in the gateway's own framing, and a radio. Refuses
//! to know what is in a frame; it has no key and keeps nothing.

use embassy_futures::select::{Either, select};
use embedded_hal_async::delay::DelayNs;
use embedded_io_async::{Read, Write};
use longwire_codec::serial::{Deframer, emit, wire_len_max};

use crate::radio::Radio;

/// Longest frame carried, octets; longer ones from the gateway are dropped.
pub const MTU: usize = 255;
const WIRE_LEN: usize = wire_len_max(MTU);
/// After the radio reported an error it is left alone for so long.
const REST_MS: u32 = 10;

/// Carries frames until the serial port ends or fails. What the radio cannot send or read is lost, as on any channel.
///
/// `Read::read` of `gateway` must lose nothing when it is cancelled.
///
/// # Errors
/// Those of the serial port.
pub async fn run<P: Read + Write, R: Radio>(
    mut gateway: P,
    mut radio: R,
    mut delay: impl DelayNs,
) -> Result<(), P::Error> {
    let mut deframer = Deframer::new([0; WIRE_LEN]);
    let mut outgoing = [0; MTU];
    let mut frame = [0; MTU];
    let mut wire = [0; WIRE_LEN];
    loop {
        let from_host = next_frame(&mut gateway, &mut deframer, &mut outgoing);
        let heard = match select(from_host, radio.receive(&mut frame)).await {
            Either::First(len) => {
                let Some(len) = len? else { return Ok(()) };
                radio.transmit(&outgoing[..len], &mut frame).await
            }
            Either::Second(heard) => heard,
        };
        let Ok(len) = heard else {
            delay.delay_ms(REST_MS).await;
            continue;
        };
        let found = frame.get(..len).unwrap_or_default();
        if len > 0
            && let Some(len) = emit(found, &mut wire)
        {
            gateway.write_all(&wire[..len]).await?;
        }
    }
}

/// The length of the next whole frame, copied to `frame`; none at the end of the port. A part of it is in `deframer` if
/// this is cancelled.
async fn next_frame<P: Read>(
    port: &mut P,
    deframer: &mut Deframer<[u8; WIRE_LEN]>,
    frame: &mut [u8],
) -> Result<Option<usize>, P::Error> {
    let mut octet = [0];
    loop {
        if port.read(&mut octet).await? == 0 {
            return Ok(None);
        }
        let Some(found) = deframer.push(octet[0]) else {
            continue;
        };
        if let Some(place) = frame.get_mut(..found.len()) {
            place.copy_from_slice(found);
            return Ok(Some(found.len()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::on_wire;
    use core::cell::{Cell, RefCell};
    use core::future::poll_fn;
    use core::task::Poll;
    use embassy_futures::block_on;
    use embedded_io_async::ErrorType;
    use longwire_codec::channel::Channel;
    use std::collections::VecDeque;
    use std::vec::Vec;

    /// Has nothing to read the first times it is asked, then what it was given, then comes to its end; remembers what was
    /// written.
    struct Port<'p> {
        late: usize,
        wire: VecDeque<u8>,
        end: Result<usize, Unplugged>,
        written: &'p RefCell<Vec<u8>>,
    }

    #[derive(Clone, Copy, Debug, Eq, PartialEq)]
    struct Unplugged;

    impl core::fmt::Display for Unplugged {
        fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            f.write_str("unplugged")
        }
    }

    impl core::error::Error for Unplugged {}

    impl embedded_io_async::Error for Unplugged {
        fn kind(&self) -> embedded_io_async::ErrorKind {
            embedded_io_async::ErrorKind::Other
        }
    }

    impl ErrorType for Port<'_> {
        type Error = Unplugged;
    }

    impl Read for Port<'_> {
        async fn read(&mut self, octets: &mut [u8]) -> Result<usize, Unplugged> {
            if let Some(left) = self.late.checked_sub(1) {
                self.late = left;
                core::future::pending::<()>().await;
            }
            let Some(octet) = self.wire.pop_front() else {
                return self.end;
            };
            octets[0] = octet;
            Ok(1)
        }
    }

    impl Write for Port<'_> {
        async fn write(&mut self, octets: &[u8]) -> Result<usize, Unplugged> {
            self.written.borrow_mut().extend_from_slice(octets);
            Ok(octets.len())
        }

        async fn flush(&mut self) -> Result<(), Unplugged> {
            Ok(())
        }
    }

    /// Hears the frames it was given, then nothing; remembers what was sent.
    struct Air<'a>(VecDeque<Vec<u8>>, &'a RefCell<Vec<Vec<u8>>>);

    /// What [`Air`] reports of an empty frame.
    #[derive(Debug)]
    struct Deaf;

    /// Counts the rests.
    struct Rests<'r>(&'r Cell<usize>);

    impl DelayNs for Rests<'_> {
        async fn delay_ns(&mut self, _: u32) {
            self.0.set(self.0.get() + 1);
        }
    }

    impl Radio for Air<'_> {
        type Error = Deaf;

        fn channel(&self) -> Channel {
            Channel::radio(MTU as u16, 1200, 0)
        }

        async fn transmit(&mut self, frame: &[u8], _: &mut [u8]) -> Result<usize, Deaf> {
            self.1.borrow_mut().push(frame.to_vec());
            Ok(0)
        }

        async fn receive(&mut self, frame: &mut [u8]) -> Result<usize, Deaf> {
            poll_fn(|_| match self.0.pop_front() {
                Some(heard) if heard.is_empty() => Poll::Ready(Err(Deaf)),
                Some(heard) => {
                    frame[..heard.len()].copy_from_slice(&heard);
                    Poll::Ready(Ok(heard.len()))
                }
                None => Poll::Pending,
            })
            .await
        }
    }

    #[test]
    fn frames_go_both_ways_and_what_cannot_be_carried_is_dropped() {
        let long = [7; MTU + 1];
        let whole: Vec<u8> = (0..MTU).map(|at| at as u8).collect();
        let wire: VecDeque<u8> = [b"garbage".to_vec(), on_wire(&long), on_wire(&whole)]
            .concat()
            .into();
        let (written, sent) = (RefCell::new(Vec::new()), RefCell::new(Vec::new()));
        // The air is polled when the port has nothing: let the port wait until the air was heard.
        let heard = VecDeque::from([b"one".to_vec(), Vec::new(), whole.clone()]);
        let air = Air(heard, &sent);
        let rests = Cell::new(0);
        let port = Port {
            late: 3,
            wire,
            end: Err(Unplugged),
            written: &written,
        };
        let ended = block_on(run(port, air, Rests(&rests)));
        assert_eq!((ended, rests.get()), (Err(Unplugged), 1));
        assert_eq!(*sent.borrow(), core::slice::from_ref(&whole));
        assert_eq!(
            *written.borrow(),
            [on_wire(b"one"), on_wire(&whole)].concat()
        );
    }

    #[test]
    fn a_port_at_its_end_ends_the_bridge() {
        let (written, sent, rests) = (RefCell::default(), RefCell::default(), Cell::new(0));
        let port = Port {
            late: 0,
            wire: VecDeque::new(),
            end: Ok(0),
            written: &written,
        };
        let air = Air(VecDeque::new(), &sent);
        let ended = block_on(run(port, air, Rests(&rests)));
        assert_eq!(ended, Ok(()));
    }
}

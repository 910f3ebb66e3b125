//! Frames to and from a KISS TNC: escapes, port nibble, settings, optional AX.25 addresses (K3MC and KA9Q, "The KISS
//! TNC", 1987). Refuses to believe in flow control, which KISS does not have: the caller waits for the airtime. The
//! same on host and board.

mod ax25;

pub use ax25::Ax25;

use crate::channel::Channel;

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
/// Four settings of four octets each.
const SETTINGS_LEN: usize = 16;

/// Octets that [`Kiss::emit`] writes at most for a frame of `len` octets; a [`Deframer`] needs no more either.
pub const fn wire_len_max(len: usize) -> usize {
    SETTINGS_LEN + 2 * (1 + ax25::HEADER_LEN + len) + 2
}

/// How to talk to a TNC. What is not given is left as the TNC has it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Kiss {
    /// Port of the TNC, 0 to 15.
    pub port: u8,
    /// Addresses, for a TNC that drops what has none.
    pub ax25: Option<Ax25>,
    /// Key-up before a transmission, in units of 10 ms.
    pub txdelay_10ms: Option<u8>,
    /// Time the transmitter stays on after a frame, in units of 10 ms.
    pub txtail_10ms: Option<u8>,
    /// Slot of the channel access, in units of 10 ms.
    pub slottime_10ms: Option<u8>,
    /// Chance of sending in a free slot: (p + 1) / 256.
    pub persistence: Option<u8>,
}

impl Kiss {
    /// The channel with what the TNC adds to each frame.
    #[must_use]
    pub fn channel(&self, channel: Channel) -> Channel {
        let wrapper = self.ax25.map_or(0, |_| ax25::HEADER_LEN);
        let bits = 8 * (HDLC_OVERHEAD + wrapper) as u64;
        let added_ms = (bits * 1000).div_ceil(u64::from(channel.bit_rate.max(1)));
        let added_ms = u32::try_from(added_ms).unwrap_or(u32::MAX);
        Channel {
            preamble_ms: channel.preamble_ms.saturating_add(added_ms),
            ..channel
        }
    }

    /// Key-up and tail of one transmission, as far as they were set here.
    pub fn keying_ms(&self) -> u64 {
        10 * [self.txdelay_10ms, self.txtail_10ms]
            .into_iter()
            .flatten()
            .map(u64::from)
            .sum::<u64>()
    }

    /// Writes `frame` to the start of `wire`, behind the settings: a TNC may have been switched off since. `None` if it
    /// does not fit; [`wire_len_max`] octets are enough.
    pub fn emit(&self, frame: &[u8], wire: &mut [u8]) -> Option<usize> {
        let settings = [
            (TXDELAY, self.txdelay_10ms),
            (PERSISTENCE, self.persistence),
            (SLOT_TIME, self.slottime_10ms),
            (TX_TAIL, self.txtail_10ms),
        ];
        let mut at = 0;
        for (command, value) in settings {
            if let Some(value) = value {
                at += self.framed(command, &[], &[value], wire.get_mut(at..)?)?;
            }
        }
        let header = self.ax25.as_ref().map_or(&[][..], Ax25::header);
        Some(at + self.framed(DATA, header, frame, wire.get_mut(at..)?)?)
    }

    /// One KISS frame with a FEND on both sides.
    fn framed(&self, command: u8, header: &[u8], rest: &[u8], wire: &mut [u8]) -> Option<usize> {
        let kind = self.port << 4 | command;
        *wire.get_mut(0)? = FEND;
        let mut at = 1;
        for octet in [&[kind], header, rest].into_iter().flatten() {
            let pair = match *octet {
                FEND => [FESC, TFEND],
                FESC => [FESC, TFESC],
                octet => [octet, 0],
            };
            let len = if pair[0] == FESC { 2 } else { 1 };
            wire.get_mut(at..at + len)?.copy_from_slice(&pair[..len]);
            at += len;
        }
        *wire.get_mut(at)? = FEND;
        Some(at + 1)
    }
}

/// Collects octets until a data frame of our port is complete, in the caller's buffer `B`.
#[derive(Debug)]
pub struct Deframer<B> {
    kiss: Kiss,
    buffer: B,
    len: usize,
    escaped: bool,
    /// Noise, or the frame is longer than the buffer. At first it is unknown what the octets belong to.
    spoilt: bool,
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Deframer<B> {
    /// Frames longer than `buffer` allows ([`wire_len_max`]) are noise.
    pub const fn new(kiss: Kiss, buffer: B) -> Self {
        Self {
            kiss,
            buffer,
            len: 0,
            escaped: false,
            spoilt: true,
        }
    }

    /// Takes one octet; the frame, without addresses, if it was the last of one.
    pub fn push(&mut self, octet: u8) -> Option<&[u8]> {
        if octet == FEND {
            let whole = !self.spoilt && !self.escaped;
            let len = core::mem::take(&mut self.len);
            (self.escaped, self.spoilt) = (false, false);
            let found = self.buffer.as_ref().get(..len).filter(|_| whole)?;
            let (kind, found) = found.split_first()?;
            let ours = *kind == self.kiss.port << 4 | DATA;
            let found = match self.kiss.ax25 {
                Some(_) => Ax25::open(found)?,
                None => found,
            };
            return (ours && !found.is_empty()).then_some(found);
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
        match self.buffer.as_mut().get_mut(self.len) {
            Some(place) if !self.spoilt => {
                *place = plain;
                self.len += 1;
            }
            _ => self.spoilt = true,
        }
        None
    }

    /// Forgets a frame begun: the line was opened again.
    pub fn clear(&mut self) {
        (self.len, self.escaped, self.spoilt) = (0, false, true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn through(kiss: Kiss, wire: &[u8]) -> Vec<Vec<u8>> {
        let mut deframer = Deframer::new(kiss, [0; wire_len_max(256)]);
        wire.iter()
            .filter_map(|octet| deframer.push(*octet).map(<[u8]>::to_vec))
            .collect()
    }

    fn on_wire(kiss: Kiss, frame: &[u8]) -> Vec<u8> {
        let mut wire = std::vec![0; wire_len_max(frame.len())];
        let len = kiss.emit(frame, &mut wire).expect("as long as it says");
        wire.truncate(len);
        wire
    }

    const PLAIN: Kiss = Kiss {
        port: 0,
        ax25: None,
        txdelay_10ms: None,
        txtail_10ms: None,
        slottime_10ms: None,
        persistence: None,
    };

    #[test]
    fn special_octets_survive() {
        let frame: Vec<u8> = (0..=255).collect();
        assert_eq!(through(PLAIN, &on_wire(PLAIN, &frame)), [frame]);
        let worst = [FEND; 256];
        let kiss = Kiss {
            ax25: Ax25::parse("N0A>N0B"),
            txdelay_10ms: Some(FEND),
            txtail_10ms: Some(FEND),
            slottime_10ms: Some(FESC),
            persistence: Some(FESC),
            ..PLAIN
        };
        assert_eq!(through(kiss, &on_wire(kiss, &worst)), [worst.to_vec()]);
    }

    #[test]
    fn garbage_costs_only_the_frame_it_hits() {
        let mut wire = std::vec![1, 2, 3];
        wire.extend(on_wire(PLAIN, b"one"));
        wire.extend_from_slice(&[0, FESC, b'x', b'y']);
        wire.extend(on_wire(PLAIN, b"two"));
        wire.extend_from_slice(b"\xc0\x06DIREWOLF 1.6\xc0");
        wire.extend(on_wire(Kiss { port: 3, ..PLAIN }, b"other port"));
        wire.extend_from_slice(&[7; 5000]);
        wire.extend(on_wire(PLAIN, b"three"));
        let expected = [b"one".to_vec(), b"two".to_vec(), b"three".to_vec()];
        assert_eq!(through(PLAIN, &wire), expected);
    }

    #[test]
    fn settings_go_before_each_frame() {
        let kiss = Kiss {
            txdelay_10ms: Some(30),
            persistence: Some(255),
            ..PLAIN
        };
        let expected = [FEND, 1, 30, FEND, FEND, 2, 255, FEND, FEND, 0, b'x', FEND];
        assert_eq!(on_wire(kiss, b"x"), expected);
        assert_eq!((kiss.keying_ms(), PLAIN.keying_ms()), (300, 0));
    }

    #[test]
    fn addresses_cost_airtime_and_are_taken_off() {
        let kiss = Kiss {
            ax25: Ax25::parse("N0A>N0B"),
            ..PLAIN
        };
        let wire = on_wire(kiss, b"hello");
        assert_eq!(through(kiss, &wire), [b"hello".to_vec()]);
        assert_eq!(through(kiss, &on_wire(PLAIN, b"no addresses")), [[0; 0]; 0]);
        let channel = kiss.channel(Channel::radio(256, 1200, 0));
        assert_eq!(channel.preamble_ms, 134, "20 octets at 1200 bit/s");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert_eq!(PLAIN.emit(b"hello", &mut [0; 7]), None);
        assert_eq!(PLAIN.emit(b"hello", &mut [0; 8]), Some(8));
    }
}

//! Frames on a byte stream: COBS, so that a zero means "here a frame ends" and nothing else, with a CRC-16 inside.
//! Refuses to repair: what does not check is noise, and the next zero starts afresh.
//!
//! On the wire a frame is `00`, then COBS(frame, CRC-16 big-endian), then `00`. The zero in front ends whatever
//! noise came before it. The same on host and board.

use crate::row::slide;

/// Octets around a frame on the wire, besides one for every 254 octets of frame.
pub const OVERHEAD: usize = 5;
const CRC_LEN: usize = 2;
/// The COBS code for 254 octets without a zero after them.
const RUN_MAX: usize = 254;

/// Octets that [`emit`] writes at most for a frame of `len` octets; also the buffer a [`Deframer`] needs for it.
pub const fn wire_len_max(len: usize) -> usize {
    len + OVERHEAD + (len + CRC_LEN) / RUN_MAX
}

/// Writes `frame` to the start of `wire` and says how many octets that took; `None` if `wire` is shorter than
/// [`wire_len_max`].
pub fn emit(frame: &[u8], wire: &mut [u8]) -> Option<usize> {
    if wire.len() < wire_len_max(frame.len()) {
        return None;
    }
    let crc = crc16(frame).to_be_bytes();
    *wire.get_mut(0)? = 0;
    // The length of the run being written goes to `code`.
    let (mut code, mut at) = (1, 2);
    for octet in frame.iter().chain(&crc) {
        if at - code == RUN_MAX + 1 {
            *wire.get_mut(code)? = 255;
            (code, at) = (at, at + 1);
        }
        *wire.get_mut(at)? = *octet;
        if *octet == 0 {
            *wire.get_mut(code)? = (at - code) as u8;
            code = at;
        }
        at += 1;
    }
    // At most 254 octets since the last code, so it fits.
    *wire.get_mut(code)? = (at - code) as u8;
    *wire.get_mut(at)? = 0;
    Some(at + 1)
}

/// Collects octets until a frame is complete, in the caller's buffer `B`.
#[derive(Debug)]
pub struct Deframer<B> {
    buffer: B,
    len: usize,
    /// The frame being collected is longer than the buffer.
    overrun: bool,
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Deframer<B> {
    /// Frames longer than `buffer` allows ([`wire_len_max`]) are noise.
    pub const fn new(buffer: B) -> Self {
        Self {
            buffer,
            len: 0,
            overrun: false,
        }
    }

    /// Takes one octet; the frame if it was the last of one.
    pub fn push(&mut self, octet: u8) -> Option<&[u8]> {
        if octet != 0 {
            match self.buffer.as_mut().get_mut(self.len) {
                Some(place) => {
                    *place = octet;
                    self.len += 1;
                }
                None => self.overrun = true,
            }
            return None;
        }
        let whole = !core::mem::take(&mut self.overrun);
        let wire_len = core::mem::take(&mut self.len);
        let wire = self.buffer.as_mut().get_mut(..wire_len);
        open(wire.filter(|_| whole)?)
    }

    /// Forgets a frame begun: the line was opened again.
    pub fn clear(&mut self) {
        self.len = 0;
        self.overrun = false;
    }
}

/// What stood between two zeros, opened in place: the frame, if it checks and is not empty.
pub fn open(wire: &mut [u8]) -> Option<&[u8]> {
    let body_len = unstuff(wire)?;
    let (body, crc) = wire.get(..body_len)?.split_last_chunk::<CRC_LEN>()?;
    (!body.is_empty() && crc16(body).to_be_bytes() == *crc).then_some(body)
}

/// Undoes COBS in place; `None` if a run reaches past the end.
fn unstuff(wire: &mut [u8]) -> Option<usize> {
    let (mut from, mut to) = (0, 0);
    while let Some(code) = wire.get(from).copied() {
        let run = from + 1..from + usize::from(code);
        if code == 0 || run.end > wire.len() {
            return None;
        }
        from = run.end;
        let len = run.len();
        slide(wire, run, to);
        to += len;
        if code != 255 && from < wire.len() {
            *wire.get_mut(to)? = 0;
            to += 1;
        }
    }
    Some(to)
}

/// CRC-16/IBM-SDLC, the one of HDLC and AX.25; a table would cost more than it saves at these rates.
pub fn crc16(octets: &[u8]) -> u16 {
    !octets.iter().fold(0xffff, |crc, octet| {
        (0..8).fold(crc ^ u16::from(*octet), |crc, _| {
            if crc & 1 == 1 {
                crc >> 1 ^ 0x8408
            } else {
                crc >> 1
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn through(wire: &[u8]) -> Vec<Vec<u8>> {
        let mut deframer = Deframer::new([0u8; wire_len_max(2048)]);
        wire.iter()
            .filter_map(|octet| deframer.push(*octet).map(<[u8]>::to_vec))
            .collect()
    }

    fn on_wire(frame: &[u8]) -> Vec<u8> {
        let mut wire = std::vec![0; wire_len_max(frame.len())];
        let len = emit(frame, &mut wire).expect("as long as the function says");
        wire.truncate(len);
        wire
    }

    #[test]
    fn crc_matches_the_published_check_value() {
        assert_eq!(crc16(b"123456789"), 0x906e);
    }

    #[test]
    fn frames_of_every_length_and_filling_come_back() {
        for len in (1..600).chain([2047, 2048]) {
            for filling in [0u8, 1, 255] {
                let frame: Vec<u8> = (0..len)
                    .map(|at| if at % 7 == 0 { filling } else { at as u8 })
                    .collect();
                assert_eq!(through(&on_wire(&frame)), [frame]);
            }
        }
    }

    #[test]
    fn runs_without_a_zero_come_back() {
        for len in 250..1030 {
            let frame = std::vec![7u8; len];
            assert_eq!(through(&on_wire(&frame)), [frame]);
        }
    }

    #[test]
    fn noise_before_between_and_inside_loses_only_the_frame_it_hits() {
        let mut wire = b"noise that never ends in a zero".to_vec();
        wire.extend(on_wire(b"one"));
        let hit = wire.len() + 3;
        wire.extend(on_wire(b"two"));
        wire[hit] ^= 0x55;
        wire.extend_from_slice(&[7; 5000]);
        wire.extend(on_wire(b"three"));
        assert_eq!(through(&wire), [b"one".to_vec(), b"three".to_vec()]);
    }
}

//! The acknowledgement in front of a frame's contents. Refuses history: it says what is held now, so that one that
//! is lost is made good by the next.

use core::fmt;

use super::{Bits, FrameError};
use crate::row::put;

/// What the receiver holds. Numbers are truncated: see the fields.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ack {
    /// Low byte of the highest counter received. What was sent with it or before and is not held is lost.
    pub heard: u8,
    /// Low 7 bits of the lowest packet number not accepted.
    pub base: u8,
    /// Bit i: packet `base + 1 + i` is accepted: held durably.
    pub accepted: Bits<8>,
    /// Bit i: packet `base + i` is received but not accepted yet. Need not be sent again in this session.
    pub received: Bits<8>,
    /// Packets received in part; unused places are `None`, at the end.
    pub partials: [Option<Partial>; PARTIALS_MAX],
}

/// Most packets one acknowledgement reports as received in part.
pub const PARTIALS_MAX: usize = 12;

/// The segments held of one packet: all below `first`, not `first` itself, and `first + 1 + i` for bit i of `beyond`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Partial {
    /// Low 7 bits of the packet number.
    pub number: u8,
    /// Index of the first segment missing.
    pub first: u8,
    /// Segments after it.
    pub beyond: Bits<8>,
}

const FOLLOWS: u8 = 1 << 7;
const ACCEPTED: u8 = 0;
const RECEIVED: u8 = 1 << 5;
const PARTIAL: u8 = 2 << 5;
/// Bytes of the shortest acknowledgement.
const BASE_LEN: usize = 2;
/// Bytes of a packet in part whose segments are all below the first missing.
const PARTIAL_LEN: usize = 3;

/// An acknowledgement being written, part by part.
pub(crate) struct AckWriter<'o> {
    out: &'o mut [u8],
    len: usize,
    /// Where the bit stands that says whether another part follows.
    link: usize,
}

impl<'o> AckWriter<'o> {
    /// `None` if nothing fits into `out`. See [`Ack`] for the rest.
    pub(crate) fn new(out: &'o mut [u8], heard: u8, base: u8) -> Option<Self> {
        put(out, &[heard, base & !FOLLOWS]).then_some(Self {
            out,
            len: BASE_LEN,
            link: 1,
        })
    }

    fn room(&self) -> usize {
        self.out.len() - self.len
    }

    /// Adds a part if it leaves `spare` bytes; false if not.
    fn add(&mut self, kind: u8, fixed: &[u8], bits: &[u8], spare: usize) -> bool {
        let len = 1 + fixed.len() + bits.len();
        let fits = len + spare <= self.room();
        if let Some([head, rest @ ..]) = self.out.get_mut(self.len..).filter(|_| fits) {
            *head = kind | bits.len() as u8;
            put(rest, fixed);
            put(rest.get_mut(fixed.len()..).unwrap_or(&mut []), bits);
            if let Some(link) = self.out.get_mut(self.link) {
                *link |= FOLLOWS;
            }
            self.link = self.len;
            self.len += len;
        }
        fits
    }

    /// Adds what is there of whole packets, as far as it fits. Packets in part may follow.
    pub(crate) fn whole(&mut self, accepted: &Bits<8>, received: &Bits<8>, in_part: bool) {
        // Without any word on a packet in part the sender gets nowhere: the first has its place before all else.
        let spare = if in_part && self.room() >= PARTIAL_LEN {
            PARTIAL_LEN
        } else {
            0
        };
        self.numbers(ACCEPTED, accepted, spare);
        self.numbers(RECEIVED, received, spare);
    }

    fn numbers(&mut self, kind: u8, bits: &Bits<8>, spare: usize) {
        let bits = bits.trimmed();
        if !bits.is_empty() {
            self.add(kind, &[], bits, spare);
        }
    }

    /// Adds a packet in part: of the first what fits, of others all or nothing. False if it does not fit.
    pub(crate) fn partial(&mut self, partial: &Partial, is_first: bool) -> bool {
        let mut bits = partial.beyond.trimmed();
        if is_first {
            let room = self.room().saturating_sub(PARTIAL_LEN);
            bits = bits.get(..room).unwrap_or(bits);
        }
        self.add(PARTIAL, &[partial.number, partial.first], bits, 0)
    }

    /// Gives its length.
    pub(crate) fn len(self) -> usize {
        self.len
    }
}

impl Ack {
    /// What says nothing.
    pub const NONE: Self = Self {
        heard: 0,
        base: 0,
        accepted: Bits::NONE,
        received: Bits::NONE,
        partials: [None; PARTIALS_MAX],
    };

    /// Writes what fits into `out`, the most useful first. Gives its length, or `None` if nothing fits.
    pub fn emit(&self, out: &mut [u8]) -> Option<usize> {
        let mut writer = AckWriter::new(out, self.heard, self.base)?;
        writer.whole(&self.accepted, &self.received, self.partials[0].is_some());
        let mut partials = self.partials.iter().flatten().enumerate();
        partials.all(|(i, partial)| writer.partial(partial, i == 0));
        Some(writer.len())
    }

    /// Reads it from the start of `body`; gives the rest too.
    ///
    /// # Errors
    /// [`FrameError::Short`] or [`FrameError::Form`].
    pub fn parse(body: &[u8]) -> Result<(Self, &[u8]), FrameError> {
        let mut ack = Self::NONE;
        let rest = ack.read(body)?;
        Ok((ack, rest))
    }

    /// The same over what says nothing: the result is not copied.
    pub(crate) fn read<'b>(&mut self, body: &'b [u8]) -> Result<&'b [u8], FrameError> {
        let &[heard, base, ref rest @ ..] = body else {
            return Err(FrameError::Short);
        };
        (self.heard, self.base) = (heard, base & !FOLLOWS);
        let mut places = self.partials.iter_mut();
        let (mut rest, mut link) = (rest, base);
        while link & FOLLOWS != 0 {
            let (&head, after) = rest.split_first().ok_or(FrameError::Short)?;
            let kind = head & 0x60;
            let fixed_len = if kind == PARTIAL { 2 } else { 0 };
            let (fixed, after) = after.split_at_checked(fixed_len).ok_or(FrameError::Short)?;
            let (octets, after) = after
                .split_at_checked(usize::from(head & 0x1f))
                .ok_or(FrameError::Short)?;
            let mut bits = Bits::NONE;
            if !put(&mut bits.0, octets) {
                return Err(FrameError::Form);
            }
            match (kind, fixed) {
                (ACCEPTED, _) => self.accepted = bits,
                (RECEIVED, _) => self.received = bits,
                (PARTIAL, &[number, first]) => {
                    *places.next().ok_or(FrameError::Form)? = Some(Partial {
                        number,
                        first,
                        beyond: bits,
                    });
                }
                _ => return Err(FrameError::Form),
            }
            (rest, link) = (after, head);
        }
        Ok(rest)
    }
}

impl fmt::Display for Ack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ack={}", self.base)?;
        if self.accepted != Bits::NONE {
            write!(f, "+{}", self.accepted)?;
        }
        if self.received != Bits::NONE {
            write!(f, " held={}", self.received)?;
        }
        for partial in self.partials.iter().flatten() {
            let Partial { number, first, .. } = partial;
            write!(f, " part={number}:{first}+{}", partial.beyond)?;
        }
        write!(f, " heard={}", self.heard)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    const fn bits(bits: u64) -> Bits<8> {
        Bits(bits.to_le_bytes())
    }

    const PART: Partial = Partial {
        number: 9,
        first: 3,
        beyond: bits(0b1_0000_0101),
    };

    fn two_parts() -> [Option<Partial>; PARTIALS_MAX] {
        let mut partials = [None; PARTIALS_MAX];
        partials[..2].fill(Some(PART));
        partials
    }

    #[test]
    fn every_form_comes_back() {
        let mut bytes = [0; 64];
        for ack in [
            Ack {
                heard: 200,
                base: 127,
                ..Ack::NONE
            },
            Ack {
                accepted: bits(0b1011),
                ..Ack::NONE
            },
            Ack {
                received: bits(u64::MAX),
                partials: two_parts(),
                ..Ack::NONE
            },
            Ack {
                heard: 1,
                base: 2,
                accepted: bits(1),
                received: bits(1 << 63),
                partials: two_parts(),
            },
        ] {
            let len = ack.emit(&mut bytes).unwrap();
            bytes[len] = 0xaa;
            assert_eq!(Ack::parse(&bytes[..=len]), Ok((ack, &[0xaa][..])));
            for short in 0..len {
                assert!(Ack::parse(&bytes[..short]).is_err());
                let mut less = [0; 64];
                let kept = ack.emit(&mut less[..short]);
                assert_eq!(kept.is_none(), short < BASE_LEN);
                if let Some(kept) = kept {
                    assert!(kept <= short && Ack::parse(&less[..kept]).is_ok());
                }
            }
        }
        let ack = Ack {
            heard: 7,
            base: 5,
            accepted: bits(0b1011),
            partials: two_parts(),
            ..Ack::NONE
        };
        assert_eq!(
            ack.to_string(),
            "ack=5+1101 part=9:3+101000001 part=9:3+101000001 heard=7"
        );
    }

    #[test]
    fn the_first_packet_in_part_stays_longest() {
        let ack = Ack {
            accepted: bits(0b1011),
            received: bits(0xffff),
            partials: two_parts(),
            ..Ack::NONE
        };
        let fitted = |room: usize| {
            let mut bytes = [0; 64];
            let len = ack.emit(&mut bytes[..room]).unwrap();
            Ack::parse(&bytes[..len]).unwrap().0.to_string()
        };
        assert_eq!(fitted(20), ack.to_string());
        assert_eq!(
            fitted(14),
            "ack=0+1101 held=1111111111111111 part=9:3+101000001 heard=0"
        );
        assert_eq!(
            fitted(11),
            "ack=0+1101 held=1111111111111111 part=9:3+101 heard=0"
        );
        assert_eq!(fitted(7), "ack=0+1101 part=9:3+ heard=0");
        assert_eq!(fitted(5), "ack=0 part=9:3+ heard=0");
        assert_eq!(fitted(4), "ack=0+1101 heard=0");
        assert_eq!(fitted(3), "ack=0 heard=0");
    }
}

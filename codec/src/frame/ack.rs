//! The acknowledgement in front of a frame's contents. Refuses history: it says what is held now, so that one that
//! is lost is made good by the next.

use core::fmt;

use super::FrameError;

/// What the receiver holds. Numbers are truncated: see the fields.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Ack {
    /// Low byte of the highest counter received. What was sent with it or before and is not held is lost.
    pub heard: u8,
    /// Low 7 bits of the lowest packet number not accepted.
    pub base: u8,
    /// Bit i: packet `base + 1 + i` is accepted: held durably.
    pub accepted: u64,
    /// Bit i: packet `base + i` is received but not accepted yet. Need not be sent again in this session.
    pub received: u64,
    /// Packets received in part; unused places are `None`, at the end.
    pub partials: [Option<Partial>; PARTIALS_MAX],
}

/// Most packets one acknowledgement reports as received in part.
pub const PARTIALS_MAX: usize = 12;

/// The segments held of one packet: all below `first`, not `first` itself, and `first + 1 + i` for bit i of `beyond`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Partial {
    /// Low 7 bits of the packet number.
    pub number: u8,
    /// Index of the first segment missing.
    pub first: u8,
    /// Segments after it.
    pub beyond: u64,
}

const FOLLOWS: u8 = 1 << 7;
const ACCEPTED: u8 = 0;
const RECEIVED: u8 = 1 << 5;
const PARTIAL: u8 = 2 << 5;

/// Bytes needed for a bitmap without its high zero bytes.
fn bitmap_len(bitmap: u64) -> usize {
    8 - bitmap.leading_zeros() as usize / 8
}

impl Ack {
    /// Bytes it takes.
    pub fn len(&self) -> usize {
        let bitmap = |bits: u64| if bits == 0 { 0 } else { 1 + bitmap_len(bits) };
        let partial = |partial: &Partial| 3 + bitmap_len(partial.beyond);
        let partials: usize = self.partials.iter().flatten().map(partial).sum();
        2 + bitmap(self.accepted) + bitmap(self.received) + partials
    }

    /// Leaves out what does not fit into `room` bytes, the least useful first. False if nothing fits.
    pub fn fit(&mut self, room: usize) -> bool {
        // Without any word on a packet in part the sender gets nowhere: the first stays longest.
        while self.len() > room {
            let over = self.len() - room;
            if let Some(partial) = self.partials[1..]
                .iter_mut()
                .rev()
                .find(|partial| partial.is_some())
            {
                *partial = None;
                continue;
            }
            match self.partials[0].as_mut() {
                Some(first) if first.beyond != 0 => {
                    let keep = bitmap_len(first.beyond).saturating_sub(over);
                    first.beyond &= (1u64 << (8 * keep)) - 1;
                }
                _ if self.received != 0 => self.received = 0,
                _ if self.accepted != 0 => self.accepted = 0,
                Some(_) => self.partials[0] = None,
                None => return false,
            }
        }
        true
    }

    /// Never: it has at least two bytes.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Writes it. Gives its length, or `None` if it does not fit.
    pub fn emit(&self, out: &mut [u8]) -> Option<usize> {
        let all = self.len();
        let [heard, base, rest @ ..] = out.get_mut(..all)? else {
            return None;
        };
        (*heard, *base) = (self.heard, self.base & !FOLLOWS);
        // Where the bit stands that says whether another part follows.
        let mut link = base;
        let mut places = rest.iter_mut();
        let mut part = |kind: u8, head: &[u8], bitmap: u64| {
            let len = bitmap_len(bitmap);
            *link |= FOLLOWS;
            if let Some(place) = places.next() {
                *place = kind | len.to_le_bytes()[0];
                link = place;
            }
            let octets = head.iter().copied();
            let octets = octets.chain(bitmap.to_le_bytes().into_iter().take(len));
            // The octets first: what follows them is the next part's.
            octets
                .zip(&mut places)
                .for_each(|(octet, place)| *place = octet);
        };
        if self.accepted != 0 {
            part(ACCEPTED, &[], self.accepted);
        }
        if self.received != 0 {
            part(RECEIVED, &[], self.received);
        }
        for partial in self.partials.iter().flatten() {
            part(PARTIAL, &[partial.number, partial.first], partial.beyond);
        }
        Some(all)
    }

    /// Reads it from the start of `body`; gives the rest too.
    ///
    /// # Errors
    /// [`FrameError::Short`] or [`FrameError::Form`].
    pub fn parse(body: &[u8]) -> Result<(Self, &[u8]), FrameError> {
        let &[heard, base, ref rest @ ..] = body else {
            return Err(FrameError::Short);
        };
        let mut ack = Self {
            heard,
            base: base & !FOLLOWS,
            ..Self::default()
        };
        let (mut rest, mut follows) = (rest, base & FOLLOWS != 0);
        while follows {
            let (&head, after) = rest.split_first().ok_or(FrameError::Short)?;
            follows = head & FOLLOWS != 0;
            let len = usize::from(head & 0x1f);
            let mut bitmap = [0; 8];
            let (fixed, after) = if head & 0x60 == PARTIAL {
                after.split_at_checked(2)
            } else {
                Some((&[][..], after))
            }
            .ok_or(FrameError::Short)?;
            let (bytes, after) = after.split_at_checked(len).ok_or(FrameError::Short)?;
            bitmap
                .get_mut(..len)
                .ok_or(FrameError::Form)?
                .copy_from_slice(bytes);
            let bitmap = u64::from_le_bytes(bitmap);
            match (head & 0x60, fixed) {
                (ACCEPTED, _) => ack.accepted = bitmap,
                (RECEIVED, _) => ack.received = bitmap,
                (PARTIAL, &[number, first]) => {
                    let free = ack.partials.iter_mut().find(|partial| partial.is_none());
                    let beyond = bitmap;
                    *free.ok_or(FrameError::Form)? = Some(Partial {
                        number,
                        first,
                        beyond,
                    });
                }
                _ => return Err(FrameError::Form),
            }
            rest = after;
        }
        Ok((ack, rest))
    }
}

struct Bits(u64);

impl fmt::Display for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (0..64 - self.0.leading_zeros()).try_for_each(|i| write!(f, "{}", self.0 >> i & 1))
    }
}

impl fmt::Display for Ack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ack={}", self.base)?;
        if self.accepted != 0 {
            write!(f, "+{}", Bits(self.accepted))?;
        }
        if self.received != 0 {
            write!(f, " held={}", Bits(self.received))?;
        }
        for partial in self.partials.iter().flatten() {
            write!(
                f,
                " part={}:{}+{}",
                partial.number,
                partial.first,
                Bits(partial.beyond)
            )?;
        }
        write!(f, " heard={}", self.heard)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn every_form_comes_back() {
        let mut bytes = [0; 64];
        let partial = Partial {
            number: 9,
            first: 3,
            beyond: 0b101,
        };
        let mut partials = [None; PARTIALS_MAX];
        partials[..2].fill(Some(partial));
        for ack in [
            Ack {
                heard: 200,
                base: 127,
                ..Ack::default()
            },
            Ack {
                accepted: 0b1011,
                ..Ack::default()
            },
            Ack {
                received: u64::MAX,
                partials,
                ..Ack::default()
            },
            Ack {
                heard: 1,
                base: 2,
                accepted: 1,
                received: 1 << 63,
                partials,
            },
        ] {
            let len = ack.emit(&mut bytes).unwrap();
            assert_eq!(len, ack.len());
            bytes[len] = 0xaa;
            assert_eq!(Ack::parse(&bytes[..=len]), Ok((ack, &[0xaa][..])));
            for short in 0..len {
                assert!(Ack::parse(&bytes[..short]).is_err());
                assert_eq!(ack.emit(&mut [0; 64][..short]), None);
            }
        }
        let ack = Ack {
            heard: 7,
            base: 5,
            accepted: 0b1011,
            partials,
            ..Ack::default()
        };
        assert_eq!(
            ack.to_string(),
            "ack=5+1101 part=9:3+101 part=9:3+101 heard=7"
        );
    }
}

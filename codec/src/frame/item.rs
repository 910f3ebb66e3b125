//! The packets and segments in a frame. Refuses to put segments together: it hands out one piece at a time.

use core::fmt;

use super::{FrameError, Kind};
use crate::row::put as copy;

/// What of a packet a frame carries.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Piece {
    /// All of it.
    Whole,
    /// One segment.
    Segment {
        /// Which, from 0.
        index: u16,
        /// The packet's last.
        last: bool,
        /// Length of every segment but the last, if the packet was cut anew.
        unit: Option<u16>,
    },
}

/// A packet or a segment of one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Item<'a> {
    /// The packet number truncated to `number_bits`.
    pub number: u8,
    /// 8, or 5 in a frame of one segment.
    pub number_bits: u8,
    /// Of priority bulk.
    pub bulk: bool,
    /// All or part.
    pub piece: Piece,
    /// The bytes.
    pub bytes: &'a [u8],
}

const SEGMENT: u8 = 1 << 7;
const BULK: u8 = 1 << 6;
const NUMBER: u8 = 1 << 5;
const LEN_ONE: usize = 29;
const LEN_TWO: usize = 30;
const TO_END: u8 = 31;

impl Item<'_> {
    /// Bytes of the head of this item in a frame of several. `after`: number of the item before it.
    pub(crate) fn head_len(&self, after: Option<u8>, is_last: bool) -> usize {
        let number = usize::from(after.map(|n| n.wrapping_add(1)) != Some(self.number));
        let len = match self.bytes.len() {
            _ if is_last => 0,
            0..LEN_ONE => 0,
            len if len < LEN_ONE + 256 => 1,
            _ => 2,
        };
        let segment = match self.piece {
            Piece::Whole => 0,
            Piece::Segment { index, unit, .. } => {
                usize::from(index >= 32) + 1 + unit.map_or(0, |_| 2)
            }
        };
        1 + number + len + segment
    }

    /// Writes head and bytes. Gives the length, or `None` if they do not fit.
    pub(crate) fn emit(&self, out: &mut [u8], after: Option<u8>, is_last: bool) -> Option<usize> {
        let head = self.head_len(after, is_last);
        let out = out.get_mut(..head + self.bytes.len())?;
        let (mut head, bytes) = out.split_at_mut(head);
        let total = head.len() + bytes.len();
        copy(bytes, self.bytes);
        let mut put = |byte: u8| {
            if let Some((first, rest)) = core::mem::take(&mut head).split_first_mut() {
                *first = byte;
                head = rest;
            }
        };
        let explicit = after.map(|n| n.wrapping_add(1)) != Some(self.number);
        let len = self.bytes.len();
        let code = match len {
            _ if is_last => TO_END,
            0..LEN_ONE => len.to_le_bytes()[0],
            _ if len < LEN_ONE + 256 => 29,
            _ => 30,
        };
        let segment = if self.piece == Piece::Whole {
            0
        } else {
            SEGMENT
        };
        put(segment | if self.bulk { BULK } else { 0 } | if explicit { NUMBER } else { 0 } | code);
        if explicit {
            put(self.number);
        }
        match usize::from(code) {
            LEN_ONE => put((len - LEN_ONE).to_le_bytes()[0]),
            LEN_TWO => u16::try_from(len)
                .ok()?
                .to_le_bytes()
                .into_iter()
                .for_each(&mut put),
            _ => {}
        }
        if let Piece::Segment { index, last, unit } = self.piece {
            let [low, high] = index.to_le_bytes();
            let flags = u8::from(last) | u8::from(unit.is_some()) << 1;
            if index < 32 {
                put(low << 3 | flags);
            } else {
                put((low & 31) << 3 | 4 | flags);
                put(high << 3 | low >> 5);
            }
            unit.into_iter()
                .flat_map(u16::to_le_bytes)
                .for_each(&mut put);
        }
        Some(total)
    }
}

/// The items of a frame, in order. Ends after the first error.
#[derive(Clone, Copy, Debug)]
pub struct Items<'a> {
    kind: Kind,
    rest: &'a [u8],
    after: Option<u8>,
    done: bool,
}

impl<'a> Items<'a> {
    /// The items in `contents`: the body of a frame of this kind without its acknowledgement.
    pub fn new(kind: Kind, contents: &'a [u8]) -> Self {
        Self {
            kind,
            rest: contents,
            after: None,
            done: matches!(kind, Kind::Control(_)),
        }
    }

    fn byte(&mut self) -> Result<u8, FrameError> {
        let (&first, rest) = self.rest.split_first().ok_or(FrameError::Short)?;
        self.rest = rest;
        Ok(first)
    }

    fn only(&mut self) -> Result<Item<'a>, FrameError> {
        let byte = self.byte()?;
        let (number, number_bits, bulk, piece) = match self.kind {
            Kind::Packet { bulk } => (byte, 8, bulk, Piece::Whole),
            Kind::Segment {
                last,
                bulk,
                number_high,
            } => {
                let piece = Piece::Segment {
                    index: u16::from(byte & 31),
                    last,
                    unit: None,
                };
                (number_high << 3 | byte >> 5, 5, bulk, piece)
            }
            Kind::Mixed | Kind::Control(_) => return Err(FrameError::Form),
        };
        Ok(Item {
            number,
            number_bits,
            bulk,
            piece,
            bytes: self.rest,
        })
    }

    fn next_mixed(&mut self) -> Result<Item<'a>, FrameError> {
        let head = self.byte()?;
        let number = match self.after {
            _ if head & NUMBER != 0 => self.byte()?,
            Some(after) => after.wrapping_add(1),
            None => return Err(FrameError::Form),
        };
        let len = match head & 31 {
            TO_END => None,
            29 => Some(LEN_ONE + usize::from(self.byte()?)),
            30 => Some(usize::from(u16::from_le_bytes([
                self.byte()?,
                self.byte()?,
            ]))),
            len => Some(usize::from(len)),
        };
        let piece = if head & SEGMENT == 0 {
            Piece::Whole
        } else {
            self.segment()?
        };
        let (bytes, rest) = match len {
            None => (self.rest, &[][..]),
            Some(len) => self.rest.split_at_checked(len).ok_or(FrameError::Short)?,
        };
        self.rest = rest;
        self.after = Some(number);
        self.done = len.is_none();
        Ok(Item {
            number,
            number_bits: 8,
            bulk: head & BULK != 0,
            piece,
            bytes,
        })
    }

    fn segment(&mut self) -> Result<Piece, FrameError> {
        let first = self.byte()?;
        let mut index = u16::from(first >> 3);
        if first & 4 != 0 {
            index |= u16::from(self.byte()?) << 5;
        }
        let unit = match first & 2 {
            0 => None,
            _ => Some(u16::from_le_bytes([self.byte()?, self.byte()?])),
        };
        Ok(Piece::Segment {
            index,
            last: first & 1 != 0,
            unit,
        })
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Result<Item<'a>, FrameError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let item = match self.kind {
            Kind::Mixed if self.rest.is_empty() && self.after.is_some() => return None,
            Kind::Mixed => self.next_mixed(),
            _ => {
                self.done = true;
                self.only()
            }
        };
        self.done |= item.is_err();
        Some(item)
    }
}

impl fmt::Display for Item<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "num={}", self.number)?;
        if let Piece::Segment { index, last, .. } = self.piece {
            write!(f, " seg={index}{}", if last { "/end" } else { "" })?;
        }
        write!(f, " {}B", self.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn several_items_come_back_in_order() {
        let long = [5; 700];
        let segment = |index, last, unit| Piece::Segment { index, last, unit };
        let item = |number, piece, bytes| Item {
            number,
            number_bits: 8,
            bulk: number == 3,
            piece,
            bytes,
        };
        let items = [
            item(255, Piece::Whole, &b"first"[..]),
            item(0, Piece::Whole, &b""[..]),
            item(1, segment(31, false, None), &long[..29]),
            item(3, segment(32, true, None), &long[..284]),
            item(4, segment(1000, true, Some(300)), &long[..285]),
            item(5, Piece::Whole, &long[..]),
            item(6, Piece::Whole, &long[..30]),
        ];
        let mut frame = [0; 2048];
        let (mut at, mut after) = (0, None);
        for (i, item) in items.iter().enumerate() {
            let is_last = i + 1 == items.len();
            let len = item.emit(&mut frame[at..], after, is_last).unwrap();
            assert_eq!(len, item.head_len(after, is_last) + item.bytes.len());
            (at, after) = (at + len, Some(item.number));
        }
        let read: Result<Vec<_>, _> = Items::new(Kind::Mixed, &frame[..at]).collect();
        assert_eq!(read.unwrap(), items);
    }

    #[test]
    fn one_small_packet_after_another_costs_one_byte() {
        let item = Item {
            number: 8,
            number_bits: 8,
            bulk: false,
            piece: Piece::Whole,
            bytes: &[0; 20],
        };
        assert_eq!(item.head_len(Some(7), false), 1);
    }
}

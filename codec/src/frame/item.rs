//! The packets and segments in a frame. Refuses to put segments together: it hands out one piece at a time.

use core::fmt;

use super::{FrameError, Kind};
use crate::row::Row;

/// Which part of a packet a frame carries.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Segment {
    /// Which, from 0.
    pub index: u16,
    /// The packet's last.
    pub last: bool,
    /// Length of every segment but the last, if the packet was cut anew; otherwise 0.
    pub unit: u16,
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
    /// Which part; `None`: all of it.
    pub segment: Option<Segment>,
    /// The bytes.
    pub bytes: &'a [u8],
}

/// Bytes of the longest head.
const HEAD_MAX: usize = 8;
const SEGMENT: u8 = 1 << 7;
const BULK: u8 = 1 << 6;
const NUMBER: u8 = 1 << 5;
const LEN_ONE: usize = 29;
const LEN_TWO: usize = 30;
const TO_END: u8 = 31;

impl Item<'_> {
    /// An empty packet.
    pub(crate) const NONE: Self = Self {
        number: 0,
        number_bits: 8,
        bulk: false,
        segment: None,
        bytes: &[],
    };

    /// The head of this item in a frame of several. `after`: number of the item before it.
    pub(crate) fn head(&self, after: Option<u8>, is_last: bool) -> Row<u8, HEAD_MAX> {
        let mut head = Row::new(0);
        let explicit = after.map(|n| n.wrapping_add(1)) != Some(self.number);
        let len = self.bytes.len();
        let code = match len {
            _ if is_last => TO_END,
            0..LEN_ONE => len as u8,
            _ if len < LEN_ONE + 256 => LEN_ONE as u8,
            _ => LEN_TWO as u8,
        };
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        head.push(
            flag(self.segment.is_some(), SEGMENT)
                | flag(self.bulk, BULK)
                | flag(explicit, NUMBER)
                | code,
        );
        if explicit {
            head.push(self.number);
        }
        let [low, high] = (len as u16).to_le_bytes();
        match usize::from(code) {
            LEN_ONE => head.push(low.wrapping_sub(LEN_ONE as u8)),
            LEN_TWO => {
                head.push(low);
                head.push(high);
            }
            _ => {}
        }
        if let Some(Segment { index, last, unit }) = self.segment {
            let flags = u8::from(last) | flag(unit > 0, 2) | flag(index >= 32, 4);
            head.push((index << 3) as u8 | flags);
            if index >= 32 {
                head.push((index >> 5) as u8);
            }
            if unit > 0 {
                let [low, high] = unit.to_le_bytes();
                head.push(low);
                head.push(high);
            }
        }
        head
    }

    /// Bytes it takes so, head included.
    pub(crate) fn len(&self, after: Option<u8>, is_last: bool) -> usize {
        self.head(after, is_last).all().len() + self.bytes.len()
    }
}

/// The items of a frame, in order. Ends after the first error.
#[derive(Clone, Copy, Debug)]
pub struct Items<'a> {
    kind: Kind,
    rest: &'a [u8],
    after: Option<u8>,
    done: bool,
    bad: bool,
}

impl<'a> Items<'a> {
    /// The items in `contents`: the body of a frame of this kind without its acknowledgement.
    pub fn new(kind: Kind, contents: &'a [u8]) -> Self {
        Self {
            kind,
            rest: contents,
            after: None,
            done: matches!(kind, Kind::Control(_)),
            bad: false,
        }
    }

    /// The next bytes; none where there are not so many.
    fn bytes(&mut self, len: usize) -> &'a [u8] {
        let (bytes, rest) = self.rest.split_at_checked(len).unwrap_or_else(|| {
            self.bad = true;
            (&[], &[])
        });
        self.rest = rest;
        bytes
    }

    /// The next byte, or 0.
    #[inline(never)]
    fn byte(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or(0)
    }

    fn two(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    fn item(&mut self) -> Item<'a> {
        let head = self.byte();
        let mut item = Item {
            number: head,
            number_bits: 8,
            bulk: head & BULK != 0,
            segment: None,
            bytes: &[],
        };
        let mut len = self.rest.len();
        match self.kind {
            Kind::Segment {
                last,
                bulk,
                number_high,
            } => {
                item.segment = Some(Segment {
                    index: u16::from(head & 31),
                    last,
                    unit: 0,
                });
                (item.number, item.number_bits) = (number_high << 3 | head >> 5, 5);
                item.bulk = bulk;
            }
            Kind::Packet { bulk } => item.bulk = bulk,
            _ => {
                item.number = match self.after {
                    _ if head & NUMBER != 0 => self.byte(),
                    Some(after) => after.wrapping_add(1),
                    None => {
                        self.bad = true;
                        0
                    }
                };
                self.after = Some(item.number);
                let whole = match head & 31 {
                    TO_END => None,
                    29 => Some(LEN_ONE + usize::from(self.byte())),
                    30 => Some(self.two().into()),
                    len => Some(len.into()),
                };
                if head & SEGMENT != 0 {
                    item.segment = Some(self.segment());
                }
                self.done = whole.is_none();
                len = whole.unwrap_or(self.rest.len());
            }
        }
        item.bytes = self.bytes(len);
        item
    }

    fn segment(&mut self) -> Segment {
        let first = self.byte();
        let mut index = u16::from(first >> 3);
        if first & 4 != 0 {
            index |= u16::from(self.byte()) << 5;
        }
        let unit = if first & 2 == 0 { 0 } else { self.two() };
        Segment {
            index,
            last: first & 1 != 0,
            unit,
        }
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Result<Item<'a>, FrameError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done || self.after.is_some() && self.rest.is_empty() {
            return None;
        }
        self.done = !matches!(self.kind, Kind::Mixed);
        let item = self.item();
        self.done |= self.bad;
        Some(if self.bad {
            Err(FrameError::Form)
        } else {
            Ok(item)
        })
    }
}

impl fmt::Display for Item<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "num={}", self.number)?;
        if let Some(Segment { index, last, .. }) = self.segment {
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
        let segment = |index, last, unit| Some(Segment { index, last, unit });
        let item = |number, segment, bytes| Item {
            number,
            number_bits: 8,
            bulk: number == 3,
            segment,
            bytes,
        };
        let items = [
            item(255, None, &b"first"[..]),
            item(0, None, &b""[..]),
            item(1, segment(31, false, 0), &long[..29]),
            item(3, segment(32, true, 0), &long[..284]),
            item(4, segment(1000, true, 300), &long[..285]),
            item(5, None, &long[..]),
            item(6, None, &long[..30]),
        ];
        let (mut frame, mut after) = (Vec::new(), None);
        for (i, item) in items.iter().enumerate() {
            let is_last = i + 1 == items.len();
            frame.extend(item.head(after, is_last).all());
            frame.extend(item.bytes);
            after = Some(item.number);
        }
        let read: Result<Vec<_>, _> = Items::new(Kind::Mixed, &frame).collect();
        assert_eq!(read.unwrap(), items);
    }

    #[test]
    fn one_small_packet_after_another_costs_one_byte() {
        let item = Item {
            number: 8,
            number_bits: 8,
            bulk: false,
            segment: None,
            bytes: &[0; 20],
        };
        assert_eq!(item.head(Some(7), false).all().len(), 1);
    }
}

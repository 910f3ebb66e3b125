//! Packets on their way in: pieces to packets, packets to their order. Refuses to acknowledge what was not accepted.

use super::pool::Pool;
use super::segments::Segments;
use super::{Accepted, PacketNumber, WINDOW_MAX};
use crate::frame::{Ack, Item, PARTIALS_MAX, Partial, Piece};
use crate::row::{put, slide};

/// What became of a piece.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Taken {
    New,
    Duplicate,
    Unstored,
    Malformed,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Slot {
    #[default]
    Missing,
    /// Pieces are in `parts`.
    Partial {
        bulk: bool,
    },
    Whole {
        bulk: bool,
    },
    /// Handed to the application, not accepted yet.
    Surfaced,
}

/// A packet received in part.
#[derive(Clone, Copy, Debug, Default)]
struct Part {
    number: PacketNumber,
    /// Length of each segment but the last; 0 while only the last is here, kept at the start.
    unit: usize,
    /// The packet was cut anew: only segments that name the unit count.
    explicit: bool,
    /// Index of the last segment and the packet's length after it.
    last: Option<(u16, usize)>,
    have: Segments,
}

impl Part {
    fn report(&self) -> Partial {
        let missing = |index: &u8| !self.have.has((*index).into());
        let first = (0..=255).find(missing).unwrap_or(255);
        let after = usize::from(first) + 1;
        let beyond = (0..64).rev().fold(0, |beyond, i| {
            beyond << 1 | u64::from(self.have.has(after + i))
        });
        Partial {
            number: self.number.get().to_le_bytes()[0] & 0x7f,
            first,
            beyond,
        }
    }
}

/// The receiving half of a link.
#[derive(Debug)]
pub(super) struct Incoming {
    accepted: Accepted,
    slots: [Slot; WINDOW_MAX as usize],
    parts: [Option<Part>; PARTIALS_MAX],
    pool: Pool,
    /// Acknowledgements made.
    reports: u8,
}

impl Incoming {
    // Made where it is to stay: a copy would lie on the stack of a board.
    #[inline(always)]
    pub(super) fn new(accepted: Accepted) -> Self {
        Self {
            accepted,
            slots: [Slot::Missing; WINDOW_MAX as usize],
            parts: [None; PARTIALS_MAX],
            pool: Pool::new(),
            reports: 0,
        }
    }

    pub(super) fn accepted(&self) -> Accepted {
        self.accepted
    }

    fn slot(&mut self, number: PacketNumber) -> &mut Slot {
        // The index is below the length.
        &mut self.slots[(number.get() % WINDOW_MAX) as usize]
    }

    fn window(&self) -> impl Iterator<Item = PacketNumber> + Clone + use<> {
        let base = self.accepted.base;
        (0..WINDOW_MAX).map(move |i| base.plus(i))
    }

    /// The peer starts a new session: pieces of its earlier encodings are worthless, and so is what was not handed out.
    pub(super) fn reset(&mut self, bytes: &mut [u8]) {
        self.parts = [None; PARTIALS_MAX];
        for number in self.window() {
            if *self.slot(number) != Slot::Surfaced {
                *self.slot(number) = Slot::Missing;
                self.pool.remove(bytes, number);
            }
        }
    }

    /// Takes a piece out of a frame.
    pub(super) fn take(&mut self, bytes: &mut [u8], item: &Item<'_>) -> Taken {
        let base = self.accepted.base;
        let back = if item.number_bits == 8 { 192 } else { 24 };
        let Some(number) = base.resolve(item.number.into(), item.number_bits.into(), back) else {
            return Taken::Malformed;
        };
        match number.distance_from(base) {
            None => return Taken::Duplicate,
            Some(WINDOW_MAX..) => return Taken::Unstored,
            Some(_) if self.accepted.contains(number) => return Taken::Duplicate,
            Some(_) => {}
        }
        match (*self.slot(number), item.piece) {
            (Slot::Whole { .. } | Slot::Surfaced, _) => Taken::Duplicate,
            (_, Piece::Whole) => self.take_whole(bytes, number, item),
            (_, Piece::Segment { index, last, unit }) => {
                let taken = self.take_segment(bytes, number, item, (index, last, unit));
                self.finish(bytes, number, item.bulk);
                taken
            }
        }
    }

    fn take_whole(&mut self, bytes: &mut [u8], number: PacketNumber, item: &Item<'_>) -> Taken {
        self.drop_part(bytes, number);
        if !self.make_room(bytes, number, item.bytes.len())
            || !self.pool.push(bytes, number, item.bytes.len())
        {
            return Taken::Unstored;
        }
        if let Some(room) = self.pool.get_mut(bytes, number) {
            put(room, item.bytes);
        }
        *self.slot(number) = Slot::Whole { bulk: item.bulk };
        Taken::New
    }

    fn take_segment(
        &mut self,
        bytes: &mut [u8],
        number: PacketNumber,
        item: &Item<'_>,
        (index, last, unit): (u16, bool, Option<u16>),
    ) -> Taken {
        let len = item.bytes.len();
        if index > 255 || len == 0 {
            return Taken::Malformed;
        }
        let mut part = self
            .parts
            .iter()
            .flatten()
            .find(|part| part.number == number)
            .copied();
        // A packet cut anew starts over; what is left of the old cut does not count.
        match (unit, &part) {
            (Some(unit), Some(old)) if !old.explicit || old.unit != usize::from(unit) => {
                part = None
            }
            (None, Some(old)) if old.explicit => return Taken::Duplicate,
            _ => {}
        }
        let mut part = match part {
            Some(part) => part,
            None => {
                self.drop_part(bytes, number);
                if !self.start_part(bytes, number, item.bulk) {
                    return Taken::Unstored;
                }
                Part {
                    number,
                    unit: unit.map_or(0, usize::from),
                    explicit: unit.is_some(),
                    ..Part::default()
                }
            }
        };
        if part.have.has(index.into()) {
            return Taken::Duplicate;
        }
        let taken = self.place(bytes, &mut part, item.bytes, index, last);
        match self
            .parts
            .iter_mut()
            .flatten()
            .find(|old| old.number == number)
        {
            Some(old) if taken == Taken::New => *old = part,
            Some(old) if old.have.count() == 0 => self.drop_part(bytes, number),
            _ => {}
        }
        taken
    }

    fn place(
        &mut self,
        bytes: &mut [u8],
        part: &mut Part,
        piece: &[u8],
        index: u16,
        last: bool,
    ) -> Taken {
        let (number, len) = (part.number, piece.len());
        let unit = if last { part.unit } else { len };
        let beyond_end = part
            .last
            .is_some_and(|(end, _)| if last { end != index } else { index >= end });
        if beyond_end || part.unit != 0 && (unit != part.unit || len > unit) {
            return Taken::Malformed;
        }
        let at = usize::from(index) * unit;
        let (mut end, mut early) = (at + len, 0);
        if let Some((last_index, last_len)) = part.last.filter(|_| part.unit == 0) {
            // The last segment came first and waits at the start.
            early = last_len;
            end = usize::from(last_index) * unit + early;
            if early > unit {
                return Taken::Malformed;
            }
        }
        let held = self.pool.get(bytes, number).map_or(0, <[u8]>::len);
        if !self.make_room(bytes, number, end.saturating_sub(held))
            || !self.pool.grow(bytes, number, end)
        {
            return Taken::Unstored;
        }
        let Some(room) = self.pool.get_mut(bytes, number) else {
            return Taken::Unstored;
        };
        if early > 0 {
            slide(room, 0..early, end - early);
            part.last = part.last.map(|(index, _)| (index, end));
        }
        if let Some(place) = room.get_mut(at..at + len) {
            put(place, piece);
        }
        part.unit = unit;
        part.have.insert(index.into());
        if last {
            part.last = Some((index, at + len));
        }
        Taken::New
    }

    fn start_part(&mut self, bytes: &mut [u8], number: PacketNumber, bulk: bool) -> bool {
        if self.parts.iter().all(Option::is_some) {
            // Only what comes later than this may be pushed out.
            let Some(victim) = self.parts.iter().flatten().map(|part| part.number).max() else {
                return false;
            };
            if victim < number {
                return false;
            }
            self.drop_part(bytes, victim);
        }
        let Some(free) = self.parts.iter_mut().find(|part| part.is_none()) else {
            return false;
        };
        if !self.pool.push(bytes, number, 0) {
            return false;
        }
        *free = Some(Part {
            number,
            ..Part::default()
        });
        *self.slot(number) = Slot::Partial { bulk };
        true
    }

    fn drop_part(&mut self, bytes: &mut [u8], number: PacketNumber) {
        for part in &mut self.parts {
            if part.is_some_and(|part| part.number == number) {
                *part = None;
            }
        }
        if matches!(self.slot(number), Slot::Partial { .. }) {
            *self.slot(number) = Slot::Missing;
            self.pool.remove(bytes, number);
        }
    }

    fn finish(&mut self, bytes: &mut [u8], number: PacketNumber, bulk: bool) {
        let Some(place) = self
            .parts
            .iter()
            .position(|part| part.is_some_and(|part| part.number == number))
        else {
            return;
        };
        let Some(Part {
            last: Some((last, len)),
            unit,
            ..
        }) = self.parts[place]
        else {
            return;
        };
        let all = self.parts[place].is_some_and(|part| part.have.count() == u32::from(last) + 1);
        if all && (unit > 0 || last == 0) {
            self.parts[place] = None;
            self.pool.truncate(bytes, number, len);
            *self.slot(number) = Slot::Whole { bulk };
        }
    }

    /// Makes `len` bytes free, pushing out packets later than `number` if it must.
    fn make_room(&mut self, bytes: &mut [u8], number: PacketNumber, len: usize) -> bool {
        while self.pool.free(bytes) < len {
            let later = self.window().filter(|n| *n > number);
            let Some(victim) = later
                .filter(|n| matches!(self.slot(*n), Slot::Whole { .. } | Slot::Partial { .. }))
                .last()
            else {
                return false;
            };
            self.drop_part(bytes, victim);
            self.pool.remove(bytes, victim);
            *self.slot(victim) = Slot::Missing;
        }
        true
    }

    /// The next packet in order that was not handed out.
    pub(super) fn recv<'b>(&mut self, bytes: &'b [u8]) -> Option<(PacketNumber, &'b [u8])> {
        // Whether a foreground packet, a bulk packet, is still awaited.
        let mut awaited = [false; 2];
        for number in self.window() {
            if self.accepted.contains(number) {
                continue;
            }
            match *self.slot(number) {
                Slot::Missing => return None,
                Slot::Partial { bulk } => awaited[usize::from(bulk)] = true,
                Slot::Whole { bulk } if awaited[usize::from(bulk)] => {}
                Slot::Whole { .. } => {
                    *self.slot(number) = Slot::Surfaced;
                    return Some((number, self.pool.get(bytes, number)?));
                }
                Slot::Surfaced => {}
            }
        }
        None
    }

    /// Whether the application still holds packets it did not accept.
    pub(super) fn has_unaccepted(&self) -> bool {
        self.slots.contains(&Slot::Surfaced)
    }

    pub(super) fn accept(&mut self, bytes: &mut [u8], number: PacketNumber) -> bool {
        let near = number
            .distance_from(self.accepted.base)
            .is_some_and(|n| n < WINDOW_MAX);
        if !near || *self.slot(number) != Slot::Surfaced {
            return false;
        }
        *self.slot(number) = Slot::Missing;
        self.pool.remove(bytes, number);
        self.accepted.insert(number)
    }

    /// The packets received in part, lowest first.
    fn partial_numbers(&self) -> impl Iterator<Item = PacketNumber> + Clone + use<'_> {
        self.window()
            .filter(|n| self.parts.iter().flatten().any(|part| part.number == *n))
    }

    /// What is held now.
    pub(super) fn ack(&mut self, heard: u8) -> Ack {
        let base = self.accepted.base;
        let mut ack = Ack {
            heard,
            base: base.get().to_le_bytes()[0] & 0x7f,
            accepted: self.accepted.beyond,
            ..Ack::default()
        };
        for (i, number) in self.window().enumerate() {
            let held = matches!(self.slot(number), Slot::Whole { .. } | Slot::Surfaced);
            ack.received |= u64::from(held) << i;
        }
        // Where not all fit the frame, each comes first in its turn.
        self.reports = self.reports.wrapping_add(1);
        let count = self.parts.iter().flatten().count().max(1);
        let numbers = self
            .partial_numbers()
            .cycle()
            .skip(usize::from(self.reports) % count)
            .take(count);
        for (place, number) in ack.partials.iter_mut().zip(numbers) {
            let part = self
                .parts
                .iter()
                .flatten()
                .find(|part| part.number == number);
            *place = part.map(Part::report);
        }
        ack
    }
}

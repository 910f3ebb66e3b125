//! Packets on their way in: pieces to packets, packets to their order. Refuses to acknowledge what was not accepted.

use super::number::Numbers;
use super::pool::Pool;
use super::{Accepted, PacketNumber, SEGMENTS_MAX, WINDOW_MAX};
use crate::frame::{AckWriter, Bits, Item, PARTIALS_MAX, Partial, Segment};
use crate::row::{put, slide};

/// What became of a piece.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Taken {
    New,
    Duplicate,
    Unstored,
    Malformed,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Missing,
    /// Pieces are in `parts`.
    Partial,
    Whole,
    /// Handed to the application, not accepted yet.
    Surfaced,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    state: State,
    bulk: bool,
}

const MISSING: Slot = Slot {
    state: State::Missing,
    bulk: false,
};

/// A packet received in part.
#[derive(Clone, Copy, Debug)]
struct Part {
    used: bool,
    /// The packet was cut anew: only segments that name the unit count.
    explicit: bool,
    /// Index of the last segment, if the end is known.
    last: u16,
    number: PacketNumber,
    /// Length of each segment but the last; 0 while only the last is here, kept at the start.
    unit: usize,
    /// The packet's length, or what is here of it while the unit is not known; 0: the last segment is not here.
    end: usize,
    have: Bits<{ SEGMENTS_MAX / 8 }>,
}

const UNUSED: Part = Part {
    used: false,
    explicit: false,
    last: 0,
    number: PacketNumber::new(0),
    unit: 0,
    end: 0,
    have: Bits::NONE,
};

impl Part {
    fn report(&self) -> Partial {
        let (mut first, mut beyond) = (0, Bits::NONE);
        while first < SEGMENTS_MAX - 1 && self.have.has(first) {
            first += 1;
        }
        for i in 0..64 {
            if self.have.has(first + 1 + i) {
                beyond.insert(i);
            }
        }
        Partial {
            number: self.number.low() & 0x7f,
            first: first as u8,
            beyond,
        }
    }

    fn is_complete(&self) -> bool {
        let all = self.end > 0 && self.have.count() == u32::from(self.last) + 1;
        all && (self.unit > 0 || self.last == 0)
    }
}

/// The receiving half of a link.
#[repr(C)]
#[derive(Debug)]
pub(super) struct Incoming {
    accepted: Accepted,
    /// Whose place among `parts` an acknowledgement begins with.
    reports: usize,
    slots: [Slot; WINDOW_MAX as usize],
    pool: Pool,
    parts: [Part; PARTIALS_MAX],
}

impl Incoming {
    // Made where it is to stay: a copy would lie on the stack of a board.
    #[inline(always)]
    pub(super) fn new(accepted: Accepted, start: usize, end: usize) -> Self {
        Self {
            accepted,
            reports: 0,
            slots: [MISSING; WINDOW_MAX as usize],
            pool: Pool::new(start, end),
            parts: [UNUSED; PARTIALS_MAX],
        }
    }

    pub(super) fn accepted(&self) -> Accepted {
        self.accepted
    }

    fn slot(&mut self, number: PacketNumber) -> &mut Slot {
        &mut self.slots[number.slot()]
    }

    fn state(&self, number: PacketNumber) -> State {
        self.slots[number.slot()].state
    }

    fn window(&self) -> Numbers {
        let base = self.accepted.base;
        Numbers(base, base.plus(WINDOW_MAX))
    }

    /// The peer starts a new session: pieces of its earlier encodings are worthless, and so is what was not handed out.
    pub(super) fn reset(&mut self, bytes: &mut [u8]) {
        for number in self.window() {
            if self.state(number) != State::Surfaced {
                self.drop(bytes, number);
            }
        }
    }

    /// Takes a piece out of a frame.
    #[inline(never)]
    pub(super) fn take(&mut self, bytes: &mut [u8], item: &Item<'_>) -> Taken {
        let base = self.accepted.base;
        let back = if item.number_bits == 8 { 192 } else { 24 };
        let Some(number) = base.resolve(item.number.into(), item.number_bits.into(), back) else {
            return Taken::Malformed;
        };
        if self.accepted.contains(number) {
            return Taken::Duplicate;
        }
        if number >= base.plus(WINDOW_MAX) {
            return Taken::Unstored;
        }
        match (self.state(number), item.segment) {
            (State::Whole | State::Surfaced, _) => Taken::Duplicate,
            (_, None) => self.take_whole(bytes, number, item),
            (_, Some(segment)) => self.take_segment(bytes, number, item, segment),
        }
    }

    fn take_whole(&mut self, bytes: &mut [u8], number: PacketNumber, item: &Item<'_>) -> Taken {
        self.drop(bytes, number);
        let len = item.bytes.len();
        if !self.make_room(bytes, number, len) {
            return Taken::Unstored;
        }
        put(self.pool.tail(bytes), item.bytes);
        self.pool.push(number, len);
        *self.slot(number) = Slot {
            state: State::Whole,
            bulk: item.bulk,
        };
        Taken::New
    }

    fn take_segment(
        &mut self,
        bytes: &mut [u8],
        number: PacketNumber,
        item: &Item<'_>,
        segment: Segment,
    ) -> Taken {
        if usize::from(segment.index) >= SEGMENTS_MAX || item.bytes.is_empty() {
            return Taken::Malformed;
        }
        let unit = usize::from(segment.unit);
        let mut place = self.part(number);
        // A packet cut anew starts over; what is left of the old cut does not count.
        if let Some(old) = place.and_then(|at| self.parts.get(at)) {
            if unit > 0 && (!old.explicit || old.unit != unit) {
                self.drop(bytes, number);
                place = None;
            } else if unit == 0 && old.explicit || old.have.has(segment.index.into()) {
                return Taken::Duplicate;
            }
        }
        let Some(at) = place.or_else(|| self.free_part(bytes, number)) else {
            return Taken::Unstored;
        };
        if place.is_none() {
            self.pool.push(number, 0);
            let (state, bulk) = (State::Partial, item.bulk);
            *self.slot(number) = Slot { state, bulk };
            if let Some(part) = self.parts.get_mut(at) {
                *part = UNUSED;
                (part.used, part.number) = (true, number);
                (part.explicit, part.unit) = (unit > 0, unit);
            }
        }
        let taken = self.put(bytes, at, item.bytes, segment);
        if let Some(part) = self.parts.get_mut(at) {
            if part.is_complete() {
                part.used = false;
                self.pool.resize(bytes, number, part.end);
                self.slot(number).state = State::Whole;
            } else if part.have.count() == 0 {
                self.drop(bytes, number);
            }
        }
        taken
    }

    /// Puts a segment where it belongs; the part is as it was if that cannot be.
    fn put(
        &mut self,
        bytes: &mut [u8],
        place: usize,
        piece: &[u8],
        Segment { index, last, .. }: Segment,
    ) -> Taken {
        let Some(part) = self.parts.get(place) else {
            return Taken::Unstored;
        };
        let (number, len) = (part.number, piece.len());
        let unit = if last { part.unit } else { len };
        let beyond_end = if last {
            part.last != index
        } else {
            index >= part.last
        };
        if part.end > 0 && beyond_end || part.unit != 0 && (unit != part.unit || len > unit) {
            return Taken::Malformed;
        }
        let at = usize::from(index) * unit;
        let (mut end, mut early) = (at + len, 0);
        if part.end > 0 && part.unit == 0 {
            // The last segment came first and waits at the start.
            early = part.end;
            end = usize::from(part.last) * unit + early;
            if early > unit {
                return Taken::Malformed;
            }
        }
        let held = self.pool.len(number);
        if end > held
            && !(self.make_room(bytes, number, end - held) && self.pool.resize(bytes, number, end))
        {
            return Taken::Unstored;
        }
        let Some(part) = self.parts.get_mut(place) else {
            return Taken::Unstored;
        };
        let room = self.pool.get_mut(bytes, number);
        if early > 0 {
            slide(room, 0..early, end - early);
            part.end = end;
        }
        put(room.get_mut(at..).unwrap_or(&mut []), piece);
        part.unit = unit;
        part.have.insert(index.into());
        if last {
            (part.last, part.end) = (index, at + len);
        }
        Taken::New
    }

    /// Where the pieces of a packet are noted.
    fn part(&self, number: PacketNumber) -> Option<usize> {
        let is = |part: &Part| part.used && part.number == number;
        self.parts.iter().position(is)
    }

    /// A place for the pieces of one more packet, if need be that of the latest, should it come later than this.
    fn free_part(&mut self, bytes: &mut [u8], number: PacketNumber) -> Option<usize> {
        let (mut victim, mut latest) = (None, number);
        for (at, part) in self.parts.iter().enumerate() {
            if !part.used {
                return Some(at);
            }
            if part.number > latest {
                (victim, latest) = (Some(at), part.number);
            }
        }
        victim.inspect(|_| self.drop(bytes, latest))
    }

    /// Forgets what is here of a packet.
    fn drop(&mut self, bytes: &mut [u8], number: PacketNumber) {
        if let Some(at) = self.part(number) {
            self.parts[at].used = false;
        }
        self.slot(number).state = State::Missing;
        self.pool.remove(bytes, number);
    }

    /// Makes `len` bytes free, pushing out packets later than `number` if it must.
    fn make_room(&mut self, bytes: &mut [u8], number: PacketNumber, len: usize) -> bool {
        let mut ahead = WINDOW_MAX;
        while self.pool.free() < len {
            ahead -= 1;
            let later = self.accepted.base.plus(ahead);
            if later <= number {
                return false;
            }
            if self.state(later) != State::Surfaced {
                self.drop(bytes, later);
            }
        }
        true
    }

    /// The next packet in order that was not handed out.
    pub(super) fn recv<'b>(&mut self, bytes: &'b [u8]) -> Option<(PacketNumber, &'b [u8])> {
        // The lowest bit: a foreground packet is still awaited; the next: a bulk packet.
        let mut awaited = 0;
        for number in self.window() {
            if self.accepted.contains(number) {
                continue;
            }
            let slot = self.slot(number);
            let group = 1 << u8::from(slot.bulk);
            match slot.state {
                State::Missing => return None,
                State::Partial => awaited |= group,
                State::Whole if awaited & group == 0 => {
                    slot.state = State::Surfaced;
                    return Some((number, self.pool.get(bytes, number)));
                }
                State::Whole | State::Surfaced => {}
            }
        }
        None
    }

    /// Whether the application still holds packets it did not accept.
    pub(super) fn has_unaccepted(&self) -> bool {
        self.slots.iter().any(|slot| slot.state == State::Surfaced)
    }

    pub(super) fn accept(&mut self, bytes: &mut [u8], number: PacketNumber) -> bool {
        let base = self.accepted.base;
        let near = base <= number && number < base.plus(WINDOW_MAX);
        if !near || self.state(number) != State::Surfaced {
            return false;
        }
        self.drop(bytes, number);
        self.accepted.insert(number)
    }

    /// Writes what is held now into `out`, as far as it fits. Gives its length, or `None` if nothing does.
    pub(super) fn ack(&mut self, heard: u8, out: &mut [u8]) -> Option<usize> {
        let base = self.accepted.base;
        let mut writer = AckWriter::new(out, heard, base.low())?;
        let mut received = Bits::NONE;
        for number in self.window() {
            if matches!(self.state(number), State::Whole | State::Surfaced) {
                received.insert((number.get() - base.get()) as usize);
            }
        }
        let in_part = self.parts.iter().any(|part| part.used);
        writer.whole(&self.accepted.bits(), &received, in_part);
        // Where not all fit the frame, each comes first in its turn.
        self.reports += 1;
        let (mut at, mut is_first) = (self.reports, true);
        for _ in 0..PARTIALS_MAX {
            at %= PARTIALS_MAX;
            let part = &self.parts[at];
            if part.used {
                if !writer.partial(&part.report(), is_first) {
                    break;
                }
                is_first = false;
            }
            at += 1;
        }
        self.reports %= PARTIALS_MAX;
        Some(writer.len())
    }
}

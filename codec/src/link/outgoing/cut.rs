//! Packets that go in pieces: how each is cut, which segments went, which the peer has. Refuses to hold their bytes.

use crate::frame::{Ack, Bits, PARTIALS_MAX, Segment};
use crate::link::{PacketNumber, SEGMENTS_MAX};

/// The segments of a packet.
type Segments = Bits<{ SEGMENTS_MAX / 8 }>;

/// How a packet is cut, and which segments went.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    pub(super) number: PacketNumber,
    /// Length of every segment but the last, in bytes.
    unit: u16,
    /// How many segments there are; 0: no packet is cut here.
    count: u16,
    /// Segments below this were sent at some time.
    top: u16,
    /// Cut before, with another unit.
    again: bool,
    have: Segments,
    /// These are not to be sent now: the peer has them, or they are under way.
    done: Segments,
}

const NONE: Cut = Cut {
    number: PacketNumber::new(0),
    unit: 0,
    count: 0,
    top: 0,
    again: false,
    have: Bits::NONE,
    done: Bits::NONE,
};

impl Cut {
    /// The first segment that is to be sent.
    pub(super) fn first_due(&self) -> Option<u16> {
        (0..self.count).find(|index| !self.done.has((*index).into()))
    }

    /// A segment, and its part of the packet's bytes.
    pub(super) fn segment<'b>(&self, index: u16, bytes: &'b [u8]) -> (Segment, &'b [u8]) {
        let start = usize::from(index) * usize::from(self.unit);
        let end = bytes.len().min(start + usize::from(self.unit));
        let segment = Segment {
            index,
            last: index + 1 == self.count,
            unit: if self.again { self.unit } else { 0 },
        };
        (segment, bytes.get(start..end).unwrap_or(&[]))
    }

    /// Bytes that need not be sent now.
    pub(super) fn done_len(&self) -> usize {
        self.done.count() as usize * usize::from(self.unit)
    }

    /// A frame carried this segment. Gives whether more of the packet is to be sent, and whether this was sent before.
    pub(super) fn sent(&mut self, index: u16) -> (bool, bool) {
        self.done.insert(index.into());
        let again = index < self.top;
        self.top = self.top.max(index + 1);
        (self.first_due().is_some(), again)
    }

    /// What an acknowledgement has no room to report is as it was. Only a packet that should be whole at the peer, and
    /// is not, starts over.
    pub(super) fn note(&mut self, ack: &Ack) {
        let number = self.number.low() & 0x7f;
        let mut partials = ack.partials.iter().flatten();
        if let Some(partial) = partials.find(|partial| partial.number == number) {
            self.have = Bits::NONE;
            let first = usize::from(partial.first);
            for index in 0..SEGMENTS_MAX {
                if index < first || index > first && partial.beyond.has(index - first - 1) {
                    self.have.insert(index);
                    self.done.insert(index);
                }
            }
        } else if self.have.count() == self.count.into() {
            self.have = Bits::NONE;
        }
    }

    /// What was sent may be lost.
    pub(super) fn doubt(&mut self) {
        self.done = self.have;
    }
}

/// All packets in pieces.
#[derive(Debug)]
pub(super) struct Cuts([Cut; PARTIALS_MAX]);

impl Cuts {
    // Made where it is to stay: a copy would lie on the stack of a board.
    #[inline(always)]
    pub(super) const fn new() -> Self {
        Self([NONE; PARTIALS_MAX])
    }

    pub(super) fn all(&mut self) -> impl Iterator<Item = &mut Cut> {
        self.0.iter_mut().filter(|cut| cut.count > 0)
    }

    pub(super) fn get(&self, number: PacketNumber) -> Option<&Cut> {
        self.0
            .iter()
            .find(|cut| cut.number == number && cut.count > 0)
    }

    pub(super) fn get_mut(&mut self, number: PacketNumber) -> Option<&mut Cut> {
        self.all().find(|cut| cut.number == number)
    }

    pub(super) fn free(&self) -> usize {
        self.0.iter().filter(|cut| cut.count == 0).count()
    }

    pub(super) fn remove(&mut self, number: PacketNumber) {
        if let Some(cut) = self.get_mut(number) {
            cut.count = 0;
        }
    }

    /// Cuts a packet into segments of `unit` bytes. False if there are too many of them or too many packets in pieces.
    pub(super) fn cut(&mut self, number: PacketNumber, len: usize, unit: usize) -> bool {
        let again = self.get(number).is_some();
        self.remove(number);
        let count = len.div_ceil(unit.max(1));
        let place = self.0.iter_mut().find(|cut| cut.count == 0);
        let Some(place) = place.filter(|_| count <= SEGMENTS_MAX) else {
            return false;
        };
        (place.number, place.again) = (number, again);
        (place.unit, place.count, place.top) = (unit as u16, count as u16, 0);
        (place.have, place.done) = (Bits::NONE, Bits::NONE);
        true
    }
}

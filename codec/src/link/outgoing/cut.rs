//! Packets that go in pieces: how each is cut, which segments went, which the peer has. Refuses to hold their bytes.

use crate::frame::{Ack, PARTIALS_MAX};
use crate::link::PacketNumber;
use crate::link::segments::Segments;

/// How a packet is cut, and which segments went.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    number: PacketNumber,
    /// Length of every segment but the last, in bytes.
    pub(super) unit: u16,
    /// How many segments there are.
    count: u16,
    /// Cut before, with another unit.
    again: bool,
    have: Segments,
    sent: Segments,
    /// Segments below this were sent at some time.
    top: u16,
}

/// One segment of a packet.
#[derive(Clone, Copy, Debug)]
pub(in crate::link) struct Segment {
    pub(in crate::link) index: u16,
    /// Of how many.
    pub(in crate::link) count: u16,
    /// Length of every segment but the last, in bytes.
    pub(in crate::link) unit: u16,
    /// The packet was cut before, with another unit.
    pub(in crate::link) again: bool,
}

impl Cut {
    fn is_due(&self, index: &u16) -> bool {
        let index = usize::from(*index);
        !self.have.has(index) && !self.sent.has(index)
    }

    /// The first segment that is to be sent.
    pub(super) fn first_due(&self) -> Option<Segment> {
        let index = (0..self.count).find(|index| self.is_due(index))?;
        Some(Segment {
            index,
            count: self.count,
            unit: self.unit,
            again: self.again,
        })
    }

    /// Segments that need not be sent now.
    pub(super) fn done(&self) -> usize {
        let due = (0..self.count).filter(|index| self.is_due(index)).count();
        usize::from(self.count) - due
    }

    /// What an acknowledgement has no room to report is as it was. Only a packet that should be whole at the peer, and
    /// is not, starts over.
    fn note(&mut self, ack: &Ack) {
        let number = self.number.get().to_le_bytes()[0] & 0x7f;
        let Some(partial) = ack
            .partials
            .iter()
            .flatten()
            .find(|partial| partial.number == number)
        else {
            if self.have.count() == self.count.into() {
                self.have = Segments::default();
            }
            return;
        };
        self.have = Segments::default();
        let after = usize::from(partial.first) + 1;
        let beyond = (0..64)
            .filter(|bit| partial.beyond >> bit & 1 == 1)
            .map(|bit| after + bit);
        for index in (0..partial.first.into()).chain(beyond) {
            self.have.insert(index);
        }
    }
}

/// All packets in pieces.
#[derive(Debug)]
pub(super) struct Cuts {
    places: [Option<Cut>; PARTIALS_MAX],
}

impl Cuts {
    // Made where it is to stay: a copy would lie on the stack of a board.
    #[inline(always)]
    pub(super) const fn new() -> Self {
        Self {
            places: [None; PARTIALS_MAX],
        }
    }

    pub(super) fn get(&self, number: PacketNumber) -> Option<&Cut> {
        self.places
            .iter()
            .flatten()
            .find(|cut| cut.number == number)
    }

    pub(super) fn free(&self) -> usize {
        self.places.iter().filter(|cut| cut.is_none()).count()
    }

    pub(super) fn remove(&mut self, number: PacketNumber) {
        for place in &mut self.places {
            if place.is_some_and(|cut| cut.number == number) {
                *place = None;
            }
        }
    }

    /// Cuts a packet into segments of `unit` bytes. False if there are too many of them or too many packets in pieces.
    pub(super) fn cut(&mut self, number: PacketNumber, len: usize, unit: usize) -> bool {
        let again = self.get(number).is_some();
        self.remove(number);
        let count = u16::try_from(len.div_ceil(unit.max(1)))
            .ok()
            .filter(|count| *count <= 256);
        let place = self.places.iter_mut().find(|place| place.is_none());
        let (Some(place), Some(count), Ok(unit)) = (place, count, u16::try_from(unit)) else {
            return false;
        };
        *place = Some(Cut {
            number,
            unit,
            count,
            again,
            have: Segments::default(),
            sent: Segments::default(),
            top: 0,
        });
        true
    }

    /// A frame carried this segment. Gives whether more of the packet is to be sent, and whether this was sent before.
    pub(super) fn sent(&mut self, number: PacketNumber, index: u16) -> (bool, bool) {
        let Some(cut) = self
            .places
            .iter_mut()
            .flatten()
            .find(|cut| cut.number == number)
        else {
            return (false, false);
        };
        cut.sent.insert(index.into());
        let again = index < cut.top;
        cut.top = cut.top.max(index + 1);
        (cut.first_due().is_some(), again)
    }

    /// Learns which segments the peer has. `is_lost`: what was sent of a packet and is not there is lost.
    pub(super) fn acknowledged(&mut self, ack: &Ack, is_lost: impl Fn(PacketNumber) -> bool) {
        for cut in self.places.iter_mut().flatten() {
            cut.note(ack);
            if is_lost(cut.number) {
                cut.sent = Segments::default();
            }
        }
    }

    /// What was sent may be lost.
    pub(super) fn doubt(&mut self) {
        self.places
            .iter_mut()
            .flatten()
            .for_each(|cut| cut.sent = Segments::default());
    }
}

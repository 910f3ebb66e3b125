//! Packets that go in pieces: how each is cut, which segments went, which the peer has. Refuses to hold their bytes.

use crate::frame::{Ack, PARTIALS_MAX};
use crate::link::PacketNumber;

/// How a packet is cut, and which segments went.
#[derive(Clone, Copy, Debug)]
pub(in crate::link) struct Cut {
    number: PacketNumber,
    /// Length of every segment but the last, in bytes.
    pub(in crate::link) unit: u16,
    /// How many segments there are.
    pub(in crate::link) count: u16,
    /// Cut before, with another unit.
    pub(in crate::link) again: bool,
    have: [u64; 4],
    sent: [u64; 4],
    /// Segments below this were sent at some time.
    top: u16,
}

impl Cut {
    /// The first segment that is to be sent.
    pub(super) fn first_due(&self) -> Option<u16> {
        (0..self.count).find(|i| {
            let word = usize::from(*i / 64);
            (self.have[word] | self.sent[word]) >> (i % 64) & 1 == 0
        })
    }

    /// Segments that need not be sent now.
    pub(super) fn done(&self) -> usize {
        self.have
            .iter()
            .zip(&self.sent)
            .map(|(have, sent)| (have | sent).count_ones() as usize)
            .sum()
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
            let held: u32 = self.have.iter().map(|word| word.count_ones()).sum();
            if held == self.count.into() {
                self.have = [0; 4];
            }
            return;
        };
        self.have = [0; 4];
        let after = usize::from(partial.first) + 1;
        let beyond = (0..64)
            .filter(|bit| partial.beyond >> bit & 1 == 1)
            .map(|bit| after + bit);
        for index in (0..partial.first.into()).chain(beyond) {
            if let Some(word) = self.have.get_mut(index / 64) {
                *word |= 1 << (index % 64);
            }
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
            have: [0; 4],
            sent: [0; 4],
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
        if let Some(word) = cut.sent.get_mut(usize::from(index / 64)) {
            *word |= 1 << (index % 64);
        }
        let again = index < cut.top;
        cut.top = cut.top.max(index + 1);
        (cut.first_due().is_some(), again)
    }

    /// Learns which segments the peer has. `is_lost`: what was sent of a packet and is not there is lost.
    pub(super) fn acknowledged(&mut self, ack: &Ack, is_lost: impl Fn(PacketNumber) -> bool) {
        for cut in self.places.iter_mut().flatten() {
            cut.note(ack);
            if is_lost(cut.number) {
                cut.sent = [0; 4];
            }
        }
    }

    /// What was sent may be lost.
    pub(super) fn doubt(&mut self) {
        self.places
            .iter_mut()
            .flatten()
            .for_each(|cut| cut.sent = [0; 4]);
    }
}

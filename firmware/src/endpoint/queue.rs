//! Stanzas on their way out and chats that came in, each a record on flash, with an index in memory. Refuses to overwrite:
//! what does not fit is not taken.
//!
//! Record: the four words of its [`Slot`], big-endian; what is queued.

use embedded_storage_async::nor_flash::NorFlash;
use longwire_codec::link::{Accepted, PacketNumber};

use super::{EndpointError, words};
use crate::flash::{RECORD_MAX, Store, StoreError};

/// Places of the longest queue.
const SLOTS: usize = 16;
/// Octets of a record before what is queued.
pub(super) const HEAD: usize = 16;

/// What is known of a record without reading it; of a free place, zeros.
pub(super) type Slot = [u32; 4];
/// Counts up from 1 with everything ever queued.
pub(super) const ORDER: usize = 0;
/// The number of the packet that carries it, and one; 0: none yet.
pub(super) const NUMBER: usize = 1;
/// Its [`Cause`]; known again after a restart, so that nothing is taken or answered twice.
pub(super) const CAUSE: usize = 2;
/// What goes first.
pub(super) const PRIORITY: usize = 3;

/// A packet that came in, and what it brought: 0 the first, at most 30. In a queue of some dozens it is unique.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Cause(u32);

impl Cause {
    /// We ourselves.
    pub(super) const NONE: Self = Self(0);

    pub(super) const fn of(number: PacketNumber, part: usize) -> Self {
        // Below 31, so it fits.
        Self(number.get() << 5 | (part as u32 + 1))
    }

    fn packet(self) -> Option<PacketNumber> {
        (self != Self::NONE).then(|| PacketNumber::new(self.0 >> 5))
    }

    /// Another stanza with the same cause, that many later.
    pub(super) const fn part(self, part: usize) -> Self {
        match self {
            Self::NONE => self,
            // As above.
            Self(first) => Self(first + part as u32),
        }
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Queue {
    first_key: u8,
    max: usize,
    slots: [Slot; SLOTS],
    next_order: u32,
}

impl Queue {
    /// With `max` places, not above [`SLOTS`], in the records from `first_key` on.
    pub(super) const fn new(first_key: u8, max: usize) -> Self {
        Self {
            first_key,
            max,
            slots: [[0; 4]; SLOTS],
            next_order: 1,
        }
    }

    /// What is on flash.
    pub(super) fn load<F: NorFlash>(&mut self, store: &mut Store<F>) -> Result<(), StoreError> {
        let mut record = [0; RECORD_MAX];
        for at in 0..self.max {
            let len = store.get(self.key(at), &mut record)?;
            if let (Some(record), Some(slot)) = (record.get(..len), self.slots.get_mut(at)) {
                words::parse(record, slot);
                let order = slot[ORDER];
                self.raise_order(order.saturating_add(1));
            }
        }
        Ok(())
    }

    /// The order number of what is queued next.
    pub(super) fn next_order(&self) -> u32 {
        self.next_order
    }

    /// Orders before this one were used.
    pub(super) fn raise_order(&mut self, order: u32) {
        self.next_order = self.next_order.max(order);
    }

    pub(super) fn slots(&self) -> &[Slot] {
        self.slots.get(..self.max).unwrap_or(&self.slots)
    }

    pub(super) fn slot(&self, at: usize) -> Slot {
        self.slots.get(at).copied().unwrap_or_default()
    }

    /// Where this word is this value.
    #[inline(never)]
    pub(super) fn find(&self, word: usize, value: u32) -> Option<usize> {
        let slots = self.slots();
        slots.iter().position(|slot| slot.get(word) == Some(&value))
    }

    pub(super) fn holds(&self, cause: Cause) -> bool {
        cause != Cause::NONE && self.find(CAUSE, cause.0).is_some()
    }

    /// Where the stanza is that this packet carries.
    pub(super) fn numbered(&self, number: PacketNumber) -> Option<usize> {
        self.find(NUMBER, number.plus(1).get())
    }

    pub(super) fn len(&self) -> usize {
        let slots = self.slots().iter();
        slots.filter(|slot| slot[ORDER] > 0).count()
    }

    /// What goes next, of what has no number. What a packet brought waits for the packet to be accepted: if the power failed
    /// before, the packet comes again, and must find here that it did already.
    pub(super) fn next(&self, accepted: Accepted) -> Option<usize> {
        let mut next = None;
        let mut first = (u32::MAX, u32::MAX);
        for (at, slot) in self.slots().iter().enumerate() {
            let rank = (slot[PRIORITY], slot[ORDER]);
            let comes_again = Cause(slot[CAUSE])
                .packet()
                .is_some_and(|it| !accepted.contains(it));
            if slot[ORDER] > 0 && slot[NUMBER] == 0 && rank < first && !comes_again {
                (next, first) = (Some(at), rank);
            }
        }
        next
    }

    /// Stores a record, whose head is filled in, with the next order number.
    pub(super) fn put<F: NorFlash>(
        &mut self,
        store: &mut Store<F>,
        cause: Cause,
        priority: u32,
        record: Option<&mut [u8]>,
    ) -> Result<(), EndpointError> {
        let record = record.ok_or(EndpointError::TooLong)?;
        let at = self.find(ORDER, 0).filter(|_| store.has_room(record.len()));
        let at = at.ok_or(EndpointError::OutboxFull)?;
        let order = self.next_order;
        self.write(store, at, [order, 0, cause.0, priority], record)?;
        self.next_order = order + 1;
        Ok(())
    }

    /// Stores a record with this head.
    pub(super) fn write<F: NorFlash>(
        &mut self,
        store: &mut Store<F>,
        at: usize,
        slot: Slot,
        record: &mut [u8],
    ) -> Result<(), StoreError> {
        words::emit(&slot, record);
        self.replace(store, at, slot, record)
    }

    /// Forgets a record.
    pub(super) fn clear<F: NorFlash>(
        &mut self,
        store: &mut Store<F>,
        at: usize,
    ) -> Result<(), StoreError> {
        self.replace(store, at, [0; 4], &[])
    }

    fn replace<F: NorFlash>(
        &mut self,
        store: &mut Store<F>,
        at: usize,
        slot: Slot,
        record: &[u8],
    ) -> Result<(), StoreError> {
        store.put(self.key(at), record)?;
        if let Some(place) = self.slots.get_mut(at) {
            *place = slot;
        }
        Ok(())
    }

    /// A whole record, copied to `buffer`; its length.
    pub(super) fn record<F: NorFlash>(
        &self,
        store: &mut Store<F>,
        at: usize,
        buffer: &mut [u8],
    ) -> Result<usize, StoreError> {
        store.get(self.key(at), buffer)
    }

    fn key(&self, at: usize) -> u8 {
        // Below SLOTS, so it fits.
        self.first_key + at as u8
    }
}

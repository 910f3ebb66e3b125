//! Stanzas on their way out, each a record on flash until the gateway has custody. Refuses to encode for the air: a
//! record holds the stanza as a packet that stands alone.
//!
//! Record: order (4 octets), cause (4, all ones: none), part (1), priority (1), packet number (4, all ones: none yet),
//! packet.

use embedded_storage_async::nor_flash::NorFlash;
use longwire_codec::link::{PacketNumber, Priority};

use super::EndpointError;
use crate::flash::{RECORD_MAX, Store, StoreError, join, word};
use crate::text::Text;

/// Stanzas that can wait.
pub const OUTBOX_MAX: usize = 16;
const FIRST_KEY: u8 = 32;
/// Octets of the longest id: a letter and ten digits.
pub(super) const ID_LEN: usize = 11;
/// Octets of a record before the packet.
pub(super) const HEAD: usize = 14;
const NONE: u32 = u32::MAX;

/// What an incoming packet made us send: its number, and the how manieth stanza. Known again after a restart, so that
/// nothing is answered twice.
pub(super) type Cause = Option<(PacketNumber, u8)>;

/// One that waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    /// Counts up with every stanza ever sent.
    pub(super) order: u32,
    pub(super) priority: Priority,
    /// Given when it first went to the link.
    pub(super) number: Option<PacketNumber>,
    cause: Cause,
}

/// Index of the records.
#[derive(Debug)]
pub(super) struct Outbox {
    slots: [Option<Slot>; OUTBOX_MAX],
    next_order: u32,
}

/// The id of the stanza with this order number, as its recipient's receipt names it.
pub(super) fn id(order: u32, place: &mut [u8; ID_LEN]) -> &str {
    let mut id = Text::new(place);
    id.char('b').number(order);
    id.into_str()
}

/// The order number in an id of ours.
pub(super) fn order(id: &str) -> Option<u32> {
    id.strip_prefix('b')?.parse().ok()
}

impl Outbox {
    pub(super) const fn new() -> Self {
        Self {
            slots: [None; OUTBOX_MAX],
            next_order: 1,
        }
    }

    /// What is on flash.
    pub(super) fn load<F: NorFlash>(&mut self, store: &mut Store<F>) -> Result<(), StoreError> {
        let mut record = [0; RECORD_MAX];
        for (at, slot) in self.slots.iter_mut().enumerate() {
            *slot = store.get(key(at), &mut record)?.and_then(parse);
            if let Some(slot) = slot {
                self.next_order = self.next_order.max(slot.order + 1);
            }
        }
        Ok(())
    }

    /// The order number the next stanza gets.
    pub(super) fn next_order(&self) -> u32 {
        self.next_order
    }

    /// Stanzas that left the outbox are not on flash any more; but each of them had a packet number of its own, so
    /// this many order numbers were used at least.
    pub(super) fn raise_order(&mut self, next_number: PacketNumber) {
        let unnumbered = self
            .slots
            .iter()
            .flatten()
            .filter(|slot| slot.number.is_none())
            .count() as u32;
        self.next_order = self.next_order.max(next_number.get() + unnumbered + 1);
    }

    pub(super) fn len(&self) -> usize {
        self.slots.iter().flatten().count()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the packet `cause` names was answered before the power failed.
    pub(super) fn is_answered(&self, cause: Cause) -> bool {
        cause.is_some() && self.slots.iter().flatten().any(|slot| slot.cause == cause)
    }

    /// Numbers of the packets under way.
    pub(super) fn numbers(&self) -> impl Iterator<Item = PacketNumber> {
        self.slots.iter().flatten().filter_map(|slot| slot.number)
    }

    /// Stores a stanza; returns its order number.
    pub(super) fn put<F: NorFlash>(
        &mut self,
        store: &mut Store<F>,
        priority: Priority,
        cause: Cause,
        packet: &[u8],
    ) -> Result<u32, EndpointError> {
        let mut slots = self.slots.iter_mut().enumerate();
        let (at, free) = slots
            .find(|(_, slot)| slot.is_none())
            .ok_or(EndpointError::OutboxFull)?;
        let slot = Slot {
            order: self.next_order,
            priority,
            number: None,
            cause,
        };
        let mut record = [0; RECORD_MAX];
        let record = emit(&slot, packet, &mut record).ok_or(EndpointError::TooLong)?;
        if !store.has_room(record.len()) {
            return Err(EndpointError::OutboxFull);
        }
        store.put(key(at), record)?;
        *free = Some(slot);
        self.next_order += 1;
        Ok(slot.order)
    }

    /// The next stanza without a number: the most urgent, then the oldest.
    pub(super) fn next(&self) -> Option<Slot> {
        let waiting = self
            .slots
            .iter()
            .flatten()
            .filter(|slot| slot.number.is_none());
        waiting
            .min_by_key(|slot| (slot.priority, slot.order))
            .copied()
    }

    /// The stanza with this packet number.
    pub(super) fn numbered(&self, number: PacketNumber) -> Option<Slot> {
        self.slots
            .iter()
            .flatten()
            .find(|slot| slot.number == Some(number))
            .copied()
    }

    /// The packet of a stanza, as stored.
    pub(super) fn packet<'b, F: NorFlash>(
        &self,
        store: &mut Store<F>,
        order: u32,
        buffer: &'b mut [u8; RECORD_MAX],
    ) -> Result<Option<&'b [u8]>, StoreError> {
        let Some(at) = self.at(order) else {
            return Ok(None);
        };
        Ok(store
            .get(key(at), buffer)?
            .and_then(|record| record.get(HEAD..)))
    }

    /// Stores the packet number of a stanza.
    pub(super) fn number<F: NorFlash>(
        &mut self,
        store: &mut Store<F>,
        order: u32,
        number: PacketNumber,
    ) -> Result<(), StoreError> {
        let Some((at, slot)) = self.at_mut(order) else {
            return Ok(());
        };
        let mut record = [0; RECORD_MAX];
        let Some(len) = store.get(key(at), &mut record)?.map(<[u8]>::len) else {
            return Ok(());
        };
        if let Some(place) = record.first_chunk_mut::<HEAD>() {
            let [.., n0, n1, n2, n3] = place;
            [*n0, *n1, *n2, *n3] = number.get().to_be_bytes();
        }
        store.put(key(at), record.get(..len).unwrap_or(&[]))?;
        slot.number = Some(number);
        Ok(())
    }

    /// Forgets a stanza: the gateway has custody.
    pub(super) fn clear<F: NorFlash>(
        &mut self,
        store: &mut Store<F>,
        order: u32,
    ) -> Result<(), StoreError> {
        for (at, slot) in self.slots.iter_mut().enumerate() {
            if slot.is_some_and(|slot| slot.order == order) {
                store.clear(key(at))?;
                *slot = None;
            }
        }
        Ok(())
    }

    fn at_mut(&mut self, order: u32) -> Option<(usize, &mut Slot)> {
        let slots = self.slots.iter_mut().enumerate();
        slots
            .filter_map(|(at, slot)| Some((at, slot.as_mut()?)))
            .find(|(_, slot)| slot.order == order)
    }

    fn at(&self, order: u32) -> Option<usize> {
        self.slots
            .iter()
            .position(|slot| slot.is_some_and(|slot| slot.order == order))
    }
}

fn key(at: usize) -> u8 {
    // Below OUTBOX_MAX, so it fits.
    FIRST_KEY + at as u8
}

fn emit<'r>(slot: &Slot, packet: &[u8], record: &'r mut [u8]) -> Option<&'r [u8]> {
    let (cause, part) = slot
        .cause
        .map_or((NONE, 0), |(number, part)| (number.get(), part));
    let number = slot.number.map_or(NONE, PacketNumber::get);
    let parts = [
        &slot.order.to_be_bytes()[..],
        &cause.to_be_bytes(),
        &[part, slot.priority as u8],
        &number.to_be_bytes(),
        packet,
    ];
    join(&parts, record)
}

fn parse(record: &[u8]) -> Option<Slot> {
    let word = |at| word(record, at);
    let number = |value: u32| (value != NONE).then(|| PacketNumber::new(value));
    let priority = match record.get(9)? {
        0 => Priority::Urgent,
        1 => Priority::Chat,
        2 => Priority::Presence,
        _ => Priority::Bulk,
    };
    let part = *record.get(8)?;
    Some(Slot {
        order: word(0)?,
        priority,
        number: number(word(10)?),
        cause: number(word(4)?).map(|cause| (cause, part)),
    })
}

//! Chats that came in and were not read yet, each a record on flash. Refuses to overwrite: a chat that does not fit goes
//! back to its sender as an error.
//!
//! Record: order (4 octets), cause (4), length of the JID (1), JID, text.

use embedded_storage_async::nor_flash::NorFlash;
use longwire_codec::link::PacketNumber;

use super::EndpointError;
use crate::flash::{RECORD_MAX, Store, StoreError, join, word};

/// Chats that can wait to be read.
pub const INBOX_MAX: usize = 12;
const FIRST_KEY: u8 = 64;
const HEAD: usize = 9;

/// A chat in the inbox.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Message<'m> {
    /// Who wrote it, full JID.
    pub from: &'m str,
    /// What it says.
    pub body: &'m str,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    order: u32,
    cause: u32,
}

/// Index of the records.
#[derive(Debug)]
pub(super) struct Inbox {
    slots: [Option<Slot>; INBOX_MAX],
    next_order: u32,
}

impl Inbox {
    pub(super) const fn new() -> Self {
        Self {
            slots: [None; INBOX_MAX],
            next_order: 0,
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

    pub(super) fn len(&self) -> usize {
        self.slots.iter().flatten().count()
    }

    /// Stores a chat that packet `cause` brought; again is as good as once. False if there is no room.
    pub(super) fn put<F: NorFlash>(
        &mut self,
        store: &mut Store<F>,
        cause: PacketNumber,
        message: Message<'_>,
    ) -> Result<bool, StoreError> {
        if self
            .slots
            .iter()
            .flatten()
            .any(|slot| slot.cause == cause.get())
        {
            return Ok(true);
        }
        let order = self.next_order;
        let mut record = [0; RECORD_MAX];
        let record = emit(order, cause, message, &mut record);
        let mut free = self.slots.iter_mut().enumerate();
        let free = free.find(|(_, slot)| slot.is_none());
        let (Some(record), Some((at, slot))) = (record, free) else {
            return Ok(false);
        };
        if !store.has_room(record.len()) {
            return Ok(false);
        }
        store.put(key(at), record)?;
        *slot = Some(Slot {
            order,
            cause: cause.get(),
        });
        self.next_order += 1;
        Ok(true)
    }

    /// The oldest chat.
    pub(super) fn oldest<'m, F: NorFlash>(
        &self,
        store: &mut Store<F>,
        buffer: &'m mut [u8],
    ) -> Result<Option<Message<'m>>, EndpointError> {
        let Some(at) = self.oldest_at() else {
            return Ok(None);
        };
        Ok(store.get(key(at), buffer)?.and_then(read))
    }

    /// Forgets the oldest chat.
    pub(super) fn clear_oldest<F: NorFlash>(
        &mut self,
        store: &mut Store<F>,
    ) -> Result<(), EndpointError> {
        if let Some(at) = self.oldest_at() {
            store.clear(key(at))?;
            if let Some(slot) = self.slots.get_mut(at) {
                *slot = None;
            }
        }
        Ok(())
    }

    fn oldest_at(&self) -> Option<usize> {
        let used = self
            .slots
            .iter()
            .enumerate()
            .filter_map(|(at, slot)| Some((slot.as_ref()?.order, at)));
        used.min().map(|(_, at)| at)
    }
}

fn key(at: usize) -> u8 {
    // Below INBOX_MAX, so it fits.
    FIRST_KEY + at as u8
}

fn emit<'r>(
    order: u32,
    cause: PacketNumber,
    message: Message<'_>,
    record: &'r mut [u8],
) -> Option<&'r [u8]> {
    let parts = [
        &order.to_be_bytes()[..],
        &cause.get().to_be_bytes(),
        &[u8::try_from(message.from.len()).ok()?],
        message.from.as_bytes(),
        message.body.as_bytes(),
    ];
    join(&parts, record)
}

fn parse(record: &[u8]) -> Option<Slot> {
    let word = |at| word(record, at);
    Some(Slot {
        order: word(0)?,
        cause: word(4)?,
    })
}

fn read(record: &[u8]) -> Option<Message<'_>> {
    let (from, body) = record
        .get(HEAD..)?
        .split_at_checked(usize::from(*record.get(8)?))?;
    Some(Message {
        from: core::str::from_utf8(from).ok()?,
        body: core::str::from_utf8(body).ok()?,
    })
}

//! What the link must find again after a restart, in one record. Refuses to count packets itself: the link does.

use embedded_storage_async::nor_flash::NorFlash;
use longwire_codec::link::{Accepted, PacketNumber, Resume};

use super::queue::{NUMBER, Slot};
use super::words::{keep, load};
use crate::flash::{Store, StoreError};

const KEY: u8 = 0;
/// The epoch alone, once more: should the other record be damaged on flash, an older copy of it comes up, and nonces
/// must not.
const EPOCH_KEY: u8 = 1;

/// The record as last stored: our epoch, the peer's, the next number to give out, and in three words what was accepted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept([u32; 6]);

impl Kept {
    /// Reads the record and stores the next epoch: with it, the nonces of all earlier runs are behind us.
    pub(super) fn restart<F: NorFlash>(store: &mut Store<F>) -> Result<Self, StoreError> {
        let (mut words, mut twice) = ([0; 6], [0]);
        load(store, KEY, &mut words)?;
        load(store, EPOCH_KEY, &mut twice)?;
        let latest = words[0].max(twice[0]);
        words[0] = latest.checked_add(1).ok_or(StoreError::Full)?;
        keep(store, EPOCH_KEY, &words[..1])?;
        keep(store, KEY, &words)?;
        Ok(Self(words))
    }

    /// The epoch of this run.
    #[cfg(test)]
    pub(super) fn epoch(&self) -> u32 {
        self.0[0]
    }

    /// What the link is made with, given what is in the outbox. The record does not know of the numbers there, and must
    /// before they leave.
    pub(super) fn resume(&self, outbox: &[Slot]) -> Resume {
        let [epoch, peer_epoch, mut next, base, high, low] = self.0;
        let mut lowest = u32::MAX;
        for slot in outbox {
            if let Some(number) = slot[NUMBER].checked_sub(1) {
                lowest = lowest.min(number);
                next = next.max(slot[NUMBER]);
            }
        }
        Resume {
            epoch,
            peer_epoch,
            next_number: PacketNumber::new(next),
            first_outstanding: PacketNumber::new(lowest.min(next)),
            accepted: Accepted {
                base: PacketNumber::new(base),
                beyond: u64::from(high) << 32 | u64::from(low),
            },
        }
    }

    /// Stores that packets were accepted.
    pub(super) fn accept<F: NorFlash>(
        &mut self,
        store: &mut Store<F>,
        accepted: Accepted,
        peer_epoch: u32,
    ) -> Result<(), StoreError> {
        let [_, peer, _, base, high, low] = &mut self.0;
        *peer = peer_epoch;
        *base = accepted.base.get();
        // Both halves.
        (*high, *low) = ((accepted.beyond >> 32) as u32, accepted.beyond as u32);
        keep(store, KEY, &self.0)
    }

    /// Stores the next number to give out: before the outbox forgets the highest one.
    pub(super) fn advance<F: NorFlash>(
        &mut self,
        store: &mut Store<F>,
        next_number: PacketNumber,
    ) -> Result<(), StoreError> {
        if next_number.get() <= self.0[2] {
            return Ok(());
        }
        self.0[2] = next_number.get();
        keep(store, KEY, &self.0)
    }
}

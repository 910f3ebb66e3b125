//! What the link must find again after a restart, in one record. Refuses to count packets itself: the link does.

use embedded_storage_async::nor_flash::NorFlash;
use longwire_codec::link::{Accepted, PacketNumber, Resume};

use super::queue::{NUMBER, Slot};
use crate::flash::{Store, StoreError, join, word};

const KEY: u8 = 0;
/// The epoch alone, once more: should the other record be damaged on flash, an older copy of it comes up, and nonces
/// must not.
const EPOCH_KEY: u8 = 1;
const LEN: usize = 24;

/// The record as last stored.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept {
    resume: Resume,
}

impl Kept {
    /// Reads the record and stores the next epoch: with it, the nonces of all earlier runs are behind us.
    pub(super) fn restart<F: NorFlash>(store: &mut Store<F>) -> Result<Self, StoreError> {
        let mut record = [0; LEN];
        let mut resume = match store.get(KEY, &mut record)? {
            Some(record) => parse(record).ok_or(StoreError::Broken)?,
            None => Resume::default(),
        };
        let twice = store.get(EPOCH_KEY, &mut record)?;
        let twice = twice.and_then(|record| word(record, 0)).unwrap_or(0);
        let latest = resume.epoch.max(twice);
        resume.epoch = latest.checked_add(1).ok_or(StoreError::Full)?;
        let kept = Self { resume };
        store.put(EPOCH_KEY, &resume.epoch.to_be_bytes())?;
        kept.store(store)?;
        Ok(kept)
    }

    /// The epoch of this run.
    #[cfg(test)]
    pub(super) fn epoch(&self) -> u32 {
        self.resume.epoch
    }

    /// What the link is made with, given what is in the outbox.
    pub(super) fn resume(&mut self, outbox: &[Slot]) -> Resume {
        let (mut lowest, mut next) = (u32::MAX, self.resume.next_number.get());
        for slot in outbox {
            if let Some(number) = slot[NUMBER].checked_sub(1) {
                lowest = lowest.min(number);
                next = next.max(slot[NUMBER]);
            }
        }
        self.resume.next_number = PacketNumber::new(next);
        self.resume.first_outstanding = PacketNumber::new(lowest.min(next));
        self.resume
    }

    /// Stores that packets were accepted.
    pub(super) fn accept<F: NorFlash>(
        &mut self,
        store: &mut Store<F>,
        accepted: Accepted,
        peer_epoch: u32,
    ) -> Result<(), StoreError> {
        self.resume.accepted = accepted;
        self.resume.peer_epoch = peer_epoch;
        self.store(store)
    }

    /// Stores the next number to give out: before the outbox forgets the highest one.
    pub(super) fn advance<F: NorFlash>(
        &mut self,
        store: &mut Store<F>,
        next_number: PacketNumber,
    ) -> Result<(), StoreError> {
        if next_number <= self.resume.next_number {
            return Ok(());
        }
        self.resume.next_number = next_number;
        self.store(store)
    }

    fn store<F: NorFlash>(&self, store: &mut Store<F>) -> Result<(), StoreError> {
        let Resume {
            epoch,
            peer_epoch,
            next_number,
            accepted,
            ..
        } = self.resume;
        let parts = [
            &epoch.to_be_bytes()[..],
            &peer_epoch.to_be_bytes(),
            &next_number.get().to_be_bytes(),
            &accepted.base.get().to_be_bytes(),
            &accepted.beyond.to_be_bytes(),
        ];
        let mut record = [0; LEN];
        let record = join(&parts, &mut record).ok_or(StoreError::TooLong)?;
        store.put(KEY, record)
    }
}

fn parse(record: &[u8]) -> Option<Resume> {
    let word = |at| word(record, at);
    Some(Resume {
        epoch: word(0)?,
        peer_epoch: word(4)?,
        next_number: PacketNumber::new(word(8)?),
        first_outstanding: PacketNumber::new(word(8)?),
        accepted: Accepted {
            base: PacketNumber::new(word(12)?),
            beyond: u64::from_be_bytes(record.get(16..24)?.try_into().ok()?),
        },
    })
}

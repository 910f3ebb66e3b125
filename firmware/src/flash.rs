//! What a board must not forget: numbered records on NOR flash, each replaced whole or not at all when the power
//! fails. Refuses to know what is in a record.
//!
//! Flash is waited for where it is used: the parts this runs on stand still while their flash is written, and code that
//! could stop at every record is twice as large and keeps twice the stack.
//!
//! A record is cleared by storing an empty one, so that flash which can be written only once between erasures
//! serves too.

use core::ops::Range;

use embassy_futures::block_on;
use embedded_storage_async::nor_flash::NorFlash;
use sequential_storage::Error;
use sequential_storage::cache::key_pointers::ArrayKeyPointers;
use sequential_storage::cache::{Cache, Uncached};
use sequential_storage::map::{MapConfig, MapStorage};

/// A record without meaning.
#[cfg(feature = "edhoc")]
const FILLER: u8 = 255;
/// Longest record, octets.
pub const RECORD_MAX: usize = 768;

/// Records whose place is remembered: those that change often fill the blocks, and each of their old copies is looked up
/// when a block is collected. Without this, that is every record of the range read for every copy.
const PLACES: usize = 24;

/// A record with its key, and room to align it.
const SCRATCH_LEN: usize = RECORD_MAX + 16;
/// Octets of flash around a record, at most.
const ITEM_OVERHEAD: usize = 16;
/// Keys of records that may be refused for want of room: chats in and stanzas out. The others must always fit.
const BULK: Range<u8> = 32..80;
/// What the other records take together, at most.
const RESERVED: usize = 2048;

/// Why flash did not do what it was asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum StoreError {
    /// No room is left, even after collecting what was replaced.
    Full,
    /// The flash part reported an error, or its contents are beyond repair.
    Broken,
    /// The record is longer than [`RECORD_MAX`] or than the buffer given for it.
    TooLong,
    /// The range is not at least two whole erase blocks.
    Range,
}

impl<E> From<Error<E>> for StoreError {
    fn from(error: Error<E>) -> Self {
        match error {
            Error::FullStorage => Self::Full,
            Error::BufferTooBig | Error::BufferTooSmall(_) | Error::ItemTooBig => Self::TooLong,
            _ => Self::Broken,
        }
    }
}

/// Records by key, on a range of flash.
pub struct Store<F: NorFlash> {
    map: MapStorage<u8, F, Cache<Uncached, Uncached, ArrayKeyPointers<u8, PLACES>, u8>>,
    /// Octets of the range.
    #[cfg(feature = "edhoc")]
    len: usize,
    /// Lengths of the records of [`BULK`], and what they may take together.
    lens: [u16; BULK.end as usize - BULK.start as usize],
    bulk_max: usize,
}

impl<F: NorFlash> Store<F> {
    /// The records on `range` of `flash`, in octets from its start; a fresh range has none.
    ///
    /// # Errors
    /// [`StoreError::Range`].
    pub fn new(flash: F, range: Range<u32>) -> Result<Self, StoreError> {
        #[cfg(feature = "edhoc")]
        let len = range.len();
        // One block is kept for collecting, and a record is never split between two.
        let blocks = range.len() / F::ERASE_SIZE;
        let usable = F::ERASE_SIZE.saturating_sub(RECORD_MAX + ITEM_OVERHEAD);
        let bulk_max = (blocks.saturating_sub(1) * usable).saturating_sub(RESERVED);
        let config = MapConfig::try_new(range).map_err(|_| StoreError::Range)?;
        Ok(Self {
            map: MapStorage::new(
                flash,
                config,
                Cache::new(Uncached, Uncached, ArrayKeyPointers::new()),
            ),
            #[cfg(feature = "edhoc")]
            len,
            lens: [0; BULK.end as usize - BULK.start as usize],
            bulk_max,
        })
    }

    /// Copies the record `key` to the start of `record`; returns its length, 0 if there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn get(&mut self, key: u8, record: &mut [u8]) -> Result<usize, StoreError> {
        let mut scratch = [0; SCRATCH_LEN];
        let found = block_on(self.map.fetch_item::<&[u8]>(&mut scratch, &key))?;
        let found = found.unwrap_or_default();
        copy(record, found).ok_or(StoreError::TooLong)?;
        note(&mut self.lens, key, found.len());
        Ok(found.len())
    }

    /// Whether a record of `len` octets would leave room for all that must fit. Every record was read once before.
    pub fn has_room(&self, len: usize) -> bool {
        let used = self.lens.iter().filter(|len| **len > 0);
        let used: usize = used.map(|len| usize::from(*len) + ITEM_OVERHEAD).sum();
        used + len + ITEM_OVERHEAD <= self.bulk_max
    }

    /// Replaces the record `key`. When this returns, it is durable.
    ///
    /// # Errors
    /// [`StoreError`]; the old record is still there.
    pub fn put(&mut self, key: u8, record: &[u8]) -> Result<(), StoreError> {
        if record.len() > RECORD_MAX {
            return Err(StoreError::TooLong);
        }
        let mut scratch = [0; SCRATCH_LEN];
        block_on(self.map.store_item_generic(&mut scratch, &key, &record))?;
        note(&mut self.lens, key, record.len());
        Ok(())
    }

    /// Writes round the range once, so that every block is erased and nothing that was replaced is left on flash. Takes
    /// as long as erasing the range.
    ///
    /// # Errors
    /// [`StoreError`]; no record is lost.
    #[cfg(feature = "edhoc")]
    pub fn turn_over(&mut self) -> Result<(), StoreError> {
        // The first block was begun before.
        for _ in 0..=(self.len + F::ERASE_SIZE) / RECORD_MAX {
            self.put(FILLER, &[0xff; RECORD_MAX])?;
        }
        self.clear(FILLER)
    }

    /// Forgets the record `key`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn clear(&mut self, key: u8) -> Result<(), StoreError> {
        self.put(key, &[])
    }
}

/// Remembers how long a record is.
fn note(lens: &mut [u16], key: u8, len: usize) {
    if BULK.contains(&key)
        && let Some(place) = lens.get_mut(usize::from(key - BULK.start))
    {
        // Not above RECORD_MAX.
        *place = len as u16;
    }
}

/// Copies `octets` to the start of `place`; `None` if they do not fit.
pub(crate) fn copy<'p>(place: &'p mut [u8], octets: &[u8]) -> Option<&'p [u8]> {
    let place = place.get_mut(..octets.len())?;
    for (place, octet) in place.iter_mut().zip(octets) {
        *place = *octet;
    }
    Some(place)
}

/// The big-endian integer at octet `at` of a record.
pub(crate) fn word(record: &[u8], at: usize) -> Option<u32> {
    let octets = record.get(at..)?.first_chunk()?;
    Some(u32::from_be_bytes(*octets))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ram_flash::RamFlash;

    const RANGE: Range<u32> = 0..RamFlash::SIZE as u32;

    fn get(flash: &mut RamFlash, key: u8) -> Option<std::vec::Vec<u8>> {
        let mut record = [0; RECORD_MAX];
        let mut store = Store::new(flash, RANGE).expect("whole blocks");
        let len = store.get(key, &mut record).expect("readable");
        (len > 0).then(|| record[..len].to_vec())
    }

    fn put(flash: &mut RamFlash, key: u8, record: &[u8]) -> Result<(), StoreError> {
        Store::new(flash, RANGE)
            .expect("whole blocks")
            .put(key, record)
    }

    #[test]
    fn records_are_replaced_for_ever() {
        let mut flash = RamFlash::new();
        assert_eq!(get(&mut flash, 1), None);
        put(&mut flash, 2, b"stays").expect("room");
        for turn in 0..400u32 {
            put(&mut flash, 1, &turn.to_be_bytes().repeat(20)).expect("old ones are collected");
        }
        assert_eq!(get(&mut flash, 1), Some(399u32.to_be_bytes().repeat(20)));
        assert_eq!(get(&mut flash, 2), Some(b"stays".to_vec()));
        put(&mut flash, 2, &[]).expect("room");
        assert_eq!(get(&mut flash, 2), None);
    }

    #[test]
    fn collecting_a_block_reads_no_more_than_the_range_once() {
        let mut flash = RamFlash::new();
        let mut store = Store::new(&mut flash, RANGE).expect("whole blocks");
        // As the endpoint does: counters change all the time, chats come and go, settings stay.
        for key in 100..110 {
            store.put(key, &[key; 40]).expect("room");
        }
        let mut most = 0;
        for turn in 0..3000u32 {
            let key = match turn % 8 {
                0 => 40 + (turn / 8 % 8) as u8,
                1 | 2 => 4,
                _ => 0,
            };
            let before = store.map.flash().read;
            store
                .put(key, &[turn as u8; 20])
                .expect("old ones are collected");
            most = most.max(store.map.flash().read - before);
        }
        assert!(
            most < RamFlash::SIZE,
            "{most} octets read to write one record"
        );
    }

    #[test]
    fn power_may_fail_at_any_octet() {
        let mut before = RamFlash::new();
        put(&mut before, 1, &[7; 100]).expect("room");
        put(&mut before, 2, b"other").expect("room");
        // Nearly fill the range, so that the collection of replaced records is cut off too.
        for turn in 0..60u8 {
            put(&mut before, 3, &[turn; 120]).expect("room");
        }
        let mut whole = before.clone();
        put(&mut whole, 1, &[8; 100]).expect("room");
        let octets = whole.written - before.written;
        assert!(octets > 100);
        for cut in 0..octets {
            let mut flash = before.clone();
            flash.power_until = Some(flash.written + cut);
            let _ = put(&mut flash, 1, &[8; 100]);
            flash.power_until = None;
            let found = get(&mut flash, 1).expect("old or new");
            assert!(found == [7; 100] || found == [8; 100], "cut at {cut}");
            assert_eq!(get(&mut flash, 2), Some(b"other".to_vec()), "cut at {cut}");
            put(&mut flash, 1, &[9; 100]).expect("still usable");
            assert_eq!(get(&mut flash, 1), Some([9u8; 100].to_vec()));
        }
    }

    #[test]
    fn a_full_flash_says_so_and_keeps_what_it_has() {
        let mut flash = RamFlash::new();
        let full = (0..=255).find_map(|key| {
            put(&mut flash, key, &[key; 500])
                .err()
                .map(|error| (key, error))
        });
        let (key, error) = full.expect("a small flash fills up");
        assert_eq!(error, StoreError::Full);
        assert_eq!(get(&mut flash, key - 1), Some([key - 1; 500].to_vec()));
    }
}

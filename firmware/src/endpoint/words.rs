//! Numbers of 32 bits in records on flash, big-endian. Refuses to know what they count.

use embedded_storage_async::nor_flash::NorFlash;

use crate::flash::{Store, StoreError};

/// Octets of the longest record of nothing but numbers.
const LEN_MAX: usize = 64;

/// Writes numbers to the start of a record.
#[inline(never)]
pub(super) fn emit(words: &[u32], record: &mut [u8]) {
    for (place, word) in record.as_chunks_mut().0.iter_mut().zip(words) {
        *place = word.to_be_bytes();
    }
}

/// Reads numbers from the start of a record; those beyond its end stay as they are.
#[inline(never)]
pub(super) fn parse(record: &[u8], words: &mut [u32]) {
    for (octets, word) in record.as_chunks().0.iter().zip(words) {
        *word = u32::from_be_bytes(*octets);
    }
}

/// Reads a record of numbers; where there is none, they stay as they are.
#[inline(never)]
pub(super) fn load<F: NorFlash>(
    store: &mut Store<F>,
    key: u8,
    words: &mut [u32],
) -> Result<(), StoreError> {
    let mut record = [0; LEN_MAX];
    let len = store.get(key, &mut record)?;
    parse(record.get(..len).unwrap_or_default(), words);
    Ok(())
}

/// Stores a record of numbers, at most 16.
#[inline(never)]
pub(super) fn keep<F: NorFlash>(
    store: &mut Store<F>,
    key: u8,
    words: &[u32],
) -> Result<(), StoreError> {
    let mut record = [0; LEN_MAX];
    emit(words, &mut record);
    store.put(key, record.get(..4 * words.len()).unwrap_or_default())
}

//! What a person or base set and a restart must not undo: position and status text. One record.

use embedded_storage_async::nor_flash::NorFlash;

use super::EndpointError;
use crate::flash::{Store, StoreError, copy, word};

/// Longest status text, octets.
pub const STATUS_MAX: usize = 120;
const KEY: u8 = 2;
/// Whether there is a position (1 octet), latitude and longitude (4 each); the status text follows.
const HEAD: usize = 9;
const LEN: usize = HEAD + STATUS_MAX;

/// A position: WGS 84, in units of 1e-7 degree.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Position {
    /// North positive.
    pub lat_e7: i32,
    /// East positive.
    pub lon_e7: i32,
}

impl Position {
    /// Whether latitude and longitude are within 90 and 180 degrees.
    pub const fn is_on_earth(self) -> bool {
        self.lat_e7.unsigned_abs() <= 900_000_000 && self.lon_e7.unsigned_abs() <= 1_800_000_000
    }
}

/// The record as it lies on flash.
#[derive(Debug)]
pub(super) struct Settings {
    record: [u8; LEN],
    len: usize,
}

impl Settings {
    pub(super) const fn new() -> Self {
        Self {
            record: [0; LEN],
            len: HEAD,
        }
    }

    /// What is on flash.
    pub(super) fn load<F: NorFlash>(&mut self, store: &mut Store<F>) -> Result<(), StoreError> {
        let len = store.get(KEY, &mut self.record)?;
        self.len = len.max(HEAD);
        Ok(())
    }

    pub(super) fn position(&self) -> Option<Position> {
        if self.record[0] == 0 {
            return None;
        }
        Some(Position {
            lat_e7: word(&self.record, 1)?.cast_signed(),
            lon_e7: word(&self.record, 5)?.cast_signed(),
        })
    }

    /// The text of our presence.
    pub(super) fn status(&self) -> &str {
        let status = self.record.get(HEAD..self.len).unwrap_or_default();
        core::str::from_utf8(status).unwrap_or_default()
    }

    pub(super) fn set_position<F: NorFlash>(
        &mut self,
        store: &mut Store<F>,
        position: Position,
    ) -> Result<(), EndpointError> {
        let mut head = [1; HEAD];
        copy(&mut head[1..5], &position.lat_e7.to_be_bytes());
        copy(&mut head[5..], &position.lon_e7.to_be_bytes());
        self.replace(store, 0, &head, self.len)
    }

    pub(super) fn set_status<F: NorFlash>(
        &mut self,
        store: &mut Store<F>,
        status: &str,
    ) -> Result<(), EndpointError> {
        self.replace(store, HEAD, status.as_bytes(), HEAD + status.len())
    }

    /// The settings with `octets` from octet `at` on, `len` in all.
    fn replace<F: NorFlash>(
        &mut self,
        store: &mut Store<F>,
        at: usize,
        octets: &[u8],
        len: usize,
    ) -> Result<(), EndpointError> {
        let mut record = self.record;
        let place = record.get_mut(at..).unwrap_or_default();
        copy(place, octets).ok_or(EndpointError::TooLong)?;
        store.put(KEY, record.get(..len).unwrap_or_default())?;
        (self.record, self.len) = (record, len);
        Ok(())
    }
}

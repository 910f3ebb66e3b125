//! What a person or base set and a restart must not undo: position and status text. One record.

use embedded_storage_async::nor_flash::NorFlash;

use super::EndpointError;
use crate::compose::Position;
use crate::flash::{Store, StoreError, join, word};

/// Longest status text, octets.
pub const STATUS_MAX: usize = 120;
const KEY: u8 = 2;
/// Whether there is a position, latitude, longitude; the status text follows.
const HEAD: usize = 9;

/// The settings.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    position: Option<Position>,
    status: heapless::String<STATUS_MAX>,
}

impl Settings {
    /// What is on flash.
    pub(super) fn load<F: NorFlash>(&mut self, store: &mut Store<F>) -> Result<(), StoreError> {
        let mut record = [0; HEAD + STATUS_MAX];
        if let Some(settings) = store.get(KEY, &mut record)?.and_then(parse) {
            *self = settings;
        }
        Ok(())
    }

    pub(super) fn position(&self) -> Option<Position> {
        self.position
    }

    /// The text of our presence.
    pub(super) fn status(&self) -> Option<&str> {
        (!self.status.is_empty()).then_some(self.status.as_str())
    }

    pub(super) fn set_position<F: NorFlash>(
        &mut self,
        store: &mut Store<F>,
        position: Position,
    ) -> Result<(), EndpointError> {
        let changed = Self {
            position: Some(position),
            ..self.clone()
        };
        self.replace(store, changed)
    }

    pub(super) fn set_status<F: NorFlash>(
        &mut self,
        store: &mut Store<F>,
        status: &str,
    ) -> Result<(), EndpointError> {
        let status = heapless::String::try_from(status).map_err(|_| EndpointError::TooLong)?;
        let changed = Self {
            status,
            ..self.clone()
        };
        self.replace(store, changed)
    }

    fn replace<F: NorFlash>(
        &mut self,
        store: &mut Store<F>,
        changed: Self,
    ) -> Result<(), EndpointError> {
        let Position { lat_e7, lon_e7 } = changed.position.unwrap_or_default();
        let parts = [
            &[u8::from(changed.position.is_some())][..],
            &lat_e7.to_be_bytes(),
            &lon_e7.to_be_bytes(),
            changed.status.as_bytes(),
        ];
        let mut record = [0; HEAD + STATUS_MAX];
        let record = join(&parts, &mut record).ok_or(EndpointError::TooLong)?;
        store.put(KEY, record)?;
        *self = changed;
        Ok(())
    }
}

fn parse(record: &[u8]) -> Option<Settings> {
    let half = |at| word(record, at).map(u32::cast_signed);
    let position = Position {
        lat_e7: half(1)?,
        lon_e7: half(5)?,
    };
    let status =
        heapless::String::try_from(core::str::from_utf8(record.get(HEAD..)?).ok()?).ok()?;
    Some(Settings {
        position: (record.first() == Some(&1)).then_some(position),
        status,
    })
}

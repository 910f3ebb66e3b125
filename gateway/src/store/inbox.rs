//! Stanzas for attachments, until taken. Kept in one batch with the record of accepted packets
//! ([`Store::accept`](super::Store::accept)), which makes delivery exactly once. Refuses to deliver; see [`crate::inbox`].

use rusqlite::params;

use super::{Store, StoreError};

/// A stanza an attachment has not taken yet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Waiting {
    /// Never reused.
    pub id: i64,
    /// The stanza.
    pub xml: String,
}

impl Store {
    /// Keeps a stanza for a service.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn keep(&mut self, service: &str, received_ms: i64, xml: &str) -> Result<i64, StoreError> {
        let mut insert = self
            .connection
            .prepare_cached("INSERT INTO inbox (service, received, xml) VALUES (?1, ?2, ?3)")?;
        Ok(insert.insert(params![service, received_ms, xml])?)
    }

    /// An attachment has taken it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn taken(&mut self, id: i64) -> Result<(), StoreError> {
        self.connection
            .prepare_cached("DELETE FROM inbox WHERE id=?1")?
            .execute([id])?;
        Ok(())
    }

    /// What waits, in order, by service.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn waiting(&self) -> Result<Vec<(String, Waiting)>, StoreError> {
        let mut query = self
            .connection
            .prepare_cached("SELECT service, id, xml FROM inbox ORDER BY id")?;
        let rows = query.query_map([], |row| {
            let waiting = Waiting {
                id: row.get(1)?,
                xml: row.get(2)?,
            };
            Ok((row.get(0)?, waiting))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

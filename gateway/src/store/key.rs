//! Keys that were agreed over the air. Refuses to keep what was replaced: not in the tables, nor in the log of writes.

use std::fmt;

use longwire_codec::rekey::ORIGIN_LEN;
use rusqlite::{OptionalExtension, params};

use super::{Store, StoreError};

/// What is kept of the key of one link.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct KeyRow {
    /// Digest of the key in the operator's file.
    pub origin: [u8; ORIGIN_LEN],
    /// As `codec::rekey::Keys` writes them; empty: the key of the file.
    pub keys: Vec<u8>,
    /// Since when the key is in use, Unix ms.
    pub since_ms: i64,
    /// The operator asked for a new one.
    pub wanted: bool,
}

impl fmt::Debug for KeyRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRow")
            .field("since_ms", &self.since_ms)
            .field("wanted", &self.wanted)
            .finish_non_exhaustive()
    }
}

impl Store {
    /// What is kept for `peer`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn key(&self, peer: &str) -> Result<Option<KeyRow>, StoreError> {
        let mut query = self
            .connection
            .prepare_cached("SELECT origin, keys, since, wanted FROM key WHERE peer=?1")?;
        let found = query.query_row([peer], |row| {
            Ok(KeyRow {
                origin: row.get(0)?,
                keys: row.get(1)?,
                since_ms: row.get(2)?,
                wanted: row.get(3)?,
            })
        });
        Ok(found.optional()?)
    }

    /// Replaces what is kept for `peer`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn keep_key(&mut self, peer: &str, row: &KeyRow) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO key (peer, origin, keys, since, wanted) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![peer, row.origin, row.keys, row.since_ms, row.wanted])?;
        Ok(())
    }

    /// Empties the log of writes, where a replaced key may still lie. Not within a batch.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn forget_log(&mut self) -> Result<(), StoreError> {
        let mut checkpoint = self.connection.prepare("PRAGMA wal_checkpoint(TRUNCATE)")?;
        // It answers with a row; whether another reader kept some of the log is no failure.
        checkpoint.query_row([], |_| Ok(()))?;
        Ok(())
    }
}

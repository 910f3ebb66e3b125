//! Stanzas in custody for an account until a client has them (XEP-0160), and which deliveries were taken already.

use rusqlite::params;

use super::{Store, StoreError};

/// Delivery keys remembered behind the latest.
const DELIVERIES_KEPT: i64 = 100_000;

/// A stanza in custody.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Kept {
    /// Row, never used again.
    pub id: i64,
    /// When it came, Unix milliseconds.
    pub at_ms: i64,
    /// XML.
    pub stanza: String,
}

impl Store {
    /// Takes a stanza into custody.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn keep(&self, account: &str, at_ms: i64, stanza: &str) -> Result<i64, StoreError> {
        let sql = "INSERT INTO hosted_offline (account, at_ms, stanza) VALUES (?1, ?2, ?3)";
        self.db
            .prepare_cached(sql)?
            .execute(params![account, at_ms, stanza])?;
        Ok(self.db.last_insert_rowid())
    }

    /// Stanzas in custody for an account, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn kept(&self, account: &str) -> Result<Vec<Kept>, StoreError> {
        let sql = "SELECT id, at_ms, stanza FROM hosted_offline WHERE account = ?1 ORDER BY id";
        let mut query = self.db.prepare_cached(sql)?;
        let rows = query.query_map([account], |row| {
            Ok(Kept {
                id: row.get(0)?,
                at_ms: row.get(1)?,
                stanza: row.get(2)?,
            })
        })?;
        rows.collect()
    }

    /// How many stanzas are in custody for an account.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn kept_count(&self, account: &str) -> Result<u32, StoreError> {
        let sql = "SELECT count(*) FROM hosted_offline WHERE account = ?1";
        self.db
            .prepare_cached(sql)?
            .query_row([account], |row| row.get(0))
    }

    /// A client has these: custody ends.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn release(&mut self, ids: &[i64]) -> Result<(), StoreError> {
        if ids.is_empty() {
            return Ok(());
        }
        let change = self.db.transaction()?;
        for id in ids {
            change
                .prepare_cached("DELETE FROM hosted_offline WHERE id = ?1")?
                .execute([id])?;
        }
        change.commit()
    }

    /// A stanza that cannot be delivered: custody ends.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn release_one(&self, id: i64) -> Result<(), StoreError> {
        self.db
            .prepare_cached("DELETE FROM hosted_offline WHERE id = ?1")?
            .execute([id])?;
        Ok(())
    }

    /// Begins a change that `commit` makes durable as one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn begin(&self) -> Result<(), StoreError> {
        self.db.execute_batch("BEGIN IMMEDIATE")
    }

    /// Ends what `begin` began; nothing of it stays unless `good`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn end(&self, good: bool) -> Result<(), StoreError> {
        let committed = match good {
            true => self.db.execute_batch("COMMIT"),
            false => Ok(()),
        };
        // A commit that failed, for want of space perhaps, leaves the change open.
        if !self.db.is_autocommit() {
            self.db.execute_batch("ROLLBACK")?;
        }
        committed
    }

    /// Notes that the gateway's delivery `key` was taken. `false` if it was taken before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn take_delivery(&self, key: i64) -> Result<bool, StoreError> {
        let sql = "INSERT OR IGNORE INTO hosted_delivered VALUES (?1)";
        let fresh = self.db.prepare_cached(sql)?.execute([key])? > 0;
        // The gateway forgets a delivery when it is told that it was taken, so only the latest can come again.
        let sql = "DELETE FROM hosted_delivered WHERE delivery < ?1";
        self.db
            .prepare_cached(sql)?
            .execute([key.saturating_sub(DELIVERIES_KEPT)])?;
        Ok(fresh)
    }
}

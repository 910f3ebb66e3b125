//! Accounts: salted keys, never passwords (RFC 5802 section 3).

use rusqlite::{OptionalExtension, Row, params};

use super::{Store, StoreError};

/// What SCRAM needs of an account.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Credentials {
    /// Salt of both hashes.
    pub salt: Vec<u8>,
    /// Rounds of PBKDF2.
    pub iterations: u32,
    /// `StoredKey` with SHA-1.
    pub stored_sha1: Vec<u8>,
    /// `ServerKey` with SHA-1.
    pub server_sha1: Vec<u8>,
    /// `StoredKey` with SHA-256.
    pub stored_sha256: Vec<u8>,
    /// `ServerKey` with SHA-256.
    pub server_sha256: Vec<u8>,
}

fn credentials(row: &Row) -> Result<Credentials, StoreError> {
    Ok(Credentials {
        salt: row.get(0)?,
        iterations: row.get(1)?,
        stored_sha1: row.get(2)?,
        server_sha1: row.get(3)?,
        stored_sha256: row.get(4)?,
        server_sha256: row.get(5)?,
    })
}

impl Store {
    /// Makes an account, or gives an existing one new credentials.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn set_account(&self, jid: &str, keys: &Credentials) -> Result<(), StoreError> {
        self.db.execute(
            "INSERT INTO hosted_account
               (jid, salt, iterations, stored_sha1, server_sha1, stored_sha256, server_sha256)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (jid) DO UPDATE SET salt = ?2, iterations = ?3, stored_sha1 = ?4, server_sha1 = ?5,
               stored_sha256 = ?6, server_sha256 = ?7",
            params![
                jid,
                keys.salt,
                keys.iterations,
                keys.stored_sha1,
                keys.server_sha1,
                keys.stored_sha256,
                keys.server_sha256
            ],
        )?;
        Ok(())
    }

    /// Credentials of an account; `None` if there is no such account.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn account(&self, jid: &str) -> Result<Option<Credentials>, StoreError> {
        let mut query = self.db.prepare_cached(
            "SELECT salt, iterations, stored_sha1, server_sha1, stored_sha256, server_sha256
             FROM hosted_account WHERE jid = ?1",
        )?;
        query.query_row([jid], credentials).optional()
    }

    /// Is there such an account?
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn has_account(&self, jid: &str) -> Result<bool, StoreError> {
        let mut query = self
            .db
            .prepare_cached("SELECT 1 FROM hosted_account WHERE jid = ?1")?;
        query.exists([jid])
    }

    /// All accounts in order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn accounts(&self) -> Result<Vec<String>, StoreError> {
        let mut query = self
            .db
            .prepare_cached("SELECT jid FROM hosted_account ORDER BY jid")?;
        query.query_map([], |row| row.get(0))?.collect()
    }

    /// Removes an account and everything kept for it. `false` if there was none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn remove_account(&mut self, jid: &str) -> Result<bool, StoreError> {
        let change = self.db.transaction()?;
        for table in [
            "roster", "presence", "event", "told", "offline", "archive", "item", "private",
            "blocked",
        ] {
            change.execute(
                &format!("DELETE FROM hosted_{table} WHERE account = ?1"),
                [jid],
            )?;
        }
        let removed = change.execute("DELETE FROM hosted_account WHERE jid = ?1", [jid])?;
        change.commit()?;
        Ok(removed > 0)
    }

    /// Notes when the account's last client left and what it said, for XEP-0012.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn set_last(&self, jid: &str, at_ms: i64, status: &str) -> Result<(), StoreError> {
        let mut query = self
            .db
            .prepare_cached("UPDATE hosted_account SET last_ms = ?2, status = ?3 WHERE jid = ?1")?;
        query.execute(params![jid, at_ms, status])?;
        Ok(())
    }

    /// When the account's last client left, Unix milliseconds, and what it said.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn last(&self, jid: &str) -> Result<Option<(i64, String)>, StoreError> {
        let mut query = self.db.prepare_cached(
            "SELECT last_ms, status FROM hosted_account WHERE jid = ?1 AND last_ms > 0",
        )?;
        query
            .query_row([jid], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
    }
}

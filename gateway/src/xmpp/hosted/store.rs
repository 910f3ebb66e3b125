//! What a hosted domain remembers, in SQLite beside the gateway's outbox. Refuses to lose an acknowledged row: every
//! change is on disk when its function returns.

mod accounts;
mod archive;
mod items;
mod offline;
mod roster;

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

pub use accounts::Credentials;
pub use archive::{Archived, Page, PageAt, PageQuery};
pub use items::Item;
pub use offline::Kept;
pub use roster::{Contact, Subscription};

/// A failure of the database.
pub type StoreError = rusqlite::Error;

/// How long to wait for the rest of the gateway to finish its write.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS hosted_account (
  jid TEXT PRIMARY KEY, salt BLOB NOT NULL, iterations INTEGER NOT NULL,
  stored_sha1 BLOB NOT NULL, server_sha1 BLOB NOT NULL,
  stored_sha256 BLOB NOT NULL, server_sha256 BLOB NOT NULL,
  last_ms INTEGER NOT NULL DEFAULT 0, status TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hosted_roster (
  account TEXT NOT NULL, contact TEXT NOT NULL, name TEXT NOT NULL, groups TEXT NOT NULL,
  subscription INTEGER NOT NULL, ask INTEGER NOT NULL, approved INTEGER NOT NULL,
  listed INTEGER NOT NULL, request TEXT,
  PRIMARY KEY (account, contact)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hosted_presence (
  account TEXT NOT NULL, contact TEXT NOT NULL, resource TEXT NOT NULL, stanza TEXT NOT NULL,
  PRIMARY KEY (account, contact, resource)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hosted_event (
  account TEXT NOT NULL, contact TEXT NOT NULL, node TEXT NOT NULL, stanza TEXT NOT NULL,
  PRIMARY KEY (account, contact, node)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hosted_told (
  account TEXT NOT NULL, contact TEXT NOT NULL, node TEXT NOT NULL, item TEXT NOT NULL,
  PRIMARY KEY (account, contact, node)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hosted_online (jid TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hosted_offline (
  id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, delivery INTEGER,
  at_ms INTEGER NOT NULL, stanza TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS hosted_offline_account ON hosted_offline (account, id);
CREATE TABLE IF NOT EXISTS hosted_delivered (delivery INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS hosted_archive (
  id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, contact TEXT NOT NULL,
  at_ms INTEGER NOT NULL, stanza TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS hosted_archive_account ON hosted_archive (account, id);
CREATE INDEX IF NOT EXISTS hosted_archive_contact ON hosted_archive (account, contact, id);
CREATE TABLE IF NOT EXISTS hosted_item (
  account TEXT NOT NULL, node TEXT NOT NULL, item TEXT NOT NULL,
  seq INTEGER NOT NULL, payload TEXT NOT NULL,
  PRIMARY KEY (account, node, item)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hosted_private (
  account TEXT NOT NULL, key TEXT NOT NULL, payload TEXT NOT NULL,
  PRIMARY KEY (account, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hosted_blocked (
  account TEXT NOT NULL, jid TEXT NOT NULL,
  PRIMARY KEY (account, jid)
) WITHOUT ROWID;
";

/// The database of hosted domains.
#[derive(Debug)]
pub struct Store {
    db: Connection,
}

impl Store {
    /// Opens the file, made if missing.
    ///
    /// # Errors
    /// [`StoreError`] if it is no database or cannot be written.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::set_up(Connection::open(path)?)
    }

    /// A database in memory, for tests and demonstrations.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn in_memory() -> Result<Self, StoreError> {
        Self::set_up(Connection::open_in_memory()?)
    }

    fn set_up(db: Connection) -> Result<Self, StoreError> {
        db.busy_timeout(BUSY_TIMEOUT)?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", "FULL")?;
        db.execute_batch(SCHEMA)?;
        Ok(Self { db })
    }
}

#[cfg(test)]
mod tests;

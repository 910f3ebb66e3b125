//! Everything durable of the gateway in one SQLite file. Refuses to decide: it keeps rows and commits them together;
//! what a row means is said where it is used.
//!
//! The file survives a kill at any moment (write-ahead log, `synchronous=FULL`). What must not come apart is written
//! between [`Store::begin`] and [`Store::commit`]: a stanza received and the number of its packet, a stanza queued and the one it replaces.

pub mod cache;
pub mod group;
pub mod inbox;
pub mod key;
pub mod outbox;
pub mod peer;
mod schema;
#[cfg(test)]
mod tests;

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use rusqlite::Connection;
use thiserror::Error;

/// The database said no.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// SQLite's own words.
    #[error("database: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// Written by a later version of this program.
    #[error("database has schema {found}, this program knows {known}: install the newer program")]
    TooNew {
        /// In the file.
        found: i64,
        /// Ours.
        known: i64,
    },
}

/// Makes a folder, and those above it, for its owner only.
///
/// # Errors
/// It cannot be made.
pub(crate) fn private_folder(folder: &Path) -> io::Result<()> {
    let mut private = DirBuilder::new();
    private.recursive(true).mode(0o700).create(folder)
}

/// The open database.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
}

impl Store {
    /// Opens or creates the file and brings its schema up to date.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::prepare(Connection::open(path)?)
    }

    /// A store that forgets everything when dropped, for tests and the demo.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn in_memory() -> Result<Self, StoreError> {
        Self::prepare(Connection::open_in_memory()?)
    }

    fn prepare(connection: Connection) -> Result<Self, StoreError> {
        connection.set_prepared_statement_cache_capacity(64);
        schema::settle(&connection)?;
        Ok(Self { connection })
    }

    /// Opens a batch: what follows is on disk together with [`Store::commit`], or not at all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn begin(&mut self) -> Result<(), StoreError> {
        self.execute("BEGIN IMMEDIATE")
    }

    /// Ends the batch; all of it is on disk when this returns `Ok`, none of it otherwise.
    ///
    /// # Errors
    /// [`StoreError`], such as a full disk; call [`Store::roll_back`] then.
    pub fn commit(&mut self) -> Result<(), StoreError> {
        self.execute("COMMIT")
    }

    /// Gives the batch up. Without one, nothing happens.
    pub fn roll_back(&mut self) {
        // It fails only where SQLite has rolled back on its own.
        let _ = self.execute("ROLLBACK");
    }

    fn execute(&self, sql: &str) -> Result<(), StoreError> {
        Ok(self.connection.execute_batch(sql)?)
    }

    /// Stanzas in our custody, for all peers.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn outbox_len(&self) -> Result<i64, StoreError> {
        let mut query = self
            .connection
            .prepare_cached("SELECT count(*) FROM outbox")?;
        Ok(query.query_row([], |row| row.get(0))?)
    }
}

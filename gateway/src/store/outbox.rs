//! Rows of the outbox: stanzas in our custody until the far end has them. Refuses to order them; see
//! [`crate::outbox`].

use rusqlite::{OptionalExtension, params};

use super::{Store, StoreError};

/// A stanza waiting for, or on, the air.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Queued {
    /// Never reused.
    pub id: i64,
    /// Name of the peer.
    pub peer: String,
    /// Packet number, once granted.
    pub number: Option<u32>,
    /// Priority: 0 urgent, 1 chat, 2 presence, 3 bulk.
    pub class: u8,
    /// When it was taken, Unix ms.
    pub queued_ms: i64,
    /// When it comes back as an error, Unix ms.
    pub expires_ms: i64,
    /// `from`.
    pub sender: String,
    /// `to`.
    pub recipient: String,
    /// `id`, or empty.
    pub stanza_id: String,
    /// See [`crate::policy::merge`]; empty: nothing replaces it.
    pub merge: String,
    /// The stanza; empty where only the rest was asked for.
    pub xml: String,
}

impl Store {
    /// Keeps a stanza (its `id` is ignored) and says under which id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn queue(&mut self, row: &Queued) -> Result<i64, StoreError> {
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO outbox
             (peer, number, class, queued, expires, sender, recipient, stanza_id, merge, xml)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?;
        Ok(insert.insert(params![
            row.peer,
            row.number,
            row.class,
            row.queued_ms,
            row.expires_ms,
            row.sender,
            row.recipient,
            row.stanza_id,
            row.merge,
            row.xml,
        ])?)
    }

    /// Puts another stanza in a queued one's place.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn requeue(
        &mut self,
        id: i64,
        merge: &str,
        expires_ms: i64,
        xml: &str,
    ) -> Result<(), StoreError> {
        let mut update = self
            .connection
            .prepare_cached("UPDATE outbox SET merge=?2, expires=?3, xml=?4 WHERE id=?1")?;
        update.execute(params![id, merge, expires_ms, xml])?;
        Ok(())
    }

    /// Writes down the packet number of a stanza and the class it goes with, and that the next number is larger.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn number(
        &mut self,
        id: i64,
        peer: &str,
        number: u32,
        class: u8,
    ) -> Result<(), StoreError> {
        self.connection
            .prepare_cached("UPDATE outbox SET number=?2, class=?3 WHERE id=?1")?
            .execute(params![id, number, class])?;
        self.connection
            .prepare_cached("UPDATE peer SET next=max(next, ?2) WHERE name=?1")?
            .execute(params![peer, i64::from(number) + 1])?;
        Ok(())
    }

    /// Ends our custody; `false` if the row was gone already.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn unqueue(&mut self, id: i64) -> Result<bool, StoreError> {
        let mut delete = self
            .connection
            .prepare_cached("DELETE FROM outbox WHERE id=?1")?;
        Ok(delete.execute([id])? == 1)
    }

    /// Makes a stanza expire now: the operator withdrew it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn withdraw(&mut self, id: i64) -> Result<(), StoreError> {
        self.connection
            .prepare_cached("UPDATE outbox SET expires=0 WHERE id=?1")?
            .execute([id])?;
        Ok(())
    }

    /// The stanza of a row as XML.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn queued_xml(&self, id: i64) -> Result<Option<String>, StoreError> {
        let mut query = self
            .connection
            .prepare_cached("SELECT xml FROM outbox WHERE id=?1")?;
        Ok(query.query_row([id], |row| row.get(0)).optional()?)
    }

    /// The stanza of a row as XML, and when it was taken, Unix ms.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn queued_since(&self, id: i64) -> Result<Option<(String, i64)>, StoreError> {
        let mut query = self
            .connection
            .prepare_cached("SELECT xml, queued FROM outbox WHERE id=?1")?;
        let found = query.query_row([id], |row| Ok((row.get(0)?, row.get(1)?)));
        Ok(found.optional()?)
    }

    /// All rows of a peer in the order they were queued, without their XML.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn queued(&self, peer: &str) -> Result<Vec<Queued>, StoreError> {
        let mut query = self.connection.prepare_cached(
            "SELECT id, peer, number, class, queued, expires, sender, recipient, stanza_id, merge
             FROM outbox WHERE peer=?1 ORDER BY id",
        )?;
        let rows = query.query_map([peer], |row| {
            Ok(Queued {
                id: row.get(0)?,
                peer: row.get(1)?,
                number: row.get(2)?,
                class: row.get(3)?,
                queued_ms: row.get(4)?,
                expires_ms: row.get(5)?,
                sender: row.get(6)?,
                recipient: row.get(7)?,
                stanza_id: row.get(8)?,
                merge: row.get(9)?,
                xml: String::new(),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

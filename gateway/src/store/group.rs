//! Groups: what was said in their rooms, who has it, and what their ends must not forget. Refuses to decide who needs it.

use longwire_codec::group::{GroupAccepted, GroupResume};
use longwire_codec::link::PacketNumber;
use rusqlite::{OptionalExtension, Row, params};

use super::{Store, StoreError};

/// What was said is kept this long, messages: as far back as a record of accepted packets reaches.
pub const LOG_MAX: u32 = 256;

/// A message of a room.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Said {
    /// Its packet number, the same at all members.
    pub number: u32,
    /// When it came here, Unix ms.
    pub at_ms: i64,
    /// The stanza as everybody gets it, but for `to`.
    pub xml: String,
}

impl Store {
    /// What the listening end of group `name` keeps.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn group_resume(&self, name: &str) -> Result<GroupResume, StoreError> {
        let mut query = self
            .connection
            .prepare_cached("SELECT base, beyond, epoch, first FROM groups WHERE name=?1")?;
        let found = query.query_row([name], |row| {
            Ok(GroupResume {
                epoch: row.get(2)?,
                from: row.get(3)?,
                accepted: accepted(row)?,
            })
        });
        Ok(found.optional()?.unwrap_or_default())
    }

    /// Keeps that, in one batch with the packet that changed it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn keep_group_resume(&mut self, name: &str, it: &GroupResume) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(
                "INSERT INTO groups (name, epoch, first, base, beyond) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (name) DO UPDATE SET epoch=?2, first=?3, base=?4, beyond=?5",
            )?
            .execute(params![
                name,
                it.epoch,
                it.from,
                it.accepted.base.get(),
                blob(&it.accepted)
            ])?;
        Ok(())
    }

    /// Counts a start, or a renewal, of the speaking end of group `name`: its epoch, from 1.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn start_group_epoch(&mut self, name: &str) -> Result<u32, StoreError> {
        let mut update = self.connection.prepare_cached(
            "INSERT INTO groups (name, epoch) VALUES (?1, 1)
             ON CONFLICT (name) DO UPDATE SET epoch=epoch+1 RETURNING epoch",
        )?;
        Ok(update.query_row([name], |row| row.get(0))?)
    }

    /// The number of the next message.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn group_next(&self, name: &str) -> Result<u32, StoreError> {
        let mut query = self
            .connection
            .prepare_cached("SELECT next FROM groups WHERE name=?1")?;
        let next = query.query_row([name], |row| row.get(0)).optional()?;
        Ok(next.unwrap_or_default())
    }

    /// Keeps a message that was said; the oldest go. The next number is above its own.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn keep_said(&mut self, name: &str, said: &Said) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO said (name, number, at, xml) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![name, said.number, said.at_ms, said.xml])?;
        self.connection
            .prepare_cached("DELETE FROM said WHERE name=?1 AND number + ?3 <= ?2")?
            .execute(params![name, said.number, LOG_MAX])?;
        self.connection
            .prepare_cached("UPDATE groups SET next=max(next, ?2 + 1) WHERE name=?1")?
            .execute(params![name, said.number])?;
        Ok(())
    }

    /// What was said, from `number` on, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn said(&self, name: &str, number: u32) -> Result<Vec<Said>, StoreError> {
        let mut query = self.connection.prepare_cached(
            "SELECT number, at, xml FROM said WHERE name=?1 AND number>=?2 ORDER BY number",
        )?;
        let rows = query.query_map(params![name, number], |row| {
            Ok(Said {
                number: row.get(0)?,
                at_ms: row.get(1)?,
                xml: row.get(2)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What a member has, as it last said; a new member is owed nothing of the past.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn member(&mut self, name: &str, peer: &str) -> Result<GroupAccepted, StoreError> {
        self.connection
            .prepare_cached(
                "INSERT OR IGNORE INTO member (name, peer, base, beyond)
                 VALUES (?1, ?2, coalesce((SELECT next FROM groups WHERE name=?1), 0), ?3)",
            )?
            .execute(params![name, peer, blob(&GroupAccepted::default())])?;
        let mut query = self
            .connection
            .prepare_cached("SELECT base, beyond FROM member WHERE name=?1 AND peer=?2")?;
        Ok(query.query_row([name, peer], accepted)?)
    }

    /// Keeps what a member has.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn keep_member(
        &mut self,
        name: &str,
        peer: &str,
        it: &GroupAccepted,
    ) -> Result<(), StoreError> {
        self.connection
            .prepare_cached("UPDATE member SET base=?3, beyond=?4 WHERE name=?1 AND peer=?2")?
            .execute(params![name, peer, it.base.get(), blob(it)])?;
        Ok(())
    }
}

fn blob(accepted: &GroupAccepted) -> Vec<u8> {
    let words = accepted.beyond.iter();
    words.flat_map(|word| word.to_le_bytes()).collect()
}

/// Columns 0 and 1.
fn accepted(row: &Row<'_>) -> rusqlite::Result<GroupAccepted> {
    let base: u32 = row.get(0)?;
    let octets: [u8; 32] = row.get(1)?;
    let mut beyond = [0; 4];
    for (word, octets) in beyond.iter_mut().zip(octets.chunks_exact(8)) {
        *word = octets
            .iter()
            .rev()
            .fold(0, |word, octet| word << 8 | u64::from(*octet));
    }
    Ok(GroupAccepted {
        base: PacketNumber::new(base),
        beyond,
    })
}

//! What a link must not forget, the ids that short ids stand for, and the airtime account. Refuses to interpret the
//! link's own bytes.

use rusqlite::{OptionalExtension, params};

use super::{Store, StoreError};

/// Packets of each direction whose ids are kept.
const IDS_MAX: u32 = 10_000;
/// Days of the airtime account.
const DAYS_MAX: i64 = 400;

/// The durable part of a link.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct LinkState {
    /// Starts of this end.
    pub epoch: u32,
    /// Starts of the far end, as it said.
    pub peer_epoch: u32,
    /// Packet number to give next.
    pub next: u32,
    /// The lowest of our packets the far end has not confirmed; `next` if all are.
    pub first_outstanding: u32,
    /// Every packet below it is accepted.
    pub accepted_base: u32,
    /// Bit i: `accepted_base + 1 + i` is accepted.
    pub accepted_beyond: u64,
}

/// An id that a packet carried.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CarriedId {
    /// By this end.
    pub sent: bool,
    /// Of the packet.
    pub number: u32,
    /// Which of its ids; 0 is the stanza's own.
    pub ordinal: u8,
    /// As in the stanza.
    pub id: String,
}

/// One line of the airtime account.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Spent {
    /// Name of the peer.
    pub peer: String,
    /// Local bare JID; empty: link control.
    pub user: String,
    /// Octets of frames.
    pub octets: u64,
    /// Airtime.
    pub airtime_ms: u64,
}

impl Store {
    /// What is known of the link to `peer`; all zero for a new one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn link_state(&self, peer: &str) -> Result<LinkState, StoreError> {
        let mut query = self.connection.prepare_cached(
            "SELECT epoch, peer_epoch, next, base, beyond,
                    (SELECT min(number) FROM outbox WHERE outbox.peer=?1)
             FROM peer WHERE name=?1",
        )?;
        let found = query.query_row([peer], |row| {
            let next = row.get(2)?;
            Ok(LinkState {
                epoch: row.get(0)?,
                peer_epoch: row.get(1)?,
                next,
                first_outstanding: row.get::<_, Option<u32>>(5)?.unwrap_or(next),
                accepted_base: row.get(3)?,
                accepted_beyond: row.get::<_, i64>(4)?.cast_unsigned(),
            })
        });
        Ok(found.optional()?.unwrap_or_default())
    }

    /// Counts a start of this end and returns its epoch, from 1.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn start_epoch(&mut self, peer: &str) -> Result<u32, StoreError> {
        let mut update = self.connection.prepare_cached(
            "INSERT INTO peer (name, epoch) VALUES (?1, 1)
             ON CONFLICT (name) DO UPDATE SET epoch=epoch+1 RETURNING epoch",
        )?;
        Ok(update.query_row([peer], |row| row.get(0))?)
    }

    /// Keeps the far end's epoch.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn keep_peer_epoch(&mut self, peer: &str, epoch: u32) -> Result<(), StoreError> {
        self.connection
            .prepare_cached("UPDATE peer SET peer_epoch=?2 WHERE name=?1")?
            .execute(params![peer, epoch])?;
        Ok(())
    }

    /// Keeps the record of accepted packets, in one batch with what came of the newest.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn accept(&mut self, peer: &str, base: u32, beyond: u64) -> Result<(), StoreError> {
        self.connection
            .prepare_cached("UPDATE peer SET base=?2, beyond=?3 WHERE name=?1")?
            .execute(params![peer, base, beyond.cast_signed()])?;
        Ok(())
    }

    /// Keeps an id that a packet carried.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn keep_id(&mut self, peer: &str, id: &CarriedId) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO ids (peer, sent, number, ordinal, id)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![peer, id.sent, id.number, id.ordinal, id.id])?;
        self.connection
            .prepare_cached("DELETE FROM ids WHERE peer=?1 AND sent=?2 AND number<?3")?
            .execute(params![peer, id.sent, id.number.saturating_sub(IDS_MAX)])?;
        Ok(())
    }

    /// The ids kept for `peer`, in the order of the packets of each direction.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn ids(&self, peer: &str) -> Result<Vec<CarriedId>, StoreError> {
        let mut query = self.connection.prepare_cached(
            "SELECT sent, number, ordinal, id FROM ids WHERE peer=?1
             ORDER BY sent, number, ordinal",
        )?;
        let rows = query.query_map([peer], |row| {
            Ok(CarriedId {
                sent: row.get(0)?,
                number: row.get(1)?,
                ordinal: row.get(2)?,
                id: row.get(3)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Adds to the airtime account of one day.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn spend(&mut self, day: i64, spent: &Spent) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(
                "INSERT INTO airtime (day, peer, user, octets, millis) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (day, peer, user)
                 DO UPDATE SET octets=octets+?4, millis=millis+?5",
            )?
            .execute(params![
                day,
                spent.peer,
                spent.user,
                spent.octets as i64,
                spent.airtime_ms as i64
            ])?;
        self.connection
            .prepare_cached("DELETE FROM airtime WHERE day<?1")?
            .execute([day - DAYS_MAX])?;
        Ok(())
    }

    /// The airtime account of one day.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn spent(&self, day: i64) -> Result<Vec<Spent>, StoreError> {
        let mut query = self.connection.prepare_cached(
            "SELECT peer, user, octets, millis FROM airtime WHERE day=?1 ORDER BY peer, user",
        )?;
        let rows = query.query_map([day], |row| {
            Ok(Spent {
                peer: row.get(0)?,
                user: row.get(1)?,
                octets: row.get::<_, i64>(2)? as u64,
                airtime_ms: row.get::<_, i64>(3)? as u64,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

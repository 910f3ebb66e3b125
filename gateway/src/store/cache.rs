//! Requests under way and far entities' state held here. Refuses to judge what may be answered from it; see
//! [`crate::policy`].

use rusqlite::{OptionalExtension, params};

use super::{Store, StoreError};

/// A request that crossed and has no reply yet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Request {
    /// Who asked.
    pub requester: String,
    /// Who was asked.
    pub responder: String,
    /// `id` of the iq.
    pub id: String,
    /// When it is answered with an error, Unix ms.
    pub deadline_ms: i64,
    /// The iq.
    pub xml: String,
}

impl Store {
    /// Writes down a request.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn ask(&mut self, request: &Request) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO iq (requester, responder, id, deadline, xml)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![
                request.requester,
                request.responder,
                request.id,
                request.deadline_ms,
                request.xml
            ])?;
        Ok(())
    }

    /// Takes the request a reply belongs to: its XML, or `None` if nobody waits for it any more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn answered(
        &mut self,
        requester: &str,
        responder: &str,
        id: &str,
    ) -> Result<Option<String>, StoreError> {
        let mut delete = self.connection.prepare_cached(
            "DELETE FROM iq WHERE requester=?1 AND responder=?2 AND id=?3 RETURNING xml",
        )?;
        let found = delete.query_row(params![requester, responder, id], |row| row.get(0));
        Ok(found.optional()?)
    }

    /// Takes the requests whose time is over.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn overdue(&mut self, now_ms: i64) -> Result<Vec<Request>, StoreError> {
        let mut delete = self.connection.prepare_cached(
            "DELETE FROM iq WHERE deadline<=?1 RETURNING requester, responder, id, deadline, xml",
        )?;
        let rows = delete.query_map([now_ms], |row| {
            Ok(Request {
                requester: row.get(0)?,
                responder: row.get(1)?,
                id: row.get(2)?,
                deadline_ms: row.get(3)?,
                xml: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// When the next request is overdue, Unix ms.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn next_deadline(&self) -> Result<Option<i64>, StoreError> {
        let mut query = self
            .connection
            .prepare_cached("SELECT min(deadline) FROM iq")?;
        Ok(query.query_row([], |row| row.get(0))?)
    }

    /// Holds a far entity's state, replacing what was held on the topic.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn hold(
        &mut self,
        owner: &str,
        topic: &str,
        expires_ms: i64,
        xml: &str,
    ) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO held (owner, topic, expires, xml) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![owner, topic, expires_ms, xml])?;
        Ok(())
    }

    /// What is held on a topic and not too old.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn held(
        &self,
        owner: &str,
        topic: &str,
        now_ms: i64,
    ) -> Result<Option<String>, StoreError> {
        let mut query = self
            .connection
            .prepare_cached("SELECT xml FROM held WHERE owner=?1 AND topic=?2 AND expires>?3")?;
        let found = query.query_row(params![owner, topic, now_ms], |row| row.get(0));
        Ok(found.optional()?)
    }

    /// Everything held of `bare` and its resources on a topic: owner and XML.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn held_of(
        &self,
        bare: &str,
        topic: &str,
        now_ms: i64,
    ) -> Result<Vec<(String, String)>, StoreError> {
        // `0` follows `/`, so the range holds exactly the full JIDs of `bare`.
        let mut query = self.connection.prepare_cached(
            "SELECT owner, xml FROM held
             WHERE (owner=?1 OR (owner>?1||'/' AND owner<?1||'0')) AND topic=?2 AND expires>?3
             ORDER BY owner",
        )?;
        let rows = query.query_map(params![bare, topic, now_ms], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Forgets one topic of one owner.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn let_go(&mut self, owner: &str, topic: &str) -> Result<(), StoreError> {
        self.connection
            .prepare_cached("DELETE FROM held WHERE owner=?1 AND topic=?2")?
            .execute(params![owner, topic])?;
        Ok(())
    }

    /// Forgets what is too old.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn sweep(&mut self, now_ms: i64) -> Result<(), StoreError> {
        self.connection
            .prepare_cached("DELETE FROM held WHERE expires<=?1")?
            .execute([now_ms])?;
        Ok(())
    }
}

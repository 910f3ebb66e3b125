//! What clients keep on their server: personal eventing nodes (XEP-0163), private XML (XEP-0049), vCards (XEP-0054) and
//! the block list (XEP-0191).

use rusqlite::{OptionalExtension, params};

use super::{Store, StoreError};

/// An item of a node.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Item {
    /// Item id.
    pub id: String,
    /// Payload as XML, possibly empty.
    pub payload: String,
}

impl Store {
    /// Publishes an item as the newest of its node and forgets all but the newest `max`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn publish(
        &self,
        account: &str,
        node: &str,
        item: &Item,
        max: u32,
    ) -> Result<(), StoreError> {
        self.db.execute(
            "INSERT OR REPLACE INTO hosted_item SELECT ?1, ?2, ?3, coalesce(max(seq), 0) + 1, ?4
             FROM hosted_item WHERE account = ?1 AND node = ?2",
            params![account, node, item.id, item.payload],
        )?;
        self.db.execute(
            "DELETE FROM hosted_item WHERE account = ?1 AND node = ?2 AND item NOT IN
               (SELECT item FROM hosted_item WHERE account = ?1 AND node = ?2 ORDER BY seq DESC LIMIT ?3)",
            params![account, node, max],
        )?;
        Ok(())
    }

    /// Items of a node, oldest first; only the newest `max`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn items(&self, account: &str, node: &str, max: u32) -> Result<Vec<Item>, StoreError> {
        let sql = "SELECT item, payload FROM
                     (SELECT item, payload, seq FROM hosted_item WHERE account = ?1 AND node = ?2
                      ORDER BY seq DESC LIMIT ?3) ORDER BY seq";
        let mut query = self.db.prepare_cached(sql)?;
        let rows = query.query_map(params![account, node, max], |row| {
            Ok(Item {
                id: row.get(0)?,
                payload: row.get(1)?,
            })
        })?;
        rows.collect()
    }

    /// Removes an item, or the whole node. `false` if there was none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn retract(
        &self,
        account: &str,
        node: &str,
        item: Option<&str>,
    ) -> Result<bool, StoreError> {
        let sql = "DELETE FROM hosted_item WHERE account = ?1 AND node = ?2 AND (?3 IS NULL OR item = ?3)";
        Ok(self
            .db
            .prepare_cached(sql)?
            .execute(params![account, node, item])?
            > 0)
    }

    /// Nodes of an account that have items.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn nodes(&self, account: &str) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT DISTINCT node FROM hosted_item WHERE account = ?1 ORDER BY node";
        self.db
            .prepare_cached(sql)?
            .query_map([account], |row| row.get(0))?
            .collect()
    }

    /// Keeps private XML under a key.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn set_private(&self, account: &str, key: &str, payload: &str) -> Result<(), StoreError> {
        let sql = "INSERT OR REPLACE INTO hosted_private VALUES (?1, ?2, ?3)";
        self.db
            .prepare_cached(sql)?
            .execute([account, key, payload])?;
        Ok(())
    }

    /// Private XML under a key.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn private(&self, account: &str, key: &str) -> Result<Option<String>, StoreError> {
        let sql = "SELECT payload FROM hosted_private WHERE account = ?1 AND key = ?2";
        self.db
            .prepare_cached(sql)?
            .query_row([account, key], |row| row.get(0))
            .optional()
    }

    /// JIDs an account has blocked.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn blocked(&self, account: &str) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT jid FROM hosted_blocked WHERE account = ?1 ORDER BY jid";
        self.db
            .prepare_cached(sql)?
            .query_map([account], |row| row.get(0))?
            .collect()
    }

    /// Blocks a JID, or no longer.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn set_blocked(&self, account: &str, jid: &str, blocked: bool) -> Result<(), StoreError> {
        let sql = match blocked {
            true => "INSERT OR IGNORE INTO hosted_blocked VALUES (?1, ?2)",
            false => "DELETE FROM hosted_blocked WHERE account = ?1 AND jid = ?2",
        };
        self.db.prepare_cached(sql)?.execute([account, jid])?;
        Ok(())
    }
}

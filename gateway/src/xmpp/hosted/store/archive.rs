//! The message archive (XEP-0313). Refuses holes: rows are only ever appended.

use rusqlite::params;

use super::{Store, StoreError};

/// An archived message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Archived {
    /// Archive id.
    pub id: i64,
    /// When it was archived, Unix milliseconds.
    pub at_ms: i64,
    /// XML.
    pub stanza: String,
}

/// Where a page lies (XEP-0059).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PageAt {
    /// From this archive id on, exclusive; 0 for the beginning.
    After(i64),
    /// Up to this archive id, exclusive; [`i64::MAX`] for the end.
    Before(i64),
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct PageQuery {
    /// Only with this bare JID.
    pub with: Option<String>,
    /// Not before, Unix milliseconds.
    pub start_ms: Option<i64>,
    /// Not after, Unix milliseconds.
    pub end_ms: Option<i64>,
    /// Position.
    pub at: PageAt,
    /// Most messages wanted.
    pub max: u32,
}

/// What is there.
#[derive(Clone, Debug)]
pub struct Page {
    /// Messages in order of time.
    pub messages: Vec<Archived>,
    /// Is this the last page in its direction?
    pub complete: bool,
    /// All messages that match, on whatever page.
    pub count: u32,
}

const MATCH: &str = "account = ?1 AND (?2 IS NULL OR contact = ?2) AND (?3 IS NULL OR at_ms >= ?3)
    AND (?4 IS NULL OR at_ms <= ?4)";

impl Store {
    /// Appends a message to an account's archive and returns its id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn archive(
        &self,
        account: &str,
        contact: &str,
        at_ms: i64,
        stanza: &str,
    ) -> Result<i64, StoreError> {
        let sql =
            "INSERT INTO hosted_archive (account, contact, at_ms, stanza) VALUES (?1, ?2, ?3, ?4)";
        self.db
            .prepare_cached(sql)?
            .execute(params![account, contact, at_ms, stanza])?;
        Ok(self.db.last_insert_rowid())
    }

    /// One page of an account's archive.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn page(&self, account: &str, query: &PageQuery) -> Result<Page, StoreError> {
        let (bound, order, edge) = match query.at {
            PageAt::After(id) => ("id > ?5", "ASC", id),
            PageAt::Before(id) => ("id < ?5", "DESC", id),
        };
        let sql = format!(
            "SELECT id, at_ms, stanza FROM hosted_archive WHERE {MATCH} AND {bound} ORDER BY id {order} LIMIT ?6"
        );
        // One more than asked for shows whether there is a further page.
        let values = params![
            account,
            query.with,
            query.start_ms,
            query.end_ms,
            edge,
            query.max + 1
        ];
        let mut statement = self.db.prepare_cached(&sql)?;
        let rows = statement.query_map(values, |row| {
            Ok(Archived {
                id: row.get(0)?,
                at_ms: row.get(1)?,
                stanza: row.get(2)?,
            })
        })?;
        let mut messages = rows.collect::<Result<Vec<_>, _>>()?;
        let complete = messages.len() <= query.max as usize;
        messages.truncate(query.max as usize);
        if matches!(query.at, PageAt::Before(_)) {
            messages.reverse();
        }
        let sql = format!("SELECT count(*) FROM hosted_archive WHERE {MATCH}");
        let values = params![account, query.with, query.start_ms, query.end_ms];
        let count = self
            .db
            .prepare_cached(&sql)?
            .query_row(values, |row| row.get(0))?;
        Ok(Page {
            messages,
            complete,
            count,
        })
    }
}

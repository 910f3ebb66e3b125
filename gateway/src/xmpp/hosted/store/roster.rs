//! Rosters, and the last presence of contacts across the radio.

use rusqlite::{OptionalExtension, Row, params};

use super::{Store, StoreError};

/// Who sees whose presence (RFC 6121 section 2.1.2.5).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Subscription {
    /// The account sees the contact.
    pub to: bool,
    /// The contact sees the account.
    pub from: bool,
}

impl Subscription {
    /// The value of the `subscription` attribute.
    pub fn as_str(self) -> &'static str {
        match (self.to, self.from) {
            (false, false) => "none",
            (true, false) => "to",
            (false, true) => "from",
            (true, true) => "both",
        }
    }

    fn number(self) -> u8 {
        u8::from(self.to) | u8::from(self.from) << 1
    }

    fn from_number(number: u8) -> Self {
        Self {
            to: number & 1 != 0,
            from: number & 2 != 0,
        }
    }
}

/// One contact of one account.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Contact {
    /// Bare JID.
    pub jid: String,
    /// Name given by the user, possibly empty.
    pub name: String,
    /// Groups given by the user.
    pub groups: Vec<String>,
    /// Who sees whose presence.
    pub subscription: Subscription,
    /// A subscription request was sent and not answered.
    pub ask: bool,
    /// A request to come is already approved (RFC 6121 section 3.4).
    pub approved: bool,
    /// Shown in the roster. A contact that only asked is not.
    pub listed: bool,
    /// The contact's unanswered request as XML.
    pub request: Option<String>,
}

/// Separates groups in the database; no group can contain it, XML cannot carry it.
const SEPARATOR: char = '\u{1f}';

fn contact(row: &Row) -> Result<Contact, StoreError> {
    let groups: String = row.get(2)?;
    Ok(Contact {
        jid: row.get(0)?,
        name: row.get(1)?,
        groups: groups
            .split(SEPARATOR)
            .filter(|it| !it.is_empty())
            .map(Into::into)
            .collect(),
        subscription: Subscription::from_number(row.get(3)?),
        ask: row.get(4)?,
        approved: row.get(5)?,
        listed: row.get(6)?,
        request: row.get(7)?,
    })
}

const COLUMNS: &str = "contact, name, groups, subscription, ask, approved, listed, request";

impl Store {
    /// Everything known about an account's contacts, those that are not listed too.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn contacts(&self, account: &str) -> Result<Vec<Contact>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM hosted_roster WHERE account = ?1 ORDER BY contact");
        self.db
            .prepare_cached(&sql)?
            .query_map([account], contact)?
            .collect()
    }

    /// One contact; an empty, unlisted one if nothing is known.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn contact(&self, account: &str, jid: &str) -> Result<Contact, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM hosted_roster WHERE account = ?1 AND contact = ?2");
        let found = self
            .db
            .prepare_cached(&sql)?
            .query_row([account, jid], contact)
            .optional()?;
        Ok(found.unwrap_or_else(|| Contact {
            jid: jid.into(),
            ..Contact::default()
        }))
    }

    /// Keeps a contact; one about which there is nothing to know is removed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn set_contact(&self, account: &str, contact: &Contact) -> Result<(), StoreError> {
        let blank = !contact.listed && !contact.approved && contact.request.is_none();
        if blank {
            let sql = "DELETE FROM hosted_roster WHERE account = ?1 AND contact = ?2";
            self.db
                .prepare_cached(sql)?
                .execute([account, &contact.jid])?;
            return Ok(());
        }
        let groups = contact.groups.join(&SEPARATOR.to_string());
        let sql = format!(
            "INSERT OR REPLACE INTO hosted_roster (account, {COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
        );
        self.db.prepare_cached(&sql)?.execute(params![
            account,
            contact.jid,
            contact.name,
            groups,
            contact.subscription.number(),
            contact.ask,
            contact.approved,
            contact.listed,
            contact.request,
        ])?;
        Ok(())
    }

    /// Keeps the last presence of one resource of a contact; `None` removes it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn set_presence(
        &self,
        account: &str,
        contact: &str,
        resource: &str,
        stanza: Option<&str>,
    ) -> Result<(), StoreError> {
        match stanza {
            Some(stanza) => {
                let sql = "INSERT OR REPLACE INTO hosted_presence VALUES (?1, ?2, ?3, ?4)";
                self.db
                    .prepare_cached(sql)?
                    .execute([account, contact, resource, stanza])?;
            }
            None => {
                let sql = "DELETE FROM hosted_presence
                           WHERE account = ?1 AND contact = ?2 AND (?3 = '' OR resource = ?3)";
                self.db
                    .prepare_cached(sql)?
                    .execute([account, contact, resource])?;
            }
        }
        Ok(())
    }

    /// The last presences of all contacts of an account, as XML.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn presences(&self, account: &str) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT stanza FROM hosted_presence WHERE account = ?1";
        self.db
            .prepare_cached(sql)?
            .query_map([account], |row| row.get(0))?
            .collect()
    }

    /// Notes that a client is available, or no longer: a full JID.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn set_online(&self, jid: &str, online: bool) -> Result<(), StoreError> {
        let sql = match online {
            true => "INSERT OR IGNORE INTO hosted_online VALUES (?1)",
            false => "DELETE FROM hosted_online WHERE jid = ?1",
        };
        self.db.prepare_cached(sql)?.execute([jid])?;
        Ok(())
    }

    /// Clients of a domain that are available, or were when the process ended.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn online(&self, domain: &str) -> Result<Vec<String>, StoreError> {
        // Patterns are no danger: a domain with `_` could at most match a sibling that is also hosted here.
        let sql = "SELECT jid FROM hosted_online WHERE jid LIKE '%@' || ?1 || '/%'";
        self.db
            .prepare_cached(sql)?
            .query_map([domain], |row| row.get(0))?
            .collect()
    }

    /// Keeps the last item a contact across the radio showed of a node, as XML of the notification.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn set_event(
        &self,
        account: &str,
        contact: &str,
        node: &str,
        event: &str,
    ) -> Result<(), StoreError> {
        let sql = "INSERT OR REPLACE INTO hosted_event VALUES (?1, ?2, ?3, ?4)";
        self.db
            .prepare_cached(sql)?
            .execute([account, contact, node, event])?;
        Ok(())
    }

    /// Node and notification of what contacts across the radio last showed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn events(&self, account: &str) -> Result<Vec<(String, String)>, StoreError> {
        let sql = "SELECT node, stanza FROM hosted_event WHERE account = ?1";
        let mut query = self.db.prepare_cached(sql)?;
        query
            .query_map([account], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect()
    }

    /// Notes that a contact across the radio is told of an item. `false` if it was told before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn tell(
        &self,
        account: &str,
        contact: &str,
        node: &str,
        item: &str,
    ) -> Result<bool, StoreError> {
        let sql = "INSERT INTO hosted_told VALUES (?1, ?2, ?3, ?4)
                   ON CONFLICT DO UPDATE SET item = ?4 WHERE item <> ?4";
        Ok(self
            .db
            .prepare_cached(sql)?
            .execute([account, contact, node, item])?
            > 0)
    }
}

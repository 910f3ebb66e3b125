//! Whom we tell of our presence, and whose presence we asked for (RFC 6121 section 3), each a record on flash. Refuses
//! a roster of its own: who may subscribe is decided at base, where the accounts are; the board accepts.
//!
//! Record: [`FROM`] and [`ASKED`], one octet; the bare JID.

use embedded_storage_async::nor_flash::NorFlash;

use super::{EndpointError, JID_MAX, Jid};
use crate::flash::{Store, StoreError, copy};
use crate::text::cut;

/// Contacts of a board.
pub const CONTACTS_MAX: usize = 12;
const FIRST_KEY: u8 = 8;

/// They get our presence.
pub(super) const FROM: u8 = 1;
/// We asked for theirs.
pub(super) const ASKED: u8 = 2;

#[derive(Debug)]
struct Contact {
    /// Of them and us; 0: this place is free.
    bits: u8,
    online: bool,
    jid: Jid,
}

/// The contacts.
#[derive(Debug)]
pub(super) struct Contacts([Contact; CONTACTS_MAX]);

/// The JID without its resource.
pub(super) fn bare(jid: &str) -> &str {
    cut(jid, b'/').0
}

impl Contacts {
    pub(super) const fn new() -> Self {
        const FREE: Contact = Contact {
            bits: 0,
            online: false,
            jid: Jid::EMPTY,
        };
        Self([FREE; CONTACTS_MAX])
    }

    /// What is on flash.
    pub(super) fn load<F: NorFlash>(&mut self, store: &mut Store<F>) -> Result<(), StoreError> {
        let mut record = [0; JID_MAX + 1];
        for (key, contact) in (FIRST_KEY..).zip(&mut self.0) {
            let len = store.get(key, &mut record)?;
            if let Some([bits, jid @ ..]) = record.get(..len) {
                contact.bits = *bits;
                contact.jid.set(jid);
            }
        }
        Ok(())
    }

    /// They came online or went; whether that is news.
    pub(super) fn set_online(&mut self, jid: &str, online: bool) -> bool {
        let Some((_, contact)) = self.find(bare(jid)) else {
            return false;
        };
        let is_news = contact.online != online;
        contact.online = online;
        is_news
    }

    /// The contact at this place, if it gets our presence.
    pub(super) fn subscriber(&self, at: usize) -> Option<Jid> {
        let contact = self.0.get(at)?;
        (contact.bits & FROM > 0).then_some(contact.jid)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, bool)> {
        let used = self.0.iter().filter(|contact| contact.bits > 0);
        used.map(|contact| (contact.jid.as_str(), contact.online))
    }

    /// The contact with this bare JID, and its key; with an empty one, a free place.
    fn find(&mut self, jid: &str) -> Option<(u8, &mut Contact)> {
        let mut places = (FIRST_KEY..).zip(&mut self.0);
        places.find(|(_, contact)| contact.jid.octets() == jid.as_bytes())
    }

    /// Sets some bits of what is between a contact and us, and takes others back.
    ///
    /// # Errors
    /// [`EndpointError::TooLong`] if there is no room for one more, or for one with such a JID.
    pub(super) fn change<F: NorFlash>(
        &mut self,
        store: &mut Store<F>,
        jid: &str,
        set: u8,
        unset: u8,
    ) -> Result<(), EndpointError> {
        let jid = bare(jid);
        let wanted = if self.find(jid).is_some() { jid } else { "" };
        let Some((key, contact)) = self.find(wanted) else {
            return Err(EndpointError::TooLong);
        };
        let bits = (contact.bits | set) & !unset;
        if bits == contact.bits {
            return Ok(());
        }
        let mut record = [bits; 1 + JID_MAX];
        copy(&mut record[1..], jid.as_bytes()).ok_or(EndpointError::TooLong)?;
        let (jid, len) = match bits {
            0 => ("", 0),
            _ => (jid, 1 + jid.len()),
        };
        store.put(key, record.get(..len).unwrap_or_default())?;
        contact.jid.set(jid.as_bytes());
        contact.bits = bits;
        contact.online &= bits > 0;
        Ok(())
    }
}

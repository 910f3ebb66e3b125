//! Whom we tell of our presence, and whose presence we asked for (RFC 6121 section 3), each a record on flash. Refuses
//! a roster of its own: who may subscribe is decided at base, where the accounts are; the board accepts.

use embedded_storage_async::nor_flash::NorFlash;

use super::{EndpointError, JID_MAX, Jid};
use crate::flash::{Store, StoreError};

/// Contacts of a board.
pub const CONTACTS_MAX: usize = 12;
const FIRST_KEY: u8 = 8;

/// Bits of the first octet of a record; the bare JID follows.
const HAS_FROM: u8 = 1;
const ASKED: u8 = 2;

#[derive(Clone, Debug)]
struct Contact {
    jid: Jid,
    /// They get our presence.
    from: bool,
    /// We asked for theirs.
    asked: bool,
    online: bool,
}

/// The contacts.
#[derive(Debug)]
pub(super) struct Contacts {
    slots: [Option<Contact>; CONTACTS_MAX],
}

/// The JID without its resource.
pub(super) fn bare(jid: &str) -> &str {
    jid.split_once('/').map_or(jid, |(bare, _)| bare)
}

impl Contacts {
    pub(super) const fn new() -> Self {
        Self {
            slots: [const { None }; CONTACTS_MAX],
        }
    }

    /// What is on flash.
    pub(super) fn load<F: NorFlash>(&mut self, store: &mut Store<F>) -> Result<(), StoreError> {
        let mut record = [0; JID_MAX + 1];
        for (at, slot) in self.slots.iter_mut().enumerate() {
            *slot = store.get(key(at), &mut record)?.and_then(parse);
        }
        Ok(())
    }

    /// They get our presence from now on; false if there is no room for one more contact.
    pub(super) fn accept<F: NorFlash>(
        &mut self,
        store: &mut Store<F>,
        jid: &str,
    ) -> Result<bool, EndpointError> {
        self.change(store, jid, |contact| contact.from = true)
    }

    /// We ask for their presence.
    pub(super) fn ask<F: NorFlash>(
        &mut self,
        store: &mut Store<F>,
        jid: &str,
    ) -> Result<(), EndpointError> {
        let kept = self.change(store, jid, |contact| contact.asked = true)?;
        if kept {
            Ok(())
        } else {
            Err(EndpointError::TooLong)
        }
    }

    /// They no longer get our presence, or no longer send theirs.
    pub(super) fn drop<F: NorFlash>(
        &mut self,
        store: &mut Store<F>,
        jid: &str,
        theirs: bool,
    ) -> Result<(), EndpointError> {
        let Some(at) = self.at(jid) else {
            return Ok(());
        };
        self.change(store, jid, |contact| {
            if theirs {
                contact.asked = false
            } else {
                contact.from = false
            }
        })?;
        if self.slots[at]
            .as_ref()
            .is_some_and(|contact| !contact.from && !contact.asked)
        {
            store.clear(key(at))?;
            self.slots[at] = None;
        }
        Ok(())
    }

    /// They came online or went.
    pub(super) fn set_online(&mut self, jid: &str, online: bool) -> bool {
        let contact = self.at(jid).and_then(|at| self.slots[at].as_mut());
        contact.is_some_and(|contact| core::mem::replace(&mut contact.online, online) != online)
    }

    /// The contact at this place, if it gets our presence.
    pub(super) fn subscriber(&self, at: usize) -> Option<Jid> {
        let contact = self.slots.get(at)?.as_ref()?;
        contact.from.then(|| contact.jid.clone())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, bool)> {
        self.slots
            .iter()
            .flatten()
            .map(|contact| (contact.jid.as_str(), contact.online))
    }

    fn at(&self, jid: &str) -> Option<usize> {
        let wanted = bare(jid);
        self.slots
            .iter()
            .position(|slot| slot.as_ref().is_some_and(|contact| contact.jid == wanted))
    }

    fn change<F: NorFlash>(
        &mut self,
        store: &mut Store<F>,
        jid: &str,
        change: impl FnOnce(&mut Contact),
    ) -> Result<bool, EndpointError> {
        let free = || self.slots.iter().position(Option::is_none);
        let Some(at) = self.at(jid).or_else(free) else {
            return Ok(false);
        };
        let jid = Jid::try_from(bare(jid)).map_err(|_| EndpointError::TooLong)?;
        let blank = Contact {
            jid,
            from: false,
            asked: false,
            online: false,
        };
        let mut contact = self.slots[at].clone().unwrap_or(blank);
        change(&mut contact);
        let mut record = [0; JID_MAX + 1];
        record[0] = if contact.from { HAS_FROM } else { 0 } | if contact.asked { ASKED } else { 0 };
        let end = 1 + contact.jid.len();
        record[1..end].copy_from_slice(contact.jid.as_bytes());
        store.put(key(at), &record[..end])?;
        self.slots[at] = Some(contact);
        Ok(true)
    }
}

fn key(at: usize) -> u8 {
    // Below CONTACTS_MAX, so it fits.
    FIRST_KEY + at as u8
}

fn parse(record: &[u8]) -> Option<Contact> {
    let (bits, jid) = record.split_first()?;
    let jid = Jid::try_from(core::str::from_utf8(jid).ok()?).ok()?;
    Some(Contact {
        jid,
        from: bits & HAS_FROM != 0,
        asked: bits & ASKED != 0,
        online: false,
    })
}

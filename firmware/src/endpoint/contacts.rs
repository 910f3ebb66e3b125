//! Whom we tell of our presence, and whose presence we asked for (RFC 6121 section 3), each a record on flash. Refuses
//! a roster of its own: who may subscribe is decided at base, where the accounts are; the board accepts.

use embedded_storage_async::nor_flash::NorFlash;

use super::{EndpointError, JID_MAX, Jid};
use crate::flash::{Store, StoreError, join};

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
        self.change(store, jid, Some(true), None)
    }

    /// We ask for their presence.
    pub(super) fn ask<F: NorFlash>(
        &mut self,
        store: &mut Store<F>,
        jid: &str,
    ) -> Result<(), EndpointError> {
        let kept = self.change(store, jid, None, Some(true))?;
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
        if self.at(jid).is_some() {
            let (from, asked) = if theirs {
                (None, Some(false))
            } else {
                (Some(false), None)
            };
            self.change(store, jid, from, asked)?;
        }
        Ok(())
    }

    /// They came online or went.
    pub(super) fn set_online(&mut self, jid: &str, online: bool) -> bool {
        let contact = self.at(jid).and_then(|at| self.slots.get_mut(at)?.as_mut());
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

    /// Changes what is between a contact and us, where something is given; false if there is no room for one more.
    fn change<F: NorFlash>(
        &mut self,
        store: &mut Store<F>,
        jid: &str,
        from: Option<bool>,
        asked: Option<bool>,
    ) -> Result<bool, EndpointError> {
        let free = || self.slots.iter().position(Option::is_none);
        let at = self.at(jid).or_else(free);
        let Some((at, slot)) = at.and_then(|at| Some((at, self.slots.get_mut(at)?))) else {
            return Ok(false);
        };
        let mut contact = match slot.clone() {
            Some(contact) => contact,
            None => Contact {
                jid: Jid::try_from(bare(jid)).map_err(|_| EndpointError::TooLong)?,
                from: false,
                asked: false,
                online: false,
            },
        };
        contact.from = from.unwrap_or(contact.from);
        contact.asked = asked.unwrap_or(contact.asked);
        let bits = if contact.from { HAS_FROM } else { 0 } | if contact.asked { ASKED } else { 0 };
        if bits == 0 {
            store.clear(key(at))?;
            *slot = None;
            return Ok(true);
        }
        let mut record = [0; JID_MAX + 1];
        let record = join(&[&[bits], contact.jid.as_bytes()], &mut record);
        store.put(key(at), record.ok_or(EndpointError::TooLong)?)?;
        *slot = Some(contact);
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

//! Ids on the walk: found, referred to, made up. Refuses to tell whose they are in XMPP; a packet and an ordinal name
//! each of them.

use super::{Job, Place, Scribe, Walk};
use crate::alias::ids::{self, IdRef, MINTED_MAX};
use crate::alias::template::Trace;
use crate::session::staged::Origin;
use crate::structure::lexicon::Symbol;
use crate::structure::{Contexts, flag, flat, number, signed, tree};
use crate::value::Fault;
use crate::value::uuid::Uuid;

const OWN: u32 = 0x4964_0001;
const AHEAD: u32 = 0x4964_0002;
const DISTANCE: u32 = 0x4964_0003;
const ORDINAL: u32 = 0x4964_0004;
const REACH: u32 = 0x4964_0005;
const AGAIN: u32 = 0x4964_0006;
const NEAR: u32 = 0x4964_0007;
const DELTA: u32 = 0x4964_0010;

/// Bits of the other end's packet number that are sent, by class. The far end may have moved on by
/// [`SLACK`] packets since this one was written.
const REACH_BITS: [u32; 4] = [10, 16, 24, 32];
/// See [`REACH_BITS`].
const SLACK: u64 = 512;

impl<'w, 'a, D: Scribe> Walk<'w, 'a, D> {
    /// The packet and ordinal that name `text`.
    pub(super) fn find_reference(&self, text: &str) -> Option<IdRef> {
        let memory = &self.memory;
        if let Some((number, ordinal)) = ids::find(memory.writer_ids, memory.next_ids[0], text)
            && number != self.number
        {
            return Some(IdRef {
                own: true,
                number,
                ordinal,
            });
        }
        let made_up = if memory.short_ids {
            ids::unmint(memory.tag, text)
        } else {
            None
        };
        let (number, ordinal) =
            made_up.or_else(|| ids::find(memory.reader_ids, memory.next_ids[1], text))?;
        (number <= memory.reader_latest).then_some(IdRef {
            own: false,
            number,
            ordinal,
        })
    }

    /// Codes a reference; returns the id it stands for at this end, and what a template keeps of it.
    pub(super) fn reference(
        &mut self,
        job: &Job<'w, 'a>,
        given: Option<IdRef>,
    ) -> Result<(&'a str, Trace<'a>), Fault> {
        let contexts = &job.contexts;
        let (own, number) = self.referred_packet(job, given)?;
        let ordinal = given.map_or(0, |id| u32::from(id.ordinal));
        let ordinal = tree(self.d, contexts, ORDINAL, 3, ordinal) as u8;
        let distance = if own {
            self.number.saturating_sub(number)
        } else {
            u32::MAX
        };
        let text = match job.given {
            Some(text) => text,
            None => {
                let shelf = if own {
                    self.memory.writer_ids
                } else {
                    self.memory.reader_ids
                };
                match ids::lookup(shelf, number, ordinal) {
                    Some(id) => self.arena.keep(id)?,
                    None => self.mint(number, ordinal)?,
                }
            }
        };
        self.staged.add_id(text, Origin::Elsewhere);
        Ok((text, Trace::Reference(distance)))
    }

    /// Codes which packet is referred to, and whether it is one of the writing end.
    pub(super) fn referred_packet(
        &mut self,
        job: &Job<'w, 'a>,
        given: Option<IdRef>,
    ) -> Result<(bool, u32), Fault> {
        let contexts = &job.contexts;
        let again = match self.referred {
            Some((own, number)) => {
                let same = given.is_some_and(|id| (id.own, id.number) == (own, number));
                flag(self.d, contexts, AGAIN, same)
            }
            None => false,
        };
        let (own, number) = match self.referred.filter(|_| again) {
            Some(referred) => referred,
            None => {
                let own = flag(self.d, contexts, OWN, given.is_some_and(|id| id.own));
                let number = if own {
                    self.own_number(job, given)?
                } else {
                    self.other_number(contexts, given)
                };
                (own, number)
            }
        };
        self.referred = Some((own, number));
        Ok((own, number))
    }

    /// This end's numbers are sent as distances, cheaply if near that of the template.
    fn own_number(&mut self, job: &Job<'w, 'a>, given: Option<IdRef>) -> Result<u32, Fault> {
        let contexts = &job.contexts;
        let target = given.map_or(0, |id| id.number);
        let ahead = flag(
            self.d,
            contexts,
            AHEAD,
            given.is_some() && target > self.number,
        );
        let distance = target.abs_diff(self.number);
        let before = match job.trace {
            Trace::Reference(before) if !ahead && before != u32::MAX => Some(before),
            _ => None,
        };
        let Some(before) = before else {
            return self.far(contexts, ahead, distance);
        };
        // What the template referred to, counted from here.
        let same = self
            .number
            .saturating_sub(self.template_number)
            .saturating_add(before);
        let saves = |change: u32| {
            3 * change.checked_ilog2().map_or(1, |log| log + 2) < distance.max(2).ilog2() + 6
        };
        let code = match distance {
            _ if distance == same => 1,
            _ if distance == before => 2,
            _ if saves(distance.abs_diff(same))
                && distance.abs_diff(same) <= distance.abs_diff(before) =>
            {
                3
            }
            _ if saves(distance.abs_diff(before)) => 4,
            _ => 0,
        };
        let code = tree(self.d, contexts, NEAR, 3, code);
        let base = match code {
            0 => return self.far(contexts, ahead, distance),
            1 | 3 => same,
            2 | 4 => before,
            _ => return Err(Fault::Malformed),
        };
        if code <= 2 {
            return self.at(ahead, i64::from(base));
        }
        let change = i64::from(distance) - i64::from(base);
        let change = signed(self.d, contexts, DELTA + code, change);
        self.at(ahead, i64::from(base).saturating_add(change))
    }

    fn far(&mut self, contexts: &Contexts, ahead: bool, distance: u32) -> Result<u32, Fault> {
        let distance = number(self.d, contexts, DISTANCE, u64::from(distance));
        self.at(ahead, distance.cast_signed())
    }

    fn at(&self, ahead: bool, distance: i64) -> Result<u32, Fault> {
        let distance = u32::try_from(distance).map_err(|_| Fault::Malformed)?;
        if ahead {
            self.number.checked_add(distance)
        } else {
            self.number.checked_sub(distance)
        }
        .ok_or(Fault::Malformed)
    }

    /// The other end's numbers are sent by their low bits: this end cannot know how far it has got.
    fn other_number(&mut self, contexts: &Contexts, given: Option<IdRef>) -> u32 {
        let latest = self.memory.reader_latest;
        let target = given.map_or(0, |id| id.number);
        let span = u64::from(latest.saturating_sub(target)) + SLACK;
        let class = REACH_BITS.iter().position(|bits| span < 1 << bits);
        let class = tree(self.d, contexts, REACH, 2, class.unwrap_or(3) as u32);
        let bits = REACH_BITS[class as usize & 3];
        let low = flat(self.d, u64::from(target) & ((1 << bits) - 1), bits);
        // The latest number not beyond ours with these low bits.
        let back = u64::from(latest).wrapping_sub(low) & ((1 << bits) - 1);
        latest.wrapping_sub(back as u32)
    }

    /// An id that does not cross: at the far end, one is made up.
    pub(super) fn new_id(&mut self, given: Option<&'a str>) -> Result<&'a str, Fault> {
        if !self.staged.has_id_room() {
            return Err(Fault::Malformed);
        }
        let text = match given {
            Some(text) => text,
            None => self.mint(self.number, self.staged.next_ordinal())?,
        };
        self.staged.add_id(text, Origin::MadeUp);
        Ok(text)
    }

    fn mint(&mut self, number: u32, ordinal: u8) -> Result<&'a str, Fault> {
        let mut out = [0; MINTED_MAX];
        let len = ids::mint(self.memory.tag, number, ordinal, &mut out);
        // Tag and digits are ASCII.
        Ok(self
            .arena
            .keep(core::str::from_utf8(&out[..len]).unwrap_or(""))?)
    }

    /// May the far end make up its own? Ids of stanzas, archives and threads if they are no words; other ids only if
    /// they look like chance, for some mean something: the hash of an avatar, the JID of a bookmark, the word "current".
    pub(super) fn is_opaque(&self, at: &Place<'_>, text: &str) -> bool {
        let name = match at.symbol {
            Symbol::Attribute(id) => self
                .dictionary
                .attributes
                .get(id)
                .map_or("", |(_, name)| name),
            _ => "",
        };
        let element = self.open[self.trail.depth()].and_then(|id| self.dictionary.elements.get(id));
        let Some((ns, element)) = element else {
            return false;
        };
        let ns = self.dictionary.namespaces.get(ns).unwrap_or("");
        match (ns, element, name) {
            ("jabber:client", "message" | "presence" | "iq", "id")
            | ("urn:xmpp:sid:0", "stanza-id" | "origin-id", "id")
            | ("urn:xmpp:mam:2" | "urn:xmpp:mam:1", "result", "id" | "queryid")
            | ("urn:xmpp:mam:2" | "urn:xmpp:mam:1", "query" | "fin", "queryid")
            | ("jabber:client", "thread", "") => is_made_up(text),
            (
                "http://jabber.org/protocol/pubsub" | "http://jabber.org/protocol/pubsub#event",
                "item",
                "id",
            ) => Uuid::parse(text).is_some() || is_server_item(text),
            _ => false,
        }
    }
}

/// Ids no word or address would be taken for. Others cross as they are, so that nothing that equals one is changed.
fn is_made_up(text: &str) -> bool {
    let plain = |octet: u8| {
        octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b':' | b'/' | b'=' | b'+')
    };
    text.bytes().all(plain)
        && (text.len() >= 10 || text.bytes().any(|octet| octet.is_ascii_digit()))
}

/// Item ids made up by a pubsub service: 24 characters of base64url (Prosody).
fn is_server_item(text: &str) -> bool {
    let random = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
    text.len() == 24
        && text.bytes().all(random)
        && text.bytes().any(|octet| octet.is_ascii_digit())
        && text.bytes().any(|octet| octet.is_ascii_uppercase())
}

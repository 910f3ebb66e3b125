//! Strings on the walk: aliases, JIDs by their parts, and tokens after a prefix. Refuses to normalise: parts are put
//! together again octet for octet.

use super::{Scribe, Walk};
use crate::alias::shelf::State;
use crate::features::mix;
use crate::structure::lexicon::hash;
use crate::structure::{Contexts, flag, number, tree};
use crate::value::Fault;
use crate::value::token::Token;

const SLOT: u32 = 0x5374_0001;
const REPEAT: u32 = 0x5374_0002;
const KEEP: u32 = 0x5374_0003;
const NEXT: u32 = 0x5374_0004;
const NEW_SLOT: u32 = 0x5374_0005;
const BARE: u32 = 0x5374_0006;
const HAS_LOCAL: u32 = 0x5374_0007;
const HAS_RESOURCE: u32 = 0x5374_0008;
const PART: u32 = 0x5374_0009;
const LOCAL: u32 = 0x5374_000a;
const DOMAIN: u32 = 0x5374_000b;
const RESOURCE: u32 = 0x5374_000c;
const WORD: u32 = 0x5374_000d;

/// Local part, domain and resource (RFC 7622 section 3.1). None if there is no domain, or an empty part that would
/// not be written again.
pub(super) fn split_jid(text: &str) -> Option<(Option<&str>, &str, Option<&str>)> {
    let (bare, resource) = match text.split_once('/') {
        Some((bare, resource)) => (bare, Some(resource)),
        None => (text, None),
    };
    let (local, domain) = match bare.split_once('@') {
        Some((local, domain)) => (Some(local), domain),
        None => (None, bare),
    };
    let filled = |part: Option<&str>| part.is_none_or(|part| !part.is_empty());
    (!domain.is_empty() && filled(local) && filled(resource)).then_some((local, domain, resource))
}

/// How a part of a string goes.
#[derive(Clone, Copy)]
enum Part<'a> {
    Letters,
    Alias(u16),
    Repeat(u8),
    Word(u16),
    Token(Token<'a>),
    Split(usize, Token<'a>),
}

impl Part<'_> {
    fn code(self) -> u32 {
        match self {
            Self::Letters => 0,
            Self::Alias(_) => 1,
            Self::Repeat(_) => 2,
            Self::Word(_) => 3,
            Self::Token(_) => 4,
            Self::Split(..) => 5,
        }
    }
}

impl<'w, 'a, D: Scribe> Walk<'w, 'a, D> {
    pub(super) fn find_repeat(&self, text: &str) -> Option<u8> {
        let found = self.staged.strings().iter().position(|(_, s)| *s == text);
        found.map(|at| at as u8)
    }

    pub(super) fn find_alias(&self, text: &str) -> Option<u16> {
        if !self.staged.has_touch_room() {
            return None;
        }
        let shelf = self.memory.shelves.strings;
        let mut slots = shelf.with_hash(hash(text));
        slots.find(|slot| {
            shelf.state(*slot) == State::Known && shelf.get(*slot) == Some(text.as_bytes())
        })
    }

    /// Codes a slot both ends know.
    pub(super) fn alias(
        &mut self,
        place: u32,
        slot: u16,
        given: Option<&'a str>,
    ) -> Result<&'a str, Fault> {
        let mut contexts = Contexts::new();
        contexts.add(&[]);
        contexts.add(&[place]);
        // How many there may be to choose from.
        let many = u32::from(self.next_slot()).checked_ilog2().unwrap_or(0);
        contexts.add(&[many]);
        contexts.add(&[place, many]);
        let slot = number(self.d, &contexts, SLOT, u64::from(slot));
        let slot = u16::try_from(slot).map_err(|_| Fault::Unknown)?;
        self.staged.touch(slot);
        if let Some(text) = given {
            return Ok(text);
        }
        let octets = self
            .memory
            .shelves
            .strings
            .get(slot)
            .ok_or(Fault::Unknown)?;
        let text = core::str::from_utf8(octets).map_err(|_| Fault::Unknown)?;
        Ok(self.arena.keep(text)?)
    }

    pub(super) fn repeat(&mut self, contexts: &Contexts, at: u8) -> Result<&'a str, Fault> {
        let at = number(self.d, contexts, REPEAT, u64::from(at)) as usize;
        let found = self.staged.strings().get(at);
        found.map(|(_, text)| *text).ok_or(Fault::Unknown)
    }

    /// Gives a new string a slot, if the writing end thinks it worth one.
    pub(super) fn introduce(
        &mut self,
        contexts: &Contexts,
        text: &'a str,
        worth: bool,
    ) -> Result<(), Fault> {
        if !self.staged.has_string_room() {
            return Ok(());
        }
        let fits = text.len() <= self.memory.shelves.strings.slot_octets();
        let slot = if !self.d.is_reading() && worth && fits {
            self.take_slot()
        } else {
            None
        };
        if !flag(self.d, contexts, KEEP, slot.is_some()) {
            return Ok(());
        }
        let next = self.next_slot();
        let wanted = slot.unwrap_or(0);
        let first = self.staged.strings().is_empty();
        let mut contexts = Contexts::new();
        contexts.add(&[]);
        contexts.add(&[u32::from(first)]);
        contexts.add(&[u32::from(first), u32::from(next).min(8)]);
        if flag(self.d, &contexts, NEXT, wanted == next) {
            return self.introduced(next, text);
        }
        let mut contexts = Contexts::new();
        contexts.add(&[]);
        let slot = number(self.d, &contexts, NEW_SLOT, u64::from(wanted));
        let slot = u16::try_from(slot).map_err(|_| Fault::Malformed)?;
        self.introduced(slot, text)
    }

    fn next_slot(&self) -> u16 {
        match self.staged.next_string() {
            0 => self.next.string,
            next => next,
        }
    }

    /// A slot no packet under way can refer to: the next one, an empty one, or the one not used for longest.
    fn take_slot(&self) -> Option<u16> {
        let shelf = self.memory.shelves.strings;
        let pending = self.memory.pending?;
        let is_free = |slot: &u16| {
            let staged = self.staged.strings().iter().any(|(other, _)| other == slot);
            !staged && *slot < shelf.slots() && !self.staged.touched().contains(slot)
        };
        let is_empty = |slot: &u16| shelf.state(*slot) == State::Empty && is_free(slot);
        let next = self.next_slot();
        if is_empty(&next) {
            return Some(next);
        }
        (0..shelf.slots()).find(is_empty).or_else(|| {
            (0..shelf.slots())
                .filter(|slot| shelf.state(*slot) == State::Known && is_free(slot))
                .filter(|slot| pending.is_past(shelf.used(*slot)))
                .min_by_key(|slot| shelf.used(*slot))
        })
    }

    fn introduced(&mut self, slot: u16, text: &'a str) -> Result<(), Fault> {
        let known = slot < self.memory.shelves.strings.slots();
        let fits = text.len() <= self.memory.shelves.strings.slot_octets();
        if !known || !fits {
            return Err(Fault::Malformed);
        }
        self.staged.add_string(slot, text);
        Ok(())
    }

    /// Codes an address by its parts.
    pub(super) fn jid(&mut self, place: u32, given: Option<&'a str>) -> Result<&'a str, Fault> {
        let parts = given.and_then(split_jid);
        let mut contexts = Contexts::new();
        contexts.add(&[]);
        contexts.add(&[place]);
        let has_resource = parts.is_some_and(|(_, _, resource)| resource.is_some());
        let has_resource = flag(self.d, &contexts, HAS_RESOURCE, has_resource);
        let bare = match (given, has_resource) {
            (Some(text), true) => text.split_once('/').map(|(bare, _)| bare),
            (bare, _) => bare,
        };
        let known = if has_resource {
            self.known_part(mix(BARE, place), bare)?
        } else {
            None
        };
        let bare = match known {
            Some(bare) => bare,
            None => self.bare(&contexts, bare, has_resource)?,
        };
        if !has_resource {
            return Ok(bare);
        }
        let resource = parts.and_then(|(_, _, resource)| resource);
        let resource = self.part(mix(RESOURCE, place), resource)?;
        match given {
            Some(text) => Ok(text),
            None => self.join(&[bare, "/", resource]),
        }
    }

    /// A bare JID both ends know already, if it is one.
    fn known_part(&mut self, place: u32, given: Option<&'a str>) -> Result<Option<&'a str>, Fault> {
        let plan = given.and_then(|text| match self.find_repeat(text) {
            Some(at) => Some(Part::Repeat(at)),
            None => self.find_alias(text).map(Part::Alias),
        });
        let mut contexts = Contexts::new();
        contexts.add(&[]);
        contexts.add(&[place]);
        let code = match plan {
            Some(Part::Alias(_)) => 1,
            Some(_) => 2,
            None => 0,
        };
        Ok(match tree(self.d, &contexts, BARE, 2, code) {
            0 => None,
            1 => {
                let slot = if let Some(Part::Alias(slot)) = plan {
                    slot
                } else {
                    0
                };
                Some(self.alias(place, slot, given)?)
            }
            2 => {
                let at = if let Some(Part::Repeat(at)) = plan {
                    at
                } else {
                    0
                };
                Some(self.repeat(&contexts, at)?)
            }
            _ => return Err(Fault::Malformed),
        })
    }

    fn bare(
        &mut self,
        contexts: &Contexts,
        given: Option<&'a str>,
        introduce: bool,
    ) -> Result<&'a str, Fault> {
        let parts = given.and_then(split_jid);
        let local = parts.and_then(|(local, _, _)| local);
        let has_local = flag(self.d, contexts, HAS_LOCAL, local.is_some());
        let local = if has_local {
            Some(self.part(LOCAL, local)?)
        } else {
            None
        };
        let domain = self.part(DOMAIN, parts.map(|(_, domain, _)| domain))?;
        if has_local {
            let is_new = matches!(
                self.plan_part(domain),
                Part::Letters | Part::Token(_) | Part::Split(..)
            );
            self.introduce(contexts, domain, is_new)?;
        }
        let bare = match (given, local) {
            (Some(text), _) => text,
            (None, Some(local)) => self.join(&[local, "@", domain])?,
            (None, None) => domain,
        };
        if introduce {
            self.introduce(contexts, bare, true)?;
        }
        Ok(bare)
    }

    /// One part of an address, or the text before a token.
    fn part(&mut self, place: u32, given: Option<&'a str>) -> Result<&'a str, Fault> {
        let plan = given.map_or(Part::Letters, |text| self.plan_part(text));
        let mut contexts = Contexts::new();
        contexts.add(&[]);
        contexts.add(&[place]);
        match tree(self.d, &contexts, PART, 3, plan.code()) {
            0 => self.letters(place, given),
            1 => {
                let slot = if let Part::Alias(slot) = plan {
                    slot
                } else {
                    0
                };
                self.alias(place, slot, given)
            }
            2 => {
                let at = if let Part::Repeat(at) = plan { at } else { 0 };
                self.repeat(&contexts, at)
            }
            3 => {
                let word = if let Part::Word(word) = plan { word } else { 0 };
                let word = crate::structure::rank(self.d, &contexts, WORD, word);
                self.dictionary.values.get(word).ok_or(Fault::Malformed)
            }
            4 => {
                let token = if let Part::Token(token) = plan {
                    token
                } else {
                    Token::default()
                };
                self.tokens(&contexts, token, given)
            }
            5 => {
                let (cut, token) = match plan {
                    Part::Split(cut, token) => (cut, token),
                    _ => (0, Token::default()),
                };
                let prefix = self.letters(place, given.map(|text| &text[..cut]))?;
                let rest = self.tokens(&contexts, token, given.map(|text| &text[cut..]))?;
                match given {
                    Some(text) => Ok(text),
                    None => self.join(&[prefix, rest]),
                }
            }
            _ => Err(Fault::Malformed),
        }
    }

    fn plan_part(&self, text: &'a str) -> Part<'a> {
        if let Some(at) = self.find_repeat(text) {
            return Part::Repeat(at);
        }
        if let Some(slot) = self.find_alias(text) {
            return Part::Alias(slot);
        }
        if let Some(word) = self.dictionary.values.find(text) {
            return Part::Word(word);
        }
        let random = |text: &'a str| Token::parse(text).filter(|token| token.looks_random());
        if let Some(token) = random(text) {
            return Part::Token(token);
        }
        let cut = text.rfind(['.', '-', '_', '/']).map(|at| at + 1);
        if let Some(cut) = cut
            && let Some(token) = random(&text[cut..])
        {
            return Part::Split(cut, token);
        }
        Part::Letters
    }

    pub(super) fn tokens(
        &mut self,
        contexts: &Contexts,
        token: Token<'a>,
        given: Option<&'a str>,
    ) -> Result<&'a str, Fault> {
        let d = &mut *self.d;
        if let Some(text) = given {
            token.code(d, contexts, &mut [])?;
            return Ok(text);
        }
        let octets = self.arena.fill(|free| token.code(d, contexts, free))?;
        core::str::from_utf8(octets).map_err(|_| Fault::Characters)
    }

    pub(super) fn join(&mut self, parts: &[&str]) -> Result<&'a str, Fault> {
        let octets = self.arena.fill(|free| {
            let mut len = 0;
            for part in parts {
                let place = free.get_mut(len..len + part.len());
                place
                    .ok_or(Fault::ArenaFull)?
                    .copy_from_slice(part.as_bytes());
                len += part.len();
            }
            Ok::<_, Fault>(len)
        })?;
        core::str::from_utf8(octets).map_err(|_| Fault::Characters)
    }
}

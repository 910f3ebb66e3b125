//! Strings on the walk: aliases, JIDs by their parts, and tokens after a prefix. Refuses to normalise: parts are put
//! together again octet for octet.

use super::{Failed, Scribe, Walk};
use crate::alias::shelf::State;
use crate::features::mix;
use crate::row::put;
use crate::structure::lexicon::hash;
use crate::structure::{self, Contexts, flag, number, rank, tree};
use crate::value::Fault;
use crate::value::token::Token;

const SLOT: u32 = 0x0001_5374;
const REPEAT: u32 = 0x0002_5374;
const KEEP: u32 = 0x0003_5374;
const NEXT: u32 = 0x0004_5374;
const NEW_SLOT: u32 = 0x0005_5374;
const BARE: u32 = 0x0006_5374;
const HAS_LOCAL: u32 = 0x0007_5374;
const HAS_RESOURCE: u32 = 0x0008_5374;
const PART: u32 = 0x0009_5374;
const LOCAL: u32 = 0x000a_5374;
const DOMAIN: u32 = 0x000b_5374;
const RESOURCE: u32 = 0x000c_5374;
const WORD: u32 = 0x000d_5374;

// How a part of an address goes, on the air.
const IS_LETTERS: u32 = 0;
const IS_ALIAS: u32 = 1;
const IS_REPEAT: u32 = 2;
const IS_WORD: u32 = 3;
const IS_TOKEN: u32 = 4;
const IS_SPLIT: u32 = 5;

/// What is before and after the first `octet`, which is ASCII.
fn split_once(text: &str, octet: u8) -> Option<(&str, &str)> {
    let at = text.bytes().position(|other| other == octet)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// An address without its resource.
pub(super) fn bare(text: &str) -> &str {
    split_once(text, b'/').map_or(text, |(bare, _)| bare)
}

/// Local part, domain and resource (RFC 7622 section 3.1). None if there is no domain, or an empty part that would
/// not be written again.
pub(super) fn split_jid(text: &str) -> Option<(Option<&str>, &str, Option<&str>)> {
    let (bare, resource) = match split_once(text, b'/') {
        Some((bare, resource)) => (bare, Some(resource)),
        None => (text, None),
    };
    let (local, domain) = match split_once(bare, b'@') {
        Some((local, domain)) => (Some(local), domain),
        None => (None, bare),
    };
    let filled = !domain.is_empty() && local != Some("") && resource != Some("");
    filled.then_some((local, domain, resource))
}

/// Where what follows the last of some separators, all ASCII, begins.
pub(super) fn after_last(text: &str, separators: &[u8]) -> Option<usize> {
    let at = text.bytes().rposition(|octet| separators.contains(&octet));
    at.map(|at| at + 1)
}

/// Where the token after the last of some separators begins, if it looks like chance.
pub(super) fn token_cut(text: &str, separators: &[u8]) -> Option<u16> {
    let cut = after_last(text, separators)?;
    let token = Token::parse(text.get(cut..)?)?;
    token.looks_random().then_some(u16::try_from(cut).ok()?)
}

impl<'w, 'a, D: Scribe> Walk<'w, 'a, D> {
    pub(super) fn find_repeat(&self, text: &str) -> Option<u16> {
        let found = self
            .staged
            .strings()
            .iter()
            .position(|(_, other)| *other == Some(text));
        found.map(|at| at as u16)
    }

    pub(super) fn find_alias(&self, text: &str) -> Option<u16> {
        // A writer without memory finds nothing; what a reader finds is of no account.
        let pending = self.memory.pending();
        pending.filter(|_| self.staged.has_touch_room())?;
        let shelf = self.memory.shelves.strings();
        let hash = hash(text);
        let mut from = 0;
        while let Some(slot) = shelf.find(hash, from) {
            if shelf.state(slot) == State::Known && shelf.get(slot) == Some(text.as_bytes()) {
                return Some(slot);
            }
            from = slot + 1;
        }
        None
    }

    /// Codes a slot both ends know.
    pub(super) fn alias(
        &mut self,
        place: u32,
        slot: u16,
        given: Option<&'a str>,
    ) -> Result<&'a str, Failed> {
        // How many there may be to choose from.
        let many = u32::from(self.next_slot()).checked_ilog2().unwrap_or(0);
        let contexts = Contexts::of(&[place, many], "a b ab");
        let slot = structure::slot(self.d, &contexts, SLOT, slot);
        self.staged.touch(slot);
        if let Some(text) = given {
            return Ok(text);
        }
        let octets = self.memory.shelves.strings().get(slot);
        let text = octets.and_then(|octets| core::str::from_utf8(octets).ok());
        let text = self.known(text)?;
        self.keep(text)
    }

    pub(super) fn repeat(&mut self, contexts: &Contexts, at: u16) -> Result<&'a str, Failed> {
        let at = number(self.d, contexts, REPEAT, at.into()) as usize;
        let found = self.staged.strings().get(at);
        self.known(found.and_then(|(_, text)| *text))
    }

    /// Gives a new string a slot, if the writing end thinks it worth one.
    pub(super) fn introduce(
        &mut self,
        contexts: &Contexts,
        text: &'a str,
        worth: bool,
    ) -> Result<(), Failed> {
        if !self.staged.has_string_room() {
            return Ok(());
        }
        let shelf = self.memory.shelves.strings();
        let fits = text.len() <= shelf.slot_octets();
        let wanted = if !self.d.is_reading() && worth && fits {
            self.take_slot()
        } else {
            None
        };
        if !flag(self.d, contexts, KEEP, wanted.is_some()) {
            return Ok(());
        }
        let mut slot = self.next_slot();
        let wanted = wanted.unwrap_or(0);
        let first = u32::from(self.staged.strings().is_empty());
        let contexts = Contexts::of(&[first, u32::from(slot).min(8)], "a ab");
        if !flag(self.d, &contexts, NEXT, wanted == slot) {
            slot = structure::slot(self.d, &Contexts::new(), NEW_SLOT, wanted);
        }
        if !fits || slot >= shelf.slots() {
            return Err(Failed);
        }
        self.staged.add_string(slot, text);
        Ok(())
    }

    fn next_slot(&self) -> u16 {
        match self.staged.next_string() {
            0 => self.next.string,
            next => next,
        }
    }

    /// A slot no packet under way can refer to: the next one if it is empty, or another.
    fn take_slot(&self) -> Option<u16> {
        let shelf = self.memory.shelves.strings();
        let pending = self.memory.pending()?;
        let is_taken = |slot| self.staged.is_taken(slot);
        shelf.vacant(pending, self.next_slot(), &is_taken)
    }

    /// Codes an address by its parts.
    pub(super) fn jid(&mut self, place: u32, given: Option<&'a str>) -> Result<&'a str, Failed> {
        let resource = given
            .and_then(split_jid)
            .and_then(|(_, _, resource)| resource);
        let contexts = Contexts::of(&[place], "a");
        let has_resource = flag(self.d, &contexts, HAS_RESOURCE, resource.is_some());
        let bare = given.map(bare);
        if !has_resource {
            return self.bare(&contexts, bare, false);
        }
        let known = bare.and_then(|bare| self.find_known(bare));
        let (way, number) = known.unwrap_or((0, 0));
        let bare_place = mix(BARE, place);
        let known_contexts = Contexts::of(&[bare_place], "a");
        let way = tree(self.d, &known_contexts, BARE, 2, way);
        let bare = if way == 0 {
            self.bare(&contexts, bare, true)
        } else {
            self.both_have(way, bare_place, &known_contexts, number, bare)
        }?;
        let resource = self.part(mix(RESOURCE, place), resource)?;
        self.join(given, &[bare, "/", resource])
    }

    /// Codes an alias or a repetition.
    fn both_have(
        &mut self,
        way: u32,
        place: u32,
        contexts: &Contexts,
        number: u16,
        given: Option<&'a str>,
    ) -> Result<&'a str, Failed> {
        match way {
            IS_ALIAS => self.alias(place, number, given),
            IS_REPEAT => self.repeat(contexts, number),
            _ => Err(Failed),
        }
    }

    fn bare(
        &mut self,
        contexts: &Contexts,
        given: Option<&'a str>,
        introduce: bool,
    ) -> Result<&'a str, Failed> {
        let parts = given.and_then(split_jid);
        let local = parts.and_then(|(local, _, _)| local);
        let has_local = flag(self.d, contexts, HAS_LOCAL, local.is_some());
        let local = if has_local {
            Some(self.part(LOCAL, local)?)
        } else {
            None
        };
        let domain = self.part(DOMAIN, parts.map(|(_, domain, _)| domain))?;
        let bare = match local {
            Some(local) => {
                let (way, _) = self.plan_part(domain);
                let is_new = matches!(way, IS_LETTERS | IS_TOKEN | IS_SPLIT);
                self.introduce(contexts, domain, is_new)?;
                self.join(given, &[local, "@", domain])?
            }
            None => domain,
        };
        if introduce {
            self.introduce(contexts, bare, true)?;
        }
        Ok(bare)
    }

    /// One part of an address, or the text before a token.
    fn part(&mut self, place: u32, given: Option<&'a str>) -> Result<&'a str, Failed> {
        let (way, number) = given.map_or((IS_LETTERS, 0), |text| self.plan_part(text));
        let contexts = Contexts::of(&[place], "a");
        match tree(self.d, &contexts, PART, 3, way) {
            IS_LETTERS => self.letters(place, given),
            IS_WORD => {
                let word = rank(self.d, &contexts, WORD, number);
                self.dictionary.values.get(word).ok_or(Failed)
            }
            IS_TOKEN => self.tokens(&contexts, given),
            IS_SPLIT => {
                let cut = usize::from(number);
                let parts = given.and_then(|text| text.split_at_checked(cut));
                let (prefix, rest) = parts.unzip();
                let prefix = self.letters(place, prefix)?;
                let rest = self.tokens(&contexts, rest)?;
                self.join(given, &[prefix, rest])
            }
            way => self.both_have(way, place, &contexts, number, given),
        }
    }

    /// Where both ends have `text` already.
    fn find_known(&self, text: &str) -> Option<(u32, u16)> {
        match self.find_repeat(text) {
            Some(at) => Some((IS_REPEAT, at)),
            None => self.find_alias(text).map(|slot| (IS_ALIAS, slot)),
        }
    }

    /// The way a part goes, and the number of the word, slot or place, or the length of the prefix.
    fn plan_part(&self, text: &str) -> (u32, u16) {
        if let Some(known) = self.find_known(text) {
            return known;
        }
        if let Some(word) = self.dictionary.values.find(text) {
            return (IS_WORD, word);
        }
        if Token::parse(text).is_some_and(Token::looks_random) {
            return (IS_TOKEN, 0);
        }
        let cut = token_cut(text, b".-_/");
        cut.map_or((IS_LETTERS, 0), |cut| (IS_SPLIT, cut))
    }

    /// Codes a token.
    pub(super) fn tokens(
        &mut self,
        contexts: &Contexts,
        given: Option<&'a str>,
    ) -> Result<&'a str, Failed> {
        let token = given.and_then(Token::parse).unwrap_or_default();
        let len = token.code(self.d, contexts, self.arena.free());
        self.kept(given, len)
    }

    /// The parts together, which are those of `given` on the writing end.
    pub(super) fn join(
        &mut self,
        given: Option<&'a str>,
        parts: &[&str],
    ) -> Result<&'a str, Failed> {
        let mut len = 0;
        for part in parts.iter().filter(|_| given.is_none()) {
            let free = self.arena.free().get_mut(len..);
            if !free.is_some_and(|free| put(free, part.as_bytes())) {
                return self.fail(Fault::ArenaFull);
            }
            len += part.len();
        }
        self.kept(given, len)
    }
}

//! Strings on the walk: aliases, JIDs by their parts, and tokens after a prefix. Refuses to normalise: parts are put
//! together again octet for octet.

use super::{Job, Place, Scribe, Walk};
use crate::alias::shelf::{Shelf, State};
use crate::alias::template::Trace;
use crate::dictionary;
use crate::features::mix;
use crate::structure::lexicon::hash;
use crate::structure::{self, Contexts, Label, Room, flag, number, recipe, tree};
use crate::value::token::Token;
use crate::value::{Fault, Kind, is_among};

const SLOT: Label = Label::new(Room::Strings, 1);
const REPEAT: Label = Label::new(Room::Strings, 2);
const KEEP: Label = Label::new(Room::Strings, 3);
const NEXT: Label = Label::new(Room::Strings, 4);
const NEW_SLOT: Label = Label::new(Room::Strings, 5);
const BARE: Label = Label::new(Room::Strings, 6);
const HAS_LOCAL: Label = Label::new(Room::Strings, 7);
const HAS_RESOURCE: Label = Label::new(Room::Strings, 8);
const PART: Label = Label::new(Room::Strings, 9);
const LOCAL: u32 = 0x000a_5374;
const DOMAIN: u32 = 0x000b_5374;
const RESOURCE: u32 = 0x000c_5374;
const WORD: Label = Label::new(Room::Strings, 13);

// How a part of an address goes, on the air.
const IS_LETTERS: u32 = 0;
pub(super) const IS_ALIAS: u32 = 1;
pub(super) const IS_REPEAT: u32 = 2;
const IS_WORD: u32 = 3;
const IS_TOKEN: u32 = 4;
const IS_SPLIT: u32 = 5;

/// The kinds of value these are.
const WAYS: [Kind; 6] = [
    Kind::Letters,
    Kind::Alias,
    Kind::Repeat,
    Kind::Word,
    Kind::Token,
    Kind::Split,
];

/// What is before and after the first `octet`, which is ASCII; all of it and `None` if there is no such.
fn split_once(text: &str, octet: u8) -> (&str, Option<&str>) {
    let at = text.bytes().position(|other| other == octet);
    let at = at.unwrap_or(text.len());
    (text.get(..at).unwrap_or(""), text.get(at + 1..))
}

/// An address without its resource.
pub(super) fn bare(text: &str) -> &str {
    split_once(text, b'/').0
}

/// Can it be coded as an address (RFC 7622 section 3.1)? Not if a part is empty.
pub(super) fn is_jid(text: &str) -> bool {
    let has_parts = !matches!(bare(text).as_bytes(), [] | [b'@', ..] | [.., b'@']);
    has_parts && text.as_bytes().last() != Some(&b'/')
}

/// Where what follows the last of some separators, all ASCII, begins.
pub(super) fn after_last(text: &str, separators: &[u8]) -> Option<usize> {
    let at = text.bytes().rposition(|octet| is_among(separators, octet));
    at.map(|at| at + 1)
}

/// Where the token after the last of some separators begins, if it looks like chance.
pub(super) fn token_cut(text: &str, separators: &[u8]) -> Option<u16> {
    let cut = after_last(text, separators)?;
    let token = Token::parse(text.get(cut..)?)?;
    token.looks_random().then_some(u16::try_from(cut).ok()?)
}

impl<'w, 'a, D: Scribe> Walk<'w, 'a, D> {
    /// Codes a slot both ends know.
    pub(super) fn alias(&mut self, place: u32, slot: u16, given: &'a str) -> &'a str {
        // How many there may be to choose from.
        let many = u32::from(self.next_slot()).checked_ilog2().unwrap_or(0);
        let contexts = Contexts::of(&[place, many], recipe!("a b ab"));
        let slot = structure::slot(self.d, &contexts, SLOT, slot);
        self.staged.touch(slot);
        match self.memory.shelves.strings().get(slot) {
            Some(octets) => self.settle(given, octets),
            None => self.found(None, Fault::Unknown),
        }
    }

    pub(super) fn repeat(&mut self, contexts: &Contexts, at: u16) -> &'a str {
        let at = number(self.d, contexts, REPEAT, at.into()) as usize;
        let found = self.staged.strings().get(at);
        self.found(found.and_then(|(_, text)| *text), Fault::Unknown)
    }

    /// Gives a new string a slot, if the writing end thinks it worth one.
    pub(super) fn introduce(&mut self, contexts: &Contexts, text: &'a str, worth: bool) {
        if !self.staged.has_string_room() {
            return;
        }
        let shelf = self.memory.shelves.strings();
        let fits = text.len() <= shelf.slot_octets();
        let wanted = if worth && fits {
            self.take_slot(shelf)
        } else {
            None
        };
        if !flag(self.d, contexts, KEEP, wanted.is_some()) {
            return;
        }
        let mut slot = self.next_slot();
        let wanted = wanted.unwrap_or(0);
        let first = u32::from(self.staged.strings().is_empty());
        let contexts = Contexts::of(&[first, u32::from(slot).min(8)], recipe!("a ab"));
        if !flag(self.d, &contexts, NEXT, wanted == slot) {
            slot = structure::slot(self.d, &Contexts::new(), NEW_SLOT, wanted);
        }
        if !fits || slot >= shelf.slots() {
            self.fail(Fault::Malformed);
        }
        self.staged.add_string(slot, text);
    }

    fn next_slot(&self) -> u16 {
        match self.staged.next_string() {
            0 => self.next.string,
            next => next,
        }
    }

    /// A slot no packet under way can refer to: the next one if it is empty, or another. None on the reading end.
    fn take_slot(&self, shelf: Shelf<'_>) -> Option<u16> {
        let pending = self.memory.pending()?;
        let is_taken = |slot| self.staged.is_taken(slot);
        shelf.vacant(pending, self.next_slot(), &is_taken)
    }

    /// Codes an address by its parts.
    pub(super) fn jid(&mut self, place: u32, given: &'a str) -> &'a str {
        let (bare, resource) = split_once(given, b'/');
        let contexts = Contexts::one(place);
        if !flag(self.d, &contexts, HAS_RESOURCE, resource.is_some()) {
            return self.bare(&contexts, given);
        }
        let bare_place = mix(BARE.spread(), place);
        let bare_contexts = Contexts::one(bare_place);
        let (way, number) = self.find_known(bare);
        let way = tree(self.d, &bare_contexts, BARE, 2, way);
        let bare = if way == 0 {
            let bare = self.bare(&contexts, bare);
            self.introduce(&contexts, bare, true);
            bare
        } else {
            self.part_as(way, bare_place, bare_contexts, number, bare)
        };
        let resource = self.part(mix(RESOURCE, place), resource.unwrap_or(""));
        self.join(given, &[bare.as_bytes(), b"/", resource.as_bytes()])
    }

    fn bare(&mut self, contexts: &Contexts, given: &'a str) -> &'a str {
        let (local, domain) = split_once(given, b'@');
        if !flag(self.d, contexts, HAS_LOCAL, domain.is_some()) {
            return self.part(DOMAIN, given);
        }
        let local = self.part(LOCAL, local);
        let domain = self.part(DOMAIN, domain.unwrap_or(""));
        let (way, _) = self.plan_part(domain);
        let is_new = matches!(way, IS_LETTERS | IS_TOKEN | IS_SPLIT);
        self.introduce(contexts, domain, is_new);
        self.join(given, &[local.as_bytes(), b"@", domain.as_bytes()])
    }

    /// One part of an address.
    fn part(&mut self, place: u32, given: &'a str) -> &'a str {
        let (way, number) = self.plan_part(given);
        let contexts = Contexts::one(place);
        let way = tree(self.d, &contexts, PART, 3, way);
        self.part_as(way, place, contexts, number, given)
    }

    /// Codes a part like a value of a kind.
    fn part_as(
        &mut self,
        way: u32,
        place: u32,
        contexts: Contexts,
        number: u16,
        given: &'a str,
    ) -> &'a str {
        let at = Place {
            place,
            hint: dictionary::Kind::Text,
            is_text: false,
        };
        let mut job = Job {
            at,
            contexts,
            word: WORD,
            trace: Trace::Absent,
            given,
            number,
        };
        match WAYS.get(way as usize) {
            Some(kind) => self.coded(*kind, &mut job),
            None => self.found(None, Fault::Malformed),
        }
    }

    /// Where both ends have `text` already: the way, 0 if they have not, and the slot or place.
    pub(super) fn find_known(&self, text: &str) -> (u32, u16) {
        let strings = self.staged.strings().iter();
        for ((_, other), at) in strings.zip(0..) {
            if *other == Some(text) {
                return (IS_REPEAT, at);
            }
        }
        // A writer without memory finds nothing more; what a reader finds is of no account.
        if self.memory.pending().is_none() || !self.staged.has_touch_room() {
            return (0, 0);
        }
        let shelf = self.memory.shelves.strings();
        let hash = hash(text);
        let mut from = 0;
        while let Some(slot) = shelf.find(hash, from) {
            if shelf.state(slot) == State::Known && shelf.get(slot) == Some(text.as_bytes()) {
                return (IS_ALIAS, slot);
            }
            from = slot + 1;
        }
        (0, 0)
    }

    /// The way a part goes, and the number of the word, slot or place, or the length of the prefix.
    fn plan_part(&self, text: &str) -> (u32, u16) {
        let known = self.find_known(text);
        if known.0 > 0 {
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
    pub(super) fn tokens(&mut self, contexts: &Contexts, given: &'a str) -> &'a str {
        let token = Token::parse(given).unwrap_or_default();
        let len = token.code(self.d, contexts, self.arena.free());
        self.kept(given, len)
    }
}

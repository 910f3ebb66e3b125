//! Which way a value goes, decided at the writing end, and each way's coding. Refuses to look for the cheapest code:
//! the order of the attempts is fixed, so that it costs little to decide.

use super::ids as walk_ids;
use super::named::{self, Tail};
use super::quote::Quote;
use super::{Job, Place, Scribe, Walk};
use crate::alias::ids::{self, IdRef};
use crate::alias::template::Trace;
use crate::dictionary;
use crate::session::staged::Origin;
use crate::structure::lexicon::{Symbol, hash};
use crate::structure::{flag, rank};
use crate::text::hint;
use crate::value::decimal::{self, Decimal};
use crate::value::time::{self, EPOCH_S, Time};
use crate::value::token::Token;
use crate::value::uuid::{self, Uuid};
use crate::value::{Fault, Kind};

const WORD: u32 = 0x506c_0001;
const BEFORE: u32 = 0x506c_0003;

/// How a value is to be written.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Plan<'a> {
    Prose,
    Word(u16),
    Alias(u16),
    Repeat(u8),
    Reference(IdRef),
    NewId,
    SameId(u8),
    Jid,
    Uuid(Uuid),
    Token(Token<'a>),
    Integer(Decimal),
    Decimal(Decimal),
    Time(Time),
    Split(usize, Tail<'a>),
    Letters,
    Quote(Quote<'a>),
}

impl Plan<'_> {
    /// The kind of code.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Prose => Kind::Prose,
            Self::Word(_) => Kind::Word,
            Self::Alias(_) => Kind::Alias,
            Self::Repeat(_) => Kind::Repeat,
            Self::Reference(_) => Kind::Reference,
            Self::NewId => Kind::NewId,
            Self::SameId(_) => Kind::SameId,
            Self::Jid => Kind::Jid,
            Self::Uuid(_) => Kind::Uuid,
            Self::Token(_) => Kind::Token,
            Self::Integer(_) => Kind::Integer,
            Self::Decimal(_) => Kind::Decimal,
            Self::Time(_) => Kind::Time,
            Self::Split(..) => Kind::Split,
            Self::Letters => Kind::Letters,
            Self::Quote(_) => Kind::Quote,
        }
    }
}

/// The kind in words, for people.
pub(super) fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Prose => "text",
        Kind::Word => "word",
        Kind::Alias => "alias",
        Kind::Repeat => "repeated",
        Kind::Reference => "reference",
        Kind::NewId => "new id",
        Kind::SameId => "same id",
        Kind::Jid => "JID",
        Kind::Uuid => "UUID",
        Kind::Token => "token",
        Kind::Integer => "integer",
        Kind::Decimal => "decimal",
        Kind::Time => "time",
        Kind::Split => "prefix and token",
        Kind::Letters => "letters",
        Kind::Quote => "quotation and text",
    }
}

impl<'w, 'a, D: Scribe> Walk<'w, 'a, D> {
    /// True where ids stand.
    pub(super) fn is_id_place(&self, at: &Place<'_>) -> bool {
        // An occupant is referred to as often as an address, so its id is an alias (XEP-0421).
        at.hint == dictionary::Kind::Id && self.element_name() != Some("occupant-id")
    }

    /// True where `text` may be taken for the id of a packet. Clients choose ids freely, so a word, an address or a hash
    /// that equals one is no reference where other things than references stand.
    fn may_refer(&self, at: &Place<'_>, text: &str, is_prose_place: bool) -> bool {
        let is_chance =
            || Uuid::parse(text).is_some() || ids::unmint(self.memory.tag, text).is_some();
        if self.is_id_place(at) {
            return !self.names_things() || is_chance() || self.is_opaque(at, text);
        }
        !is_prose_place && is_chance()
    }

    /// Items and what they are about often have names with a meaning: the hash of an avatar, the JID of a room.
    fn names_things(&self) -> bool {
        matches!(self.element_name(), Some("item" | "info"))
    }

    /// True if `text`, which crossed, is remembered as the id of a packet and not as a string. Both ends must agree.
    fn is_packet_id(&self, at: &Place<'_>, text: &str) -> bool {
        let is_chance = || Uuid::parse(text).is_some() || walk_ids::is_server_item(text);
        self.is_id_place(at) && (!self.names_things() || is_chance())
    }

    fn element_name(&self) -> Option<&'a str> {
        let id = self.trail.id()?;
        self.dictionary.elements.get(id).map(|(_, name)| name)
    }

    /// Chooses the way.
    pub(super) fn plan(&self, at: &Place<'_>, trace: Trace<'_>, text: &'a str) -> Plan<'a> {
        let is_prose_place = matches!(at.symbol, Symbol::Text) && at.hint == dictionary::Kind::Text;
        if self.may_refer(at, text, is_prose_place) {
            if let Some(ordinal) = self.staged.find_id(text) {
                return Plan::SameId(ordinal);
            }
            if let Some(reference) = self.find_reference(text) {
                return Plan::Reference(reference);
            }
        }
        if let Some(word) = self.dictionary.values.find(text) {
            return Plan::Word(word);
        }
        if self.is_new_id(at, text) {
            return Plan::NewId;
        }
        if let Some(repeat) = self.find_repeat(text) {
            return Plan::Repeat(repeat);
        }
        if let Some(alias) = self.find_alias(text) {
            return Plan::Alias(alias);
        }
        self.plan_literal(at, trace, text, is_prose_place)
    }

    fn plan_literal(
        &self,
        at: &Place<'_>,
        trace: Trace<'_>,
        text: &'a str,
        is_prose_place: bool,
    ) -> Plan<'a> {
        if let Some(uuid) = Uuid::parse(text) {
            return Plan::Uuid(uuid);
        }
        if self.is_id_place(at) {
            if let Some(uuid) = Uuid::parse_plain(text) {
                return Plan::Uuid(uuid);
            }
            if let Some((cut, tail)) = named::split(trace, text) {
                return Plan::Split(cut, tail);
            }
        }
        if let Some(time) = Time::parse(text) {
            return Plan::Time(time);
        }
        if let Some(number) = Decimal::parse(text) {
            return if number.is_whole() {
                Plan::Integer(number)
            } else {
                Plan::Decimal(number)
            };
        }
        let is_jid_place = at.hint == dictionary::Kind::Jid;
        let like_jid = is_jid_place || (text.contains('@') && !text.contains([' ', ':', '\n']));
        if like_jid && super::strings::split_jid(text).is_some() {
            return Plan::Jid;
        }
        let is_coded = matches!(at.hint, dictionary::Kind::Base64 | dictionary::Kind::Hex);
        if let Some(token) = Token::parse(text)
            && (is_coded || token.looks_random())
        {
            return Plan::Token(token);
        }
        if is_prose_place {
            if let Some(quote) = self.find_quote(text) {
                return Plan::Quote(quote);
            }
            return Plan::Prose;
        }
        let cut = text
            .rfind(['.', '-', '_', ':', '/', ' ', '#'])
            .map(|at| at + 1);
        if let Some(cut) = cut
            && let Some(token) = Token::parse(&text[cut..])
            && token.looks_random()
        {
            return Plan::Split(cut, Tail::Token(token));
        }
        Plan::Letters
    }

    /// Codes a value the way `kind` says; also returns what a template keeps of it.
    pub(super) fn coded(
        &mut self,
        kind: Kind,
        job: &Job<'w, 'a>,
    ) -> Result<(&'a str, Trace<'a>), Fault> {
        let given = job.given;
        Ok(match kind {
            Kind::Prose => {
                let text = self.prose(job.given)?;
                if self.element_name() == Some("body") {
                    self.staged.note_body(text);
                    return Ok((text, Trace::Long));
                }
                let worth = (3..=48).contains(&text.len());
                self.introduce(&job.contexts, text, worth && self.is_label())?;
                (text, Trace::String(text))
            }
            Kind::Word => {
                let id = if let Some(Plan::Word(id)) = job.plan {
                    id
                } else {
                    0
                };
                let id = rank(self.d, &job.contexts, WORD, id);
                let text = self.dictionary.values.get(id).ok_or(Fault::Malformed)?;
                (text, Trace::Word(id))
            }
            Kind::Alias => {
                let slot = if let Some(Plan::Alias(slot)) = job.plan {
                    slot
                } else {
                    0
                };
                let text = self.alias(job.at.place, slot, given)?;
                (text, Trace::String(text))
            }
            Kind::Repeat => {
                let at = if let Some(Plan::Repeat(at)) = job.plan {
                    at
                } else {
                    0
                };
                let text = self.repeat(&job.contexts, at)?;
                (text, Trace::String(text))
            }
            Kind::Reference => {
                let id = if let Some(Plan::Reference(id)) = job.plan {
                    Some(id)
                } else {
                    None
                };
                self.reference(job, id)?
            }
            Kind::NewId => (self.new_id(given)?, Trace::NewId),
            Kind::SameId => {
                let at = if let Some(Plan::SameId(at)) = job.plan {
                    at
                } else {
                    0
                };
                let ordinal =
                    crate::structure::tree(self.d, &job.contexts, WORD + 1, 3, u32::from(at));
                let text = self.staged.id(ordinal as u8).ok_or(Fault::Unknown)?;
                (text, Trace::SameId(ordinal as u8))
            }
            Kind::Jid => {
                let text = self.jid(job.at.place, given)?;
                self.introduce(&job.contexts, text, true)?;
                (text, Trace::String(text))
            }
            Kind::Quote => {
                let quote = if let Some(Plan::Quote(quote)) = job.plan {
                    Some(quote)
                } else {
                    None
                };
                let text = self.quote(job, quote)?;
                self.staged.note_body(text);
                (text, Trace::Long)
            }
            _ => {
                let text = self.literal(kind, job)?;
                if self.is_packet_id(&job.at, text) {
                    self.staged.add_id(text, Origin::Crossed);
                    (text, Trace::Crossed(named::head(text)))
                } else if is_opaque_text(&job.at) {
                    (text, Trace::Long)
                } else {
                    let worth = is_worth_keeping(kind, job, text);
                    self.introduce(&job.contexts, text, worth)?;
                    (text, Trace::String(text))
                }
            }
        })
    }

    fn literal(&mut self, kind: Kind, job: &Job<'w, 'a>) -> Result<&'a str, Fault> {
        let (contexts, given) = (&job.contexts, job.given);
        match kind {
            Kind::Uuid => {
                let uuid = if let Some(Plan::Uuid(uuid)) = job.plan {
                    uuid
                } else {
                    Uuid::default()
                };
                let mut out = [0; uuid::LEN];
                let uuid = uuid.code(self.d, contexts);
                self.settle(given, uuid.write(&mut out))
            }
            Kind::Integer | Kind::Decimal => {
                let number = match job.plan {
                    Some(Plan::Integer(number) | Plan::Decimal(number)) => number,
                    _ => Decimal::default(),
                };
                let number = if kind == Kind::Integer {
                    number.code_whole(self.d, contexts)
                } else {
                    let base = if let Trace::String(text) = job.trace {
                        Decimal::parse(text)
                    } else {
                        None
                    };
                    number.code_fraction(self.d, contexts, base)
                };
                let mut out = [0; decimal::LEN_MAX];
                let number = number.ok_or(Fault::Malformed)?;
                self.settle(given, number.write(&mut out))
            }
            Kind::Time => {
                let time = if let Some(Plan::Time(time)) = job.plan {
                    time
                } else {
                    Time::default()
                };
                let base_s = self.base_s(job, given.map(|_| time));
                let time = time
                    .code(self.d, contexts, base_s)
                    .ok_or(Fault::Malformed)?;
                self.marks.clock = u32::try_from(time.seconds()).unwrap_or(0);
                let mut out = [0; time::LEN_MAX];
                self.settle(given, time.write(&mut out))
            }
            Kind::Token => {
                let token = if let Some(Plan::Token(token)) = job.plan {
                    token
                } else {
                    Token::default()
                };
                self.tokens(contexts, token, given)
            }
            Kind::Split => {
                let (cut, tail) = match job.plan {
                    Some(Plan::Split(cut, tail)) => (cut, tail),
                    _ => (0, Tail::Token(Token::default())),
                };
                self.named(job, cut, tail)
            }
            _ => self.letters(job.at.place, given),
        }
    }

    /// The time a time is counted from: the latest one both ends saw, or the template's.
    fn base_s(&mut self, job: &Job<'w, 'a>, given: Option<Time>) -> i64 {
        let before = match job.trace {
            Trace::String(text) => Time::parse(text).map(Time::seconds),
            _ => None,
        };
        let clock = (self.marks.clock > 0).then_some(i64::from(self.marks.clock));
        let (Some(before), Some(clock)) = (before, clock) else {
            return before.or(clock).unwrap_or(EPOCH_S);
        };
        let distance = |from: i64| given.map_or(0, |time| time.seconds().abs_diff(from));
        let near = distance(before) <= distance(clock);
        if flag(self.d, &job.contexts, BEFORE, near) {
            before
        } else {
            clock
        }
    }

    /// On the reading end, keeps what was written into a small buffer.
    pub(super) fn settle(
        &mut self,
        given: Option<&'a str>,
        octets: &[u8],
    ) -> Result<&'a str, Fault> {
        match given {
            Some(text) => Ok(text),
            // The typed values write ASCII only.
            None => Ok(self
                .arena
                .keep(core::str::from_utf8(octets).unwrap_or(""))?),
        }
    }

    /// Text that names something, and so comes again elsewhere.
    fn is_label(&self) -> bool {
        !matches!(
            self.element_name(),
            Some("subject" | "title" | "text" | "desc" | "reason")
        )
    }

    pub(super) fn prose(&mut self, given: Option<&'a str>) -> Result<&'a str, Fault> {
        let Some(model) = self.text else {
            return self.letters(hash("prose"), given);
        };
        let hint = match self.element_name() {
            Some("body") => hint::BODY,
            Some("subject" | "title") => hint::SUBJECT,
            Some("status" | "text" | "reason") => hint::STATUS,
            Some("nick" | "FN" | "NICKNAME" | "GIVEN" | "FAMILY") => hint::NICK,
            Some("url" | "uri") => hint::URL,
            _ => hint::VALUE,
        };
        let d = &mut *self.d;
        if let Some(text) = given {
            model.code(d, hint, text.as_bytes(), &mut [])?;
            return Ok(text);
        }
        let octets = self
            .arena
            .fill(|free| Ok::<_, Fault>(model.code(d, hint, &[], free)?))?;
        core::str::from_utf8(octets).map_err(|_| Fault::Characters)
    }

    /// True for an id the far end may make up: in a place of ids, of a kind nobody reads anything into.
    pub(super) fn is_new_id(&self, at: &Place<'_>, text: &str) -> bool {
        self.memory.short_ids
            && self.is_id_place(at)
            && self.staged.has_id_room()
            && !text.is_empty()
            && self.is_opaque(at, text)
            && self.staged.find_id(text).is_none()
            && self.find_reference(text).is_none()
            && ids::unmint(self.memory.tag, text).is_none()
    }
}

/// Keys, ciphertext and pictures come once: neither slots nor templates keep them.
fn is_opaque_text(at: &Place<'_>) -> bool {
    matches!(at.symbol, Symbol::Text) && at.hint == dictionary::Kind::Base64
}

fn is_worth_keeping(kind: Kind, job: &Job<'_, '_>, text: &str) -> bool {
    let is_attribute = !matches!(job.at.symbol, Symbol::Text);
    match kind {
        Kind::Uuid => true,
        Kind::Token | Kind::Split => (6..=64).contains(&text.len()),
        Kind::Letters => is_attribute && (4..=64).contains(&text.len()),
        Kind::Integer => is_attribute && text.len() >= 5,
        _ => false,
    }
}

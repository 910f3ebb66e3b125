//! Which way a value goes, decided at the writing end, and each way's coding. Refuses to look for the cheapest code:
//! the order of the attempts is fixed, so that it costs little to decide.

use super::ids::{is_made_up, is_packet_id};
use super::named;
use super::strings::{IS_ALIAS, IS_REPEAT};
use super::{Job, Place, Scribe, Walk};
use crate::alias::ids;
use crate::alias::template::Trace;
use crate::dictionary;
use crate::session::staged::Origin;
use crate::structure::lexicon::hash;
use crate::structure::{Contexts, Label, Room, flag, rank, tree};
use crate::value::decimal::{self, Decimal};
use crate::value::time::{self, EPOCH, Time};
use crate::value::token::{self, Token, count};
use crate::value::uuid;
use crate::value::{Fault, Kind, is_among};

const ORDINAL: Label = Label::new(Room::Plan, 2);
const BEFORE: Label = Label::new(Room::Plan, 3);

/// How a value is to be written. What was parsed to find out is parsed again to be coded: that keeps this small.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) kind: Kind,
    /// Of a word, slot or place its number; of a prefix its length.
    pub(super) number: u16,
}

impl Plan {
    fn numbered(kind: Kind, number: u16) -> Self {
        Self { kind, number }
    }
}

impl From<Kind> for Plan {
    fn from(kind: Kind) -> Self {
        Self { kind, number: 0 }
    }
}

impl Default for Plan {
    fn default() -> Self {
        Kind::Prose.into()
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
        Kind::Octets => "octets",
    }
}

impl<'w, 'a, D: Scribe> Walk<'w, 'a, D> {
    /// True where `text` may be taken for the id of a packet. Clients choose ids freely, so a word, an address or a hash
    /// that equals one is no reference where other things than references stand.
    fn may_refer(&self, hint: dictionary::Kind, text: &str, is_prose_place: bool) -> bool {
        if matches!(hint, dictionary::Kind::Id | dictionary::Kind::Opaque) {
            return true;
        }
        !is_prose_place
            && (uuid::Form::of(text).is_some()
                || is_made_up(hint, text)
                || ids::unmint(self.memory.tag(), text).is_some())
    }

    /// Chooses the way.
    pub(super) fn plan(&self, at: &Place, trace: Trace<'_>, text: &'a str) -> Plan {
        if at.is_opaque() && token::is_octets(text) {
            return Kind::Octets.into();
        }
        let is_prose_place = at.is_text && at.hint.is_prose();
        if self.may_refer(at.hint, text, is_prose_place) {
            if let Some(ordinal) = self.staged.find_id(text) {
                return Plan::numbered(Kind::SameId, u16::from(ordinal));
            }
            if self.find_reference(text).is_some() {
                return Kind::Reference.into();
            }
        }
        if let Some(word) = self.dictionary.values.find(text) {
            return Plan::numbered(Kind::Word, word);
        }
        if self.is_new_id(at, text) {
            return Kind::NewId.into();
        }
        match self.find_known(text) {
            (IS_ALIAS, slot) => return Plan::numbered(Kind::Alias, slot),
            (IS_REPEAT, at) => return Plan::numbered(Kind::Repeat, at),
            _ => {}
        }
        self.plan_literal(at, trace, text, is_prose_place)
    }

    fn plan_literal(
        &self,
        at: &Place,
        trace: Trace<'_>,
        text: &'a str,
        is_prose_place: bool,
    ) -> Plan {
        if uuid::Form::of(text).is_some() {
            return Kind::Uuid.into();
        }
        if at.hint.is_id() {
            if uuid::Form::is_plain(text) {
                return Kind::Uuid.into();
            }
            if let Some(cut) = named::cut(trace, text) {
                return Plan::numbered(Kind::Split, cut);
            }
        }
        if Time::parse(text).is_some() {
            return Kind::Time.into();
        }
        if let Some(number) = Decimal::parse(text) {
            return if number.is_whole() {
                Kind::Integer.into()
            } else {
                Kind::Decimal.into()
            };
        }
        let is_jid_place = at.hint == dictionary::Kind::Jid;
        let like_jid = is_jid_place || is_like_jid(text);
        if like_jid && super::strings::is_jid(text) {
            return Kind::Jid.into();
        }
        let is_coded = matches!(at.hint, dictionary::Kind::Base64 | dictionary::Kind::Hex);
        if let Some(token) = Token::parse(text)
            && (is_coded || token.looks_random())
        {
            return Kind::Token.into();
        }
        if is_prose_place {
            let quotes = self.find_quote(text).is_some();
            return if quotes { Kind::Quote } else { Kind::Prose }.into();
        }
        if let Some(cut) = super::strings::token_cut(text, b".-_:/ #") {
            return Plan::numbered(Kind::Split, cut);
        }
        Kind::Letters.into()
    }

    /// Codes a value the way `kind` says.
    pub(super) fn coded(&mut self, kind: Kind, job: &mut Job<'w, 'a>) -> &'a str {
        let (contexts, given) = (&job.contexts, job.given);
        match kind {
            Kind::Prose => self.prose(given),
            Kind::Word => {
                job.number = rank(self.d, contexts, job.word, job.number);
                self.word(job.number)
            }
            Kind::Alias => self.alias(job.at.place, job.number, given),
            Kind::Repeat => self.repeat(contexts, job.number),
            Kind::Reference => self.reference(job),
            Kind::NewId => self.new_id(given),
            Kind::SameId => {
                job.number = tree(self.d, contexts, ORDINAL, 3, job.number.into()) as u16;
                self.found(self.staged.id(job.number as u8), Fault::Unknown)
            }
            Kind::Jid => self.jid(job.at.place, given),
            Kind::Uuid => self.uuid(contexts, given),
            Kind::Token => self.tokens(contexts, given),
            Kind::Integer | Kind::Decimal => {
                let number = Decimal::parse(given).unwrap_or_default();
                let whole = kind == Kind::Integer;
                let base = Decimal::parse(job.trace.string());
                let number = number.code(self.d, contexts, whole, base);
                self.settle(given, number.write(&mut [0; decimal::LEN_MAX]))
            }
            Kind::Time => {
                let time = Time::parse(given).unwrap_or(Time::new(EPOCH));
                let base = self.clock(job, time.clock());
                let time = time.code(self.d, contexts, base);
                self.staged.packet.marks.clock = time.clock();
                self.settle(given, time.write(&mut [0; time::LEN_MAX]))
            }
            Kind::Split => self.split(job),
            Kind::Letters => self.letters(job.at.place, given),
            Kind::Quote => self.quote(job),
            Kind::Octets => self.octets(job),
        }
    }

    /// What a value leaves for the template, and for both ends to remember.
    pub(super) fn left(&mut self, kind: Kind, job: &Job<'w, 'a>, text: &'a str) -> Trace<'a> {
        match kind {
            Kind::Word => Trace::Word(job.number),
            Kind::NewId => Trace::NewId,
            Kind::SameId => Trace::SameId(job.number as u8),
            Kind::Reference => Trace::Reference(job.number > 0),
            Kind::Octets => Trace::Octets(count(text.as_bytes()) as u16),
            Kind::Alias | Kind::Repeat => Trace::String(text),
            Kind::Prose | Kind::Quote if job.at.hint == dictionary::Kind::Body => {
                self.staged.note_body(text);
                Trace::Long
            }
            _ if kind.is_literal() && is_packet_id(job.at.hint, text) => {
                self.staged.add_id(text, Origin::Crossed);
                Trace::Crossed(named::head(text))
            }
            _ if job.at.is_opaque() => Trace::Long,
            _ => {
                let worth = is_worth_keeping(kind, &job.at, text.len());
                self.introduce(&job.contexts, text, worth);
                Trace::String(text)
            }
        }
    }

    /// Codes octets in base64.
    fn octets(&mut self, job: &Job<'w, 'a>) -> &'a str {
        let token = Token::octets(job.given);
        let before = match job.trace {
            Trace::Octets(count) => Some(count),
            _ => None,
        };
        let len = token.code_octets(self.d, &job.contexts, before, self.arena.free());
        self.kept(job.given, len)
    }

    /// Codes a UUID.
    pub(super) fn uuid(&mut self, contexts: &Contexts, given: &'a str) -> &'a str {
        let len = uuid::code(self.d, contexts, given, self.arena.free());
        self.kept(given, len)
    }

    /// The time a time is counted from: the latest one both ends saw, or the template's.
    fn clock(&mut self, job: &Job<'w, 'a>, given: u32) -> u32 {
        let clock = self.staged.packet.marks.clock;
        let Some(before) = Time::parse(job.trace.string()) else {
            return if clock > 0 { clock } else { EPOCH };
        };
        let before = before.clock();
        let near = given.abs_diff(before) <= given.abs_diff(clock);
        if clock == 0 || flag(self.d, &job.contexts, BEFORE, near) {
            before
        } else {
            clock
        }
    }

    /// Codes running text.
    pub(super) fn prose(&mut self, given: &'a str) -> &'a str {
        let Some(model) = self.text else {
            return self.letters(hash("prose"), given);
        };
        let len = model.code(self.d.coder(), given.as_bytes(), self.arena.free());
        self.kept(given, len)
    }

    /// True for an id the far end may make up: in a place of ids, of a kind nobody reads anything into.
    pub(super) fn is_new_id(&self, at: &Place, text: &str) -> bool {
        self.memory.short_ids
            && self.staged.has_id_room()
            && !text.is_empty()
            && is_made_up(at.hint, text)
            && self.staged.find_id(text).is_none()
            && self.find_reference(text).is_none()
            && ids::unmint(self.memory.tag(), text).is_none()
    }
}

/// An address where none is expected.
fn is_like_jid(text: &str) -> bool {
    let has = |wanted: &[u8]| text.bytes().any(|octet| is_among(wanted, octet));
    has(b"@") && !has(b" :\n")
}

/// Is a new string worth a slot? Not if it is too short, and not running text that does not come again.
fn is_worth_keeping(kind: Kind, at: &Place, len: usize) -> bool {
    use dictionary::Kind::{Headline, Remark};
    let (least, most) = match kind {
        Kind::Uuid | Kind::Jid => return true,
        Kind::Prose if !matches!(at.hint, Headline | Remark) => (3, 48),
        Kind::Token | Kind::Split => (6, 64),
        Kind::Letters if !at.is_text => (4, 64),
        Kind::Integer if !at.is_text => (5, 24),
        _ => return false,
    };
    least <= len && len <= most
}

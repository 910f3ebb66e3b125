//! One walk over a stanza, written once for both ends: symbols and values in, or out, through one coder. Refuses to
//! change what both ends remember: what the stanza introduces is staged, and kept only once the walk succeeded.

mod ids;
mod named;
mod plan;
mod quote;
mod strings;

use super::memory::Shelves;
use super::staged::Staged;
use crate::alias::pending::Pending;
use crate::alias::recent::{Marks, Next};
use crate::alias::template::{Cursor, Recorder, Trace};
use crate::dictionary::{self, Dictionary};
use crate::features::mix;
use crate::stanza::Arena;
use crate::structure::lexicon::{ESCAPE_ATTRIBUTE, ESCAPE_ELEMENT, Key, Symbol, TEXT, hash};
use crate::structure::trail::Trail;
use crate::structure::{Contexts, flag, rank, tree};
use crate::text::TextModel;
use crate::value::letters;
use crate::value::{Fault, Kind};

pub(crate) use plan::Plan;

/// A coder that decides by contexts, and may want to know what the decisions were about.
pub trait Scribe: crate::features::Decide {
    /// Everything decided since the last call was about this.
    fn note(&mut self, what: What<'_>);
}

/// What bits were spent on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum What<'w> {
    /// Which template, and other things about the packet as a whole.
    Packet,
    /// Start of an element.
    Open(&'w str),
    /// That the element has an attribute of this name.
    Attribute(&'w str),
    /// That the element has text.
    Text,
    /// End of the element.
    Close,
    /// A value: how it was coded, and itself.
    Value(&'static str, &'w str),
}

impl<C: crate::entropy::Coder + ?Sized> Scribe for crate::features::Deciding<'_, '_, C> {
    fn note(&mut self, _: What<'_>) {}
}

const SAME_SYMBOL: u32 = 0x5357_0001;
const SKIP: u32 = 0x5357_0009;
const CLASS: u32 = 0x5357_0002;
const ELEMENT: u32 = 0x5357_0003;
const ATTRIBUTE: u32 = 0x5357_0004;
const NAMESPACE_KNOWN: u32 = 0x5357_0005;
const NAMESPACE: u32 = 0x5357_0006;
const SAME_VALUE: u32 = 0x5357_0007;
const KIND: u32 = 0x5357_0008;

/// What both ends remember, as one walk sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory<'m> {
    /// Strings, ids and bodies.
    pub(crate) shelves: Shelves<'m>,
    /// Where the next id goes on each of the two.
    pub(crate) next_ids: [u16; 2],
    /// Tag of ids made up at this end.
    pub(crate) tag: &'m str,
    /// The latest packet of the reading end: on that end the latest written, on the other the latest read.
    pub(crate) reader_latest: u32,
    /// Packets under way, on the writing end.
    pub(crate) pending: Option<&'m Pending>,
    /// New ids may be left to the far end to make up.
    pub(crate) short_ids: bool,
}

/// See the module.
pub(crate) struct Walk<'w, 'a, D> {
    /// Where bits go to or come from.
    pub(crate) d: &'w mut D,
    pub(crate) dictionary: &'a Dictionary<'a>,
    pub(crate) memory: Memory<'w>,
    /// The text model, if there is one.
    pub(crate) text: Option<&'w TextModel<'w>>,
    /// Number of the packet.
    pub(crate) number: u32,
    pub(crate) trail: Trail<'w>,
    pub(crate) cursor: Cursor<'w>,
    pub(crate) recorder: Recorder<'w>,
    pub(crate) staged: &'w mut Staged<'a>,
    /// Where strings are put on the reading end.
    pub(crate) arena: &'w mut Arena<'a>,
    /// What earlier packets let expect.
    pub(crate) next: Next,
    /// What values are counted from, and whether an address differed from the template's.
    pub(crate) marks: Marks,
    pub(crate) fresh: bool,
    /// Bare JIDs of the stanza's `from` and `to`, hashed.
    pub(crate) from: u16,
    pub(crate) to: u16,
    /// The packet the latest reference was to.
    pub(crate) referred: Option<(bool, u32)>,
}

impl<'w, 'a, D: Scribe> Walk<'w, 'a, D> {
    /// Codes one symbol; `given` is the one to write.
    ///
    /// # Errors
    /// See [`Fault`].
    pub(crate) fn symbol(&mut self, given: Option<Symbol<'a>>) -> Result<Symbol<'a>, Fault> {
        let mut expected_key = 0;
        let mut skipped = 0;
        while let Some(expected) = self.cursor.expected() {
            expected_key = expected.key();
            let contexts = self.trail.symbol_hit(expected_key, skipped);
            let hit = flag(self.d, &contexts, SAME_SYMBOL, given == Some(expected));
            self.trail.judge(hit);
            if hit {
                let symbol = match given {
                    Some(symbol) => symbol,
                    None => self.own(expected)?,
                };
                return self.arrive(symbol);
            }
            let left_out = given.is_some_and(|symbol| self.cursor.has_later(symbol));
            if expected == Symbol::Close || !flag(self.d, &contexts, SKIP, left_out) {
                break;
            }
            if !self.cursor.skip() {
                return Err(Fault::Malformed);
            }
            skipped = expected_key;
        }
        let contexts = self.trail.symbol(expected_key);
        let class = tree(self.d, &contexts, CLASS, 3, given.map_or(0, Symbol::class));
        let symbol = match class {
            0 => Symbol::Close,
            1 => Symbol::Text,
            2 => {
                let id = if let Some(Symbol::Element(id)) = given {
                    id
                } else {
                    0
                };
                Symbol::Element(rank(self.d, &contexts, ELEMENT, id))
            }
            3 => {
                let id = if let Some(Symbol::Attribute(id)) = given {
                    id
                } else {
                    0
                };
                Symbol::Attribute(rank(self.d, &contexts, ATTRIBUTE, id))
            }
            4 | 5 => self.other_name(class == 4, given, &contexts)?,
            _ => return Err(Fault::Malformed),
        };
        self.arrive(symbol)
    }

    /// A symbol of the template with its strings moved to where they can stay.
    fn own(&mut self, symbol: Symbol<'w>) -> Result<Symbol<'a>, Fault> {
        Ok(match symbol {
            Symbol::Close => Symbol::Close,
            Symbol::Text => Symbol::Text,
            Symbol::Element(id) => Symbol::Element(id),
            Symbol::Attribute(id) => Symbol::Attribute(id),
            Symbol::OtherElement(ns, name) => {
                Symbol::OtherElement(self.arena.keep(ns)?, self.arena.keep(name)?)
            }
            Symbol::OtherAttribute(ns, name) => {
                Symbol::OtherAttribute(self.arena.keep(ns)?, self.arena.keep(name)?)
            }
        })
    }

    fn other_name(
        &mut self,
        is_element: bool,
        given: Option<Symbol<'a>>,
        contexts: &Contexts,
    ) -> Result<Symbol<'a>, Fault> {
        let (ns, name) = match given {
            Some(Symbol::OtherElement(ns, name) | Symbol::OtherAttribute(ns, name)) => {
                (Some(ns), Some(name))
            }
            _ => (None, None),
        };
        let table = &self.dictionary.namespaces;
        let known = ns.and_then(|ns| table.find(ns));
        let ns = if flag(self.d, contexts, NAMESPACE_KNOWN, known.is_some()) {
            let id = rank(self.d, contexts, NAMESPACE, known.unwrap_or(0));
            table.get(id).ok_or(Fault::Malformed)?
        } else {
            self.letters(NAMESPACE, ns)?
        };
        let name = self.letters(ELEMENT, name)?;
        Ok(if is_element {
            Symbol::OtherElement(ns, name)
        } else {
            Symbol::OtherAttribute(ns, name)
        })
    }

    /// Codes a string letter by letter.
    pub(super) fn letters(&mut self, place: u32, given: Option<&'a str>) -> Result<&'a str, Fault> {
        let d = &mut *self.d;
        if let Some(text) = given {
            letters::code(d, place, text.as_bytes(), &mut [])?;
            return Ok(text);
        }
        let octets = self.arena.fill(|free| letters::code(d, place, &[], free))?;
        core::str::from_utf8(octets).map_err(|_| Fault::Characters)
    }

    /// Takes note of a symbol on all sides.
    fn arrive(&mut self, symbol: Symbol<'a>) -> Result<Symbol<'a>, Fault> {
        self.cursor.advance(symbol);
        self.recorder.symbol(symbol);
        let key = symbol.key();
        match symbol {
            Symbol::Element(id) => {
                let (_, name) = self.dictionary.elements.get(id).ok_or(Fault::Malformed)?;
                self.enter(key, Some(id))?;
                self.d.note(What::Open(name));
            }
            Symbol::OtherElement(_, name) => {
                self.enter(key, None)?;
                self.d.note(What::Open(name));
            }
            Symbol::Attribute(id) => {
                let (_, name) = self.dictionary.attributes.get(id).ok_or(Fault::Malformed)?;
                self.leaf(key, false)?;
                self.d.note(What::Attribute(name));
            }
            Symbol::OtherAttribute(_, name) => {
                self.leaf(key, false)?;
                self.d.note(What::Attribute(name));
            }
            Symbol::Text => {
                self.leaf(key, true)?;
                self.d.note(What::Text);
            }
            Symbol::Close => {
                if self.trail.depth() == 0 {
                    return Err(Fault::Malformed);
                }
                self.trail.close(key);
                self.d.note(What::Close);
            }
        }
        Ok(symbol)
    }

    fn enter(&mut self, key: Key, id: Option<u16>) -> Result<(), Fault> {
        self.trail.open(key, id).then_some(()).ok_or(Fault::TooDeep)
    }

    fn leaf(&mut self, key: Key, is_text: bool) -> Result<(), Fault> {
        if self.trail.depth() == 0 || !(is_text || self.trail.in_head()) {
            return Err(Fault::Malformed);
        }
        self.trail.leaf(key, is_text);
        Ok(())
    }

    /// What the dictionary says about values of `symbol` in the open element.
    fn hint(&self, symbol: Symbol<'_>) -> dictionary::Kind {
        let element = self.trail.id();
        match (symbol, element) {
            (Symbol::Attribute(id), Some(element)) => self.dictionary.kind(element, id),
            (Symbol::Attribute(id), None) => self.dictionary.attributes.kind(id),
            (Symbol::Text, Some(element)) => self.dictionary.kind(element, dictionary::TEXT),
            _ => dictionary::Kind::Text,
        }
    }

    /// White space in an element that has no text of its own.
    pub(crate) fn is_idle_space(&self, text: &str) -> bool {
        let kind = self.hint(Symbol::Text);
        kind == dictionary::Kind::None
            && self.trail.id().is_some()
            && text
                .bytes()
                .all(|octet| matches!(octet, b' ' | b'\t' | b'\n' | b'\r'))
    }

    /// Codes the value of `symbol`, which was the latest; `given` is the one to write.
    ///
    /// # Errors
    /// See [`Fault`].
    pub(crate) fn value(
        &mut self,
        symbol: Symbol<'a>,
        given: Option<&'a str>,
    ) -> Result<&'a str, Fault> {
        let trace = self.cursor.trace();
        let hint = self.hint(symbol);
        let place = match symbol {
            Symbol::Text => TEXT,
            Symbol::OtherAttribute(..) => ESCAPE_ATTRIBUTE,
            _ => symbol.key(),
        };
        let owner = match self.trail.id() {
            Some(id) => u32::from(id),
            None => ESCAPE_ELEMENT << 16,
        };
        let place = mix(place, owner);
        let at = Place {
            place,
            hint,
            symbol,
        };
        let text = self.valued(&at, trace, given)?;
        self.note_address(symbol, trace, text);
        Ok(text)
    }

    /// Remembers the stanza's own addresses.
    fn note_address(&mut self, symbol: Symbol<'_>, trace: Trace<'_>, text: &str) {
        let Symbol::Attribute(id) = symbol else {
            return;
        };
        if self.trail.depth() == 1 {
            let bare = text.split('/').next().unwrap_or(text);
            let is_same = trace == Trace::String(text);
            match self.dictionary.attributes.get(id) {
                Some((_, "from")) => self.from = hash(bare) as u16,
                Some((_, "to")) => self.to = hash(bare) as u16,
                _ => return,
            }
            self.fresh |= !is_same;
        }
    }

    fn valued(
        &mut self,
        at: &Place<'a>,
        trace: Trace<'w>,
        given: Option<&'a str>,
    ) -> Result<&'a str, Fault> {
        if trace.can_hit() && self.is_repeated(at, trace, given) {
            let text = self.replay(trace, given)?;
            self.recorder.value(trace);
            self.remember_value(trace);
            self.d.note(What::Value("as before", text));
            return Ok(text);
        }
        let job = Job {
            at: *at,
            contexts: self.trail.at(at.place, trace.key()),
            trace,
            given,
            plan: given.map(|text| self.plan(at, trace, text)),
        };
        let code = job.plan.map_or(0, |plan| plan.kind() as u32);
        let kind = Kind::from_code(tree(self.d, &job.contexts, KIND, 4, code));
        let (text, left) = self.coded(kind, &job)?;
        self.recorder.value(left);
        self.remember_value(left);
        self.d.note(What::Value(plan::name(kind), text));
        Ok(text)
    }

    /// Whether the value is the template's.
    // Apart: its contexts need not lie on a board's stack while a value is coded.
    #[inline(never)]
    fn is_repeated(&mut self, at: &Place<'a>, trace: Trace<'w>, given: Option<&'a str>) -> bool {
        let same = given.is_some_and(|text| self.is_same(trace, at, text));
        let contexts = self.trail.value_hit(at.place, trace.key());
        let hit = flag(self.d, &contexts, SAME_VALUE, same);
        self.trail.judge(hit);
        hit
    }

    fn remember_value(&mut self, trace: Trace<'_>) {
        let word = matches!(trace, Trace::Word(_));
        let key = match trace {
            Trace::Word(id) => 0x3_0000 | u32::from(id),
            Trace::NewId | Trace::SameId(_) | Trace::Reference(_) | Trace::Crossed(_) => 8,
            _ => 7,
        };
        self.trail.value(key, word);
    }

    fn is_same(&self, trace: Trace<'_>, at: &Place<'_>, text: &str) -> bool {
        match trace {
            Trace::String(before) => before == text,
            Trace::Word(id) => self.dictionary.values.get(id) == Some(text),
            Trace::NewId => self.is_new_id(at, text),
            Trace::SameId(ordinal) => self.staged.find_id(text) == Some(ordinal),
            _ => false,
        }
    }

    fn replay(&mut self, trace: Trace<'_>, given: Option<&'a str>) -> Result<&'a str, Fault> {
        if matches!(trace, Trace::NewId) {
            return self.new_id(given);
        }
        if let Some(text) = given {
            return Ok(text);
        }
        match trace {
            Trace::String(text) => Ok(self.arena.keep(text)?),
            Trace::Word(id) => self.dictionary.values.get(id).ok_or(Fault::Malformed),
            Trace::SameId(ordinal) => self.staged.id(ordinal).ok_or(Fault::Unknown),
            _ => Err(Fault::Malformed),
        }
    }
}

/// Where a value stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// Element and attribute, hashed.
    pub(crate) place: u32,
    /// What the dictionary says of it.
    pub(crate) hint: dictionary::Kind,
    /// The attribute, or text.
    pub(crate) symbol: Symbol<'a>,
}

/// One value to code.
pub(crate) struct Job<'j, 'a> {
    pub(crate) at: Place<'a>,
    pub(crate) contexts: Contexts,
    pub(crate) trace: Trace<'j>,
    pub(crate) given: Option<&'a str>,
    pub(crate) plan: Option<Plan<'a>>,
}

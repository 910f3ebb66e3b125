//! One walk over a stanza, written once for both ends: symbols and values in, or out, through one coder. Refuses to
//! change what both ends remember: what the stanza introduces is staged, and kept only once the walk succeeded.

mod ids;
mod named;
mod plan;
mod quote;
mod strings;

use super::Ends;
use super::memory::Shelves;
use super::staged::Staged;
use crate::alias::ids as alias_ids;
use crate::alias::pending::Pending;
use crate::alias::recent::Next;
use crate::alias::template::{Cursor, Recorder, Trace};
use crate::dictionary::{self, Dictionary};
use crate::features::mix;
use crate::row::put;
use crate::stanza::Arena;
use crate::structure::lexicon::{Class, ESCAPE_ATTRIBUTE, ESCAPE_ELEMENT, Symbol, TEXT, hash};
use crate::structure::trail::Trail;
use crate::structure::{Contexts, Label, Room, flag, rank, tree};
use crate::text::TextModel;
use crate::value::letters;
use crate::value::{Fault, Kind};

use plan::Plan;
use strings::bare;

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

impl Scribe for crate::features::Deciding<'_> {
    fn note(&mut self, _: What<'_>) {}
}

const SAME_SYMBOL: Label = Label::new(Room::Walk, 1);
const SKIP: Label = Label::new(Room::Walk, 9);
const CLASS: Label = Label::new(Room::Walk, 2);
const ELEMENT: Label = Label::new(Room::Walk, 3);
const ATTRIBUTE: Label = Label::new(Room::Walk, 4);
const NAMESPACE_KNOWN: Label = Label::new(Room::Walk, 5);
const NAMESPACE: Label = Label::new(Room::Walk, 6);
const SAME_VALUE: Label = Label::new(Room::Walk, 7);
const KIND: Label = Label::new(Room::Walk, 8);
const OCTETS: Label = Label::new(Room::Walk, 10);
const WORD: Label = Label::new(Room::Plan, 1);

/// What both ends remember, as one walk sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory<'m> {
    /// Strings, ids and bodies.
    pub(crate) shelves: Shelves<'m>,
    pub(crate) ends: &'m Ends,
    /// A packet to write that may count on others.
    pub(crate) is_counting: bool,
    /// New ids may be left to the far end to make up.
    pub(crate) short_ids: bool,
}

impl<'m> Memory<'m> {
    /// Tag of ids made up at this end.
    pub(crate) fn tag(&self) -> &'m str {
        // Only ASCII was put in.
        core::str::from_utf8(self.ends.tag.all()).unwrap_or("")
    }

    /// The latest packet of the reading end: on that end the latest written, on the other the latest read.
    pub(crate) fn reader_latest(&self) -> u32 {
        self.ends.latest[self.shelves.writer.other() as usize]
    }

    /// Packets under way, on a writing end that may count on others.
    pub(crate) fn pending(&self) -> Option<&'m Pending> {
        self.is_counting.then_some(&self.ends.pending)
    }

    /// The latest packet of the writing end, or of the reading end, that carried `id`, and which of its ids it was.
    pub(crate) fn find_id(&self, of_writer: bool, id: &str) -> Option<(u32, u8)> {
        let next = self.ends.next_ids[self.shelves.end(of_writer) as usize];
        alias_ids::find(self.shelves.ids(of_writer), next, id)
    }
}

/// See the module. What is used most lies first, within reach of a board's short instructions.
///
/// What goes wrong is noted in `fault`, and looked at after each node: until then the walk goes on, with empty strings,
/// and what it codes is of no account. Strings to be read are given empty, too; what is found out about those is ignored.
#[repr(C)]
pub(crate) struct Walk<'w, 'a, D> {
    /// Where bits go to or come from.
    pub(crate) d: &'w mut D,
    /// Where strings are put on the reading end.
    pub(crate) arena: &'w mut Arena<'a>,
    pub(crate) staged: &'w mut Staged<'a>,
    pub(crate) dictionary: &'a Dictionary<'a>,
    /// The text model, if there is one.
    pub(crate) text: Option<&'w TextModel<'w>>,
    /// Number of the packet.
    pub(crate) number: u32,
    /// What is wrong, once something is.
    pub(crate) fault: Option<Fault>,
    pub(crate) is_writing: bool,
    pub(crate) cursor: Cursor<'w>,
    pub(crate) recorder: Recorder<'w>,
    pub(crate) trail: Trail<'w>,
    /// The packet the latest reference was to.
    pub(crate) referred: Option<(bool, u32)>,
    /// What earlier packets let expect.
    pub(crate) next: &'w Next,
    pub(crate) memory: Memory<'w>,
}

impl<'w, 'a, D: Scribe> Walk<'w, 'a, D> {
    /// Codes one symbol: `symbol` is the one to write, or where it is read to.
    // Apart: its contexts need not lie on a board's stack while a value is coded.
    #[inline(never)]
    pub(crate) fn symbol(&mut self, symbol: &mut Symbol<'a>) {
        if !self.is_writing {
            *symbol = Symbol::CLOSE;
        }
        self.follow(symbol);
        self.arrive(symbol);
    }

    /// Codes a symbol as the template has it, or else by itself.
    fn follow(&mut self, symbol: &mut Symbol<'a>) {
        let mut expected_key = 0;
        let mut skipped = 0;
        while self.cursor.expects() {
            let expected = self.cursor.expected();
            expected_key = expected.key();
            let contexts = self.trail.symbol_hit(expected_key, skipped);
            let hit = flag(self.d, &contexts, SAME_SYMBOL, *symbol == expected);
            self.trail.judge(hit);
            if hit {
                // Its strings are moved to where they can stay.
                symbol.class = expected.class;
                symbol.id = expected.id;
                symbol.ns = self.settle(symbol.ns, expected.ns.as_bytes());
                symbol.name = self.settle(symbol.name, expected.name.as_bytes());
                return;
            }
            let left_out = self.cursor.has_later(symbol);
            let closes = expected.class == Class::Close;
            if closes || !flag(self.d, &contexts, SKIP, left_out) {
                break;
            }
            self.cursor.skip();
            skipped = expected_key;
        }
        let contexts = self.trail.symbol(expected_key);
        let class = tree(self.d, &contexts, CLASS, 3, symbol.class as u32);
        match Class::ALL.get(class as usize) {
            Some(class) => symbol.class = *class,
            None => self.fail(Fault::Malformed),
        }
        match symbol.class {
            Class::Close | Class::Text => {}
            Class::Element => symbol.id = rank(self.d, &contexts, ELEMENT, symbol.id),
            Class::Attribute => symbol.id = rank(self.d, &contexts, ATTRIBUTE, symbol.id),
            _ => {
                symbol.ns = self.namespace(&contexts, symbol.ns);
                symbol.name = self.letters(ELEMENT.spread(), symbol.name);
            }
        }
    }

    fn namespace(&mut self, contexts: &Contexts, given: &'a str) -> &'a str {
        let table = &self.dictionary.namespaces;
        let known = table.find(given);
        if !flag(self.d, contexts, NAMESPACE_KNOWN, known.is_some()) {
            return self.letters(NAMESPACE.spread(), given);
        }
        let id = rank(self.d, contexts, NAMESPACE, known.unwrap_or(0));
        self.found(table.get(id), Fault::Malformed)
    }

    /// Says what is wrong; what was first counts.
    // Apart: a call is all that is needed where something may be wrong.
    #[inline(never)]
    pub(crate) fn fail(&mut self, fault: Fault) {
        self.fault.get_or_insert(fault);
    }

    /// What is sure to be there if nothing is wrong.
    fn found(&mut self, found: Option<&'a str>, fault: Fault) -> &'a str {
        if found.is_none() {
            self.fail(fault);
        }
        found.unwrap_or("")
    }

    /// A word of the dictionary.
    fn word(&mut self, id: u16) -> &'a str {
        self.found(self.dictionary.values.get(id), Fault::Malformed)
    }

    /// Codes a string letter by letter.
    fn letters(&mut self, place: u32, given: &'a str) -> &'a str {
        let len = letters::code(self.d, place, given.as_bytes(), self.arena.free());
        self.kept(given, len)
    }

    /// What was written, or the `len` octets that were read to the arena; what did not fit is longer than that.
    fn kept(&mut self, given: &'a str, len: usize) -> &'a str {
        if self.is_writing {
            return given;
        }
        let fits = len <= self.arena.free().len();
        let fault = if fits {
            Fault::Characters
        } else {
            Fault::ArenaFull
        };
        let text = self.arena.take(len);
        self.found(text, fault)
    }

    /// What was written, or a copy of what was read.
    pub(super) fn settle(&mut self, given: &'a str, octets: &[u8]) -> &'a str {
        self.join(given, &[octets])
    }

    /// What was written, or the parts that were read together.
    pub(super) fn join(&mut self, given: &'a str, parts: &[&[u8]]) -> &'a str {
        let mut len = 0;
        if !self.is_writing {
            for part in parts {
                // What does not fit is found out below.
                if let Some(free) = self.arena.free().get_mut(len..) {
                    put(free, part);
                }
                len += part.len();
            }
        }
        self.kept(given, len)
    }

    /// Takes note of a symbol on all sides.
    fn arrive(&mut self, symbol: &Symbol<'a>) {
        self.cursor.advance(symbol);
        self.recorder.symbol(symbol);
        let key = symbol.key();
        let name = self.named(symbol).map_or("", |(_, name)| name);
        let inside = self.trail.depth() > 0;
        let (fine, what) = match symbol.class {
            Class::Element | Class::OtherElement => {
                if !self.trail.open(key) {
                    self.fail(Fault::TooDeep);
                }
                (true, What::Open(name))
            }
            Class::Attribute | Class::OtherAttribute => {
                let in_head = self.trail.in_head();
                self.trail.leaf(key, false);
                (inside && in_head, What::Attribute(name))
            }
            Class::Text => {
                self.trail.leaf(key, true);
                (inside, What::Text)
            }
            Class::Close => {
                self.trail.close(key);
                (inside, What::Close)
            }
        };
        self.d.note(what);
        if !fine {
            self.fail(Fault::Malformed);
        }
    }

    /// Number of the namespace, which another symbol has not, and local name.
    pub(crate) fn named(&self, symbol: &Symbol<'a>) -> Option<(u16, &'a str)> {
        match symbol.class {
            Class::Element => self.dictionary.elements.get(symbol.id),
            Class::Attribute => self.dictionary.attributes.get(symbol.id),
            _ => Some((0, symbol.name)),
        }
    }

    /// What the dictionary says about values of `symbol` in the open element.
    fn hint(&self, symbol: &Symbol<'_>) -> dictionary::Kind {
        let id = match symbol.class {
            Class::Attribute => symbol.id,
            Class::Text => dictionary::TEXT,
            _ => return dictionary::Kind::Text,
        };
        match self.trail.id() {
            Some(element) => self.dictionary.kind(element, id),
            None => self.dictionary.attributes.kind(id),
        }
    }

    /// White space in an element that has no text of its own.
    pub(crate) fn is_idle_space(&self, text: &str) -> bool {
        let kind = self.hint(&Symbol::TEXT);
        kind == dictionary::Kind::None
            && self.trail.id().is_some()
            && text
                .bytes()
                .all(|octet| matches!(octet, b' ' | b'\t' | b'\n' | b'\r'))
    }

    /// Codes the value of `symbol`, which was the latest; `given` is the one to write.
    pub(crate) fn value(&mut self, symbol: &Symbol<'a>, given: &'a str) -> &'a str {
        let trace = self.cursor.trace();
        let place = match symbol.class {
            Class::Text => TEXT,
            Class::OtherAttribute => ESCAPE_ATTRIBUTE,
            _ => symbol.key(),
        };
        let owner = match self.trail.id() {
            Some(id) => u32::from(id),
            None => ESCAPE_ELEMENT << 16,
        };
        let at = Place {
            place: mix(place, owner),
            hint: self.hint(symbol),
            is_text: symbol.class == Class::Text,
        };
        let text = self.valued(at, trace, given);
        if symbol.class == Class::Attribute && self.trail.depth() == 1 {
            let is_known = trace == Trace::String(text);
            self.note_address(symbol, is_known, text);
        }
        text
    }

    /// Remembers the stanza's own addresses, and whether they are those of the template.
    fn note_address(&mut self, symbol: &Symbol<'a>, is_known: bool, text: &str) {
        let packet = &mut self.staged.packet;
        let address = match self.dictionary.attributes.get(symbol.id) {
            Some((_, "from")) => &mut packet.from,
            Some((_, "to")) => &mut packet.to,
            _ => return,
        };
        *address = hash(bare(text)) as u16;
        packet.fresh |= !is_known;
    }

    fn valued(&mut self, at: Place, trace: Trace<'w>, given: &'a str) -> &'a str {
        if trace.can_hit() && self.is_repeated(&at, trace, given) {
            let text = self.replay(trace, given);
            self.leave(trace, "as before", text);
            return text;
        }
        let plan = if self.is_writing {
            self.plan(&at, trace, given)
        } else {
            Plan::default()
        };
        let mut job = Job {
            at,
            contexts: self.trail.at(at.place, trace.key()),
            word: WORD,
            trace,
            given,
            number: plan.number,
        };
        let kind = self.kind(&job, plan.kind);
        let text = self.coded(kind, &mut job);
        let left = self.left(kind, &job, text);
        self.leave(left, plan::name(kind), text);
        text
    }

    /// Takes note of a value: what it leaves for the template, how it went, and itself.
    fn leave(&mut self, trace: Trace<'_>, how: &'static str, text: &str) {
        self.recorder.value(trace);
        let (key, word) = match trace {
            Trace::Word(id) => (0x3_0000 | u32::from(id), true),
            Trace::NewId | Trace::SameId(_) | Trace::Reference(_) | Trace::Crossed(_) => (8, false),
            _ => (7, false),
        };
        self.trail.value(key, word);
        self.d.note(What::Value(how, text));
    }

    /// How the value goes; `given` is the way to write it.
    fn kind(&mut self, job: &Job<'w, 'a>, given: Kind) -> Kind {
        let is_octets = given == Kind::Octets;
        if job.at.is_opaque() && flag(self.d, &job.contexts, OCTETS, is_octets) {
            return Kind::Octets;
        }
        Kind::from_code(tree(self.d, &job.contexts, KIND, 4, given as u32))
    }

    /// Whether the value is the template's.
    // Apart: its contexts need not lie on a board's stack while a value is coded.
    #[inline(never)]
    fn is_repeated(&mut self, at: &Place, trace: Trace<'w>, given: &'a str) -> bool {
        let same = self.is_same(trace, at, given);
        let contexts = self.trail.value_hit(at.place, trace.key());
        let hit = flag(self.d, &contexts, SAME_VALUE, same);
        self.trail.judge(hit);
        hit
    }

    fn is_same(&self, trace: Trace<'_>, at: &Place, text: &str) -> bool {
        match trace {
            Trace::String(before) => before == text,
            Trace::Word(id) => self.dictionary.values.get(id) == Some(text),
            Trace::NewId => self.is_new_id(at, text),
            Trace::SameId(ordinal) => self.staged.find_id(text) == Some(ordinal),
            _ => false,
        }
    }

    fn replay(&mut self, trace: Trace<'_>, given: &'a str) -> &'a str {
        match trace {
            Trace::NewId => self.new_id(given),
            Trace::Word(id) => self.word(id),
            Trace::SameId(ordinal) => self.found(self.staged.id(ordinal), Fault::Unknown),
            _ => self.settle(given, trace.string().as_bytes()),
        }
    }
}

/// Where a value stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// Element and attribute, hashed.
    pub(crate) place: u32,
    /// What the dictionary says of it.
    pub(crate) hint: dictionary::Kind,
    /// Text of an element?
    pub(crate) is_text: bool,
}

impl Place {
    /// Keys, ciphertext and pictures come once: neither slots nor templates keep them.
    fn is_opaque(&self) -> bool {
        self.is_text && self.hint == dictionary::Kind::Base64
    }
}

/// One value to code.
pub(crate) struct Job<'j, 'a> {
    pub(crate) at: Place,
    pub(crate) contexts: Contexts,
    /// What tells words here from others.
    pub(crate) word: Label,
    pub(crate) trace: Trace<'j>,
    pub(crate) given: &'a str,
    /// What was found out about it, see [`Plan`]; on the reading end, what was read.
    pub(crate) number: u16,
}

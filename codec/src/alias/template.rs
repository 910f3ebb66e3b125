//! Templates: earlier stanzas as a row of tokens, and the cursor that follows one while another stanza is walked.
//! Refuses to be a copy: ids and long texts leave only the fact that they were there.
//!
//! ```text
//! symbol  u16   0 close, 1 text, 2 other element, 3 other attribute, 4.. element, 0x8000.. attribute
//!               other: u8 length and octets of the namespace, then of the name
//! value   u8    0 something long, 1 string: u8 length and octets, 2 word: u16, 3 an id of its own that never
//!               crossed, 4 the id that was the u8th of its packet, 5 a reference to a packet of the reader, 6 to
//!               one of the writer, 7 how an id that crossed begins: u8 length and octets, 8 so many octets: u16
//! ```

use crate::row::put;
use crate::structure::lexicon::{Class, Symbol};

// Tags of values that more belongs to.
const STRING: u8 = 1;
const WORD: u8 = 2;
const SAME_ID: u8 = 4;
const CROSSED: u8 = 7;
const OCTETS: u8 = 8;

/// Longest string a template keeps.
const STRING_MAX: usize = 120;

/// What a template has in the place of a value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Trace<'t> {
    /// Nothing: the place is new.
    Absent,
    /// Something too long to keep.
    Long,
    /// A string.
    String(&'t str),
    /// A word of the dictionary.
    Word(u16),
    /// A new id that never crossed.
    NewId,
    /// The same id as the packet's `ordinal`th.
    SameId(u8),
    /// A reference to an id of another packet, of the writing end or not.
    Reference(bool),
    /// A new id that crossed, and what others may have in common with it.
    Crossed(&'t str),
    /// So many octets in base64.
    Octets(u16),
}

impl<'t> Trace<'t> {
    /// The trace in contexts.
    pub fn key(self) -> u32 {
        match self {
            Self::Absent => 0,
            Self::Long => 1,
            Self::String(_) => 2,
            Self::Word(id) => 16 + u32::from(id),
            Self::NewId => 3,
            Self::SameId(ordinal) => 8 + u32::from(ordinal & 7),
            Self::Reference(false) => 4,
            Self::Reference(true) => 6,
            Self::Crossed(_) => 5,
            Self::Octets(_) => 7,
        }
    }

    /// The string, if it is one.
    pub fn string(self) -> Option<&'t str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// Can a later value be the same?
    pub fn can_hit(self) -> bool {
        matches!(
            self,
            Self::String(_) | Self::Word(_) | Self::NewId | Self::SameId(_)
        )
    }
}

/// Writes tokens; what does not fit is noticed at the end.
#[derive(Debug)]
pub struct Recorder<'r> {
    out: &'r mut [u8],
    len: usize,
}

impl<'r> Recorder<'r> {
    /// Into `out`.
    pub fn new(out: &'r mut [u8]) -> Self {
        Self { out, len: 0 }
    }

    /// Octets that stand before the tokens.
    pub fn push(&mut self, octets: &[u8]) {
        // One past the end stands for "did not fit"; nothing is written beyond.
        let place = self.out.get_mut(self.len..);
        self.len = match place.is_some_and(|place| put(place, octets)) {
            true => self.len + octets.len(),
            false => self.out.len() + 1,
        };
    }

    fn push_string(&mut self, text: &str) {
        match u8::try_from(text.len()) {
            Ok(len) => {
                self.push(&[len]);
                self.push(text.as_bytes());
            }
            Err(_) => self.len = self.out.len() + 1,
        }
    }

    /// A symbol.
    pub fn symbol(&mut self, symbol: &Symbol<'_>) {
        let code = match symbol.class {
            Class::Close => 0,
            Class::Text => 1,
            Class::OtherElement => 2,
            Class::OtherAttribute => 3,
            Class::Element => 4 + symbol.id.min(0x7ff0),
            Class::Attribute => 0x8000 | symbol.id,
        };
        self.push(&code.to_le_bytes());
        if symbol.is_other() {
            self.push_string(symbol.ns);
            self.push_string(symbol.name);
        }
    }

    /// A value.
    pub fn value(&mut self, trace: Trace<'_>) {
        let (tag, number, text) = match trace {
            Trace::Absent | Trace::Long => (0, 0, ""),
            Trace::String(text) if text.len() > STRING_MAX => (0, 0, ""),
            Trace::String(text) => (STRING, 0, text),
            Trace::Word(id) => (WORD, id, ""),
            Trace::NewId => (3, 0, ""),
            Trace::SameId(ordinal) => (SAME_ID, u16::from(ordinal), ""),
            Trace::Reference(own) => (5 + u8::from(own), 0, ""),
            Trace::Crossed(head) => (CROSSED, 0, head),
            Trace::Octets(count) => (OCTETS, count, ""),
        };
        self.push(&[tag]);
        match tag {
            STRING | CROSSED => self.push_string(text),
            WORD | OCTETS => self.push(&number.to_le_bytes()),
            SAME_ID => self.push(&[number as u8]),
            _ => {}
        }
    }

    /// The tokens, if they all fitted.
    pub fn finish(&self) -> Option<&[u8]> {
        self.out.get(..self.len)
    }
}

/// Follows a template while a stanza is walked.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'t> {
    tokens: Tokens<'t>,
    /// Open elements the template does not have.
    astray: u32,
    /// Is the next value the template's?
    aligned: bool,
}

impl<'t> Cursor<'t> {
    /// At the start of a template; empty tokens: no template.
    pub fn new(tokens: &'t [u8]) -> Self {
        Self {
            tokens: Tokens(tokens),
            astray: 0,
            aligned: false,
        }
    }

    /// The symbol expected next.
    pub fn expected(&self) -> Option<Symbol<'t>> {
        let mut tokens = self.tokens;
        (self.astray == 0 && !tokens.0.is_empty()).then(|| tokens.symbol())
    }

    /// Leaves out what is expected, an element with all it holds. False at the end of the open element.
    pub fn skip(&mut self) -> bool {
        let symbol = self.tokens.symbol();
        self.tokens.skip(&symbol)
    }

    /// Does `symbol` come later in the open element than what is expected?
    pub fn has_later(&self, symbol: &Symbol<'_>) -> bool {
        let is_sought = symbol.opens() || symbol.is_attribute();
        let mut ahead = *self;
        is_sought && ahead.skip() && ahead.tokens.seek(symbol)
    }

    /// The symbol that came.
    pub fn advance(&mut self, symbol: &Symbol<'_>) {
        let mut ahead = self.tokens;
        self.aligned = self.astray == 0 && ahead.seek(symbol);
        if self.aligned {
            self.tokens = ahead;
        } else if symbol.opens() {
            self.astray += 1;
        } else if symbol.class == Class::Close {
            if self.astray == 0 {
                self.tokens = Tokens(&[]);
            }
            self.astray = self.astray.saturating_sub(1);
        }
    }

    /// What the template has for the value that comes now; to be asked once for each value.
    pub fn trace(&mut self) -> Trace<'t> {
        if self.aligned {
            self.aligned = false;
            self.tokens.value()
        } else {
            Trace::Absent
        }
    }
}

/// Tokens to come. After the last there are closes without end.
#[derive(Clone, Copy, Debug)]
struct Tokens<'t>(&'t [u8]);

impl<'t> Tokens<'t> {
    fn octet(&mut self) -> u8 {
        let (octet, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *octet
    }

    fn number(&mut self) -> u16 {
        u16::from_le_bytes([self.octet(), self.octet()])
    }

    fn string(&mut self) -> &'t str {
        let len = usize::from(self.octet());
        let (text, rest) = self.0.split_at_checked(len).unwrap_or((&[], &[]));
        self.0 = rest;
        core::str::from_utf8(text).unwrap_or("")
    }

    fn symbol(&mut self) -> Symbol<'t> {
        let code = self.number();
        let (class, id) = match code {
            0 => (Class::Close, 0),
            1 => (Class::Text, 0),
            2 => (Class::OtherElement, 0),
            3 => (Class::OtherAttribute, 0),
            0x8000.. => (Class::Attribute, code & 0x7fff),
            _ => (Class::Element, code - 4),
        };
        let mut symbol = Symbol::known(class, id);
        if symbol.is_other() {
            symbol.ns = self.string();
            symbol.name = self.string();
        }
        symbol
    }

    fn value(&mut self) -> Trace<'t> {
        let tag = self.octet();
        match tag {
            STRING => Trace::String(self.string()),
            CROSSED => Trace::Crossed(self.string()),
            WORD => Trace::Word(self.number()),
            OCTETS => Trace::Octets(self.number()),
            SAME_ID => Trace::SameId(self.octet()),
            0 => Trace::Long,
            3 => Trace::NewId,
            _ => Trace::Reference(tag == 6),
        }
    }

    /// Leaves out what belongs to `symbol`. False if it is the end of the open element.
    fn skip(&mut self, symbol: &Symbol<'_>) -> bool {
        if symbol.opens() {
            return self.seek(&Symbol::CLOSE);
        }
        let closes = symbol.class == Class::Close;
        if !closes {
            self.value();
        }
        !closes
    }

    /// Goes to what follows the first `wanted` in the open element; false if there is none.
    fn seek(&mut self, wanted: &Symbol<'_>) -> bool {
        let mut depth = 0u32;
        loop {
            let symbol = self.symbol();
            let outermost = depth == 0;
            if outermost && symbol == *wanted {
                return true;
            }
            if symbol.opens() {
                // An attribute looked for belongs to the open element, not to what follows its children.
                if outermost && wanted.is_attribute() {
                    return false;
                }
                depth += 1;
            } else if symbol.class != Class::Close {
                self.value();
            } else if outermost {
                return false;
            } else {
                depth -= 1;
            }
        }
    }
}

//! Templates: earlier stanzas as a row of tokens, and the cursor that follows one while another stanza is walked.
//! Refuses to be a copy: ids and long texts leave only the fact that they were there.
//!
//! ```text
//! symbol  u16   class in the upper three bits, id in the lower
//!               other: u8 length and octets of the namespace, then of the name
//! value   u8    1 something long, 2 string: u8 length and octets, 3 an id of its own that never crossed, 4 a
//!               reference to a packet of the reader, 5 how an id that crossed begins: u8 length and octets, 6 a
//!               reference to a packet of the writer, 7 so many octets: u16, 8 word: u16, 9 the id that was the u8th
//!               of its packet
//! ```

use crate::row::put;
use crate::structure::lexicon::{Class, Symbol};

// Tags of values.
const LONG: u8 = 1;
const STRING: u8 = 2;
const NEW_ID: u8 = 3;
const TO_READER: u8 = 4;
const CROSSED: u8 = 5;
const TO_WRITER: u8 = 6;
const OCTETS: u8 = 7;
const WORD: u8 = 8;
const SAME_ID: u8 = 9;

/// Bits of an id in a symbol; of a larger one the upper bits are lost, so that it is never as before.
const ID_BITS: u32 = 13;
const ID_MASK: u16 = (1 << ID_BITS) - 1;

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
    /// The trace in tokens; 0 of none.
    fn tag(self) -> u8 {
        match self {
            Self::Absent => 0,
            Self::Long => LONG,
            Self::String(_) => STRING,
            Self::Word(_) => WORD,
            Self::NewId => NEW_ID,
            Self::SameId(_) => SAME_ID,
            Self::Reference(false) => TO_READER,
            Self::Reference(true) => TO_WRITER,
            Self::Crossed(_) => CROSSED,
            Self::Octets(_) => OCTETS,
        }
    }

    /// The trace in contexts.
    pub fn key(self) -> u32 {
        match self {
            Self::Word(id) => 16 + u32::from(id),
            Self::SameId(ordinal) => 8 + u32::from(ordinal & 7),
            _ => self.tag().into(),
        }
    }

    /// The string, empty if it is none.
    pub fn string(self) -> &'t str {
        match self {
            Self::String(text) => text,
            _ => "",
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
        // Once something did not fit, nothing does.
        let place = self.out.get_mut(self.len..);
        self.len = match place.is_some_and(|place| put(place, octets)) {
            true => self.len + octets.len(),
            false => usize::MAX,
        };
    }

    fn push_string(&mut self, text: &str) {
        match u8::try_from(text.len()) {
            Ok(len) => {
                self.push(&[len]);
                self.push(text.as_bytes());
            }
            Err(_) => self.len = usize::MAX,
        }
    }

    /// A symbol.
    pub fn symbol(&mut self, symbol: &Symbol<'_>) {
        let code = (symbol.class as u16) << ID_BITS | symbol.id & ID_MASK;
        self.push(&code.to_le_bytes());
        if symbol.is_other() {
            self.push_string(symbol.ns);
            self.push_string(symbol.name);
        }
    }

    /// A value.
    pub fn value(&mut self, trace: Trace<'_>) {
        let trace = match trace {
            Trace::String(text) if text.len() > STRING_MAX => Trace::Long,
            _ => trace,
        };
        self.push(&[trace.tag()]);
        match trace {
            Trace::String(text) | Trace::Crossed(text) => self.push_string(text),
            Trace::Word(number) | Trace::Octets(number) => self.push(&number.to_le_bytes()),
            Trace::SameId(ordinal) => self.push(&[ordinal]),
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

    /// Is a symbol expected?
    pub fn expects(&self) -> bool {
        self.astray == 0 && !self.tokens.0.is_empty()
    }

    /// The symbol expected next.
    pub fn expected(&self) -> Symbol<'t> {
        let mut tokens = self.tokens;
        tokens.symbol()
    }

    /// Leaves out what is expected, an element with all it holds. False at the end of the open element.
    pub fn skip(&mut self) -> bool {
        self.tokens.skip_next()
    }

    /// Does `symbol` come later in the open element than what is expected?
    pub fn has_later(&self, symbol: &Symbol<'_>) -> bool {
        let mut ahead = self.tokens;
        symbol.class > Class::Text && ahead.skip_next() && ahead.seek(symbol)
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
        let class = Class::ALL.get(usize::from(code >> ID_BITS));
        let mut symbol = Symbol::known(*class.unwrap_or(&Class::Close), code & ID_MASK);
        if symbol.is_other() {
            symbol.ns = self.string();
            symbol.name = self.string();
        }
        symbol
    }

    fn value(&mut self) -> Trace<'t> {
        match self.octet() {
            STRING => Trace::String(self.string()),
            CROSSED => Trace::Crossed(self.string()),
            WORD => Trace::Word(self.number()),
            OCTETS => Trace::Octets(self.number()),
            SAME_ID => Trace::SameId(self.octet()),
            NEW_ID => Trace::NewId,
            TO_READER => Trace::Reference(false),
            TO_WRITER => Trace::Reference(true),
            _ => Trace::Long,
        }
    }

    /// Leaves out the next symbol, an element with all it holds. False at the end of the open element.
    fn skip_next(&mut self) -> bool {
        let class = self.symbol().class;
        self.skip(class);
        class != Class::Close
    }

    /// Leaves out what belongs to a symbol of this class: its value, or all that is in the element.
    fn skip(&mut self, mut class: Class) {
        let mut depth = 0u32;
        loop {
            match class {
                Class::Element | Class::OtherElement => depth += 1,
                Class::Close => depth = depth.saturating_sub(1),
                _ => _ = self.value(),
            }
            if depth == 0 {
                return;
            }
            class = self.symbol().class;
        }
    }

    /// Goes to what follows the first `wanted` in the open element; false if there is none.
    fn seek(&mut self, wanted: &Symbol<'_>) -> bool {
        loop {
            let symbol = self.symbol();
            if symbol == *wanted {
                return true;
            }
            // An attribute looked for belongs to the open element, not to what follows its children.
            if symbol.class == Class::Close || symbol.opens() && wanted.is_attribute() {
                return false;
            }
            self.skip(symbol.class);
        }
    }
}

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

    fn push(&mut self, octets: &[u8]) {
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
        match trace {
            Trace::Absent | Trace::Long => self.push(&[0]),
            Trace::String(text) if text.len() > STRING_MAX => self.push(&[0]),
            Trace::String(text) => {
                self.push(&[1]);
                self.push_string(text);
            }
            Trace::Word(id) => {
                self.push(&[2]);
                self.push(&id.to_le_bytes());
            }
            Trace::NewId => self.push(&[3]),
            Trace::SameId(ordinal) => self.push(&[4, ordinal]),
            Trace::Reference(own) => self.push(&[5 + u8::from(own)]),
            Trace::Crossed(head) => {
                self.push(&[7]);
                self.push_string(head);
            }
            Trace::Octets(count) => {
                self.push(&[8]);
                self.push(&count.to_le_bytes());
            }
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
    tokens: &'t [u8],
    /// Open elements the template does not have.
    astray: u32,
    /// Is the next value the template's?
    aligned: bool,
}

impl<'t> Cursor<'t> {
    /// At the start of a template; empty tokens: no template.
    pub fn new(tokens: &'t [u8]) -> Self {
        Self {
            tokens,
            astray: 0,
            aligned: false,
        }
    }

    /// The symbol expected next.
    pub fn expected(&self) -> Option<Symbol<'t>> {
        if self.astray > 0 {
            return None;
        }
        take_symbol(self.tokens).map(|(symbol, _)| symbol)
    }

    /// Leaves out what is expected, an element with all it holds. False at the end of the open element.
    pub fn skip(&mut self) -> bool {
        let rest = after(self.tokens);
        if let Some(rest) = rest {
            self.tokens = rest;
        }
        rest.is_some()
    }

    /// Does `symbol` come later in the open element than what is expected?
    pub fn has_later(&self, symbol: &Symbol<'_>) -> bool {
        let is_sought = symbol.opens() || symbol.is_attribute();
        is_sought && after(self.tokens).is_some_and(|rest| seek(rest, symbol).is_some())
    }

    /// The symbol that came.
    pub fn advance(&mut self, symbol: &Symbol<'_>) {
        let closes = symbol.class == Class::Close;
        self.aligned = false;
        if self.astray == 0 {
            if let Some(rest) = seek(self.tokens, symbol) {
                self.tokens = rest;
                self.aligned = true;
                return;
            }
            if closes {
                self.tokens = &[];
            }
        }
        if symbol.opens() {
            self.astray += 1;
        } else if closes {
            self.astray = self.astray.saturating_sub(1);
        }
    }

    /// What the template has for the value that comes now; to be asked once for each value.
    pub fn trace(&mut self) -> Trace<'t> {
        if !self.aligned {
            return Trace::Absent;
        }
        self.aligned = false;
        match take_value(self.tokens) {
            Some((trace, rest)) => {
                self.tokens = rest;
                trace
            }
            None => Trace::Absent,
        }
    }
}

/// The rest of the tokens after the first attribute, text or whole element. None at the end of the open element.
fn after(tokens: &[u8]) -> Option<&[u8]> {
    let (symbol, rest) = take_symbol(tokens)?;
    match symbol.class {
        Class::Close => None,
        Class::Element | Class::OtherElement => seek(rest, &Symbol::CLOSE),
        _ => take_value(rest).map(|(_, rest)| rest),
    }
}

/// The rest of the tokens after the first `wanted` in the open element.
fn seek<'t>(mut tokens: &'t [u8], wanted: &Symbol<'_>) -> Option<&'t [u8]> {
    let mut depth = 0u32;
    while let Some((symbol, rest)) = take_symbol(tokens) {
        if depth == 0 && symbol == *wanted {
            return Some(rest);
        }
        tokens = rest;
        match symbol.class {
            Class::Close => depth = depth.checked_sub(1)?,
            Class::Element | Class::OtherElement => {
                // An attribute looked for belongs to the open element, not to what follows its children.
                if depth == 0 && wanted.is_attribute() {
                    return None;
                }
                depth += 1;
            }
            _ => tokens = take_value(tokens)?.1,
        }
    }
    None
}

fn take_string(tokens: &[u8]) -> Option<(&str, &[u8])> {
    let (len, rest) = tokens.split_first()?;
    let (text, rest) = rest.split_at_checked(usize::from(*len))?;
    Some((core::str::from_utf8(text).ok()?, rest))
}

fn take_symbol(tokens: &[u8]) -> Option<(Symbol<'_>, &[u8])> {
    let (code, mut rest) = tokens.split_first_chunk::<2>()?;
    let code = u16::from_le_bytes(*code);
    let mut symbol = match code {
        0 => Symbol::CLOSE,
        1 => Symbol::TEXT,
        2 => Symbol::known(Class::OtherElement, 0),
        3 => Symbol::known(Class::OtherAttribute, 0),
        0x8000.. => Symbol::known(Class::Attribute, code & 0x7fff),
        _ => Symbol::known(Class::Element, code - 4),
    };
    if symbol.is_other() {
        (symbol.ns, rest) = take_string(rest)?;
        (symbol.name, rest) = take_string(rest)?;
    }
    Some((symbol, rest))
}

fn take_value(tokens: &[u8]) -> Option<(Trace<'_>, &[u8])> {
    let (tag, rest) = tokens.split_first()?;
    Some(match tag {
        0 => (Trace::Long, rest),
        1 => {
            let (text, rest) = take_string(rest)?;
            (Trace::String(text), rest)
        }
        2 => {
            let (id, rest) = rest.split_first_chunk::<2>()?;
            (Trace::Word(u16::from_le_bytes(*id)), rest)
        }
        3 => (Trace::NewId, rest),
        4 => {
            let (ordinal, rest) = rest.split_first()?;
            (Trace::SameId(*ordinal), rest)
        }
        5 | 6 => (Trace::Reference(*tag == 6), rest),
        8 => {
            let (count, rest) = rest.split_first_chunk::<2>()?;
            (Trace::Octets(u16::from_le_bytes(*count)), rest)
        }
        _ => {
            let (head, rest) = take_string(rest)?;
            (Trace::Crossed(head), rest)
        }
    })
}

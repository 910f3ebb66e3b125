//! What the walk asks of the dictionary. Refuses to hold words of its own.

use crate::dictionary::Dictionary;
use crate::features::mix;

/// Key of an element, attribute or value in contexts: the number of a known word, a hash of an unknown one.
pub type Key = u32;

/// Key of the symbol "close".
pub const CLOSE: Key = 1;
/// Key of the symbol "text".
pub const TEXT: Key = 2;
/// Key of the symbol "element outside the dictionary".
pub const ESCAPE_ELEMENT: Key = 3;
/// Key of the symbol "attribute outside the dictionary".
pub const ESCAPE_ATTRIBUTE: Key = 4;
const ELEMENT: Key = 0x1_0000;
const ATTRIBUTE: Key = 0x2_0000;

/// One symbol of the structure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Symbol<'a> {
    /// End of the open element.
    Close,
    /// Character data; a value follows.
    Text,
    /// Start of an element of the dictionary.
    Element(u16),
    /// An attribute of the dictionary; a value follows.
    Attribute(u16),
    /// Start of any other element: namespace and local name.
    OtherElement(&'a str, &'a str),
    /// Any other attribute: namespace and local name; a value follows.
    OtherAttribute(&'a str, &'a str),
}

impl Symbol<'_> {
    /// The symbol in contexts.
    pub fn key(self) -> Key {
        match self {
            Self::Close => CLOSE,
            Self::Text => TEXT,
            Self::Element(id) => ELEMENT | u32::from(id),
            Self::Attribute(id) => ATTRIBUTE | u32::from(id),
            Self::OtherElement(ns, name) => ESCAPE_ELEMENT | hash(name) ^ hash(ns) << 8,
            Self::OtherAttribute(ns, name) => ESCAPE_ATTRIBUTE | hash(name) ^ hash(ns) << 8,
        }
    }

    /// The kind of the symbol, 0 to 5.
    pub fn class(self) -> u32 {
        match self {
            Self::Close => 0,
            Self::Text => 1,
            Self::Element(_) => 2,
            Self::Attribute(_) => 3,
            Self::OtherElement(..) => 4,
            Self::OtherAttribute(..) => 5,
        }
    }
}

/// Hash of a string, for contexts and look-ups; both ends compute the same.
pub fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |h, b| mix(h, u32::from(b)))
}

/// The symbol that opens the element `name` of `ns`.
pub fn element<'a>(dictionary: &Dictionary<'_>, ns: &'a str, name: &'a str) -> Symbol<'a> {
    match dictionary.element(ns, name) {
        Some(id) => Symbol::Element(id),
        None => Symbol::OtherElement(ns, name),
    }
}

/// The symbol of the attribute `name` of `ns`.
pub fn attribute<'a>(dictionary: &Dictionary<'_>, ns: &'a str, name: &'a str) -> Symbol<'a> {
    match dictionary.attribute(ns, name) {
        Some(id) => Symbol::Attribute(id),
        None => Symbol::OtherAttribute(ns, name),
    }
}

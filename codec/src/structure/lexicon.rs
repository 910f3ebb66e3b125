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
pub(super) const ELEMENT: Key = 0x1_0000;
const ATTRIBUTE: Key = 0x2_0000;
/// What keeps the keys of other elements and attributes apart from those of the dictionary's.
const OTHER: Key = 0x8000_0000;

/// What a symbol does, numbered as on the air. Attributes are written in this order.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Class {
    /// End of the open element.
    Close,
    /// Character data; a value follows.
    Text,
    /// Start of an element of the dictionary.
    Element,
    /// An attribute of the dictionary; a value follows.
    Attribute,
    /// Start of any other element.
    OtherElement,
    /// Any other attribute; a value follows.
    OtherAttribute,
}

impl Class {
    /// All of them, by their numbers.
    pub const ALL: [Self; 6] = [
        Self::Close,
        Self::Text,
        Self::Element,
        Self::Attribute,
        Self::OtherElement,
        Self::OtherAttribute,
    ];
}

/// One symbol of the structure.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialOrd)]
pub struct Symbol<'a> {
    /// What it does.
    pub class: Class,
    /// Number of one of the dictionary, else 0.
    pub id: u16,
    /// Namespace of another one, else empty.
    pub ns: &'a str,
    /// Local name of another one, else empty.
    pub name: &'a str,
}

impl PartialEq for Symbol<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<'a> Symbol<'a> {
    /// End of the open element.
    pub const CLOSE: Self = Self::known(Class::Close, 0);
    /// Character data.
    pub const TEXT: Self = Self::known(Class::Text, 0);

    /// One that needs no name.
    pub const fn known(class: Class, id: u16) -> Self {
        Self {
            class,
            id,
            ns: "",
            name: "",
        }
    }

    /// One outside the dictionary.
    pub const fn other(class: Class, ns: &'a str, name: &'a str) -> Self {
        Self {
            class,
            id: 0,
            ns,
            name,
        }
    }

    /// Does it begin an element?
    pub fn opens(&self) -> bool {
        matches!(self.class, Class::Element | Class::OtherElement)
    }

    /// Is it an attribute?
    pub fn is_attribute(&self) -> bool {
        matches!(self.class, Class::Attribute | Class::OtherAttribute)
    }

    /// Is it outside the dictionary?
    pub fn is_other(&self) -> bool {
        matches!(self.class, Class::OtherElement | Class::OtherAttribute)
    }

    /// The symbol in contexts.
    pub fn key(&self) -> Key {
        let class = match self.class {
            Class::Close => CLOSE,
            Class::Text => TEXT,
            Class::Element => ELEMENT,
            Class::Attribute => ATTRIBUTE,
            Class::OtherElement => ESCAPE_ELEMENT,
            Class::OtherAttribute => ESCAPE_ATTRIBUTE,
        };
        if self.is_other() {
            class | OTHER | hash(self.name) ^ hash(self.ns) << 8
        } else {
            class | u32::from(self.id)
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
        Some(id) => Symbol::known(Class::Element, id),
        None => Symbol::other(Class::OtherElement, ns, name),
    }
}

/// The symbol of the attribute `name` of `ns`.
pub fn attribute<'a>(dictionary: &Dictionary<'_>, ns: &'a str, name: &'a str) -> Symbol<'a> {
    match dictionary.attribute(ns, name) {
        Some(id) => Symbol::known(Class::Attribute, id),
        None => Symbol::other(Class::OtherAttribute, ns, name),
    }
}

//! XML as XMPP uses it: an owned [`Element`] tree, its parser and writer on quick-xml, and the reader of XML
//! streams. Refuses what RFC 6120 section 11.1 keeps out (comments, processing instructions, DTDs, custom
//! entities) and everything without a bound.
//!
//! Inside the gateway every stanza is in [`NS_CLIENT`]; streams with another content namespace
//! (`jabber:component:accept`, `jabber:server`) are mapped where their bytes are read and written.

mod error;
mod parse;
mod stream;
mod tape;
mod write;

pub use error::{StreamError, XmlError};
pub use longwire_codec::stanza::NS_XML;
pub use parse::{Context, Limits};
pub use stream::{Header, StreamEvent, StreamReader};
pub use write::{escape_attr, escape_text};

/// Content namespace of client streams, and of every stanza inside the gateway (RFC 6120 section 4.8.2).
pub const NS_CLIENT: &str = "jabber:client";
/// Namespace of `<stream:stream/>`, `<stream:features/>` and `<stream:error/>`.
pub const NS_STREAM: &str = "http://etherx.jabber.org/streams";
/// Conditions inside a stanza's `<error/>` (RFC 6120 section 8.3).
pub const NS_STANZA_ERROR: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";
/// Conditions inside `<stream:error/>` (RFC 6120 section 4.9).
pub const NS_STREAM_ERROR: &str = "urn:ietf:params:xml:ns:xmpp-streams";

/// An attribute with its namespace resolved.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Attr {
    /// Namespace name; empty for the usual unprefixed attribute.
    pub ns: String,
    /// Local name.
    pub name: String,
    /// Unescaped value.
    pub value: String,
}

/// What stands inside an element, in document order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Child {
    /// A child element.
    Element(Element),
    /// Unescaped character data; never two in a row when made by this module.
    Text(String),
}

/// An XML element with namespaces resolved and everything below it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Element {
    /// Namespace name.
    pub ns: String,
    /// Local name.
    pub name: String,
    /// Attributes in document order, namespace declarations excepted.
    pub attrs: Vec<Attr>,
    /// Content in document order.
    pub children: Vec<Child>,
}

impl Element {
    /// An empty element.
    pub fn new(ns: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            ns: ns.into(),
            name: name.into(),
            attrs: Vec::new(),
            children: Vec::new(),
        }
    }

    /// The same with an unprefixed attribute set.
    #[must_use]
    pub fn with_attr(mut self, name: impl AsRef<str>, value: impl Into<String>) -> Self {
        self.set_attr(name, value);
        self
    }

    /// The same with one more child element.
    #[must_use]
    pub fn with_child(mut self, child: Self) -> Self {
        self.push(child);
        self
    }

    /// The same with `text` appended; nothing for empty text.
    #[must_use]
    pub fn with_text(mut self, text: impl AsRef<str>) -> Self {
        self.push_text(text.as_ref());
        self
    }

    /// Is this element `name` in namespace `ns`?
    pub fn is(&self, ns: &str, name: &str) -> bool {
        self.name == name && self.ns == ns
    }

    /// Value of an unprefixed attribute.
    pub fn attr(&self, name: &str) -> Option<&str> {
        self.attr_ns("", name)
    }

    /// Value of an attribute in a namespace, such as `xml:lang` in [`NS_XML`].
    pub fn attr_ns(&self, ns: &str, name: &str) -> Option<&str> {
        let found = self.attrs.iter().find(|a| a.name == name && a.ns == ns);
        found.map(|a| a.value.as_str())
    }

    /// Sets or replaces an unprefixed attribute.
    pub fn set_attr(&mut self, name: impl AsRef<str>, value: impl Into<String>) {
        self.set_attr_ns("", name.as_ref(), value);
    }

    /// Sets or replaces an attribute in a namespace.
    pub fn set_attr_ns(&mut self, ns: &str, name: &str, value: impl Into<String>) {
        let value = value.into();
        let known = self.attrs.iter_mut();
        match known.into_iter().find(|a| a.name == name && a.ns == ns) {
            Some(attr) => attr.value = value,
            None => self.attrs.push(Attr {
                ns: ns.into(),
                name: name.into(),
                value,
            }),
        }
    }

    /// Takes an unprefixed attribute away and returns its value.
    pub fn remove_attr(&mut self, name: &str) -> Option<String> {
        let at = self
            .attrs
            .iter()
            .position(|a| a.ns.is_empty() && a.name == name)?;
        Some(self.attrs.remove(at).value)
    }

    /// Appends a child element.
    pub fn push(&mut self, child: Self) {
        self.children.push(Child::Element(child));
    }

    /// Appends character data, joined to text that already stands last.
    pub fn push_text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        match self.children.last_mut() {
            Some(Child::Text(last)) => last.push_str(text),
            _ => self.children.push(Child::Text(text.into())),
        }
    }

    /// Child elements in document order.
    pub fn children(&self) -> impl Iterator<Item = &Self> {
        self.children.iter().filter_map(|child| match child {
            Child::Element(element) => Some(element),
            Child::Text(_) => None,
        })
    }

    /// Child elements, to change them.
    pub fn children_mut(&mut self) -> impl Iterator<Item = &mut Self> {
        self.children.iter_mut().filter_map(|child| match child {
            Child::Element(element) => Some(element),
            Child::Text(_) => None,
        })
    }

    /// The first child with this name.
    pub fn child(&self, ns: &str, name: &str) -> Option<&Self> {
        self.children().find(|child| child.is(ns, name))
    }

    /// The first child in this namespace, whatever its name.
    pub fn child_in(&self, ns: &str) -> Option<&Self> {
        self.children().find(|child| child.ns == ns)
    }

    /// Keeps only the child elements that `keep` approves; text stays.
    pub fn retain_children(&mut self, mut keep: impl FnMut(&Self) -> bool) {
        self.children.retain(|child| match child {
            Child::Element(element) => keep(element),
            Child::Text(_) => true,
        });
    }

    /// Character data directly inside this element, joined.
    pub fn text(&self) -> String {
        let texts = self.children.iter().filter_map(|child| match child {
            Child::Text(text) => Some(text.as_str()),
            Child::Element(_) => None,
        });
        texts.collect()
    }
}

#[cfg(test)]
mod tests;

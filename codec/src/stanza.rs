//! A stanza as a flat tape of nodes with namespaces resolved. Refuses prefixes, comments and processing
//! instructions: RFC 6120 section 11.1 keeps them out of XMPP.

/// The namespace bound to the prefix `xml` (Namespaces in XML, section 3), as in `xml:lang`.
pub const NS_XML: &str = "http://www.w3.org/XML/1998/namespace";

/// One step of a depth-first walk over an XML element.
///
/// Attributes follow the `Open` they belong to, before any `Text` or child.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Node<'a> {
    /// Start of an element.
    Open {
        /// Namespace name; stanzas of any stream are in `jabber:client`.
        ns: &'a str,
        /// Local name.
        name: &'a str,
    },
    /// An attribute of the element opened last.
    Attr {
        /// Namespace name; empty for the usual unprefixed attribute.
        ns: &'a str,
        /// Local name.
        name: &'a str,
        /// Unescaped value.
        value: &'a str,
    },
    /// Unescaped character data, never empty, never two in a row.
    Text(&'a str),
    /// End of the element opened last.
    Close,
}

/// A whole element on a tape: balanced, with one root.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stanza<'t, 'a> {
    tape: &'t [Node<'a>],
}

impl<'t, 'a> Stanza<'t, 'a> {
    /// Deepest nesting of elements accepted anywhere in Longwire.
    pub const DEPTH_MAX: usize = 64;

    /// Checks the tape: one root, balanced, attributes right after their element, depth within
    /// [`Self::DEPTH_MAX`]. `None` otherwise.
    pub fn new(tape: &'t [Node<'a>]) -> Option<Self> {
        let mut depth = 0usize;
        let mut attr_ok = false;
        for (at, node) in tape.iter().enumerate() {
            // Outside of all elements there is but the start of the first.
            if depth == 0 && (at > 0 || !matches!(node, Node::Open { .. })) {
                return None;
            }
            match node {
                Node::Open { .. } => depth += 1,
                Node::Attr { .. } if !attr_ok => return None,
                Node::Attr { .. } | Node::Text(_) => {}
                Node::Close => depth -= 1,
            }
            if depth > Self::DEPTH_MAX {
                return None;
            }
            attr_ok = matches!(node, Node::Open { .. } | Node::Attr { .. });
        }
        (depth == 0 && !tape.is_empty()).then_some(Self { tape })
    }

    /// Of a tape that is as [`Self::new`] wants it: another may be coded as something else.
    pub fn whole(tape: &'t [Node<'a>]) -> Self {
        Self { tape }
    }

    /// The nodes, in document order.
    pub fn nodes(&self) -> &'t [Node<'a>] {
        self.tape
    }

    /// Namespace and local name of the root.
    // On a board a call is smaller.
    #[cfg_attr(target_os = "none", inline(never))]
    pub fn name(&self) -> (&'a str, &'a str) {
        match self.tape.first() {
            Some(Node::Open { ns, name }) => (ns, name),
            // `new` accepts only tapes that begin with `Open`.
            _ => ("", ""),
        }
    }

    /// Whether the root is `name` in namespace `ns`.
    pub fn is(&self, ns: &str, name: &str) -> bool {
        let root = self.tape.first();
        matches!(root, Some(Node::Open { ns: n, name: m }) if *n == ns && *m == name)
    }

    /// The nodes after the first.
    // On a board a call is smaller.
    #[cfg_attr(target_os = "none", inline(never))]
    fn inside(&self) -> &'t [Node<'a>] {
        self.tape.get(1..).unwrap_or(&[])
    }

    /// The child elements of the root, in document order.
    pub fn children(&self) -> Children<'t, 'a> {
        Children {
            rest: self.inside(),
        }
    }

    /// The first child `name` in namespace `ns`.
    pub fn child(&self, ns: &str, name: &str) -> Option<Self> {
        self.children().find(|child| child.is(ns, name))
    }

    /// The character data directly in the root, before its first child; empty if there is none.
    pub fn text(&self) -> &'a str {
        for node in self.inside() {
            match node {
                Node::Attr { .. } => {}
                Node::Text(text) => return text,
                _ => break,
            }
        }
        ""
    }

    /// Value of an unprefixed attribute of the root.
    pub fn attr(&self, wanted: &str) -> Option<&'a str> {
        for node in self.inside() {
            match node {
                Node::Attr { ns, name, value } if ns.is_empty() && *name == wanted => {
                    return Some(value);
                }
                Node::Attr { .. } => {}
                _ => break,
            }
        }
        None
    }
}

/// The child elements of an element.
#[derive(Clone, Debug)]
pub struct Children<'t, 'a> {
    rest: &'t [Node<'a>],
}

impl<'t, 'a> Iterator for Children<'t, 'a> {
    type Item = Stanza<'t, 'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut depth = 0usize;
        let mut from = 0;
        for (at, node) in self.rest.iter().enumerate() {
            match node {
                Node::Open { .. } => {
                    if depth == 0 {
                        from = at;
                    }
                    depth += 1;
                }
                Node::Close => {
                    // None at the end of the parent.
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        let (tape, rest) = self.rest.split_at_checked(at + 1)?;
                        self.rest = rest;
                        return tape.get(from..).map(Stanza::whole);
                    }
                }
                _ => {}
            }
        }
        None
    }
}

/// Bump storage for the strings of a decoded stanza, carved out of the caller's buffer.
#[derive(Debug)]
pub struct Arena<'a> {
    free: &'a mut [u8],
}

impl<'a> Arena<'a> {
    /// An arena over the whole of `buffer`.
    pub fn new(buffer: &'a mut [u8]) -> Self {
        Self { free: buffer }
    }

    /// Octets left.
    pub fn room(&self) -> usize {
        self.free.len()
    }

    /// The space left, to be written to.
    pub fn free(&mut self) -> &mut [u8] {
        self.free
    }

    /// Keeps the first `len` octets of the space left. `None` if there are not as many, which leaves no space, or if they
    /// are no UTF-8.
    pub fn take(&mut self, len: usize) -> Option<&'a str> {
        let (kept, rest) = core::mem::take(&mut self.free).split_at_mut_checked(len)?;
        self.free = rest;
        core::str::from_utf8(kept).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_are_stanzas_of_their_own() {
        let open = |name| Node::Open { ns: "n", name };
        let attr = Node::Attr {
            ns: "",
            name: "k",
            value: "v",
        };
        let tape = [
            open("a"),
            attr,
            Node::Text("t"),
            open("b"),
            open("c"),
            Node::Close,
            Node::Close,
            open("d"),
            Node::Text("u"),
            Node::Close,
            Node::Close,
        ];
        let stanza = Stanza::new(&tape).expect("balanced");
        assert_eq!(stanza.text(), "t");
        assert_eq!(stanza.attr("k"), Some("v"));
        assert_eq!(stanza.children().count(), 2);
        assert_eq!(stanza.child("n", "d").map(|d| d.text()), Some("u"));
        assert_eq!(
            stanza.child("n", "b").map(|b| b.children().count()),
            Some(1)
        );
        assert_eq!(stanza.child("n", "c"), None);
    }

    #[test]
    fn unbalanced_tapes_are_refused() {
        let open = Node::Open { ns: "n", name: "a" };
        assert!(Stanza::new(&[]).is_none());
        assert!(Stanza::new(&[open]).is_none());
        assert!(Stanza::new(&[open, Node::Close, open, Node::Close]).is_none());
        assert!(Stanza::new(&[Node::Text("x")]).is_none());
    }
}

//! What both ends know before the first bit: names, whole values and trained models, found by id and by content.
//! Refuses to hold any of it: the tables are data of the `longwire-dictionaries` crate, or of the caller.

pub mod file;

use core::cmp::Ordering;

/// Strings numbered from 0, all cut out of one blob.
#[derive(Clone, Copy, Debug)]
pub struct Strings<'d> {
    /// Text that holds every string; they may overlap.
    pub blob: &'d str,
    /// Offset of each string in the blob, in octets.
    pub starts: &'d [u16],
    /// Length of each string, in octets.
    pub lens: &'d [u8],
    /// Ids in the byte order of their strings.
    pub index: &'d [u16],
}

impl<'d> Strings<'d> {
    /// No strings.
    pub const EMPTY: Self = Self {
        blob: "",
        starts: &[],
        lens: &[],
        index: &[],
    };

    /// How many strings; ids are below it.
    pub const fn len(&self) -> usize {
        self.starts.len()
    }

    /// True if there are none.
    pub const fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// The string numbered `id`.
    pub fn get(&self, id: u16) -> Option<&'d str> {
        let (start, end) = self.ends(id)?;
        self.blob.get(start..end)
    }

    fn ends(&self, id: u16) -> Option<(usize, usize)> {
        let start = usize::from(*self.starts.get(usize::from(id))?);
        Some((start, start + usize::from(*self.lens.get(usize::from(id))?)))
    }

    /// The number of `wanted`.
    pub fn find(&self, wanted: &str) -> Option<u16> {
        self.find_in(&[], 0, wanted)
    }

    /// The number of `wanted` among those of a namespace; 0 is that of any string not among `namespaces`.
    fn find_in(&self, namespaces: &[u16], ns: u16, wanted: &str) -> Option<u16> {
        let (mut low, mut high) = (0, self.index.len());
        while low < high {
            let middle = (low + high) / 2;
            let id = *self.index.get(middle)?;
            // Octets, which are quicker to cut out than text.
            let (start, end) = self.ends(id)?;
            let octets = self.blob.as_bytes().get(start..end)?;
            let order = namespaces.get(usize::from(id)).unwrap_or(&0).cmp(&ns);
            match order.then_with(|| octets.cmp(wanted.as_bytes())) {
                Ordering::Less => low = middle + 1,
                Ordering::Equal => return Some(id),
                Ordering::Greater => high = middle,
            }
        }
        None
    }
}

/// Names of elements or attributes, numbered from 0: a namespace, a local name, and what its value looks like.
#[derive(Clone, Copy, Debug)]
pub struct Names<'d> {
    /// The local names; their index is in the order of namespace ids first.
    pub strings: Strings<'d>,
    /// Namespace of each name, an id of [`Dictionary::namespaces`].
    pub namespaces: &'d [u16],
    /// What the text of an element, or the value of an attribute, looks like.
    pub kinds: &'d [Kind],
}

impl<'d> Names<'d> {
    /// No names.
    pub const EMPTY: Self = Self {
        strings: Strings::EMPTY,
        namespaces: &[],
        kinds: &[],
    };

    /// How many names; ids are below it.
    pub const fn len(&self) -> usize {
        self.strings.len()
    }

    /// True if there are none.
    pub const fn is_empty(&self) -> bool {
        self.strings.is_empty()
    }

    /// Namespace id and local name of `id`.
    pub fn get(&self, id: u16) -> Option<(u16, &'d str)> {
        let ns = *self.namespaces.get(usize::from(id))?;
        Some((ns, self.strings.get(id)?))
    }

    /// What the value of `id` usually looks like.
    pub fn kind(&self, id: u16) -> Kind {
        let kind = self.kinds.get(usize::from(id));
        kind.copied().unwrap_or(Kind::Text)
    }

    /// The number of the name `name` in the namespace numbered `ns`.
    pub fn find(&self, ns: u16, name: &str) -> Option<u16> {
        self.strings.find_in(self.namespaces, ns, name)
    }

    /// The ids of the names in the namespace numbered `ns`, by local name.
    pub fn within(&self, ns: u16) -> &'d [u16] {
        let of = |id: &u16| self.namespaces.get(usize::from(*id)).copied();
        let index = self.strings.index;
        let from = index.partition_point(|id| of(id) < Some(ns));
        let to = index.partition_point(|id| of(id) <= Some(ns));
        &index[from..to]
    }
}

/// What a value usually looks like. A hint that saves bits: a value of another form still passes, only dearer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum Kind {
    /// Free text.
    Text = 0,
    /// An element without text of its own; white space there means nothing.
    None,
    /// `true`, `false`, `1`, `0`.
    Boolean,
    /// A whole number in decimal digits.
    Integer,
    /// A decimal fraction, such as a coordinate.
    Decimal,
    /// Date and time of XEP-0082.
    Time,
    /// Base64, padded.
    Base64,
    /// Hexadecimal digits.
    Hex,
    /// An address, RFC 7622.
    Jid,
    /// A URI.
    Uri,
    /// A language tag, RFC 5646.
    Language,
    /// An id: UUID, counter, random letters.
    Id,
    /// An id nobody reads anything into: another may be made up for it.
    Opaque,
    /// The id of an item, made up or a name: the hash of an avatar, the JID of a bookmark, the word "current".
    Item,
    /// What a message says.
    Body,
    /// A subject or other headline.
    Headline,
    /// A presence status.
    Status,
    /// A reason, description or other text that does not come again.
    Remark,
    /// A nickname or display name.
    Nick,
    /// One of a few words, most of them in [`Dictionary::values`].
    Choice,
}

impl Kind {
    /// Do ids stand there?
    pub fn is_id(self) -> bool {
        matches!(self, Self::Id | Self::Opaque | Self::Item)
    }

    /// Does running text stand there?
    pub fn is_prose(self) -> bool {
        self == Self::Text || (Self::Body as u8..=Self::Nick as u8).contains(&(self as u8))
    }
}

/// Attribute id that stands for the text of an element in [`Dictionary::kind`].
pub const TEXT: u16 = u16::MAX;

/// Kinds of attributes that depend on the element.
#[derive(Clone, Copy, Debug)]
pub struct Exceptions<'d> {
    /// Element id and attribute id, ascending.
    pub pairs: &'d [(u16, u16)],
    /// Kind of each pair.
    pub kinds: &'d [Kind],
}

impl Exceptions<'_> {
    fn find(&self, element: u16, attribute: u16) -> Option<usize> {
        let order =
            |&(element, attribute): &(u16, u16)| u32::from(element) << 16 | u32::from(attribute);
        let wanted = order(&(element, attribute));
        self.pairs.binary_search_by_key(&wanted, order).ok()
    }
}

/// One dictionary: every table and model of it. Two ends that name the same `id` code alike.
#[derive(Clone, Copy, Debug)]
pub struct Dictionary<'d> {
    /// Derived from all tables and models: the first 32 bits of their SHA-256, big-endian.
    pub id: u32,
    /// The same of the tables alone: what a [`file::File`] of models says it goes with.
    pub tables: u32,
    /// Namespace names; number 0 is no namespace.
    pub namespaces: Strings<'d>,
    /// Elements, and the kind of text each holds.
    pub elements: Names<'d>,
    /// Attributes, and the kind of value each usually has.
    pub attributes: Names<'d>,
    /// Whole values: feature variables, form fields, nodes, enumerated and constant strings.
    pub values: Strings<'d>,
    /// Kinds of attributes where the element makes a difference.
    pub exceptions: Exceptions<'d>,
    /// Trained weights of the structure model; empty before training.
    pub structure: &'d [u8],
    /// Trained text model; empty before training.
    pub text: &'d [u8],
}

impl<'d> Dictionary<'d> {
    /// What is known when nothing is known: everything goes as literals.
    pub const EMPTY: Self = Self {
        id: 0,
        tables: 0,
        namespaces: Strings::EMPTY,
        elements: Names::EMPTY,
        attributes: Names::EMPTY,
        values: Strings::EMPTY,
        exceptions: Exceptions {
            pairs: &[],
            kinds: &[],
        },
        structure: &[],
        text: &[],
    };

    /// The number of the element `name` in the namespace `ns`.
    pub fn element(&self, ns: &str, name: &str) -> Option<u16> {
        self.elements.find(self.namespaces.find(ns)?, name)
    }

    /// The number of the attribute `name` in the namespace `ns`, which is usually empty.
    pub fn attribute(&self, ns: &str, name: &str) -> Option<u16> {
        let ns = if ns.is_empty() {
            0
        } else {
            self.namespaces.find(ns)?
        };
        self.attributes.find(ns, name)
    }

    /// What the value of `attribute`, or for [`TEXT`] the text, of `element` usually looks like.
    pub fn kind(&self, element: u16, attribute: u16) -> Kind {
        if attribute == TEXT {
            return self.elements.kind(element);
        }
        let found = self.exceptions.find(element, attribute);
        let kind = found.and_then(|at| self.exceptions.kinds.get(at));
        kind.copied()
            .unwrap_or_else(|| self.attributes.kind(attribute))
    }
}

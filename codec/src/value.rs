//! Typed values: a value whose type is known costs what is uncertain about it and no more. Refuses approximation:
//! a type takes a value only if it writes the same octets again, and everything else is text.

pub mod decimal;
pub mod letters;
mod line;
pub mod time;
pub mod token;
pub mod uuid;

pub(crate) use line::Line;

/// Length of a value that does not fit where it is to be read to.
pub(crate) const TOO_LONG: usize = usize::MAX;

/// How a value is coded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum Kind {
    /// Running text, by the text model.
    Prose = 0,
    /// A word of the dictionary.
    Word,
    /// A string both ends remember.
    Alias,
    /// A string introduced earlier in this packet.
    Repeat,
    /// An id of another packet.
    Reference,
    /// A new id, made up by the far end.
    NewId,
    /// An id of this packet.
    SameId,
    /// An address: local part, domain, resource.
    Jid,
    /// A UUID.
    Uuid,
    /// Letters of a small alphabet, equally likely: hex, base64, counters with leading zeros.
    Token,
    /// A whole number.
    Integer,
    /// A decimal fraction.
    Decimal,
    /// Date and time, XEP-0082.
    Time,
    /// A short text and a token.
    Split,
    /// A short text, letter by letter.
    Letters,
    /// Running text that begins with a quotation of an earlier body.
    Quote,
    /// Octets in a place of base64, where they need no more than a flag.
    Octets,
}

impl Kind {
    /// Is it of a type, and neither an address nor running text?
    pub fn is_literal(self) -> bool {
        (Self::Uuid as u8..=Self::Letters as u8).contains(&(self as u8))
    }

    /// The kind numbered `code`, below 16.
    pub fn from_code(code: u32) -> Self {
        const ALL: &[Kind; 16] = &[
            Kind::Prose,
            Kind::Word,
            Kind::Alias,
            Kind::Repeat,
            Kind::Reference,
            Kind::NewId,
            Kind::SameId,
            Kind::Jid,
            Kind::Uuid,
            Kind::Token,
            Kind::Integer,
            Kind::Decimal,
            Kind::Time,
            Kind::Split,
            Kind::Letters,
            Kind::Quote,
        ];
        ALL[code as usize & 15]
    }
}

/// What stopped the coding of a value or a stanza.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// No stanza is written like this.
    Malformed,
    /// The strings do not fit the arena.
    ArenaFull,
    /// More nodes than the tape holds.
    TapeFull,
    /// Deeper than [`Stanza::DEPTH_MAX`](crate::stanza::Stanza::DEPTH_MAX).
    TooDeep,
    /// Refers to something not remembered.
    Unknown,
    /// Contains a character XML does not allow, or a name that is none.
    Characters,
    /// Written in a way this version does not know.
    Version,
}

/// Is `octet` one of `octets`?
// On a board a call is smaller.
#[cfg_attr(target_os = "none", inline(never))]
#[expect(clippy::manual_contains, reason = "the library's way is large")]
pub(crate) fn is_among(octets: &[u8], octet: u8) -> bool {
    octets.iter().any(|other| *other == octet)
}

/// Are all characters allowed in XML 1.0 (section 2.2)?
pub fn is_xml_text(text: &str) -> bool {
    let mut rest = text.as_bytes();
    while let [octet, after @ ..] = rest {
        rest = after;
        // U+FFFE and U+FFFF begin so.
        let is_none = *octet == 0xef && matches!(after, [0xbf, 0xbe | 0xbf, ..]);
        if is_none || *octet < b' ' && !matches!(octet, b'\t' | b'\n' | b'\r') {
            return false;
        }
    }
    true
}

/// First and last of the characters of local names, below U+10000; those that begin none come first.
const NAME: [(u16, u16); 19] = [
    (0x2d, 0x2e),
    (0x30, 0x39),
    (0xb7, 0xb7),
    (0x300, 0x36f),
    (0x203f, 0x2040),
    (0x41, 0x5a),
    (0x5f, 0x5f),
    (0x61, 0x7a),
    (0xc0, 0xd6),
    (0xd8, 0xf6),
    (0xf8, 0x2ff),
    (0x370, 0x37d),
    (0x37f, 0x1fff),
    (0x200c, 0x200d),
    (0x2070, 0x218f),
    (0x2c00, 0x2fef),
    (0x3001, 0xd7ff),
    (0xf900, 0xfdcf),
    (0xfdf0, 0xfffd),
];
const BEGIN_NONE: usize = 5;

/// Can this be a local name (XML 1.0 section 2.3, Namespaces in XML section 4)?
pub fn is_xml_name(name: &str) -> bool {
    let mut ranges = &NAME[BEGIN_NONE..];
    for c in name.chars().map(u32::from) {
        let holds = |(first, last): &(u16, u16)| u32::from(*first) <= c && c <= u32::from(*last);
        if !ranges.iter().any(holds) && !matches!(c, 0x1_0000..=0xe_ffff) {
            return false;
        }
        ranges = &NAME;
    }
    !name.is_empty()
}

//! Typed values: a value whose type is known costs what is uncertain about it and no more. Refuses approximation:
//! a type takes a value only if it writes the same octets again, and everything else is text.

pub mod decimal;
pub mod letters;
mod line;
pub mod time;
pub mod token;
pub mod uuid;

pub(crate) use line::Line;

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

impl From<crate::stanza::ArenaFull> for Fault {
    fn from(_: crate::stanza::ArenaFull) -> Self {
        Self::ArenaFull
    }
}

impl From<crate::text::TextError> for Fault {
    fn from(error: crate::text::TextError) -> Self {
        match error {
            crate::text::TextError::Full => Self::ArenaFull,
            crate::text::TextError::NotUtf8 => Self::Characters,
        }
    }
}

/// Are all characters allowed in XML 1.0 (section 2.2)?
pub fn is_xml_text(text: &str) -> bool {
    // The usual case, and a quick one.
    let plain = |octet: u8| (b' '..0x80).contains(&octet);
    text.bytes().all(plain) || text.chars().all(|c| {
        matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
    })
}

/// Can this be a local name (XML 1.0 section 2.3, Namespaces in XML section 4)?
pub fn is_xml_name(name: &str) -> bool {
    let begins = |c: char| {
        matches!(c, 'A'..='Z' | 'a'..='z' | '_' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
            | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}' | '\u{200d}' | '\u{2070}'..='\u{218f}'
            | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}'
            | '\u{10000}'..='\u{effff}')
    };
    let goes_on = |c: char| matches!(c, '0'..='9' | '-' | '.' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}' | '\u{2040}');
    let mut inside = false;
    let fine = name.chars().all(|c| {
        let fine = begins(c) || inside && goes_on(c);
        inside = true;
        fine
    });
    fine && inside
}

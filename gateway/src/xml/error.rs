//! What can be wrong with XML from a peer, and the stream error that says so (RFC 6120 section 4.9.3).

/// Why bytes are not an XMPP element.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum XmlError {
    /// Not well-formed, with what was seen.
    #[error("not well-formed: {0}")]
    NotWellFormed(String),
    /// A comment, processing instruction, DTD or custom entity.
    #[error("{0} is not allowed in XMPP")]
    Restricted(&'static str),
    /// Not UTF-8.
    #[error("not UTF-8")]
    Encoding,
    /// An undeclared or misused namespace prefix.
    #[error("namespace prefix {0} is not declared")]
    Prefix(String),
    /// More octets than the limit.
    #[error("larger than {0} octets")]
    TooLarge(usize),
    /// Nested deeper than the limit.
    #[error("nested deeper than {0} elements")]
    TooDeep(usize),
    /// More attributes on one element than the limit.
    #[error("more than {0} attributes on one element")]
    TooManyAttributes(usize),
    /// Character data where only elements may stand.
    #[error("text outside of an element")]
    StrayText,
}

impl XmlError {
    /// The defined condition of the stream error to close with.
    pub fn condition(&self) -> &'static str {
        match self {
            Self::NotWellFormed(_) | Self::StrayText => "not-well-formed",
            Self::Restricted(_) => "restricted-xml",
            Self::Encoding => "unsupported-encoding",
            Self::Prefix(_) => "bad-namespace-prefix",
            Self::TooLarge(_) | Self::TooDeep(_) | Self::TooManyAttributes(_) => "policy-violation",
        }
    }
}

/// Why an XML stream cannot be read further.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// The connection failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The peer sent XML that is refused.
    #[error(transparent)]
    Xml(#[from] XmlError),
}

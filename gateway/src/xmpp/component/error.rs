//! Why a component is not connected, and what an operator can do about it.

use std::io;

use thiserror::Error;

use super::Settings;
use crate::xml::{Element, NS_STREAM_ERROR, StreamError};

/// Why a component connection failed or ended.
#[derive(Debug, Error)]
pub enum ComponentError {
    /// No TCP connection.
    #[error("no connection: {0}")]
    Connect(#[source] io::Error),
    /// The connection broke.
    #[error("connection lost: {0}")]
    Io(#[from] io::Error),
    /// The server took too long.
    #[error("no answer in time")]
    Timeout,
    /// The server closed the stream.
    #[error("closed by the server")]
    Closed,
    /// The server stopped reading.
    #[error("the server no longer answers")]
    Silent,
    /// A stream error (RFC 6120 section 4.9).
    #[error("stream error {condition}")]
    Refused {
        /// Its defined condition.
        condition: String,
        /// Its text, possibly empty.
        text: String,
    },
    /// The server sent XML that is refused.
    #[error("the server sent XML that is refused: {0}")]
    Xml(#[source] crate::xml::XmlError),
    /// The other end is no XMPP component listener.
    #[error("not a component stream: {0}")]
    Protocol(&'static str),
}

impl From<StreamError> for ComponentError {
    fn from(error: StreamError) -> Self {
        match error {
            StreamError::Io(error) => Self::Io(error),
            StreamError::Xml(error) => Self::Xml(error),
        }
    }
}

impl ComponentError {
    pub(super) fn refused(error: &Element) -> Self {
        let find = |text: bool| {
            let mut named = error.children().filter(|child| child.ns == NS_STREAM_ERROR);
            named.find(|child| (child.name == "text") == text)
        };
        let (condition, text) = (find(false), find(true));
        Self::Refused {
            condition: condition
                .map_or("undefined-condition", |it| &it.name)
                .to_owned(),
            text: text.map(Element::text).unwrap_or_default(),
        }
    }

    /// What happened and what to do, for an operator.
    pub fn advice(&self, settings: &Settings) -> String {
        let Settings { server, domain, .. } = settings;
        match self {
            Self::Connect(error) => format!(
                "no component listener at {server} ({error}): is the server running, and is its component port on there?"
            ),
            Self::Timeout => format!("{server} does not answer: is that its component port?"),
            Self::Xml(_) | Self::Protocol(_) => {
                format!(
                    "{server} does not speak XEP-0114 ({self}): is that its component port, not its client port?"
                )
            }
            Self::Refused { condition, text } => {
                let advice = match condition.as_str() {
                    "not-authorized" => format!(
                        "refused the secret for {domain}: put the same secret here and in the server's entry for component \"{domain}\""
                    ),
                    "host-unknown" | "not-allowed" => format!(
                        "does not know {domain}: add a component \"{domain}\" to the server's configuration and reload it"
                    ),
                    "conflict" => format!(
                        "already has a connection for {domain}: is another gateway running?"
                    ),
                    other => format!("closed the stream of {domain}: {other}"),
                };
                match text.as_str() {
                    "" => format!("{server} {advice}"),
                    text => format!("{server} {advice} (it says: {text})"),
                }
            }
            Self::Io(_) | Self::Closed | Self::Silent => format!("{domain} at {server}: {self}"),
        }
    }
}

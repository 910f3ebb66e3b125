//! Finds where a top-level element ends, octet by octet, so that a parser only ever sees complete elements. Refuses
//! comments, declarations and processing instructions on sight; judges nothing else.

use super::XmlError;

/// What ends at the scanned position.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Found {
    /// The stream's opening tag.
    Open,
    /// A top-level element.
    Element,
    /// The stream's closing tag.
    Close,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Text,
    /// After `<`.
    Markup,
    /// In a tag, outside of quotes; `slash` if the octet before was `/`.
    Tag {
        close: bool,
        slash: bool,
    },
    /// In an attribute value.
    Quoted {
        close: bool,
        quote: u8,
    },
    /// In the XML declaration before a stream header.
    Declaration,
    /// In `<![CDATA[`, with so many octets of it seen.
    CDataOpen(usize),
    /// In character data, with so many `]` just seen.
    CData(usize),
}

const CDATA: &[u8] = b"![CDATA[";

#[derive(Debug)]
pub(super) struct Splitter {
    state: State,
    /// Octets already scanned.
    at: usize,
    /// Is a stream open? Before that the first tag is its header.
    in_stream: bool,
    depth: usize,
    depth_max: usize,
    declared: bool,
}

impl Splitter {
    pub(super) fn new(depth_max: usize) -> Self {
        Self {
            state: State::Text,
            at: 0,
            in_stream: false,
            depth: 0,
            depth_max,
            declared: false,
        }
    }

    pub(super) fn in_stream(&self) -> bool {
        self.in_stream
    }

    /// Octets scanned of what is not complete yet.
    pub(super) fn held(&self) -> usize {
        self.at
    }

    /// The length of what `scan` found; scanning goes on after it.
    pub(super) fn take(&mut self) -> usize {
        std::mem::take(&mut self.at)
    }

    /// Drops white space between elements.
    pub(super) fn forget_blank(&mut self, buffer: &mut Vec<u8>) {
        let between = self.depth == 0 && self.state == State::Text;
        if between && buffer[..self.at].iter().all(u8::is_ascii_whitespace) {
            buffer.drain(..self.at);
            self.at = 0;
        }
    }

    /// Scans on from where it stopped. `Some` when something is complete at the new position.
    pub(super) fn scan(&mut self, buffer: &[u8]) -> Result<Option<Found>, XmlError> {
        while let Some(&octet) = buffer.get(self.at) {
            self.at += 1;
            if let Some(found) = self.step(octet)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn step(&mut self, octet: u8) -> Result<Option<Found>, XmlError> {
        self.state = match (self.state, octet) {
            (State::Text, b'<') => State::Markup,
            (State::Text, octet) if self.depth > 0 || octet.is_ascii_whitespace() => State::Text,
            (State::Text, _) => return Err(XmlError::StrayText),
            (State::Markup, octet) => self.markup(octet)?,
            (State::Tag { close, slash }, b'>') => {
                self.state = State::Text;
                return self.tag_end(close, slash);
            }
            (State::Tag { close, .. }, quote @ (b'"' | b'\'')) => State::Quoted { close, quote },
            (State::Tag { .. }, b'<') => {
                return Err(XmlError::NotWellFormed("'<' inside a tag".into()));
            }
            (State::Tag { close, .. }, octet) => State::Tag {
                close,
                slash: octet == b'/',
            },
            (State::Quoted { close, quote }, octet) if octet == quote => State::Tag {
                close,
                slash: false,
            },
            (quoted @ State::Quoted { .. }, _) => quoted,
            (State::Declaration, b'>') => State::Text,
            (State::Declaration, _) => State::Declaration,
            (State::CDataOpen(seen), octet) => cdata_open(seen, octet)?,
            (State::CData(2..), b'>') => State::Text,
            (State::CData(seen), b']') => State::CData(seen + 1),
            (State::CData(_), _) => State::CData(0),
        };
        Ok(None)
    }

    /// The octet after `<`.
    fn markup(&mut self, octet: u8) -> Result<State, XmlError> {
        match octet {
            b'/' => Ok(State::Tag {
                close: true,
                slash: false,
            }),
            b'?' if !self.in_stream && !self.declared => {
                self.declared = true;
                Ok(State::Declaration)
            }
            b'?' => Err(XmlError::Restricted("a processing instruction")),
            b'!' if self.depth > 0 => Ok(State::CDataOpen(1)),
            b'!' => Err(XmlError::Restricted("a comment or document type")),
            b'>' | b'<' => Err(XmlError::NotWellFormed("a tag without a name".into())),
            _ => Ok(State::Tag {
                close: false,
                slash: false,
            }),
        }
    }

    fn tag_end(&mut self, close: bool, empty: bool) -> Result<Option<Found>, XmlError> {
        if !self.in_stream {
            if close || empty {
                return Err(XmlError::NotWellFormed("not a stream header".into()));
            }
            self.in_stream = true;
            return Ok(Some(Found::Open));
        }
        match (close, empty) {
            (true, _) if self.depth == 0 => return Ok(Some(Found::Close)),
            (true, _) => self.depth -= 1,
            (false, true) => {}
            (false, false) => self.depth += 1,
        }
        if self.depth > self.depth_max {
            return Err(XmlError::TooDeep(self.depth_max));
        }
        Ok((self.depth == 0).then_some(Found::Element))
    }
}

fn cdata_open(seen: usize, octet: u8) -> Result<State, XmlError> {
    if CDATA.get(seen) != Some(&octet) {
        return Err(XmlError::Restricted("a comment or document type"));
    }
    match seen + 1 == CDATA.len() {
        true => Ok(State::CData(0)),
        false => Ok(State::CDataOpen(seen + 1)),
    }
}

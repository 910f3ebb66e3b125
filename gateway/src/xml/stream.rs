//! Reads an XML stream (RFC 6120 section 4): its header, its top-level elements, its end. Cancel safe, and bounded
//! before anything is parsed: a peer can make it hold one stanza of the limit, never more.

mod split;

use quick_xml::events::Event;
use quick_xml::name::PrefixDeclaration;
use quick_xml::reader::NsReader;
use tokio::io::{AsyncRead, AsyncReadExt};

use super::parse::{checked_text, malformed, start_element};
use super::{Context, Element, Limits, NS_STREAM, StreamError, XmlError};
use split::{Found, Splitter};

/// Largest stream header accepted, octets.
const HEADER_SIZE_MAX: usize = 8 * 1024;
/// Octets asked from the socket at a time.
const READ_SIZE: usize = 4 * 1024;

/// The opening tag of a stream.
#[derive(Clone, Debug)]
pub struct Header {
    /// `<stream:stream/>` itself with its attributes and no content.
    pub element: Element,
    /// Namespaces in force for what follows.
    pub context: Context,
}

/// What comes out of a stream, in order.
#[derive(Debug)]
pub enum StreamEvent {
    /// The peer opened a stream.
    Open(Header),
    /// A complete top-level element.
    Element(Element),
    /// The peer closed the stream.
    Close,
}

/// Reader of one direction of an XML stream.
#[derive(Debug)]
pub struct StreamReader<R> {
    input: R,
    buffer: Vec<u8>,
    splitter: Splitter,
    limits: Limits,
    context: Context,
}

impl<R: AsyncRead + Unpin> StreamReader<R> {
    /// A reader that expects a stream header first.
    pub fn new(input: R, limits: Limits) -> Self {
        Self {
            input,
            buffer: Vec::new(),
            splitter: Splitter::new(limits.depth),
            limits,
            context: Context::default(),
        }
    }

    /// Expects a new stream header next, as after SASL (RFC 6120 section 6.4.6). What was already received stays.
    pub fn restart(&mut self) {
        self.splitter = Splitter::new(self.limits.depth);
        self.context = Context::default();
    }

    /// Gives the connection back for a TLS handshake. `None` if the peer sent anything in the clear past its
    /// request: it must not be mistaken for protected data.
    pub fn into_inner(self) -> Option<R> {
        self.buffer.trim_ascii().is_empty().then_some(self.input)
    }

    /// The next event; `None` when the connection ended without a closing tag. Cancel safe.
    ///
    /// # Errors
    /// [`StreamError`]; the stream is of no further use then.
    pub async fn next(&mut self) -> Result<Option<StreamEvent>, StreamError> {
        loop {
            if let Some(event) = self.take()? {
                return Ok(Some(event));
            }
            self.buffer.reserve(READ_SIZE);
            if self.input.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        }
    }

    /// The next event among the octets at hand.
    fn take(&mut self) -> Result<Option<StreamEvent>, XmlError> {
        let found = self.splitter.scan(&self.buffer)?;
        // Octets of leading white space are no part of what is being collected.
        self.splitter.forget_blank(&mut self.buffer);
        let limit = match self.splitter.in_stream() {
            true => self.limits.size,
            false => HEADER_SIZE_MAX,
        };
        let Some(found) = found else {
            return match self.splitter.held() > limit {
                true => Err(XmlError::TooLarge(limit)),
                false => Ok(None),
            };
        };
        let len = self.splitter.take();
        if len > limit && !matches!(found, Found::Open) || len > HEADER_SIZE_MAX.max(limit) {
            return Err(XmlError::TooLarge(limit));
        }
        let event = match found {
            Found::Open => StreamEvent::Open(self.open(len)?),
            Found::Element => {
                let input = &self.buffer[..len];
                StreamEvent::Element(Element::parse_in(input, &self.context, &self.limits)?)
            }
            Found::Close => StreamEvent::Close,
        };
        self.buffer.drain(..len);
        Ok(Some(event))
    }

    fn open(&mut self, len: usize) -> Result<Header, XmlError> {
        let header = parse_header(checked_text(&self.buffer[..len])?, &self.limits)?;
        self.context = header.context.clone();
        Ok(header)
    }
}

fn parse_header(text: &str, limits: &Limits) -> Result<Header, XmlError> {
    let mut reader = NsReader::from_str(text);
    loop {
        match reader.read_event().map_err(malformed)? {
            Event::Decl(_) => {}
            Event::Text(text) if text.trim_ascii().is_empty() => {}
            Event::Start(start) => {
                let element = start_element(&start, reader.resolver(), limits)?;
                if !element.is(NS_STREAM, "stream") {
                    return Err(XmlError::NotWellFormed("not a stream header".into()));
                }
                let mut context = Context::default();
                for attr in start.attributes() {
                    let attr = attr.map_err(malformed)?;
                    match attr.key.as_namespace_binding() {
                        Some(PrefixDeclaration::Default) => {
                            context.default_ns = attr.value.into_owned()
                        }
                        Some(PrefixDeclaration::Named(prefix)) if prefix != "xml" => {
                            context
                                .prefixes
                                .push((prefix.into(), attr.value.into_owned()));
                        }
                        _ => {}
                    }
                }
                return Ok(Header { element, context });
            }
            _ => return Err(XmlError::NotWellFormed("not a stream header".into())),
        }
    }
}

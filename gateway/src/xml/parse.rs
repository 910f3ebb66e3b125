//! Text to [`Element`], through quick-xml. Refuses whatever is unbounded or outside the XML subset of XMPP.

use std::borrow::Cow;

use quick_xml::XmlVersion;
use quick_xml::escape::{resolve_predefined_entity, unescape};
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, NamespaceResolver, PrefixDeclaration, ResolveResult};
use quick_xml::reader::NsReader;

use super::{Attr, Element, NS_CLIENT, XmlError};

/// Bounds on one element.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Octets of one top-level element.
    pub size: usize,
    /// Nesting, the element itself included.
    pub depth: usize,
    /// Attributes on one element, namespace declarations included.
    pub attrs: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            size: 256 * 1024,
            depth: longwire_codec::stanza::Stanza::DEPTH_MAX,
            attrs: 64,
        }
    }
}

/// Namespaces in force around an element: those of its stream header.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// Default namespace; elements in it are taken to be in [`NS_CLIENT`] when it is a stream's content namespace.
    pub default_ns: String,
    /// Prefixes declared on the stream header.
    pub prefixes: Vec<(String, String)>,
}

/// Content namespaces of streams that stand for [`NS_CLIENT`] inside the gateway.
const CONTENT_NS: [&str; 3] = [
    "jabber:component:accept",
    "jabber:component:connect",
    "jabber:server",
];

impl Element {
    /// Reads one element that stands alone, with [`Limits::default`]. Names without a namespace stay without one.
    ///
    /// # Errors
    /// [`XmlError`] if this is not exactly one well-formed element within the limits.
    pub fn parse(input: impl AsRef<[u8]>) -> Result<Self, XmlError> {
        Self::parse_in(input.as_ref(), &Context::default(), &Limits::default())
    }

    /// Reads one stanza as it stands inside a client stream: without a declaration it is in [`NS_CLIENT`].
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_stanza(input: impl AsRef<[u8]>) -> Result<Self, XmlError> {
        let context = Context {
            default_ns: NS_CLIENT.into(),
            prefixes: Vec::new(),
        };
        Self::parse_in(input.as_ref(), &context, &Limits::default())
    }

    /// Reads one element within the namespaces of `context`.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_in(input: &[u8], context: &Context, limits: &Limits) -> Result<Self, XmlError> {
        if input.len() > limits.size {
            return Err(XmlError::TooLarge(limits.size));
        }
        let input = checked_text(input)?;
        let mut reader = NsReader::from_str(input);
        preload(reader.resolver_mut(), context)?;
        let mut tree = Tree::new(*limits, &context.default_ns);
        loop {
            let event = reader.read_event().map_err(malformed)?;
            match event {
                Event::Start(start) => tree.open(&start, reader.resolver())?,
                Event::Empty(start) => {
                    tree.open(&start, reader.resolver())?;
                    tree.close()?;
                }
                Event::End(_) => tree.close()?,
                Event::Text(text) => tree.text(&text.xml10_content())?,
                Event::CData(text) => tree.text(&text.xml10_content())?,
                Event::GeneralRef(reference) => tree.text(&resolve(&reference)?)?,
                Event::Comment(_) => return Err(XmlError::Restricted("a comment")),
                Event::PI(_) => return Err(XmlError::Restricted("a processing instruction")),
                Event::DocType(_) => return Err(XmlError::Restricted("a document type")),
                Event::Decl(_) if tree.is_fresh() => {}
                Event::Decl(_) => return Err(XmlError::Restricted("an XML declaration")),
                Event::Eof => return tree.finish(),
            }
        }
    }
}

/// Puts the namespaces of the stream header under the element.
pub(super) fn preload(resolver: &mut NamespaceResolver, context: &Context) -> Result<(), XmlError> {
    if !context.default_ns.is_empty() {
        let ns = Namespace(&context.default_ns);
        resolver
            .add(PrefixDeclaration::Default, ns)
            .map_err(malformed)?;
    }
    for (prefix, ns) in &context.prefixes {
        let declaration = PrefixDeclaration::Named(prefix);
        resolver
            .add(declaration, Namespace(ns))
            .map_err(malformed)?;
    }
    Ok(())
}

/// The element under construction and its open ancestors.
struct Tree<'c> {
    limits: Limits,
    /// What stands for [`NS_CLIENT`] in this stream, if anything does.
    content_ns: Option<&'c str>,
    open: Vec<Element>,
    done: Option<Element>,
}

impl<'c> Tree<'c> {
    fn new(limits: Limits, default_ns: &'c str) -> Self {
        Self {
            limits,
            content_ns: CONTENT_NS.contains(&default_ns).then_some(default_ns),
            open: Vec::new(),
            done: None,
        }
    }

    fn is_fresh(&self) -> bool {
        self.open.is_empty() && self.done.is_none()
    }

    fn open(&mut self, start: &BytesStart, resolver: &NamespaceResolver) -> Result<(), XmlError> {
        if self.done.is_some() {
            return Err(XmlError::NotWellFormed("more than one element".into()));
        }
        if self.open.len() >= self.limits.depth {
            return Err(XmlError::TooDeep(self.limits.depth));
        }
        let mut element = start_element(start, resolver, &self.limits)?;
        if self.content_ns == Some(element.ns.as_str()) {
            element.ns = NS_CLIENT.into();
        }
        self.open.push(element);
        Ok(())
    }

    fn close(&mut self) -> Result<(), XmlError> {
        let Some(element) = self.open.pop() else {
            return Err(XmlError::NotWellFormed("unexpected end tag".into()));
        };
        match self.open.last_mut() {
            Some(parent) => parent.push(element),
            None => self.done = Some(element),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), XmlError> {
        match self.open.last_mut() {
            Some(element) => element.push_text(text),
            None if text.trim_ascii().is_empty() => {}
            None => return Err(XmlError::StrayText),
        }
        Ok(())
    }

    fn finish(self) -> Result<Element, XmlError> {
        match self.done {
            Some(element) if self.open.is_empty() => Ok(element),
            _ => Err(XmlError::NotWellFormed("unexpected end of input".into())),
        }
    }
}

/// Name and attributes of a start tag.
pub(super) fn start_element(
    start: &BytesStart,
    resolver: &NamespaceResolver,
    limits: &Limits,
) -> Result<Element, XmlError> {
    let (ns, local) = resolver.resolve_element(start.name());
    let ns = bound(ns)?;
    let mut element = Element::new(ns, checked_name(local.as_ref())?);
    for (count, attr) in start.attributes().enumerate() {
        let attr = attr.map_err(malformed)?;
        if count >= limits.attrs {
            return Err(XmlError::TooManyAttributes(limits.attrs));
        }
        if attr.key.as_namespace_binding().is_some() {
            continue;
        }
        if attr.value.contains('<') {
            return Err(XmlError::NotWellFormed("'<' in an attribute value".into()));
        }
        let value = attr
            .normalized_value(XmlVersion::Explicit1_0)
            .map_err(unknown_entity)?;
        check_chars(&value)?;
        let (ns, local) = resolver.resolve_attribute(attr.key);
        let (ns, name) = (bound(ns)?, checked_name(local.as_ref())?);
        if element.attr_ns(&ns, name).is_some() {
            return Err(XmlError::NotWellFormed(format!("attribute {name} twice")));
        }
        element.attrs.push(Attr {
            ns: ns.into_owned(),
            name: name.into(),
            value: value.into_owned(),
        });
    }
    Ok(element)
}

/// The resolver keeps declarations as they were written: what they escape is undone here.
fn bound<'n>(result: ResolveResult<'n>) -> Result<Cow<'n, str>, XmlError> {
    match result {
        ResolveResult::Bound(Namespace(ns)) if ns.contains('<') => Err(XmlError::NotWellFormed(
            "'<' in a namespace declaration".into(),
        )),
        ResolveResult::Bound(Namespace(ns)) => {
            let ns = unescape(ns).map_err(|error| unknown_entity(error.into()))?;
            check_chars(&ns)?;
            Ok(ns)
        }
        ResolveResult::Unbound => Ok("".into()),
        ResolveResult::Unknown(prefix) => Err(XmlError::Prefix(prefix)),
    }
}

fn resolve(reference: &BytesRef) -> Result<String, XmlError> {
    if let Some(c) = reference.resolve_char_ref().map_err(malformed)? {
        let text = c.to_string();
        check_chars(&text)?;
        return Ok(text);
    }
    let known = resolve_predefined_entity(reference);
    known
        .map(str::to_owned)
        .ok_or(XmlError::Restricted("a custom entity"))
}

fn unknown_entity(error: quick_xml::Error) -> XmlError {
    match error {
        quick_xml::Error::Escape(quick_xml::escape::EscapeError::UnrecognizedEntity(..)) => {
            XmlError::Restricted("a custom entity")
        }
        other => malformed(other),
    }
}

pub(super) fn malformed(error: impl std::fmt::Display) -> XmlError {
    XmlError::NotWellFormed(error.to_string())
}

/// UTF-8 of characters that XML 1.0 section 2.2 allows.
pub(super) fn checked_text(input: &[u8]) -> Result<&str, XmlError> {
    let text = std::str::from_utf8(input).map_err(|_| XmlError::Encoding)?;
    check_chars(text)?;
    Ok(text)
}

fn check_chars(text: &str) -> Result<(), XmlError> {
    match text.chars().find(|&c| !is_xml_char(c)) {
        None => Ok(()),
        Some(c) => Err(XmlError::NotWellFormed(format!(
            "character U+{:04X}",
            u32::from(c)
        ))),
    }
}

/// `Char` of XML 1.0 section 2.2.
pub(super) fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r') || (c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}'))
}

pub(super) fn checked_name(name: &str) -> Result<&str, XmlError> {
    if is_ncname(name) {
        Ok(name)
    } else {
        Err(XmlError::NotWellFormed(format!("{name:?} is not a name")))
    }
}

/// `NCName` of Namespaces in XML section 3, with all of Unicode beyond ASCII let through.
pub(super) fn is_ncname(name: &str) -> bool {
    let start = |c: char| c.is_ascii_alphabetic() || c == '_' || c >= '\u{80}';
    let mut chars = name.chars();
    chars.next().is_some_and(start)
        && chars.all(|c| start(c) || c.is_ascii_digit() || matches!(c, '-' | '.'))
        && name.chars().all(is_xml_char)
}

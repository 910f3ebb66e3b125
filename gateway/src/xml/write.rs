//! [`Element`] to text, through quick-xml. Refuses prefixes but for `xml:`, `stream:` and those of attributes: every
//! change of namespace is a default declaration, which is the form all XMPP software reads.

use std::borrow::Cow;

use quick_xml::Writer;
use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};
use quick_xml::name::QName;

use super::parse::is_xml_char;
use super::{Child, Element, NS_CLIENT, NS_STREAM, NS_XML};

impl Element {
    /// This element as text inside a stream whose content namespace is `default_ns`.
    ///
    /// A stanza in `jabber:client` is written without a declaration there, whatever `default_ns` is: this is the
    /// mapping onto component and server streams. With an empty `default_ns` the text stands alone.
    pub fn to_xml(&self, default_ns: &str) -> String {
        let mut writer = Writer::new(Vec::new());
        let ambient = match default_ns {
            "" => "",
            _ => NS_CLIENT,
        };
        write(&mut writer, self, ambient, 0);
        // quick-xml copies `str` pieces into the vector, so the whole is UTF-8.
        String::from_utf8(writer.into_inner()).unwrap_or_default()
    }
}

fn write(writer: &mut Writer<Vec<u8>>, element: &Element, ambient: &str, depth: usize) {
    let streams = element.ns == NS_STREAM && depth == 0;
    let name = match streams {
        true => format!("stream:{}", element.name),
        false => element.name.clone(),
    };
    let mut start = BytesStart::new(name.as_str());
    if streams {
        start.push_attribute(("xmlns:stream", NS_STREAM));
    } else if element.ns != ambient {
        start.push_attribute(raw("xmlns", &escape_attr(&element.ns)));
    }
    push_attrs(&mut start, element);
    let inner = if streams {
        ambient
    } else {
        element.ns.as_str()
    };
    // Writing to a vector cannot fail.
    if element.children.is_empty() {
        let _ = writer.write_event(Event::Empty(start));
        return;
    }
    let _ = writer.write_event(Event::Start(start));
    for child in &element.children {
        match child {
            Child::Element(child) => write(writer, child, inner, depth + 1),
            Child::Text(text) => {
                let text = BytesText::from_escaped(escape_text(text));
                let _ = writer.write_event(Event::Text(text));
            }
        }
    }
    let _ = writer.write_event(Event::End(BytesEnd::new(name.as_str())));
}

fn push_attrs(start: &mut BytesStart, element: &Element) {
    let mut foreign = 0;
    for attr in &element.attrs {
        let value = escape_attr(&attr.value);
        match attr.ns.as_str() {
            "" => start.push_attribute(raw(&attr.name, &value)),
            NS_XML => start.push_attribute(raw(&format!("xml:{}", attr.name), &value)),
            ns => {
                start.push_attribute(raw(&format!("xmlns:n{foreign}"), &escape_attr(ns)));
                start.push_attribute(raw(&format!("n{foreign}:{}", attr.name), &value));
                foreign += 1;
            }
        }
    }
}

fn raw<'a>(name: &'a str, value: &'a str) -> Attribute<'a> {
    Attribute {
        key: QName(name),
        value: Cow::Borrowed(value),
    }
}

/// Escapes character data so that a parser gives back the same text; what XML cannot carry becomes U+FFFD.
pub fn escape_text(text: &str) -> Cow<'_, str> {
    escape(text, |c| matches!(c, '<' | '>' | '&' | '\r'))
}

/// Escapes an attribute value so that it survives attribute-value normalisation (XML 1.0 section 3.3.3).
pub fn escape_attr(value: &str) -> Cow<'_, str> {
    escape(value, |c| {
        matches!(c, '<' | '>' | '&' | '\'' | '"' | '\r' | '\n' | '\t')
    })
}

fn escape(text: &str, special: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(|c| special(c) || !is_xml_char(c)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            c if !is_xml_char(c) => out.push('\u{fffd}'),
            c if !special(c) => out.push(c),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\'' => out.push_str("&apos;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#xD;"),
            '\n' => out.push_str("&#xA;"),
            _ => out.push_str("&#x9;"),
        }
    }
    Cow::Owned(out)
}

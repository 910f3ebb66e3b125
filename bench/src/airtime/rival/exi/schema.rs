//! XML schemas that fit the training data: each element with the attributes, children and kinds of value it was seen with.
//! Closer than the schemas of the specifications, so to EXI's advantage. Refuses to guess beyond what was seen.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::Path;

use longwire::xml::{Child, Element};

/// The schema that imports all others.
pub(super) const MAIN: &str = "main.xsd";

/// Most words of an enumeration.
const WORDS_MAX: usize = 48;
/// Each word of an enumeration must have been seen this often on average.
const WORD_COUNT_MIN: usize = 4;

/// Namespace and local name.
type Name = (String, String);

/// The values of one attribute or text.
#[derive(Default)]
struct Values {
    words: BTreeSet<String>,
    count: usize,
    is_more: bool,
    is_other_than: [bool; TYPES.len()],
}

type Is = fn(&str) -> bool;

/// Types that values may have, and how to tell.
const TYPES: [(&str, Is); 3] = [
    ("xs:integer", is_integer),
    ("xs:dateTime", is_time),
    ("xs:base64Binary", is_base64),
];

fn is_integer(text: &str) -> bool {
    text.parse::<i64>()
        .is_ok_and(|number| number.to_string() == text)
}

fn is_time(text: &str) -> bool {
    let shape = |at: usize, octet: u8| match at {
        4 | 7 => octet == b'-',
        10 => octet == b'T',
        13 | 16 => octet == b':',
        _ => octet.is_ascii_digit(),
    };
    let (head, zone) = text.split_at_checked(19).unwrap_or(("", ""));
    !head.is_empty() && zone == "Z" && head.bytes().enumerate().all(|(at, octet)| shape(at, octet))
}

fn is_base64(text: &str) -> bool {
    let letters = |octet: u8| octet.is_ascii_alphanumeric() || b"+/=".contains(&octet);
    text.len() >= 16 && text.len().is_multiple_of(4) && text.bytes().all(letters)
}

impl Values {
    fn add(&mut self, value: &str) {
        self.count += 1;
        for ((_, is), other) in TYPES.iter().zip(&mut self.is_other_than) {
            *other |= !is(value);
        }
        self.is_more |= self.words.len() == WORDS_MAX && !self.words.contains(value);
        if !self.is_more {
            self.words.insert(value.to_owned());
        }
    }

    /// The type by name, or its words.
    fn of(&self) -> Result<&'static str, &BTreeSet<String>> {
        let known = TYPES
            .iter()
            .zip(self.is_other_than)
            .find(|(_, other)| !other);
        match known {
            Some(((name, _), _)) if self.count > 0 => Ok(name),
            _ if self.is_more || self.count < WORD_COUNT_MIN * self.words.len() => Ok("xs:string"),
            _ if self.words.is_empty() => Ok("xs:string"),
            _ => Err(&self.words),
        }
    }
}

#[derive(Default)]
struct Content {
    attributes: BTreeMap<Name, Values>,
    children: BTreeSet<Name>,
    text: Values,
}

/// Everything seen.
#[derive(Default)]
pub(super) struct Seen(BTreeMap<Name, Content>);

impl Seen {
    /// Learns from one stanza.
    pub(super) fn add(&mut self, element: &Element) {
        let name = (element.ns.clone(), element.name.clone());
        let content = self.0.entry(name).or_default();
        for attr in &element.attrs {
            let name = (attr.ns.clone(), attr.name.clone());
            content.attributes.entry(name).or_default().add(&attr.value);
        }
        for child in &element.children {
            match child {
                Child::Element(child) => {
                    let name = (child.ns.clone(), child.name.clone());
                    content.children.insert(name);
                }
                Child::Text(text) => content.text.add(text),
            }
        }
        for child in element.children() {
            self.add(child);
        }
    }

    /// Writes a schema for each namespace into `folder`, and [`MAIN`].
    pub(super) fn write(&self, folder: &Path) -> Result<(), String> {
        let elements = self.0.keys().map(|name| name.0.as_str());
        let attributes = self
            .0
            .values()
            .flat_map(|content| content.attributes.keys());
        let spaces: BTreeSet<&str> = elements
            .chain(
                attributes
                    .map(|name| name.0.as_str())
                    .filter(|ns| !ns.is_empty()),
            )
            .collect();
        let spaces: Vec<&str> = spaces.into_iter().collect();
        let put = |file: &str, text: String| {
            fs::write(folder.join(file), text).map_err(|error| format!("{file}: {error}"))
        };
        for (at, ns) in spaces.iter().enumerate() {
            put(&file(at), self.schema(ns, &spaces))?;
        }
        put(MAIN, head("urn:longwire:bench", &spaces) + "</xs:schema>\n")
    }

    fn schema(&self, ns: &str, spaces: &[&str]) -> String {
        let mut out = head(ns, spaces);
        for (name, content) in self.0.iter().filter(|(name, _)| name.0 == ns) {
            out += &format!(
                "<xs:element name=\"{}\">{}</xs:element>\n",
                name.1,
                content.schema(spaces)
            );
        }
        let mut global = BTreeSet::new();
        for content in self.0.values() {
            let of = content
                .attributes
                .keys()
                .filter(|name| name.0 == ns && !ns.is_empty());
            global.extend(of.map(|name| name.1.as_str()));
        }
        for name in global {
            out += &format!("<xs:attribute name=\"{name}\" type=\"xs:string\"/>\n");
        }
        out + "</xs:schema>\n"
    }
}

impl Content {
    fn schema(&self, spaces: &[&str]) -> String {
        let mut attributes = String::new();
        for (name, values) in &self.attributes {
            // Writing to a `String` does not fail.
            let _ = if name.0.is_empty() {
                write!(
                    attributes,
                    "<xs:attribute name=\"{}\">{}</xs:attribute>",
                    name.1,
                    simple(values)
                )
            } else {
                write!(
                    attributes,
                    "<xs:attribute ref=\"{}\"/>",
                    reference(name, spaces)
                )
            };
        }
        if self.children.is_empty() && self.text.count > 0 {
            let base = self.text.of().unwrap_or("xs:string");
            return format!(
                "<xs:complexType><xs:simpleContent><xs:extension base=\"{base}\">{attributes}</xs:extension></xs:simpleContent></xs:complexType>"
            );
        }
        let children: String = self
            .children
            .iter()
            .map(|name| format!("<xs:element ref=\"{}\"/>", reference(name, spaces)))
            .collect();
        let content = if children.is_empty() {
            String::new()
        } else {
            format!("<xs:choice minOccurs=\"0\" maxOccurs=\"unbounded\">{children}</xs:choice>")
        };
        let mixed = self.text.count > 0;
        format!("<xs:complexType mixed=\"{mixed}\">{content}{attributes}</xs:complexType>")
    }
}

fn simple(values: &Values) -> String {
    match values.of() {
        Ok(base) => format!("<xs:simpleType><xs:restriction base=\"{base}\"/></xs:simpleType>"),
        Err(words) => {
            let words: String = words
                .iter()
                .map(|word| format!("<xs:enumeration value=\"{}\"/>", escape(word)))
                .collect();
            format!(
                "<xs:simpleType><xs:restriction base=\"xs:string\">{words}</xs:restriction></xs:simpleType>"
            )
        }
    }
}

fn file(at: usize) -> String {
    format!("{at}.xsd")
}

fn reference(name: &Name, spaces: &[&str]) -> String {
    if name.0.is_empty() {
        return name.1.clone();
    }
    if name.0 == XML {
        return format!("xml:{}", name.1);
    }
    let at = spaces.iter().position(|ns| *ns == name.0);
    format!("n{}:{}", at.unwrap_or(0), name.1)
}

const XML: &str = "http://www.w3.org/XML/1998/namespace";

fn head(ns: &str, spaces: &[&str]) -> String {
    let target = if ns.is_empty() {
        String::new()
    } else {
        format!(" targetNamespace=\"{}\"", escape(ns))
    };
    let mut out = format!(
        "<xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" elementFormDefault=\"qualified\"{target}"
    );
    for (at, other) in spaces
        .iter()
        .enumerate()
        .filter(|(_, ns)| !ns.is_empty() && **ns != XML)
    {
        out += &format!(" xmlns:n{at}=\"{}\"", escape(other));
    }
    out += ">\n";
    for (at, other) in spaces.iter().enumerate().filter(|(_, other)| **other != ns) {
        let named = if other.is_empty() {
            String::new()
        } else {
            format!(" namespace=\"{}\"", escape(other))
        };
        out += &format!("<xs:import{named} schemaLocation=\"{}\"/>\n", file(at));
    }
    out
}

fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('"', "&quot;").replace('\n', "&#10;")
}

//! XML text to a tape of nodes, for captured stanzas. Refuses streams: one element at a time.

use longwire_codec::dictionary::{Dictionary, Kind};
use longwire_codec::stanza::{NS_XML, Node, Stanza};
use quick_xml::NsReader;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;

/// Namespace of stanzas that declare none: that of the stream they were captured on.
pub const NS_CLIENT: &str = "jabber:client";

#[derive(Clone, Debug, Eq, PartialEq)]
enum Owned {
    Open(String, String),
    Attr(String, String, String),
    Text(String),
    Close,
}

/// The nodes of one element, with their strings.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Tape(Vec<Owned>);

impl Tape {
    /// Reads one element. None if it is not well-formed, has an undeclared prefix, or is too deep for a stanza.
    pub fn parse(xml: &str) -> Option<Self> {
        let mut reader = NsReader::from_str(xml);
        let mut tape = Vec::new();
        let mut depth = 0usize;
        loop {
            let (ns, event) = reader.read_resolved_event().ok()?;
            match event {
                Event::Start(start) => {
                    let ns = resolved(&ns, NS_CLIENT)?;
                    open(&reader, ns, &start, &mut tape)?;
                    depth += 1;
                }
                Event::Empty(start) => {
                    let ns = resolved(&ns, NS_CLIENT)?;
                    open(&reader, ns, &start, &mut tape)?;
                    tape.push(Owned::Close);
                }
                Event::End(_) => {
                    tape.push(Owned::Close);
                    depth = depth.checked_sub(1)?;
                }
                Event::Text(text) => push_text(&mut tape, depth, &text.xml10_content()),
                Event::CData(text) => push_text(&mut tape, depth, &text.xml10_content()),
                Event::GeneralRef(name) => {
                    let text = match name.resolve_char_ref().ok()? {
                        Some(c) => c.to_string(),
                        None => quick_xml::escape::resolve_predefined_entity(&name)?.to_owned(),
                    };
                    push_text(&mut tape, depth, &text);
                }
                Event::Eof => break,
                _ => {}
            }
        }
        let tape = Self(tape);
        Stanza::new(&tape.nodes())?;
        Some(tape)
    }

    /// A copy of borrowed nodes.
    pub fn of(nodes: &[Node<'_>]) -> Self {
        let owned = nodes.iter().map(|node| match *node {
            Node::Open { ns, name } => Owned::Open(ns.into(), name.into()),
            Node::Attr { ns, name, value } => Owned::Attr(ns.into(), name.into(), value.into()),
            Node::Text(text) => Owned::Text(text.into()),
            Node::Close => Owned::Close,
        });
        Self(owned.collect())
    }

    /// The same element with every value, of attributes and text, put through `change`.
    #[must_use]
    pub fn map_values(&self, change: impl Fn(&str) -> String) -> Self {
        let changed = self.0.iter().map(|node| match node {
            Owned::Attr(ns, name, value) => Owned::Attr(ns.clone(), name.clone(), change(value)),
            Owned::Text(text) => Owned::Text(change(text)),
            other => other.clone(),
        });
        Self(changed.collect())
    }

    /// A message with its children in another order, most often two of them, and in one of four a hint (XEP-0334) more:
    /// clients that were not recorded say the same things otherwise. None for other stanzas, and for those with less than three children.
    pub fn shuffled(&self, seed: u64) -> Option<Self> {
        let Self(nodes) = self;
        let [Owned::Open(_, name), .., Owned::Close] = &nodes[..] else {
            return None;
        };
        let is_child = |node: &Owned| matches!(node, Owned::Open(..) | Owned::Text(_));
        let start = 1 + nodes[1..].iter().position(is_child)?;
        let mut children = children(&nodes[start..nodes.len() - 1]);
        if name != "message" || children.len() < 3 {
            return None;
        }
        let mut random = seed.wrapping_add(1);
        let mut below = |count: usize| {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) as usize % count
        };
        if below(4) == 0 {
            let hint = ["store", "no-copy", "no-store"][below(3)];
            let hints = "urn:xmpp:hints".to_owned();
            children.push(vec![Owned::Open(hints, hint.to_owned()), Owned::Close]);
        }
        if below(3) == 0 {
            for at in (1..children.len()).rev() {
                children.swap(at, below(at + 1));
            }
        } else {
            let at = 1 + below(children.len() - 1);
            children.swap(at - 1, at);
        }
        let mut shuffled = nodes[..start].to_vec();
        shuffled.extend(children.into_iter().flatten());
        shuffled.push(Owned::Close);
        Some(Self(shuffled))
    }

    /// The values of attributes and text.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|node| match node {
            Owned::Attr(_, _, value) | Owned::Text(value) => Some(value.as_str()),
            _ => None,
        })
    }

    /// The nodes.
    pub fn nodes(&self) -> Vec<Node<'_>> {
        let nodes = self.0.iter().map(|node| match node {
            Owned::Open(ns, name) => Node::Open { ns, name },
            Owned::Attr(ns, name, value) => Node::Attr { ns, name, value },
            Owned::Text(text) => Node::Text(text),
            Owned::Close => Node::Close,
        });
        nodes.collect()
    }

    /// The same element with everything the codec need not keep made alike: order of attributes, and white space in
    /// elements that have no text of their own.
    #[must_use]
    pub fn canonical(&self, dictionary: &Dictionary<'_>) -> Self {
        let mut out: Vec<Owned> = Vec::new();
        let mut idle = Vec::new();
        let mut head = 0;
        for node in &self.0 {
            match node {
                Owned::Open(ns, name) => {
                    let known = dictionary.element(ns, name);
                    idle.push(known.is_some_and(|id| dictionary.elements.kind(id) == Kind::None));
                    head = out.len() + 1;
                }
                Owned::Close => {
                    idle.pop();
                }
                Owned::Text(text)
                    if idle.last() == Some(&true)
                        && text.trim_matches([' ', '\t', '\n', '\r']).is_empty() =>
                {
                    continue;
                }
                _ => {}
            }
            out.push(node.clone());
            if let Owned::Attr(..) = node {
                out[head..].sort_by_key(|node| format!("{node:?}"));
            }
        }
        Self(out)
    }
}

/// The elements and texts side by side in `nodes`.
fn children(nodes: &[Owned]) -> Vec<Vec<Owned>> {
    let mut children: Vec<Vec<Owned>> = Vec::new();
    let mut depth = 0;
    for node in nodes {
        match children.last_mut().filter(|_| depth > 0) {
            Some(child) => child.push(node.clone()),
            None => children.push(vec![node.clone()]),
        }
        match node {
            Owned::Open(..) => depth += 1,
            Owned::Close => depth -= 1,
            _ => {}
        }
    }
    children
}

fn resolved(ns: &ResolveResult<'_>, unbound: &str) -> Option<String> {
    match ns {
        ResolveResult::Bound(ns) => Some(ns.as_ref().to_owned()),
        ResolveResult::Unbound => Some(unbound.to_owned()),
        ResolveResult::Unknown(_) => None,
    }
}

fn open<R>(
    reader: &NsReader<R>,
    ns: String,
    start: &BytesStart<'_>,
    tape: &mut Vec<Owned>,
) -> Option<()> {
    let name = start.local_name().as_ref().to_owned();
    tape.push(Owned::Open(ns, name));
    for attr in start.attributes() {
        let attr = attr.ok()?;
        if attr.key.as_namespace_binding().is_some() {
            continue;
        }
        let (ns, local) = reader.resolver().resolve_attribute(attr.key);
        let ns = if attr.key.as_ref().starts_with("xml:") {
            NS_XML.to_owned()
        } else {
            resolved(&ns, "")?
        };
        let name = local.as_ref().to_owned();
        let value = quick_xml::escape::unescape(&attr.value).ok()?.into_owned();
        tape.push(Owned::Attr(ns, name, value));
    }
    Some(())
}

fn push_text(tape: &mut Vec<Owned>, depth: usize, text: &str) {
    if depth == 0 || text.is_empty() {
        return;
    }
    match tape.last_mut() {
        Some(Owned::Text(before)) => before.push_str(text),
        _ => tape.push(Owned::Text(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_entities_and_pieces() {
        let xml = "<message to='a' xml:lang='en'><body>1 &lt; 2 &#x263a;<![CDATA[<]]></body>\
                   <x:y xmlns:x='u' x:z=\"&quot;\"/></message>";
        let tape = Tape::parse(xml).expect("well-formed");
        assert_eq!(
            tape.nodes(),
            [
                Node::Open {
                    ns: NS_CLIENT,
                    name: "message"
                },
                Node::Attr {
                    ns: "",
                    name: "to",
                    value: "a"
                },
                Node::Attr {
                    ns: NS_XML,
                    name: "lang",
                    value: "en"
                },
                Node::Open {
                    ns: NS_CLIENT,
                    name: "body"
                },
                Node::Text("1 < 2 \u{263a}<"),
                Node::Close,
                Node::Open { ns: "u", name: "y" },
                Node::Attr {
                    ns: "u",
                    name: "z",
                    value: "\""
                },
                Node::Close,
                Node::Close,
            ]
        );
        for bad in ["", "<a>", "<a></b>", "<p:a/>", "<a/><b/>", "text"] {
            assert_eq!(Tape::parse(bad), None, "{bad}");
        }
    }
}

//! [`Element`] to the codec's flat tape and back. Refuses names that could not be written as XML again: they
//! come from the air.

use longwire_codec::stanza::{Node, Stanza};

use super::parse::is_ncname;
use super::{Attr, Child, Element, XmlError};

impl Element {
    /// Appends this element to `tape`, borrowing its strings. A tape made from an element within the default
    /// limits is accepted by [`Stanza::new`].
    pub fn tape<'a>(&'a self, tape: &mut Vec<Node<'a>>) {
        tape.push(Node::Open {
            ns: &self.ns,
            name: &self.name,
        });
        tape.extend(self.attrs.iter().map(|attr| Node::Attr {
            ns: &attr.ns,
            name: &attr.name,
            value: &attr.value,
        }));
        for child in &self.children {
            match child {
                Child::Element(element) => element.tape(tape),
                Child::Text(text) if text.is_empty() => {}
                Child::Text(text) => tape.push(Node::Text(text)),
            }
        }
        tape.push(Node::Close);
    }

    /// An owned copy of a decoded stanza.
    ///
    /// # Errors
    /// [`XmlError::NotWellFormed`] if an element or attribute name is not an XML name.
    pub fn from_stanza(stanza: Stanza) -> Result<Self, XmlError> {
        let mut open: Vec<Self> = Vec::new();
        for node in stanza.nodes() {
            match *node {
                Node::Open { ns, name } => open.push(Self::new(ns, writable(name)?)),
                Node::Attr { ns, name, value } => {
                    let Some(element) = open.last_mut() else {
                        break;
                    };
                    element.attrs.push(Attr {
                        ns: ns.into(),
                        name: writable(name)?.into(),
                        value: value.into(),
                    });
                }
                Node::Text(text) => {
                    if let Some(element) = open.last_mut() {
                        element.push_text(text);
                    }
                }
                Node::Close => {
                    let Some(element) = open.pop() else { break };
                    match open.last_mut() {
                        Some(parent) => parent.push(element),
                        None => return Ok(element),
                    }
                }
            }
        }
        Err(XmlError::NotWellFormed("unbalanced tape".into()))
    }
}

fn writable(name: &str) -> Result<&str, XmlError> {
    match is_ncname(name) {
        true => Ok(name),
        false => Err(XmlError::NotWellFormed(
            "a name that XML cannot carry".into(),
        )),
    }
}

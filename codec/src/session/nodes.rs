//! The nodes of a stanza in the order of the air, out or in. Refuses what XML refuses, of either end alike.

use super::walk::{Scribe, Walk};
use crate::dictionary::Dictionary;
use crate::stanza::{Node, Stanza};
use crate::structure::lexicon::{Class, Symbol, attribute, element};
use crate::value::{Fault, is_xml_name, is_xml_text};

/// Attributes of an element that are looked up once only; few have more.
const LOOKED_UP: usize = 8;

/// Writes the stanza.
// Apart: what it has looked up need not lie on a board's stack while a stanza is read.
#[inline(never)]
pub(super) fn write<'x, D: Scribe>(walk: &mut Walk<'_, 'x, D>, stanza: Stanza<'_, 'x>) {
    let mut last = Symbol::CLOSE;
    let mut rest = stanza.nodes();
    while let Some((node, after)) = rest.split_first()
        && walk.fault.is_none()
    {
        rest = after;
        let (mut symbol, text) = match *node {
            Node::Open { ns, name } => (element(walk.dictionary, ns, name), ""),
            Node::Text(text) if walk.is_idle_space(text) => continue,
            Node::Text(text) => (Symbol::TEXT, text),
            _ => (Symbol::CLOSE, ""),
        };
        cross(walk, &mut last, &mut symbol, text);
        if symbol.opens() {
            rest = write_attributes(walk, &mut last, rest);
        }
    }
}

/// Writes the attributes that begin `nodes`, in the order of the dictionary, unknown ones last. Returns the other nodes.
fn write_attributes<'n, 'x, D: Scribe>(
    walk: &mut Walk<'_, 'x, D>,
    last: &mut Symbol<'x>,
    nodes: &'n [Node<'x>],
) -> &'n [Node<'x>] {
    let mut looked_up = [Symbol::CLOSE; LOOKED_UP];
    let mut left = nodes;
    while let Some((Node::Attr { .. }, rest)) = left.split_first() {
        left = rest;
        // The least after the last; none is a close.
        let (mut next, mut text) = (Symbol::CLOSE, "");
        for (at, node) in nodes.iter().enumerate() {
            let Node::Attr { value, .. } = node else {
                break;
            };
            let mut symbol = looked_up.get(at).copied().unwrap_or(Symbol::CLOSE);
            if symbol.class == Class::Close {
                symbol = look_up(walk.dictionary, node);
                if let Some(place) = looked_up.get_mut(at) {
                    *place = symbol;
                }
            }
            if *last < symbol && (next.class == Class::Close || symbol < next) {
                (next, text) = (symbol, value);
            }
        }
        // So if some occur twice.
        if next.class == Class::Close {
            walk.fail(Fault::Malformed);
            break;
        }
        cross(walk, last, &mut next, text);
    }
    left
}

/// Reads one element; returns the number of nodes.
pub(super) fn read<'x, D: Scribe>(walk: &mut Walk<'_, 'x, D>, tape: &mut [Node<'x>]) -> usize {
    let mut last = Symbol::CLOSE;
    let mut symbol = Symbol::CLOSE;
    for (place, count) in tape.iter_mut().zip(1..) {
        let value = cross(walk, &mut last, &mut symbol, "");
        if !node(walk, &symbol, value, place) {
            walk.fail(Fault::Malformed);
        }
        if walk.fault.is_some() || walk.trail.depth() == 0 {
            return count;
        }
    }
    walk.fail(Fault::TapeFull);
    0
}

/// Codes a symbol and its value, which are given to be written; `last` is the symbol before, if it is an attribute of the
/// same element, or text.
fn cross<'x, D: Scribe>(
    walk: &mut Walk<'_, 'x, D>,
    last: &mut Symbol<'x>,
    symbol: &mut Symbol<'x>,
    given: &'x str,
) -> &'x str {
    walk.symbol(symbol);
    if symbol.is_other() && !(is_xml_text(symbol.ns) && is_xml_name(symbol.name)) {
        walk.fail(Fault::Characters);
    }
    let is_text = symbol.class == Class::Text;
    if !is_text && !symbol.is_attribute() {
        *last = Symbol::CLOSE;
        return "";
    }
    // Each attribute once, under one name and in the order of all; text in one piece, and not empty.
    let is_named = symbol.class == Class::OtherAttribute
        && !attribute(walk.dictionary, symbol.ns, symbol.name).is_other();
    let is_again = *last >= *symbol && (!is_text || last.class == Class::Text);
    *last = *symbol;
    let value = walk.value(symbol, given);
    if is_named || is_again || is_text && value.is_empty() {
        walk.fail(Fault::Malformed);
    }
    if !is_xml_text(value) {
        walk.fail(Fault::Characters);
    }
    value
}

fn look_up<'x>(dictionary: &Dictionary<'_>, node: &Node<'x>) -> Symbol<'x> {
    match *node {
        Node::Attr { ns, name, .. } => attribute(dictionary, ns, name),
        _ => Symbol::CLOSE,
    }
}

/// Puts the node a symbol stands for into its place; false if there is none.
fn node<'x, D: Scribe>(
    walk: &Walk<'_, 'x, D>,
    symbol: &Symbol<'x>,
    value: &'x str,
    place: &mut Node<'x>,
) -> bool {
    let Some((ns, name)) = walk.named(symbol) else {
        return false;
    };
    let ns = if symbol.is_other() {
        Some(symbol.ns)
    } else {
        walk.dictionary.namespaces.get(ns)
    };
    let ns = ns.unwrap_or("");
    *place = match symbol.class {
        Class::Close => Node::Close,
        Class::Text => Node::Text(value),
        Class::Element | Class::OtherElement => Node::Open { ns, name },
        Class::Attribute | Class::OtherAttribute => Node::Attr { ns, name, value },
    };
    true
}

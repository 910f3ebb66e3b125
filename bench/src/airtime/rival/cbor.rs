//! A rival a careful programmer would write in an afternoon: CBOR (RFC 8949) with the dictionary's ids as keys,
//! known values as integers, UUIDs and base64 as byte strings. Refuses to decode: only its size is of
//! interest, so octets that a byte string would hold are zeros.

use longwire::xml::{Child, Element};
use longwire_codec::dictionary::Dictionary;
use longwire_dictionaries::V1_HOST;
use minicbor::Encoder;
use minicbor::encode::Error;

type Cbor = Encoder<Vec<u8>>;
type Done = Result<(), Error<std::convert::Infallible>>;

/// Octets for `stanza`.
pub(super) fn encode(stanza: &Element) -> Vec<u8> {
    let mut cbor = Encoder::new(Vec::new());
    // Writing to a `Vec` does not fail.
    let _ = element(&mut cbor, stanza, &V1_HOST);
    cbor.into_writer()
}

/// `[name, {attribute: value}?, child…]`; a name without an id is two strings.
fn element(cbor: &mut Cbor, of: &Element, known: &Dictionary<'_>) -> Done {
    let named = known.element(&of.ns, &of.name);
    let parts = if named.is_some() { 1 } else { 2 };
    let has_attrs = !of.attrs.is_empty();
    cbor.array((parts + usize::from(has_attrs) + of.children.len()) as u64)?;
    match named {
        Some(id) => cbor.u16(id)?,
        None => cbor.str(&of.ns)?.str(&of.name)?,
    };
    if has_attrs {
        cbor.map(of.attrs.len() as u64)?;
        for attr in &of.attrs {
            match known.attribute(&attr.ns, &attr.name) {
                Some(id) => cbor.u16(id)?,
                None => cbor.str(&attr.name)?,
            };
            value(cbor, &attr.value, known)?;
        }
    }
    for child in &of.children {
        match child {
            Child::Element(child) => element(cbor, child, known)?,
            Child::Text(text) => value(cbor, text, known)?,
        }
    }
    Ok(())
}

fn value(cbor: &mut Cbor, text: &str, known: &Dictionary<'_>) -> Done {
    if let Some(id) = known.values.find(text) {
        cbor.u16(id)?;
    } else if let Some(octets) = uuid(text).or_else(|| base64(text)) {
        cbor.bytes(&vec![0; octets])?;
    } else {
        cbor.str(text)?;
    }
    Ok(())
}

/// Octets in a lower-case UUID.
fn uuid(text: &str) -> Option<usize> {
    let shape = |(at, octet): (usize, u8)| match at {
        8 | 13 | 18 | 23 => octet == b'-',
        _ => octet.is_ascii_digit() || (b'a'..=b'f').contains(&octet),
    };
    (text.len() == 36 && text.bytes().enumerate().all(shape)).then_some(16)
}

/// Octets in padded base64, long enough that it is no word.
fn base64(text: &str) -> Option<usize> {
    let body = text.trim_end_matches('=');
    let letters = body
        .bytes()
        .all(|octet| octet.is_ascii_alphanumeric() || octet == b'+' || octet == b'/');
    (text.len() >= 24 && text.len().is_multiple_of(4) && text.len() - body.len() <= 2 && letters)
        .then_some(body.len() * 3 / 4)
}

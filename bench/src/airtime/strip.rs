//! Takes out of a stanza what a measure leaves out on both sides: the body text, or what no coder can shorten.

use longwire::xml::{Child, Element, NS_CLIENT};

use super::data::Line;

/// Octets from which random letters count as opaque: shorter ones are ids.
const OPAQUE_LEN: usize = 20;

/// Empties the body and its copies in forwarded stanzas.
pub(crate) fn body(line: &mut Line) {
    fn empty(element: &mut Element) {
        if element.is(NS_CLIENT, "body") {
            element.children.clear();
        }
        element.children_mut().for_each(empty);
    }
    empty(&mut line.element);
    line.xml = line.element.to_xml(NS_CLIENT);
}

/// Empties hashes, keys and encrypted payloads: base64 and hex of 20 letters and more, UUIDs excepted.
pub(crate) fn opaque(line: &mut Line) {
    fn empty(element: &mut Element) {
        for attr in &mut element.attrs {
            if is_opaque(&attr.value) {
                attr.value.clear();
            }
        }
        element
            .children
            .retain(|child| !matches!(child, Child::Text(text) if is_opaque(text)));
        element.children_mut().for_each(empty);
    }
    empty(&mut line.element);
    line.xml = line.element.to_xml(NS_CLIENT);
}

/// Base64 or hex of 20 letters and more.
pub(crate) fn is_opaque(text: &str) -> bool {
    let hex = text.bytes().all(|octet| octet.is_ascii_hexdigit());
    let base64 = text.len().is_multiple_of(4)
        && text
            .trim_end_matches('=')
            .bytes()
            .all(|octet| octet.is_ascii_alphanumeric() || b"+/".contains(&octet))
        && text
            .bytes()
            .any(|octet| octet.is_ascii_digit() || octet == b'=' || octet == b'+')
        && text.bytes().any(|octet| octet.is_ascii_uppercase());
    text.len() >= OPAQUE_LEN && (hex || base64)
}

#[cfg(test)]
mod tests {
    use super::is_opaque;

    #[test]
    fn hashes_are_opaque_and_words_are_not() {
        assert!(is_opaque("0d86fa691d209f2eaa0fe44a5d6b2437003a9625"));
        assert!(is_opaque("XFyaETIXyvJ+AxN49DLKO9Hoa+8="));
        assert!(!is_opaque("0d86fa69-1d20-4f2e-aa0f-e44a5d6b2437"));
        assert!(!is_opaque("see you at the briefing at 0700"));
        assert!(!is_opaque("internationalisation"));
    }
}

//! What the bits of a packet were spent on, as the encoder tells it, and what of it no coder can save. Refuses to
//! estimate what is not chance: letters of random ids count as equally likely, and nothing else does.

use longwire::xml::Element;
use longwire_codec::session::What;

use super::strip;

/// Bits of one packet.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spent {
    /// All of them.
    pub(crate) bits: f64,
    /// Of these, running text.
    pub(crate) text: f64,
    /// The stanza's own addresses.
    pub(crate) addresses: f64,
    /// Hashes, keys and payloads that crossed letter by letter.
    pub(crate) opaque: f64,
    /// The chance in ids that crossed letter by letter, at most what they cost.
    pub(crate) ids: f64,
    depth: u32,
    is_address: bool,
}

impl Spent {
    /// Takes note of what the encoder tells: `cost` in 1/256 bit.
    pub(crate) fn add(&mut self, what: What<'_>, cost: u64) {
        let bits = cost as f64 / 256.0;
        self.bits += bits;
        match what {
            What::Open(_) => self.depth += 1,
            What::Close => self.depth = self.depth.saturating_sub(1),
            What::Attribute(name) => {
                self.is_address = self.depth == 1 && matches!(name, "to" | "from");
            }
            What::Text => self.is_address = false,
            What::Value(_, _) if self.is_address => self.addresses += bits,
            What::Value("text" | "quotation and text", _) => self.text += bits,
            What::Value("token" | "octets" | "prefix and token" | "UUID", value) => {
                if strip::is_opaque(value) {
                    self.opaque += bits;
                } else {
                    self.ids += chance_bits(value).min(bits);
                }
            }
            _ => {}
        }
    }
}

/// Letters of a UUID.
const UUID_LEN: usize = 36;
/// Bits of a random UUID (RFC 9562 version 4).
const UUID_BITS: f64 = 122.0;

/// Bits a random id holds: 122 for one that ends in a UUID, else those of the letters after its last mark.
fn chance_bits(id: &str) -> f64 {
    let tail = id.len().checked_sub(UUID_LEN).and_then(|cut| id.get(cut..));
    if tail.is_some_and(|tail| tail.bytes().filter(|octet| *octet == b'-').count() == 4) {
        return UUID_BITS;
    }
    let tail = id
        .rsplit(['-', '_', '.', ':', '/', '#'])
        .next()
        .unwrap_or(id);
    let has = |class: fn(&u8) -> bool| tail.bytes().any(|octet| class(&octet));
    let beyond_hex = has(|octet| octet.is_ascii_lowercase() && *octet > b'f');
    let letters: f64 = match (has(u8::is_ascii_uppercase), has(u8::is_ascii_lowercase)) {
        (true, true) => 62.0,
        (false, true) if beyond_hex => 36.0,
        (true, false) | (false, true) => 16.0,
        (false, false) => 10.0,
    };
    tail.len() as f64 * letters.log2()
}

/// Octets of chance in an OMEMO message (XEP-0384): keys, nonce and payload as they are, and 31 bits for each device
/// number that is not in `devices` yet, where it is put. None for other stanzas.
pub(crate) fn omemo_octets(stanza: &Element, devices: &mut Vec<String>) -> Option<f64> {
    let encrypted = stanza.children().find(|child| child.name == "encrypted")?;
    let mut octets = 0.0;
    let mut look = vec![encrypted];
    while let Some(element) = look.pop() {
        if matches!(element.name.as_str(), "key" | "iv" | "payload") {
            let text = element.text();
            let letters = text.trim_end_matches('=').len();
            octets += (letters * 6 / 8) as f64;
        }
        for device in ["sid", "rid"].iter().filter_map(|name| element.attr(name)) {
            if !devices.iter().any(|known| known == device) {
                devices.push(device.to_owned());
                octets += 31.0 / 8.0;
            }
        }
        look.extend(element.children());
    }
    Some(octets)
}

/// Has a chat everything a current client puts beside the body: an id of its own (XEP-0359), the wish for a receipt and
/// for markers, a chat state?
pub(crate) fn is_full_chat(stanza: &Element) -> bool {
    let has = |name: &str| stanza.children().any(|child| child.name == name);
    ["body", "origin-id", "request", "markable", "active"]
        .into_iter()
        .all(has)
}

#[cfg(test)]
mod tests {
    use super::*;
    use longwire::xml::Element;

    #[test]
    fn ids_hold_what_their_letters_do() {
        let cases = [
            ("0d86fa69-1d20-4f2e-aa0f-e44a5d6b2437", 122.0),
            ("prof_0d86fa69-1d20-4f2e-aa0f-e44a5d6b2437", 122.0),
            ("purple-50f8358a", 32.0),
            ("1234", 4.0 * 10f64.log2()),
        ];
        for (id, bits) in cases {
            assert!((chance_bits(id) - bits).abs() < 1e-9, "{id}");
        }
    }

    #[test]
    fn devices_count_once() {
        let stanza = Element::parse_stanza(
            b"<message xmlns='jabber:client'><encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='7'>\
              <key rid='8'>AAAAAA==</key><iv>AAAA</iv></header><payload>AAA=</payload></encrypted></message>",
        )
        .expect("well-formed");
        let mut devices = Vec::new();
        let octets = |devices: &mut Vec<String>| omemo_octets(&stanza, devices);
        assert_eq!(octets(&mut devices), Some(9.0 + 2.0 * 31.0 / 8.0));
        assert_eq!(octets(&mut devices), Some(9.0));
    }
}

//! Ids: which packet carried which, and the ids one end makes up for those that never crossed. Refuses iq
//! semantics: an id is a name, whatever it names.

use super::shelf::{Entry, Shelf, State};
use crate::structure::lexicon::hash;
use crate::value::Line;

/// Ids of one packet that can be referred to.
pub const ORDINALS: u8 = 8;

/// Longest id made up here.
pub const MINTED_MAX: usize = 24;

/// The name of an id on the air.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct IdRef {
    /// Carried by a packet of the end that refers to it?
    pub own: bool,
    /// The packet.
    pub number: u32,
    /// Which of its ids.
    pub ordinal: u8,
}

/// What an id shelf's octet says beside the ordinal: the id never crossed.
const MINTED: u8 = 0x80;

/// Finds the latest packet that carried `id`. Ids that crossed must be known to the peer; of those that did not,
/// the peer knows every one.
pub fn find(shelf: Shelf<'_>, next: u16, id: &str) -> Option<(u32, u8)> {
    let hash = hash(id);
    let (mut found, mut latest) = (None, 0);
    let mut from = 0;
    while let Some(slot) = shelf.find(hash, from) {
        from = slot + 1;
        let note = shelf.note(slot);
        // Ids put in since, those that begin the shelf anew among them.
        let (slots, next) = (u32::from(shelf.slots()), u32::from(next));
        let after = u32::from(from);
        let age = if next < after { next + slots } else { next } - after;
        let safe = age + MARGIN < slots;
        let can_refer = note & MINTED != 0 || (safe && shelf.state(slot) == State::Known);
        if can_refer && shelf.get(slot) == Some(id.as_bytes()) {
            let packet = shelf.packet(slot);
            if packet >= latest {
                latest = packet;
                found = Some((packet, note & !MINTED));
            }
        }
    }
    found
}

/// The id that packet `number` carried as its `ordinal`th.
pub fn lookup(shelf: Shelf<'_>, number: u32, ordinal: u8) -> Option<&str> {
    (0..shelf.slots())
        .filter(|slot| shelf.packet(*slot) == number && shelf.note(*slot) & !MINTED == ordinal)
        .find_map(|slot| shelf.get(slot))
        .and_then(|octets| core::str::from_utf8(octets).ok())
}

/// What is remembered of an id. It goes to the slot of the oldest; one too long for a slot is not remembered.
pub fn entry(state: State, packet: u32, ordinal: u8, id: &str, minted: bool) -> Entry<'_> {
    Entry {
        state,
        note: ordinal | if minted { MINTED } else { 0 },
        packet,
        hash: hash(id),
        contents: id.as_bytes(),
    }
}

/// Ids the peer's shelf may have taken in, or lost, that this one does not know of: packets under way, in any order.
/// A crossed id that close to being written over is referred to no more; a shelf smaller than this serves made-up
/// ids only.
const MARGIN: u32 = 320;

const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Writes the id made up for the `ordinal`th id of packet `number`: `lw`, the tag, a hyphen, the number, and for
/// others than the first a dot and the ordinal. Returns what was written.
pub fn mint<'o>(tag: &str, number: u32, ordinal: u8, out: &'o mut [u8; MINTED_MAX]) -> &'o [u8] {
    let mut line = Line::new(out);
    if ordinal > 0 {
        line.push(&[b'.', b'0' | ordinal]);
    }
    let mut rest = number;
    loop {
        line.push(&[DIGITS[rest as usize % 32]]);
        rest >>= 5;
        if rest == 0 {
            break;
        }
    }
    line.push(b"-");
    line.push(tag.as_bytes());
    line.push(b"lw");
    line.written()
}

/// Reads an id made up with the same tag: number and ordinal.
pub fn unmint(tag: &str, id: &str) -> Option<(u32, u8)> {
    let octets = id.as_bytes();
    if !octets.starts_with(b"lw") {
        return None;
    }
    let (digits, ordinal) = match octets {
        [digits @ .., b'.', ordinal] => (digits, ordinal.wrapping_sub(b'0')),
        digits => (digits, 0),
    };
    let mut number = 0u32;
    for octet in digits {
        let value = DIGITS.iter().position(|digit| digit == octet);
        // Digits begin after the hyphen.
        number = value.map_or(0, |value| number << 5 | value as u32);
    }
    // Whatever else was there, or was lost on the way, shows when it is written again.
    let same = mint(tag, number, ordinal, &mut [0; MINTED_MAX]) == octets;
    (ordinal < ORDINALS && same).then_some((number, ordinal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_ids_are_read_back() {
        for number in [0, 1, 31, 32, 1000, 1 << 30, u32::MAX] {
            for ordinal in [0, 1, 7] {
                let mut out = [0; MINTED_MAX];
                let id = mint("ab", number, ordinal, &mut out);
                let id = core::str::from_utf8(id).expect("ASCII");
                assert_eq!(unmint("ab", id), Some((number, ordinal)), "{id}");
                assert_eq!(unmint("x", id), None);
            }
        }
        for id in [
            "",
            "lw",
            "lwab-",
            "lwab-00",
            "lwab-1.0",
            "lwab-1.9",
            "lwab-u",
            "lwab-zzzzzzzzzzzzzz",
        ] {
            assert_eq!(unmint("ab", id), None, "{id}");
        }
    }
}

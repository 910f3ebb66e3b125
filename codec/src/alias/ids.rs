//! Ids: which packet carried which, and the ids one end makes up for those that never crossed. Refuses iq
//! semantics: an id is a name, whatever it names.

use super::shelf::{Entry, Shelf, ShelfMut, State};
use crate::structure::lexicon::hash;

/// Ids of one packet that can be referred to.
pub const ORDINALS: u8 = 8;

/// Longest id made up here.
pub const MINTED_MAX: usize = 24;

/// The name of an id on the air.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
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
    let can_refer = |slot: &u16| {
        let safe = age(shelf, *slot, next) < shelf.slots().saturating_sub(MARGIN);
        shelf.note(*slot) & MINTED != 0 || (safe && shelf.state(*slot) == State::Known)
    };
    shelf
        .with_hash(hash(id))
        .filter(|slot| shelf.get(*slot) == Some(id.as_bytes()))
        .filter(can_refer)
        .map(|slot| (shelf.packet(slot), shelf.note(slot) & !MINTED))
        .max()
}

/// The id that packet `number` carried as its `ordinal`th.
pub fn lookup(shelf: Shelf<'_>, number: u32, ordinal: u8) -> Option<&str> {
    (0..shelf.slots())
        .filter(|slot| shelf.packet(*slot) == number && shelf.note(*slot) & !MINTED == ordinal)
        .find_map(|slot| shelf.get(slot))
        .and_then(|octets| core::str::from_utf8(octets).ok())
}

/// Remembers an id in slot `at`, which is that of the oldest. Ids too long for a slot are not remembered; false then.
pub fn keep(
    shelf: &mut ShelfMut<'_>,
    at: u16,
    state: State,
    (number, ordinal): (u32, u8),
    id: &str,
    minted: bool,
) -> bool {
    let note = ordinal | if minted { MINTED } else { 0 };
    shelf.put(
        at,
        Entry {
            state,
            note,
            packet: number,
            hash: hash(id),
            contents: id.as_bytes(),
        },
    )
}

/// Ids the peer's shelf may have taken in, or lost, that this one does not know of: packets under way, in any order.
/// A crossed id that close to being written over is referred to no more; a shelf smaller than this serves made-up
/// ids only.
const MARGIN: u16 = 320;

/// Ids put in since the one in `slot`.
fn age(shelf: Shelf<'_>, slot: u16, next: u16) -> u16 {
    let slots = shelf.slots().max(1);
    (next + slots - 1 - slot.min(slots - 1)) % slots
}

const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Writes the id made up for the `ordinal`th id of packet `number`: `lw`, the tag, a hyphen, the number, and for
/// others than the first a dot and the ordinal. Returns its length.
pub fn mint(tag: &str, number: u32, ordinal: u8, out: &mut [u8; MINTED_MAX]) -> usize {
    let mut len = 0;
    let mut push = |octet: u8| {
        if let Some(place) = out.get_mut(len) {
            *place = octet;
            len += 1;
        }
    };
    b"lw".iter().for_each(|octet| push(*octet));
    tag.bytes().take(8).for_each(&mut push);
    push(b'-');
    let first = (0..7).rev().find(|at| number >> (5 * at) != 0).unwrap_or(0);
    for at in (0..=first).rev() {
        push(DIGITS[(number >> (5 * at) & 31) as usize]);
    }
    if ordinal > 0 {
        push(b'.');
        push(b'0' + ordinal % 10);
    }
    len
}

/// Reads an id made up with the same tag: number and ordinal.
pub fn unmint(tag: &str, id: &str) -> Option<(u32, u8)> {
    let rest = id
        .strip_prefix("lw")?
        .strip_prefix(tag)?
        .strip_prefix('-')?;
    let (digits, ordinal) = match rest.split_once('.') {
        Some((digits, ordinal)) => (digits, ordinal.parse().ok()?),
        None => (rest, 0),
    };
    let number = digits.bytes().try_fold(0u64, |sum, digit| {
        let value = DIGITS.iter().position(|d| *d == digit)?;
        (sum <= u64::from(u32::MAX)).then_some(sum << 5 | value as u64)
    })?;
    let number = u32::try_from(number).ok()?;
    let mut again = [0; MINTED_MAX];
    let len = mint(tag, number, ordinal, &mut again);
    (ordinal < ORDINALS && again[..len] == *id.as_bytes()).then_some((number, ordinal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_ids_are_read_back() {
        for number in [0, 1, 31, 32, 1000, 1 << 30, u32::MAX] {
            for ordinal in [0, 1, 7] {
                let mut out = [0; MINTED_MAX];
                let len = mint("ab", number, ordinal, &mut out);
                let id = core::str::from_utf8(&out[..len]).expect("ASCII");
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

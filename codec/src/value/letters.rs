//! Short strings octet by octet in the context of the octets before: names, resources, whatever the dictionary
//! lacks. Refuses prose, which the text model does better.

use super::TOO_LONG;
use crate::features::{Decide, mix};
use crate::structure::{Contexts, Label, Room, recipe, tree};

const LETTER: Label = Label::new(Room::Letters, 1);

/// Codes `text`, which has no NUL; on the reading end it goes to `out`. Returns its length, or `TOO_LONG`. The end is
/// a NUL.
pub fn code<D: Decide>(d: &mut D, place: u32, text: &[u8], out: &mut [u8]) -> usize {
    let mut last = 0u32;
    let mut word = 0u32;
    let mut len = 0;
    loop {
        let values = [
            last & 0xff,
            last & 0xffff,
            last & 0xff_ffff,
            last,
            word,
            place,
            len as u32,
        ];
        let contexts = Contexts::of(&values, recipe!("a b c d e ef af bf g"));
        let octet = text.get(len).copied().unwrap_or(0);
        let octet = tree(d, &contexts, LETTER, 8, u32::from(octet));
        if octet == 0 {
            return len;
        }
        if d.coder().is_reading() {
            match out.get_mut(len) {
                Some(place) => *place = octet as u8,
                None => return TOO_LONG,
            }
        }
        len += 1;
        last = last << 8 | octet;
        word = mix(word, octet);
    }
}

//! Tokens: characters of a small alphabet, equally likely. Hex and base64url are tokens, so octets written in them cost
//! eight bits each; base64 proper is octets. Refuses to guess: whether a string looks like chance is asked apart.

use super::{TOO_LONG, is_among};
use crate::features::{Decide, mix};
use crate::structure::{Contexts, Label, Room, number, signed, tree, uniform};

const ALPHABET: Label = Label::new(Room::Token, 1);
const LENGTH: Label = Label::new(Room::Token, 2);
const CHANGE: Label = Label::new(Room::Token, 3);
const HEAD: Label = Label::new(Room::Token, 4);

/// Lengths from here on are numbers.
const LENGTH_LONG: u32 = 255;

/// Longest token.
pub const LEN_MAX: usize = 1 << 20;

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// In an order in which the letters of each of the other alphabets stand together.
const LETTERS: &[u8; 64] = b"GHIJKLMNOPQRSTUVWXYZABCDEF0123456789abcdefghijklmnopqrstuvwxyz-_";

/// The alphabets, each a start and a length among the letters; a string is written in the first that has all its
/// characters.
const ALPHABETS: [(u8, u8); 7] = [
    (26, 10),
    (26, 16),
    (20, 16),
    (26, 36),
    (0, 36),
    (0, 62),
    (0, 64),
];

/// Hexadecimal digits, lower case, and upper case.
pub(super) const HEX: [u32; 2] = [1, 2];

/// Octets in base64 (RFC 4648 section 4), written with padding and nothing to spare.
const OCTETS: u32 = ALPHABETS.len() as u32;

/// Letters of octets that are coded in context: keys and pictures begin with what they are.
const HEAD_LEN: usize = 3;

/// The characters of an alphabet, in the order of their numbers.
pub(super) fn letters(alphabet: u32) -> &'static [u8] {
    let place = ALPHABETS.get(alphabet as usize);
    let set =
        place.and_then(|(start, len)| LETTERS.get(usize::from(*start)..)?.get(..usize::from(*len)));
    set.unwrap_or(BASE64)
}

/// The number of a letter in its alphabet; 0 for none.
pub(super) fn value(set: &[u8], letter: Option<&u8>) -> u32 {
    let found = set.iter().position(|other| Some(other) == letter);
    found.unwrap_or(0) as u32
}

/// Bit n: alphabet n has the letter.
// On a board a call is smaller.
#[cfg_attr(target_os = "none", inline(never))]
pub(crate) fn alphabets(letter: u8) -> u8 {
    match letter {
        b'0'..=b'9' => 0b1111_1111,
        b'a'..=b'f' => 0b1110_1010,
        b'g'..=b'z' => 0b1110_1000,
        b'A'..=b'F' => 0b1111_0100,
        b'G'..=b'Z' => 0b1111_0000,
        b'-' | b'_' => 0b0100_0000,
        b'+' | b'/' | b'=' => 0b1000_0000,
        _ => 0,
    }
}

/// The alphabets that tell small letters, capitals, digits and signs apart.
const CLASSES: u8 = CAPITAL | 0b0000_1000;

/// The alphabet that has capitals and digits.
pub(crate) const CAPITAL: u8 = 0b0001_0000;
/// All alphabets, which only digits are in.
pub(crate) const DIGIT: u8 = u8::MAX;
/// The alphabet that only the signs of base64 are in.
pub(crate) const SIGN: u8 = 0b1000_0000;

/// Is it what writing octets in base64 gives?
pub fn is_octets(text: &str) -> bool {
    let text = text.as_bytes();
    let len = digits(count(text));
    let spare = 2 * (len.next_multiple_of(4) - len);
    let letters = text.get(..len).unwrap_or(&[]);
    let last = letters.last();
    last.is_some()
        && text.len() == len.next_multiple_of(4)
        && text.len() <= LEN_MAX
        && value(BASE64, last) & ((1 << spare) - 1) == 0
        && letters.iter().all(|letter| is_among(BASE64, *letter))
}

/// Octets in base64 text.
pub fn count(text: &[u8]) -> usize {
    let mut letters = text;
    while let [rest @ .., b'='] = letters {
        letters = rest;
    }
    (text.len() / 4 * 3).saturating_sub(text.len() - letters.len())
}

/// Letters of so many octets in base64.
fn digits(count: usize) -> usize {
    (count * 4).div_ceil(3)
}

/// A token to write.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Token<'a> {
    text: &'a [u8],
    alphabet: u32,
}

impl<'a> Token<'a> {
    /// Finds the alphabet. None for the empty string and for characters outside all alphabets.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut all = u8::MAX;
        for letter in text.bytes() {
            all &= alphabets(letter);
            // Most text ends here, at its first space.
            if all == 0 {
                return None;
            }
        }
        if text.is_empty() || text.len() > LEN_MAX {
            return None;
        }
        let octets = 1 << OCTETS;
        if all & octets != 0 && !is_octets(text) {
            all ^= octets;
        }
        // Long text is base64 proper, even if it happens to use few letters of it; but hex is hex.
        if text.len() > 48 && all & (octets | 2) == octets {
            all = octets;
        }
        let text = text.as_bytes();
        let alphabet = all.trailing_zeros();
        (all != 0).then_some(Self { text, alphabet })
    }

    /// Octets in base64, see [`is_octets`].
    pub fn octets(text: &'a str) -> Self {
        Self {
            text: text.as_bytes(),
            alphabet: OCTETS,
        }
    }

    /// Does it look like chance? Words do not.
    pub fn looks_random(self) -> bool {
        let len = self.text.len();
        let (mut changes, mut before) = (0, u8::MAX);
        for letter in self.text {
            let class = alphabets(*letter) & CLASSES;
            changes += usize::from(class != before);
            before = class;
        }
        match self.alphabet {
            0 => len >= 4,
            1 | 2 => len >= 8 || (len >= 6 && changes >= 3),
            OCTETS if self.text.last() == Some(&b'=') => len > 4,
            _ if len >= 100 => changes * 8 >= len,
            _ => len >= 4 && changes * 3 >= len + 3,
        }
    }

    /// Codes it; on the reading end the text goes to `out`. Returns its length there, or `TOO_LONG`.
    pub fn code<D: Decide>(self, d: &mut D, contexts: &Contexts, out: &mut [u8]) -> usize {
        let alphabet = tree(d, contexts, ALPHABET, 3, self.alphabet);
        self.spell(d, contexts, alphabet, None, out)
    }

    /// Codes octets; `before` is how many there were in this place of the template.
    pub fn code_octets<D: Decide>(
        self,
        d: &mut D,
        contexts: &Contexts,
        before: Option<u16>,
        out: &mut [u8],
    ) -> usize {
        self.spell(d, contexts, OCTETS, before, out)
    }

    /// Codes all but the alphabet.
    fn spell<D: Decide>(
        self,
        d: &mut D,
        contexts: &Contexts,
        alphabet: u32,
        before: Option<u16>,
        out: &mut [u8],
    ) -> usize {
        let is_octets = alphabet == OCTETS;
        let count = if is_octets {
            count(self.text)
        } else {
            self.text.len()
        } as u32;
        let count = match before {
            Some(before) => {
                let change = count.wrapping_sub(before.into()).cast_signed();
                let change = signed(d, contexts, CHANGE, change);
                u32::from(before).wrapping_add_signed(change)
            }
            None => length(d, contexts, count),
        };
        if count > LEN_MAX as u32 {
            return TOO_LONG;
        }
        let (mut letters_len, mut len) = (count as usize, count as usize);
        if is_octets {
            letters_len = digits(len);
            len = letters_len.next_multiple_of(4);
        }
        if d.coder().is_reading() && out.len() < len {
            return TOO_LONG;
        }
        let set = letters(alphabet);
        // The second context is the place.
        let mut head = contexts.all().get(1).copied().unwrap_or(0);
        for at in 0..letters_len {
            // What the last letter has beyond the octets is zero.
            let spare = if at + 1 == letters_len {
                2 * (len - letters_len)
            } else {
                0
            };
            let value = value(set, self.text.get(at));
            let value = if is_octets && at < HEAD_LEN && spare == 0 {
                tree(d, &Contexts::one(head), HEAD, 6, value)
            } else {
                uniform(d, set.len() as u32 >> spare, value >> spare) << spare
            };
            head = mix(head, value);
            put(out, at, set.get(value as usize));
        }
        for at in letters_len..len {
            put(out, at, Some(&b'='));
        }
        len
    }
}

/// Writes a letter to its place, if there is one.
pub(super) fn put(out: &mut [u8], at: usize, letter: Option<&u8>) {
    if let (Some(place), Some(letter)) = (out.get_mut(at), letter) {
        *place = *letter;
    }
}

/// Keys, hashes and nonces have the lengths they always have: every bit of a length is worth its contexts.
fn length<D: Decide>(d: &mut D, contexts: &Contexts, len: u32) -> u32 {
    let short = tree(d, contexts, LENGTH, 8, len.min(LENGTH_LONG));
    if short < LENGTH_LONG {
        return short;
    }
    let rest = number(d, contexts, LENGTH, len.saturating_sub(LENGTH_LONG));
    LENGTH_LONG.saturating_add(rest)
}

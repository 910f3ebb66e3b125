//! Tokens: characters of a small alphabet, equally likely. Hex, base64 and base64url are tokens, so octets written
//! in them cost eight bits each. Refuses to guess: whether a string looks like chance is asked apart.

use super::Fault;
use crate::features::Decide;
use crate::structure::{Contexts, flag, number, tree, uniform};

const ALPHABET: u32 = 0x746f_0001;
const LENGTH: u32 = 0x746f_0002;
const PADS: u32 = 0x746f_0003;
const TIGHT: u32 = 0x746f_0004;

/// Lengths from here on are numbers.
const LENGTH_LONG: usize = 255;

/// Longest token.
pub const LEN_MAX: usize = 1 << 20;

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE64_URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The alphabets; a string is written in the first that has all its characters.
const ALPHABETS: [&[u8]; 8] = [
    b"0123456789",
    b"0123456789abcdef",
    b"0123456789ABCDEF",
    b"0123456789abcdefghijklmnopqrstuvwxyz",
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    BASE64_URL.split_at(62).0,
    BASE64_URL,
    BASE64,
];

/// Alphabets in the order of base64 begin here: those can end in padding.
const FIRST_PADDED: u32 = 5;

/// A token to write.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Token<'a> {
    letters: &'a [u8],
    alphabet: u32,
    pads: u32,
}

impl<'a> Token<'a> {
    /// Finds the alphabet. None for the empty string and for characters outside all alphabets.
    pub fn parse(text: &'a str) -> Option<Self> {
        let letters = text.trim_end_matches('=').as_bytes();
        let pads = (text.len() - letters.len()) as u32;
        // Most text ends here, at its first space.
        let plausible = |letter: &u8| letter.is_ascii_alphanumeric() || b"+/-_".contains(letter);
        if !letters.iter().all(plausible) {
            return None;
        }
        // Padded or long text is base64 proper, even if it happens to use few letters of it.
        let order: &[u32] = if pads > 0 || letters.len() > 48 {
            &[1, 7, 6, 0, 2, 3, 4, 5]
        } else {
            &[0, 1, 2, 3, 4, 5, 6, 7]
        };
        let order = if pads > 0 { &order[1..3] } else { order };
        let alphabet = *order.iter().find(|alphabet| {
            let set = ALPHABETS[**alphabet as usize];
            letters.iter().all(|letter| set.contains(letter))
        })?;
        let fits = !letters.is_empty() && letters.len() <= LEN_MAX && pads <= 2;
        // Padded text has whole groups of four; its length is written so.
        let fits = fits && (pads == 0 || text.len().is_multiple_of(4));
        fits.then_some(Self {
            letters,
            alphabet,
            pads,
        })
    }

    /// Does it look like chance? Words do not.
    pub fn looks_random(self) -> bool {
        let len = self.letters.len();
        let class = |letter: &u8| match letter {
            b'0'..=b'9' => 0,
            b'a'..=b'z' => 1,
            b'A'..=b'Z' => 2,
            _ => 3,
        };
        let changes = self
            .letters
            .windows(2)
            .filter(|pair| class(&pair[0]) != class(&pair[1]))
            .count();
        match self.alphabet {
            0 => len >= 4,
            1 | 2 => len >= 8 || (len >= 6 && changes >= 2),
            _ if self.pads > 0 => len > 4,
            _ if len >= 100 => changes * 8 >= len,
            _ => len >= 4 && changes * 3 >= len,
        }
    }

    /// Codes it; on the reading end the text goes to `out`. Returns its length there.
    pub fn code<D: Decide>(
        self,
        d: &mut D,
        contexts: &Contexts,
        out: &mut [u8],
    ) -> Result<usize, Fault> {
        let alphabet = tree(d, contexts, ALPHABET, 3, self.alphabet);
        let set = ALPHABETS[alphabet as usize & 7];
        let pads = if alphabet >= FIRST_PADDED {
            tree(d, contexts, PADS, 2, self.pads)
        } else {
            0
        };
        let group = if pads > 0 { 4 } else { 1 };
        let groups = (self.letters.len() + self.pads as usize) / group;
        let len = (length(d, contexts, groups) * group).saturating_sub(pads as usize);
        if len == 0 || len > LEN_MAX {
            return Err(Fault::Malformed);
        }
        if d.is_reading() && out.len() < len + pads as usize {
            return Err(Fault::ArenaFull);
        }
        let place = |at: usize| {
            let letter = self.letters.get(at);
            let found = letter.and_then(|letter| set.iter().position(|l| l == letter));
            found.unwrap_or(0) as u32
        };
        // The last letter before padding carries 4 or 2 bits; the rest of it is zero in well-formed base64.
        let spare = if set.len() == 64 && pads <= 2 {
            2 * pads
        } else {
            0
        };
        let is_tight = place(len - 1) & ((1 << spare) - 1) == 0;
        let tight = spare > 0 && flag(d, contexts, TIGHT, is_tight);
        for at in 0..len {
            let value = if tight && at + 1 == len {
                d.code_bits(place(at) >> spare, 6 - spare) << spare
            } else if set.len() == 64 || set.len() == 16 {
                d.code_bits(place(at), set.len().ilog2())
            } else {
                uniform(d, set.len() as u32, place(at))
            };
            if let Some(letter) = out.get_mut(at) {
                *letter = set[value as usize % set.len()];
            }
        }
        if d.is_reading() {
            out[len..len + pads as usize].fill(b'=');
        }
        Ok(len + pads as usize)
    }
}

/// Keys, hashes and nonces have the lengths they always have: every bit of a length is worth its contexts.
fn length<D: Decide>(d: &mut D, contexts: &Contexts, len: usize) -> usize {
    let short = tree(d, contexts, LENGTH, 8, len.min(LENGTH_LONG) as u32) as usize;
    if short < LENGTH_LONG {
        return short;
    }
    let rest = len.saturating_sub(LENGTH_LONG) as u64;
    let rest = number(d, contexts, LENGTH, rest).min(LEN_MAX as u64);
    LENGTH_LONG + rest as usize
}

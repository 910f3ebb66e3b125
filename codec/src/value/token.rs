//! Tokens: characters of a small alphabet, equally likely. Hex and base64url are tokens, so octets written in them cost
//! eight bits each; base64 proper is octets. Refuses to guess: whether a string looks like chance is asked apart.

use super::Fault;
use crate::features::{Decide, mix};
use crate::structure::{Contexts, number, signed, tree, uniform};

const ALPHABET: u32 = 0x0001_746f;
const LENGTH: u32 = 0x0002_746f;
const CHANGE: u32 = 0x0003_746f;
const HEAD: u32 = 0x0004_746f;

/// Lengths from here on are numbers.
const LENGTH_LONG: usize = 255;

/// Longest token.
pub const LEN_MAX: usize = 1 << 20;

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE64_URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The alphabets; a string is written in the first that has all its characters.
const ALPHABETS: [&[u8]; 7] = [
    b"0123456789",
    b"0123456789abcdef",
    b"0123456789ABCDEF",
    b"0123456789abcdefghijklmnopqrstuvwxyz",
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    BASE64_URL.split_at(62).0,
    BASE64_URL,
];

/// Octets in base64 (RFC 4648 section 4), written with padding and nothing to spare.
const OCTETS: u32 = ALPHABETS.len() as u32;

/// Letters of octets that are coded in context: keys and pictures begin with what they are.
const HEAD_LEN: usize = 3;

/// A token to write.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Token<'a> {
    text: &'a [u8],
    alphabet: u32,
}

impl<'a> Token<'a> {
    /// Finds the alphabet. None for the empty string and for characters outside all alphabets.
    pub fn parse(text: &'a str) -> Option<Self> {
        // Most text ends here, at its first space.
        let plausible = |letter: &u8| letter.is_ascii_alphanumeric() || b"+/-_=".contains(letter);
        let is_fine = !text.is_empty() && text.len() <= LEN_MAX;
        if !is_fine || !text.bytes().all(|letter| plausible(&letter)) {
            return None;
        }
        // Long text is base64 proper, even if it happens to use few letters of it; but hex is hex.
        let long = text.len() > 48;
        let in_set = |alphabet: &u32| {
            let set = ALPHABETS.get(*alphabet as usize);
            set.is_some_and(|set| text.bytes().all(|letter| set.contains(&letter)))
        };
        let hex = Some(1).filter(|hex| long && in_set(hex));
        let octets = || Self::octets(text).map(|token| token.alphabet);
        let plain = || (0..OCTETS).find(in_set);
        let alphabet = match hex {
            None if long => octets().or_else(plain),
            hex => hex.or_else(plain).or_else(octets),
        };
        let text = text.as_bytes();
        alphabet.map(|alphabet| Self { text, alphabet })
    }

    /// Octets in base64. None if the text is not what encoding them gives.
    pub fn octets(text: &'a str) -> Option<Self> {
        let letters = text.trim_end_matches('=');
        let pads = text.len() - letters.len();
        let value = |letter: u8| BASE64.iter().position(|other| *other == letter);
        let last = letters.bytes().last().and_then(value)?;
        let is_octets = pads <= 2
            && text.len().is_multiple_of(4)
            && text.len() <= LEN_MAX
            && last & ((1 << (2 * pads)) - 1) == 0
            && letters.bytes().all(|letter| value(letter).is_some());
        is_octets.then_some(Self {
            text: text.as_bytes(),
            alphabet: OCTETS,
        })
    }

    /// Does it look like chance? Words do not.
    pub fn looks_random(self) -> bool {
        let len = self.text.len();
        let class = |letter: &u8| match letter {
            b'0'..=b'9' => 0,
            b'a'..=b'z' => 1,
            b'A'..=b'Z' => 2,
            _ => 3,
        };
        let next = self.text.iter().skip(1);
        let changes = self
            .text
            .iter()
            .zip(next)
            .filter(|(one, next)| class(one) != class(next))
            .count();
        match self.alphabet {
            0 => len >= 4,
            1 | 2 => len >= 8 || (len >= 6 && changes >= 2),
            OCTETS if self.text.last() == Some(&b'=') => len > 4,
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
        let Some(set) = ALPHABETS.get(alphabet as usize) else {
            return self.code_octets(d, contexts, None, out);
        };
        let len = length(d, contexts, self.text.len());
        if len == 0 || len > LEN_MAX {
            return Err(Fault::Malformed);
        }
        if d.is_reading() && out.len() < len {
            return Err(Fault::ArenaFull);
        }
        for at in 0..len {
            let value = self.value(set, at);
            let value = if set.len() == 64 || set.len() == 16 {
                d.code_bits(value, set.len().ilog2())
            } else {
                uniform(d, set.len() as u32, value)
            };
            if let Some(letter) = out.get_mut(at) {
                *letter = set[value as usize % set.len()];
            }
        }
        Ok(len)
    }

    /// Codes octets; `before` is how many there were in this place of the template.
    pub fn code_octets<D: Decide>(
        self,
        d: &mut D,
        contexts: &Contexts,
        before: Option<u16>,
        out: &mut [u8],
    ) -> Result<usize, Fault> {
        let count = count(self.text);
        let count = match before {
            Some(before) => {
                let before = i64::from(before);
                before.saturating_add(signed(d, contexts, CHANGE, count as i64 - before))
            }
            None => length(d, contexts, count) as i64,
        };
        let count = usize::try_from(count).map_err(|_| Fault::Malformed)?;
        if count == 0 || count > LEN_MAX {
            return Err(Fault::Malformed);
        }
        let letters = (count * 4).div_ceil(3);
        let len = letters.next_multiple_of(4);
        if d.is_reading() && out.len() < len {
            return Err(Fault::ArenaFull);
        }
        // The second context is the place.
        let mut head = contexts.all().get(1).copied().unwrap_or(0);
        for at in 0..letters {
            // What the last letter has beyond the octets is zero.
            let spare = if at + 1 == letters {
                2 * (len - letters) as u32
            } else {
                0
            };
            let value = self.value(BASE64, at);
            let value = if at < HEAD_LEN && spare == 0 {
                let mut contexts = Contexts::new();
                contexts.add(&[head]);
                tree(d, &contexts, HEAD, 6, value)
            } else {
                d.code_bits(value >> spare, 6 - spare) << spare
            };
            head = mix(head, value);
            if let Some(letter) = out.get_mut(at) {
                *letter = BASE64[value as usize % 64];
            }
        }
        if d.is_reading() {
            out.get_mut(letters..len).unwrap_or(&mut []).fill(b'=');
        }
        Ok(len)
    }

    /// The number of the letter `at`; 0 on the reading end.
    fn value(self, set: &[u8], at: usize) -> u32 {
        let found = self
            .text
            .get(at)
            .and_then(|letter| set.iter().position(|l| l == letter));
        found.unwrap_or(0) as u32
    }
}

/// Octets in base64 text.
pub fn count(text: &[u8]) -> usize {
    let pads = text
        .iter()
        .rev()
        .take_while(|letter| **letter == b'=')
        .count();
    (text.len() / 4 * 3).saturating_sub(pads)
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

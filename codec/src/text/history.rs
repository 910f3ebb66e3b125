//! What the model knows of a text when the next octet is due. Refuses to look at anything but the octets before it,
//! so that both ends know the same.

use crate::features::{CONTEXTS, mix};

/// Characters remembered one by one.
const CHARS: usize = 8;

/// How far back a repetition is looked for, octets.
const REACH: usize = 256;

/// Shortest repetition that counts, octets.
const MATCH_MIN: usize = 3;

/// Longest repetition that makes a difference, octets.
const MATCH_MAX: usize = 15;

/// The running state.
#[derive(Clone, Debug)]
pub struct History {
    salt: u32,
    hint: u32,
    /// The last characters as sent, latest first, each as its octets.
    chars: [u32; CHARS],
    /// The last of them in lower case.
    folded: u32,
    /// Octets of the character under way.
    partial: u32,
    /// Octets it still needs.
    missing: u8,
    word: u32,
    word_before: u32,
    word_before_that: u32,
    word_len: u32,
    /// Classes of the last characters, four bits each.
    shape: u32,
    count: u32,
    /// Capitals in a row, words apart: from two on, capitals are what is expected.
    capitals: u32,
    /// Words, capitals first, in a row.
    titles: u32,
    match_at: usize,
    match_len: usize,
    /// A bit for each hash of `MATCH_MIN` octets in a row so far: mostly there is nothing to look for.
    seen: [u32; 8],
}

impl History {
    /// Nothing said yet, in a language (`salt` keeps languages apart) and a kind of field.
    pub fn new(salt: u32, hint: u32) -> Self {
        Self {
            salt,
            hint,
            chars: [10; CHARS],
            folded: 10,
            partial: 0,
            missing: 0,
            word: 0,
            word_before: 0,
            word_before_that: 0,
            word_len: 0,
            shape: 0,
            count: 0,
            capitals: 0,
            titles: 0,
            match_at: 0,
            match_len: 0,
            seen: [0; 8],
        }
    }

    /// Turns an octet into the symbol that stands for it here, or back: among capitals, letters change case.
    #[inline]
    pub fn swap(&self, octet: u8) -> u8 {
        if self.capitals >= 2 && octet.is_ascii_alphabetic() {
            octet ^ 0x20
        } else {
            octet
        }
    }

    /// Fills in the contexts of the next octet that `mask` asks for; returns their number. `seen` is the text so far.
    /// A kind keeps its number for good; those between were tried and found not to pay.
    pub fn contexts(&self, seen: &[u8], mask: u32, out: &mut [u32; CONTEXTS]) -> usize {
        let mut list = List {
            mask,
            out,
            count: 0,
        };
        let [a, b, c, d, e, f, ..] = self.chars;
        let start = mix(self.salt, self.partial);
        let shouting = u32::from(self.capitals >= 2) << 31;
        let o1 = mix(start, a);
        let o2 = mix(o1, b);
        let o3 = mix(o2, c);
        let o4 = mix(o3, d);
        let o5 = mix(o4, e);
        let word = mix(start, self.word);
        let spaced = self.word_len.min(7) << 1 | u32::from(a == u32::from(b' '));
        let matching = self.before_word(0) ^ self.before_word(1) << 8;
        let skip = mix(mix(start, b), c);
        let hashes = [
            o1 ^ shouting,
            o2,
            o3,
            o4,
            o5,
            mix(o5, f),
            word,
            mix(word, self.word_before),
            mix(word, self.word_before_that),
            mix(mix(start, spaced), matching),
            mix(start, self.count.min(24) ^ shouting),
            skip,
            mix(mix(start, self.shape & 0xff_ffff), self.word_len),
            mix(o1, self.word_len.min(15) ^ self.titles << 8),
            mix(skip, d),
        ];
        for (kind, hash) in KINDS.iter().zip(hashes) {
            list.add((*kind).into(), hash);
        }
        // Last what is not always there, so that the others keep their places.
        let expected = self.expected(seen);
        if expected != 0 {
            list.add(15, mix(start, expected));
            list.add(17, mix(mix(o1, expected & 0x1ff), 1));
        }
        if self.hint != 0 {
            list.add(24, mix(start, self.hint));
            list.add(25, mix(o2, self.hint));
        }
        list.count
    }

    /// What comes next if a repetition goes on, and how long it is already; 0 without one.
    fn expected(&self, seen: &[u8]) -> u32 {
        match seen.get(self.match_at) {
            Some(octet) if self.match_len > 0 => {
                1 + u32::from(self.swap(*octet)) + ((self.match_len.min(MATCH_MAX) as u32) << 9)
            }
            _ => 0,
        }
    }

    /// Character `back` places before the space before the current word.
    fn before_word(&self, back: usize) -> u32 {
        let at = self.word_len as usize + 1 + back;
        self.chars.get(at).copied().unwrap_or(0)
    }

    /// Takes note of the next octet. `seen` is the text with it.
    pub fn push(&mut self, seen: &[u8]) {
        let Some((octet, _)) = seen.split_last() else {
            return;
        };
        self.find_repetition(seen, *octet);
        self.partial = self.partial << 8 | u32::from(*octet);
        if self.missing == 0 {
            self.missing = match octet {
                0xc2..=0xdf => 1,
                0xe0..=0xef => 2,
                0xf0..=0xf4 => 3,
                _ => 0,
            };
        } else {
            self.missing -= 1;
        }
        if self.missing == 0 {
            let char = self.partial;
            self.partial = 0;
            self.take(char);
        }
    }

    /// Takes note of a whole character.
    fn take(&mut self, char: u32) {
        let folded = fold(char);
        let class = class(char);
        match class {
            Class::Capital => self.capitals = self.capitals.saturating_add(1),
            Class::Small => self.capitals = 0,
            _ => {}
        }
        if class.is_letter() {
            if self.word_len == 0 {
                self.titles = if class == Class::Capital {
                    (self.titles + 1).min(3)
                } else {
                    0
                };
            }
            self.word = mix(self.word.wrapping_add(1), folded);
            self.word_len += 1;
        } else {
            if self.word_len > 0 {
                self.word_before_that = self.word_before;
                self.word_before = self.word;
                self.word = 0;
                self.word_len = 0;
            }
            let again = class == Class::Digit && self.shape & 15 == Class::Digit as u32;
            if class != Class::Space && !again {
                let sign = if class == Class::Digit { 0x30 } else { char };
                self.word_before = mix(self.word_before ^ 0x55, sign);
            }
        }
        let [a, b, c, d, e, f, g, _] = self.chars;
        self.chars = [char, a, b, c, d, e, f, g];
        // Among capitals, history is told in lower case, as the symbols are.
        if self.capitals >= 2 && class == Class::Capital {
            self.chars[..2].copy_from_slice(&[folded, self.folded]);
        }
        self.folded = folded;
        self.shape = self.shape << 4 | class as u32;
        self.count += 1;
    }

    /// Takes note of the last octets; true if they surely never came before.
    #[inline]
    fn is_new(&mut self, seen: &[u8]) -> bool {
        let Some(&[a, b, c]) = seen.last_chunk::<MATCH_MIN>() else {
            return true;
        };
        let hash = mix(u32::from_le_bytes([a, b, c, 0]), 0);
        let word = &mut self.seen[(hash >> 29) as usize];
        let bit = 1 << (hash >> 24 & 31);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    /// Follows the repetition under way, or looks for a new one.
    fn find_repetition(&mut self, seen: &[u8], octet: u8) {
        let is_new = self.is_new(seen);
        if self.match_len > 0 && seen.get(self.match_at) == Some(&octet) {
            self.match_at += 1;
            self.match_len += 1;
            return;
        }
        self.match_len = 0;
        let len = seen.len();
        if is_new {
            return;
        }
        // The latest that ends as the text does wins.
        for end in (len.saturating_sub(REACH) + MATCH_MIN..len).rev() {
            let (earlier, mut shared) = (seen.get(..end).unwrap_or(&[]), 0);
            if earlier.last() != Some(&octet) {
                continue;
            }
            for (one, other) in earlier.iter().rev().zip(seen.iter().rev()) {
                if one != other || shared == MATCH_MIN + MATCH_MAX {
                    break;
                }
                shared += 1;
            }
            if shared >= MATCH_MIN {
                (self.match_at, self.match_len) = (end, shared);
                return;
            }
        }
    }
}

/// Kinds of the contexts that are always there.
const KINDS: [u8; 15] = [0, 1, 2, 3, 4, 5, 7, 8, 10, 12, 14, 16, 18, 19, 20];

/// Contexts being filled in: those of the kinds a model uses, kind n if bit n of its mask is set.
struct List<'o> {
    mask: u32,
    out: &'o mut [u32; CONTEXTS],
    count: usize,
}

impl List<'_> {
    #[inline]
    fn add(&mut self, kind: u32, hash: u32) {
        if self.mask >> kind & 1 == 1
            && let Some(place) = self.out.get_mut(self.count)
        {
            *place = mix(hash, kind);
            self.count += 1;
        }
    }
}

/// What sort of character it is, for shapes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
enum Class {
    Small = 1,
    Capital,
    Other,
    Space,
    Digit,
    Stop,
    Comma,
    Colon,
    Slash,
    Hyphen,
    Quote,
    Apostrophe,
    Bracket,
    Sign,
}

impl Class {
    fn is_letter(self) -> bool {
        matches!(
            self,
            Self::Small | Self::Capital | Self::Other | Self::Apostrophe
        )
    }
}

fn class(char: u32) -> Class {
    let Ok(octet) = u8::try_from(char) else {
        // General punctuation and beyond the basic plane: not parts of words.
        let apart = char >> 24 != 0 || char >> 8 == 0xe280 || char >> 8 == 0xc2;
        let capital = fold(char) != char;
        return if apart {
            Class::Sign
        } else if capital {
            Class::Capital
        } else {
            Class::Other
        };
    };
    match octet {
        b'a'..=b'z' => Class::Small,
        b'A'..=b'Z' => Class::Capital,
        b'0'..=b'9' => Class::Digit,
        b' ' => Class::Space,
        b'.' | b'!' | b'?' => Class::Stop,
        b',' | b';' => Class::Comma,
        b':' => Class::Colon,
        b'/' | b'\\' | b'@' => Class::Slash,
        b'-' | b'_' | b'+' => Class::Hyphen,
        b'"' => Class::Quote,
        b'\'' => Class::Apostrophe,
        b'(' | b')' | b'[' | b']' | b'<' | b'>' => Class::Bracket,
        0x80.. => Class::Other,
        _ => Class::Sign,
    }
}

/// Lower case of a character given by its octets: ASCII, Latin-1 and Cyrillic.
fn fold(char: u32) -> u32 {
    match char {
        0x41..=0x5a | 0xc380..=0xc39e | 0xd090..=0xd09f => char + 0x20,
        0xd0a0..=0xd0af => char + 0xe0,
        0xd080..=0xd08f => char + 0x110,
        _ => char,
    }
}

//! What the model knows of a text when the next octet is due. Refuses to look at anything but the octets before it,
//! so that both ends know the same.

use crate::features::{CONTEXTS, mix};
use crate::row::Row;

/// Characters remembered one by one.
const CHARS: usize = 8;

/// How far back a repetition is looked for, octets.
const REACH: usize = 256;

/// Shortest repetition that counts, octets.
const MATCH_MIN: usize = 3;

/// Longest repetition that makes a difference, octets.
const MATCH_MAX: usize = 15;

/// The running state.
#[derive(Default)]
pub(super) struct History {
    salt: u32,
    /// The last characters as sent, latest first, each as its octets.
    chars: [u32; CHARS],
    /// Octets of the character under way.
    partial: u32,
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
    /// Where a repetition under way goes on, and how long it is already.
    match_at: usize,
    match_len: usize,
    /// A bit for each hash of `MATCH_MIN` octets in a row so far: mostly there is nothing to look for.
    seen: [u32; 8],
}

impl History {
    /// Nothing said yet, in a language: `salt` keeps them apart.
    pub(super) fn new(salt: u32) -> Self {
        Self {
            salt,
            chars: [10; CHARS],
            ..Self::default()
        }
    }

    /// Turns an octet into the symbol that stands for it here, or back: among capitals, letters change case.
    #[inline]
    pub(super) fn swap(&self, octet: u8) -> u8 {
        if self.capitals >= 2 && octet.is_ascii_alphabetic() {
            octet ^ 0x20
        } else {
            octet
        }
    }

    /// Takes note of the last octet of `seen`, the text so far, if there is one, and fills in the contexts of the next.
    pub(super) fn take<'k>(&mut self, seen: &[u8], kinds: &'k mut Kinds) -> &'k [u32] {
        if let Some(octet) = seen.last() {
            self.find_repetition(seen, *octet);
            self.partial = self.partial << 8 | u32::from(*octet);
            // The first octet of several begins with as many ones.
            let zeros = self.partial.leading_zeros();
            let needed = (self.partial << (zeros & 24)).leading_ones();
            if needed <= 4 - zeros / 8 {
                self.take_char(self.partial);
                self.partial = 0;
            }
        }
        kinds.contexts.clear();
        self.contexts(seen, kinds);
        kinds.contexts.all()
    }

    /// A kind of context keeps its number for good; those between were tried and found not to pay.
    fn contexts(&self, seen: &[u8], kinds: &mut Kinds) {
        let [a, b, c, d, e, f, ..] = self.chars;
        let shouting = u32::from(self.capitals >= 2) << 31;
        let start = mix(self.salt, self.partial);
        let o1 = kinds.add(shouting, start, a);
        let o2 = kinds.add(1, o1, b);
        let o3 = kinds.add(2, o2, c);
        let o4 = kinds.add(3, o3, d);
        let o5 = kinds.add(4, o4, e);
        kinds.add(5, o5, f);
        let word = kinds.add(7, start, self.word);
        kinds.add(8, word, self.word_before);
        kinds.add(10, word, self.word_before_that);
        let spaced = self.word_len.min(7) << 1 | u32::from(a == u32::from(b' '));
        let matching = self.before_word(1) ^ self.before_word(2) << 8;
        kinds.add(12, mix(start, spaced), matching);
        kinds.add(14, start, self.count.min(24) ^ shouting);
        let skip = kinds.add(16, mix(start, b), c);
        kinds.add(18, mix(start, self.shape & 0xff_ffff), self.word_len);
        kinds.add(19, o1, self.word_len.min(15) ^ self.titles << 8);
        kinds.add(20, skip, d);
        // Last what is not always there, so that the others keep their places.
        if let Some(octet) = seen.get(self.match_at)
            && self.match_len > 0
        {
            // What comes next if the repetition goes on.
            let next = 1 + u32::from(self.swap(*octet));
            let len = self.match_len.min(MATCH_MAX) as u32;
            kinds.add(15, start, next + (len << 9));
            kinds.add(17, mix(o1, next), 1);
        }
    }

    /// Character `back` places before the space before the current word.
    fn before_word(&self, back: usize) -> u32 {
        let char = self.chars.get(self.word_len as usize + back);
        char.copied().unwrap_or(0)
    }

    /// Takes note of a whole character.
    fn take_char(&mut self, char: u32) {
        let class = class(char);
        let is_word = matches!(class, SMALL | CAPITAL | OTHER | APOSTROPHE);
        match class {
            CAPITAL => self.capitals += 1,
            SMALL => self.capitals = 0,
            _ => {}
        }
        if is_word {
            if self.word_len == 0 {
                self.titles = match class {
                    CAPITAL => (self.titles + 1).min(3),
                    _ => 0,
                };
            }
            self.word = mix(self.word.wrapping_add(1), fold(char));
            self.word_len += 1;
        } else {
            if self.word_len > 0 {
                self.word_before_that = self.word_before;
                self.word_before = self.word;
                self.word = 0;
                self.word_len = 0;
            }
            let is_again = class == DIGIT && self.shape & 15 == DIGIT;
            if class != SPACE && !is_again {
                let sign = if class == DIGIT { 0x30 } else { char };
                self.word_before = mix(self.word_before ^ 0x55, sign);
            }
        }
        let [a, b, c, d, e, f, g, _] = self.chars;
        self.chars = [char, a, b, c, d, e, f, g];
        // Among capitals, history is told in lower case, as the symbols are.
        if self.capitals >= 2 && class == CAPITAL {
            self.chars[..2].copy_from_slice(&[fold(char), fold(a)]);
        }
        self.shape = self.shape << 4 | class;
        self.count += 1;
    }

    /// Follows the repetition under way, or looks for a new one, once `octet` was added to what was `seen`.
    fn find_repetition(&mut self, seen: &[u8], octet: u8) {
        let Some([a, b, c]) = seen.last_chunk::<MATCH_MIN>() else {
            return;
        };
        let hash = mix(u32::from_le_bytes([*a, *b, *c, 0]), 0);
        let word = &mut self.seen[(hash >> 29) as usize];
        let bit = 1 << (hash >> 24 & 31);
        let is_new = *word & bit == 0;
        *word |= bit;
        if self.match_len > 0 && seen.get(self.match_at) == Some(&octet) {
            self.match_at += 1;
            self.match_len += 1;
            return;
        }
        self.match_len = 0;
        if is_new {
            return;
        }
        let len = seen.len();
        // The latest that ends as the text does wins.
        for end in (len.saturating_sub(REACH) + MATCH_MIN..len).rev() {
            let mut shared = 0;
            while shared < MATCH_MIN + MATCH_MAX
                && seen.get(end.wrapping_sub(shared + 1)) == seen.get(len - (shared + 1))
            {
                shared += 1;
            }
            if shared >= MATCH_MIN {
                (self.match_at, self.match_len) = (end, shared);
                return;
            }
        }
    }
}

/// The contexts of an octet: those of the kinds a model uses, kind n if bit n of its mask is set.
pub(super) struct Kinds {
    mask: u32,
    contexts: Row<u32, CONTEXTS>,
}

impl Kinds {
    /// None yet.
    pub(super) fn new(mask: u32) -> Self {
        Self {
            mask,
            contexts: const { Row::new(0) },
        }
    }

    /// Mixes `value` into `hash`; what comes of it makes, with `kind`, a context. The number of the kind is its lowest
    /// five bits.
    // On a board a call is smaller.
    #[cfg_attr(target_os = "none", inline(never))]
    fn add(&mut self, kind: u32, hash: u32, value: u32) -> u32 {
        let hash = mix(hash, value);
        if self.mask >> (kind & 31) & 1 == 1 {
            self.contexts.push(mix(hash, kind));
        }
        hash
    }
}

// What sort of character it is, for shapes.
const SMALL: u32 = 1;
const CAPITAL: u32 = 2;
const OTHER: u32 = 3;
const SPACE: u32 = 4;
const DIGIT: u32 = 5;
const APOSTROPHE: u32 = 12;
const SIGN: u32 = 14;

/// Signs of class 6, a blank, those of class 7 and so on; then all others.
const SIGNS: &[u8] = b".!? ,; : /\\@ -_+ \" ' ()[]<> ";

fn class(char: u32) -> u32 {
    match char {
        _ if fold(char) != char => CAPITAL,
        0x20 => SPACE,
        0x30..=0x39 => DIGIT,
        0x61..=0x7a => SMALL,
        0..=0x7f => {
            let mut class = DIGIT + 1;
            for sign in SIGNS {
                if u32::from(*sign) == char {
                    break;
                }
                class += u32::from(*sign == b' ');
            }
            class
        }
        // General punctuation and beyond the basic plane: not parts of words.
        0xc200..=0xc2ff | 0xe2_8000..=0xe2_80ff | 0x100_0000.. => SIGN,
        _ => OTHER,
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

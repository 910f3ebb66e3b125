//! Text as bits: octets along a Huffman tree, each decision predicted by a static table from what was said so far.
//! Refuses floats, state between texts, and to cost more than raw UTF-8 and one octet.
//!
//! A model is (little endian):
//!
//! ```text
//! "LT" version:u8=1 languages:u8 kinds:u32
//! for each language: tag[4] chance:u16 tree (see Tree, 256 symbols)
//! feature table (see Features)
//! ```
//!
//! A text begins with one bit, raw or not; if not, its language, then its octets. The symbol 0xff ends the text.

mod history;
mod raw;

pub use history::History;

use crate::entropy::range::Meter;
use crate::entropy::{Coder, Prob};
#[cfg(feature = "large")]
use crate::features::Adapting;
use crate::features::{CONTEXTS, Decide, Deciding, Features, Tree, mix};

/// Most languages of a model.
pub const LANGUAGES: usize = 16;

/// The symbol that ends a text: no octet of UTF-8.
pub const END: u8 = 0xff;

const VERSION: u8 = 1;

/// One in this many texts is expected to fare better raw. The bound of one octet above raw UTF-8 needs it.
const RAW_ONE_IN: u32 = 24;

/// What that choice costs, rounded up.
const RAW_CHOICE_256THS: u32 = 1175;

/// The language of a text is judged by so many octets of its start.
const JUDGED_LEN: usize = 32;

/// What a text is for: chooses among habits of writing.
pub mod hint {
    /// Conversation; the default.
    pub const BODY: u32 = 0;
    /// A subject or other headline.
    pub const SUBJECT: u32 = 1;
    /// A presence status.
    pub const STATUS: u32 = 2;
    /// A nickname or display name.
    pub const NICK: u32 = 3;
    /// A JID's local part.
    pub const LOCAL: u32 = 4;
    /// A JID's domain.
    pub const DOMAIN: u32 = 5;
    /// A JID's resource.
    pub const RESOURCE: u32 = 6;
    /// A URL or URI.
    pub const URL: u32 = 7;
    /// Any other attribute value or protocol text.
    pub const VALUE: u32 = 8;
}

/// Why a text could not be coded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TextError {
    /// The text is longer than the room for it.
    Full,
    /// The octets that came out are not UTF-8.
    NotUtf8,
}

#[derive(Clone, Copy, Debug)]
struct Language<'d> {
    tag: [u8; 4],
    tree: Tree<'d>,
}

/// Symbols of a language's tree.
const SYMBOLS: usize = 256;
/// Octets of a language in a model: tag, chance, and the tree with its count.
const LANGUAGE_LEN: usize = 4 + 2 + 2 + 2 * (SYMBOLS - 1 + SYMBOLS + SYMBOLS);

impl<'d> Language<'d> {
    fn new(octets: &'d [u8; LANGUAGE_LEN]) -> Option<Self> {
        let ([t0, t1, t2, t3, _, _], tree) = octets.split_first_chunk()?;
        Some(Self {
            tag: [*t0, *t1, *t2, *t3],
            tree: Tree::new(tree).filter(|tree| usize::from(tree.symbols()) == SYMBOLS)?,
        })
    }
}

/// A trained model, borrowed from flash or file.
#[derive(Clone, Copy, Debug)]
pub struct TextModel<'d> {
    kinds: u32,
    /// As they lie in the model: read anew for each text, which costs nothing beside coding it.
    languages: &'d [[u8; LANGUAGE_LEN]],
    features: Features<'d>,
}

impl<'d> TextModel<'d> {
    /// Reads a model; `None` if it is damaged or of another version.
    pub fn new(bytes: &'d [u8]) -> Option<Self> {
        let (header, rest) = bytes.split_first_chunk()?;
        let [b'L', b'T', VERSION, count, k0, k1, k2, k3] = *header else {
            return None;
        };
        let count = usize::from(count);
        if !(1..=LANGUAGES).contains(&count) {
            return None;
        }
        let (languages, rest) = rest.split_at_checked(count * LANGUAGE_LEN)?;
        let languages = languages.as_chunks().0;
        // A tree of 256 symbols each.
        let sound = |octets: &[u8; LANGUAGE_LEN]| octets[6..8] == [0, 1];
        if !languages.iter().all(sound) {
            return None;
        }
        Some(Self {
            kinds: u32::from_le_bytes([k0, k1, k2, k3]),
            languages,
            features: Features::new(rest)?,
        })
    }

    /// Tags of the languages, most expected first, zero padded.
    pub fn languages(&self) -> impl Iterator<Item = [u8; 4]> {
        self.each().map(|language| language.tag)
    }

    fn each(&self) -> impl Iterator<Item = Language<'d>> {
        self.languages.iter().filter_map(Language::new)
    }

    /// The table under the model.
    pub fn features(&self) -> &Features<'d> {
        &self.features
    }

    /// Codes a text used as `hint` says. Writing, `text` is the source and `out` is not touched; reading, the text
    /// comes out in `out`. Returns its length in octets.
    ///
    /// # Errors
    /// `Full` if a text read does not fit `out`; `NotUtf8` if octets read (or given) are not UTF-8.
    pub fn code(
        &self,
        coder: &mut dyn Coder,
        hint: u32,
        text: &[u8],
        out: &mut [u8],
    ) -> Result<usize, TextError> {
        let reading = coder.is_reading();
        let start = coder.mark();
        let way = if reading {
            RAW
        } else {
            self.best_language(coder, hint, text)
        };
        let mut len = self.code_as(coder, way, hint, text, out)?;
        let bound = raw::cost_256ths(text).saturating_add(RAW_CHOICE_256THS);
        if !reading && coder.cost_256ths(start) > bound {
            coder.rewind(start);
            len = self.code_as(coder, RAW, hint, text, out)?;
        }
        let whole = if reading { out } else { text };
        match whole.get(..len).map(core::str::from_utf8) {
            Some(Ok(_)) => Ok(len),
            _ => Err(TextError::NotUtf8),
        }
    }

    /// Cost of a text in 1/256 bit, as [`Self::code`] would write it.
    pub fn cost_256ths(&self, hint: u32, text: &[u8]) -> u64 {
        let mut meter = Meter::default();
        // Writing fails only on text that is not UTF-8; what was counted until then is as good as any answer.
        _ = self.code(&mut meter, hint, text, &mut []);
        meter.total_256ths()
    }

    /// Codes the way, and the text that way.
    fn code_as(
        &self,
        coder: &mut dyn Coder,
        way: usize,
        hint: u32,
        text: &[u8],
        out: &mut [u8],
    ) -> Result<usize, TextError> {
        let way = self.code_way(coder, way);
        if way == RAW {
            return raw::code(coder, text, out);
        }
        let language = self.languages.get(way - 1).and_then(Language::new);
        let Some(language) = language else {
            return Err(TextError::NotUtf8);
        };
        let voice = Voice {
            tree: language.tree,
            kinds: self.kinds,
            salt: salt(language.tag),
            hint,
        };
        #[cfg(feature = "large")]
        if let Some(mut adapting) = Adapting::new(coder, self.features) {
            return voice.code(&mut adapting, text, out);
        }
        let mut decide = Deciding {
            coder,
            features: Some(self.features),
        };
        voice.code(&mut decide, text, out)
    }

    /// The language in which the start of `text` is cheapest.
    fn best_language(&self, coder: &mut dyn Coder, hint: u32, text: &[u8]) -> usize {
        let (mut best, mut least) = (1, u32::MAX);
        if self.languages.len() == 1 {
            return best;
        }
        let text = text.get(..JUDGED_LEN).unwrap_or(text);
        let start = coder.mark();
        for way in 1..=self.languages.len() {
            // Fails only on text that is not UTF-8, which is noticed later.
            _ = self.code_as(coder, way, hint, text, &mut []);
            let cost = coder.cost_256ths(start);
            coder.rewind(start);
            if cost < least {
                (least, best) = (cost, way);
            }
        }
        best
    }

    /// Codes how the text goes: raw, or in the language numbered from 1.
    fn code_way(&self, coder: &mut dyn Coder, way: usize) -> usize {
        if coder.code(way == RAW, (65536 / RAW_ONE_IN) as Prob) {
            return RAW;
        }
        let mut left = 65536u32;
        let others = self
            .languages
            .split_last()
            .map_or(&[][..], |(_, rest)| rest);
        let mut number = 1;
        for [_, _, _, _, c0, c1, ..] in others {
            let chance = u32::from(u16::from_le_bytes([*c0, *c1])).clamp(1, left - 1);
            let p1 = ((chance << 15) / left * 2).clamp(1, 65535) as Prob;
            if coder.code(way == number, p1) {
                break;
            }
            left = (left - chance).max(2);
            number += 1;
        }
        number
    }
}

/// The way of a text the model knows nothing about.
const RAW: usize = 0;

/// The number that keeps the contexts of a language apart from those of others.
pub fn salt(tag: [u8; 4]) -> u32 {
    mix(u32::from_le_bytes(tag), 0x7e47)
}

/// One language's way of coding: its tree and contexts. The trainer listens through it, so it is public.
#[derive(Clone, Copy, Debug)]
pub struct Voice<'d> {
    /// Symbols to decisions.
    pub tree: Tree<'d>,
    /// Mask of the kinds of context used.
    pub kinds: u32,
    /// See [`salt`].
    pub salt: u32,
    /// See [`hint`].
    pub hint: u32,
}

impl Voice<'_> {
    /// Codes octets and their end; returns how many.
    ///
    /// # Errors
    /// `Full` if a text read does not fit `out`.
    pub fn code<D: Decide>(
        &self,
        decide: &mut D,
        text: &[u8],
        out: &mut [u8],
    ) -> Result<usize, TextError> {
        let reading = decide.is_reading();
        let mut history = History::new(self.salt, self.hint);
        let mut contexts = [0; CONTEXTS];
        let mut len = 0;
        loop {
            let seen: &[u8] = if reading { out } else { text };
            let count = history.contexts(&seen[..len], self.kinds, &mut contexts);
            let next = text.get(len).map_or(END, |octet| history.swap(*octet));
            let symbol = self.tree.code(u16::from(next), |node, bit| {
                decide.decide(&contexts[..count], node, bit)
            }) as u8;
            if symbol == END {
                return Ok(len);
            }
            if reading {
                *out.get_mut(len).ok_or(TextError::Full)? = history.swap(symbol);
            }
            len += 1;
            let seen: &[u8] = if reading { out } else { text };
            history.push(&seen[..len]);
        }
    }
}

#[cfg(test)]
mod tests;

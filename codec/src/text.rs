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

use history::{History, Kinds};

use crate::entropy::range::Meter;
use crate::entropy::{Coder, Prob};
#[cfg(feature = "large")]
use crate::features::Adapting;
use crate::features::{Decide, Deciding, Features, Tree, mix};

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

/// A language in a model, u16: tag, chance, tree.
type Language = [[u8; 2]; 3 + Tree::LEN];

/// A trained model, borrowed from flash or file.
#[derive(Clone, Copy, Debug)]
pub struct TextModel<'d> {
    kinds: u32,
    /// As they lie in the model: read anew for each text, which costs nothing beside coding it.
    languages: &'d [Language],
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
        let (languages, rest) = rest.split_at_checked(count * size_of::<Language>())?;
        let languages = languages.as_chunks().0.as_chunks().0;
        let is_sound = |[_, _, _, tree @ ..]: &Language| Tree::new(tree).is_sound();
        if !languages.iter().all(is_sound) {
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
        self.languages.iter().map(tag)
    }

    /// The table under the model.
    pub fn features(&self) -> &Features<'d> {
        &self.features
    }

    /// Codes a text. Writing, `text` is the source and `out` is not touched; reading, the text comes out in `out`, though
    /// not surely as UTF-8. Returns its length in octets, or more than `out` has if it did not fit.
    pub fn code(&self, coder: &mut dyn Coder, text: &[u8], out: &mut [u8]) -> usize {
        let start = coder.mark();
        let model = self;
        let mut attempt = Attempt { model, coder, out };
        let mut way = attempt.best_language(text);
        loop {
            let len = attempt.code(way, text);
            let cost = attempt.coder.cost_256ths(&start);
            let beyond_choice = cost.saturating_sub(RAW_CHOICE_256THS);
            if way == RAW || beyond_choice.div_ceil(256) <= raw::bits(text) {
                return len;
            }
            attempt.coder.rewind(&start);
            way = RAW;
        }
    }

    /// Cost of a text in 1/256 bit, as [`Self::code`] would write it.
    pub fn cost_256ths(&self, text: &[u8]) -> u64 {
        let mut meter = Meter::default();
        self.code(&mut meter, text, &mut []);
        meter.total_256ths()
    }
}

/// A text about to be coded, one way or another.
struct Attempt<'c> {
    model: &'c TextModel<'c>,
    coder: &'c mut dyn Coder,
    out: &'c mut [u8],
}

impl<'c> Attempt<'c> {
    /// Codes the way, and the text that way; returns its length as [`TextModel::code`] does.
    fn code(&mut self, way: usize, text: &[u8]) -> usize {
        let Some(language) = self.way(way) else {
            return raw::code(self.coder, text, self.out);
        };
        let [_, _, _, tree @ ..] = language;
        let voice = Voice {
            tree: Tree::new(tree),
            kinds: self.model.kinds,
            salt: salt(tag(language)),
        };
        // Copied: quicker than looked up for each decision.
        let features = self.model.features;
        #[cfg(feature = "large")]
        if let Some(mut adapting) = Adapting::new(self.coder, features) {
            return voice.code(&mut adapting, text, self.out);
        }
        let mut decide = Deciding {
            coder: self.coder,
            features: Some(&features),
        };
        voice.code(&mut decide, text, self.out)
    }

    /// The language in which the start of `text` is cheapest; any on the reading end.
    fn best_language(&mut self, text: &[u8]) -> usize {
        let (mut best, mut least) = (1, u32::MAX);
        let count = self.model.languages.len();
        if count == 1 || self.coder.is_reading() {
            return best;
        }
        let text = text.get(..JUDGED_LEN).unwrap_or(text);
        let start = self.coder.mark();
        for way in 1..=count {
            self.code(way, text);
            let cost = self.coder.cost_256ths(&start);
            self.coder.rewind(&start);
            if cost < least {
                (least, best) = (cost, way);
            }
        }
        best
    }

    /// Codes how the text goes: raw, or in the language numbered from 1, which it returns.
    fn way(&mut self, way: usize) -> Option<&'c Language> {
        if self.coder.code(way == RAW, (65536 / RAW_ONE_IN) as Prob) {
            return None;
        }
        let languages = self.model.languages;
        let mut left = 65536u32;
        for (language, number) in languages.iter().zip(1..) {
            let chance = u32::from(u16::from_le_bytes(language[2]));
            let chance = chance.max(1).min(left - 1);
            let p1 = ((chance << 15) / left * 2).max(1);
            if number == languages.len() || self.coder.code(way == number, p1 as Prob) {
                return Some(language);
            }
            left = (left - chance).max(2);
        }
        None
    }
}

/// The way of a text the model knows nothing about.
const RAW: usize = 0;

/// The tag of a language.
fn tag([[a, b], [c, d], ..]: &Language) -> [u8; 4] {
    [*a, *b, *c, *d]
}

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
}

impl Voice<'_> {
    /// Codes octets and their end; returns how many, or more than `out` has if they did not fit.
    pub fn code<D: Decide>(&self, decide: &mut D, text: &[u8], out: &mut [u8]) -> usize {
        let reading = decide.coder().is_reading();
        let mut history = History::new(self.salt);
        let mut kinds = Kinds::new(self.kinds);
        let mut len = 0;
        loop {
            let seen: &[u8] = if reading { out } else { text };
            let contexts = history.take(seen.get(..len).unwrap_or(&[]), &mut kinds);
            let next = text.get(len).map_or(END, |octet| history.swap(*octet));
            let symbol = self
                .tree
                .code(next, |node, bit| decide.decide(contexts, node, bit));
            if symbol == END {
                return len;
            }
            if reading {
                match out.get_mut(len) {
                    Some(place) => *place = history.swap(symbol),
                    None => return len + 1,
                }
            }
            len += 1;
        }
    }
}

#[cfg(test)]
mod tests;

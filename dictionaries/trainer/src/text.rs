//! Trains and judges text models. Refuses to read files: lines come from the caller.

use crate::examples::{Examples, Learn};
use crate::features::{self, Report, Settings};
use crate::huffman;
use longwire_codec::entropy::range::{Decoder, Encoder};
use longwire_codec::entropy::{Coder, Prob};
use longwire_codec::features::{Decide, Tree};
use longwire_codec::text::{END, TextModel, Voice, salt};

/// A text to learn from.
#[derive(Clone, Debug)]
pub struct Line {
    /// Which of [`TextSettings::languages`] it is in.
    pub language: usize,
    /// The text.
    pub text: String,
}

/// A language of a model.
#[derive(Clone, Copy, Debug)]
pub struct Language {
    /// Tag, zero padded.
    pub tag: [u8; 4],
    /// How often it is expected, of 65,536 texts.
    pub chance: u16,
}

/// How to train a text model.
#[derive(Clone, Debug)]
pub struct TextSettings {
    /// Languages, most expected first.
    pub languages: Vec<Language>,
    /// Mask of the kinds of context to use.
    pub kinds: u32,
    /// How to train the table; its size is that of the whole model.
    pub features: Settings,
}

/// Longest part of a line that is learned from, octets.
const LEARNED_LEN: usize = 400;

/// Trains a model on `lines`, in their order: mix sources before. Progress goes to `report`.
///
/// # Panics
/// If a line names a language that is not among the settings.
pub fn train(settings: &TextSettings, lines: &[Line], report: &mut Report<'_>) -> Vec<u8> {
    let sizes = [settings.features.size];
    let mut models = train_sizes(settings, &sizes, lines, report);
    models.swap_remove(0)
}

/// Trains models of several sizes, as [`train`] would each; what they have in common is done once.
///
/// # Panics
/// If a line names a language that is not among the settings.
pub fn train_sizes(
    settings: &TextSettings,
    sizes: &[usize],
    lines: &[Line],
    report: &mut Report<'_>,
) -> Vec<Vec<u8>> {
    let header = header(settings, lines);
    let table = Settings {
        dense: 255,
        ..settings.features.clone()
    };
    let sizes: Vec<usize> = sizes
        .iter()
        .map(|size| size.saturating_sub(header.len()))
        .collect();
    let examples = TextExamples::new(settings, lines, &header);
    let tables = features::train_sizes(&examples, &table, &sizes, report);
    tables
        .into_iter()
        .map(|table| [&header[..], &table].concat())
        .collect()
}

/// Everything before the feature table: languages and their trees.
pub fn header(settings: &TextSettings, lines: &[Line]) -> Vec<u8> {
    let mut header = Vec::from(*b"LT\x01");
    header.push(settings.languages.len() as u8);
    header.extend(settings.kinds.to_le_bytes());
    for (index, language) in settings.languages.iter().enumerate() {
        let mut counts = [0u64; 256];
        for line in lines.iter().filter(|line| line.language == index) {
            line.text
                .bytes()
                .for_each(|octet| counts[usize::from(octet)] += 64);
            counts[usize::from(END)] += 64;
        }
        header.extend(language.tag);
        header.extend(language.chance.to_le_bytes());
        header.extend(huffman::tree(&counts));
    }
    header
}

/// Lines as decisions, made by the codec's own code.
#[derive(Debug)]
pub struct TextExamples<'l> {
    voices: Vec<Voice<'l>>,
    lines: &'l [Line],
}

impl<'l> TextExamples<'l> {
    /// Prepares `lines` for the model that starts with `header`.
    ///
    /// # Panics
    /// If `header` was not made by [`header`] from the same settings.
    pub fn new(settings: &TextSettings, lines: &'l [Line], header: &'l [u8]) -> Self {
        let mut rest = &header[8..];
        let mut voices = Vec::new();
        for language in &settings.languages {
            let (tree, others) = rest[6..].split_at(2 * Tree::LEN);
            rest = others;
            // Split off to this length.
            let tree = tree.as_chunks().0.as_array().expect("split off");
            let salt = salt(language.tag);
            voices.push(Voice {
                tree: Tree::new(tree),
                kinds: settings.kinds,
                salt,
            });
        }
        Self { voices, lines }
    }
}

impl Examples for TextExamples<'_> {
    fn replay(&self, learn: &mut Learn<'_>) {
        let mut listener = Listener { learn };
        for line in self.lines {
            let voice = &self.voices[line.language];
            let mut len = line.text.len().min(LEARNED_LEN);
            while !line.text.is_char_boundary(len) {
                len -= 1;
            }
            voice.code(&mut listener, &line.text.as_bytes()[..len], &mut []);
        }
    }
}

/// A coder that writes nothing and tells the trainer everything.
struct Listener<'a, 'l> {
    learn: &'a mut Learn<'l>,
}

impl Coder for Listener<'_, '_> {
    fn is_reading(&self) -> bool {
        false
    }

    fn code(&mut self, bit: bool, _: Prob) -> bool {
        bit
    }
}

impl Decide for Listener<'_, '_> {
    fn coder(&mut self) -> &mut dyn Coder {
        self
    }

    fn decide(&mut self, contexts: &[u32], node: u32, bit: bool) -> bool {
        (self.learn)(contexts, node, bit);
        bit
    }
}

/// What texts cost, each coded alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Evaluation {
    /// Texts coded.
    pub texts: u64,
    /// Characters in them.
    pub chars: u64,
    /// Octets in them.
    pub octets: u64,
    /// Bits they cost, their ends included.
    pub bits: f64,
    /// Octets of packets holding one text each.
    pub packets: u64,
    /// Texts that did not come back as they were: always 0, or the codec is broken.
    pub lost: u64,
}

impl Evaluation {
    /// Bits for a character.
    pub fn bits_per_char(&self) -> f64 {
        self.bits / self.chars.max(1) as f64
    }
}

/// Codes each of `texts` alone, and reads it back.
pub fn evaluate<'t>(model: &TextModel<'_>, texts: impl IntoIterator<Item = &'t str>) -> Evaluation {
    let mut sum = Evaluation::default();
    let (mut packet, mut back) = (Vec::new(), Vec::new());
    for text in texts {
        let octets = text.as_bytes();
        packet.resize(octets.len() + 16, 0);
        back.resize(octets.len(), 0);
        let mut encoder = Encoder::new(&mut packet);
        let written = model.code(&mut encoder, octets, &mut []);
        let size = encoder.finish().unwrap_or(0);
        let read = model.code(&mut Decoder::new(&packet[..size]), &[], &mut back);
        sum.lost += u64::from(written != read || back != octets);
        sum.texts += 1;
        sum.chars += text.chars().count() as u64;
        sum.octets += octets.len() as u64;
        sum.bits += model.cost_256ths(octets) as f64 / 256.0;
        sum.packets += size as u64;
    }
    sum
}

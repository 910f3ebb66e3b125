//! smaz2, octet for octet what its original in C writes. Refuses the crate's own encoder: it has no word with a space
//! before it, and pays for the space after one. Only its tables are used, read through its decoder.

use std::sync::LazyLock;

/// Escapes: a word, a word and a space, a space and a word.
const WORD: [u8; 3] = [6, 7, 8];
/// Most octets written as they are behind one that counts them.
const VERBATIM_MAX: u8 = 5;
/// Shortest word.
const WORD_MIN: usize = 4;

/// The 256 words and the 128 pairs of letters.
static TABLES: LazyLock<(Vec<String>, Vec<String>)> = LazyLock::new(|| {
    let read = |packet: &[u8]| smaz2::decompress(packet).unwrap_or_default();
    let words = (0..=255).map(|at| read(&[WORD[0], at])).collect();
    let pairs = (128..=255).map(|at| read(&[at])).collect();
    (words, pairs)
});

/// Octets for `text`.
pub(crate) fn compress(mut text: &[u8]) -> Vec<u8> {
    let (words, pairs) = &*TABLES;
    let mut out = Vec::new();
    let mut verbatim = 0;
    while let [octet, after @ ..] = text {
        let spaced = text.strip_prefix(b" ");
        let bare = spaced.unwrap_or(text);
        let word = || {
            let mut words = (0..=255u8).zip(words);
            words.find(|(_, word)| bare.starts_with(word.as_bytes()))
        };
        let pair = || {
            let mut pairs = (128..=255u8).zip(pairs);
            pairs.find(|(_, pair)| text.starts_with(pair.as_bytes()))
        };
        if text.len() >= WORD_MIN
            && let Some((at, word)) = word()
        {
            let rest = &bare[word.len()..];
            let escape;
            (escape, text) = match (spaced, rest.strip_prefix(b" ")) {
                (Some(_), _) => (WORD[2], rest),
                (None, Some(after)) => (WORD[1], after),
                (None, None) => (WORD[0], rest),
            };
            out.extend([escape, at]);
            verbatim = 0;
        } else if let Some((at, pair)) = pair() {
            out.push(at);
            text = &text[pair.len()..];
            verbatim = 0;
        } else if matches!(octet, 0 | 9..=127) {
            out.push(*octet);
            text = after;
            verbatim = 0;
        } else {
            verbatim += 1;
            if verbatim == 1 {
                out.push(0);
            }
            out.push(*octet);
            let count = out.len() - 1 - usize::from(verbatim);
            out[count] = verbatim;
            verbatim %= VERBATIM_MAX;
            text = after;
        }
    }
    out
}

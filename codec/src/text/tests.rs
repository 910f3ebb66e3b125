//! Roundtrips over any text with a model of noise: how good a model is does not matter here, only that nothing is lost.

use super::*;
use crate::entropy::range::{Decoder, Encoder};
use crate::features::CONTEXTS;
use std::string::String;
use std::vec::Vec;

/// Sizes of the left parts of a tree of so many leaves, depth first: a little lopsided.
fn left_parts(leaves: u16, out: &mut Vec<u16>) {
    if leaves > 1 {
        let left = leaves.div_ceil(3);
        out.push(left);
        left_parts(left, out);
        left_parts(leaves - left, out);
    }
}

/// A model of two languages and a small table of noise.
fn model() -> Vec<u8> {
    let mut bytes = languages();
    bytes.extend(*b"LF\x02\x0a\0\0\x01\0\x01\0\0\0");
    let levels = (0..16).map(|level| 80 * (level % 16) - 600);
    bytes.extend(levels.flat_map(i16::to_le_bytes));
    bytes.extend([64; CONTEXTS + 1]);
    bytes.extend((0..3 << 12).map(|at| mix(at, 5) as u8));
    bytes
}

/// The start of such a model.
fn languages() -> Vec<u8> {
    let mut bytes = Vec::from(*b"LT\x01\x02\xff\xff\xff\x03");
    for (tag, chance) in [(*b"en\0\0", 60_000u16), (*b"xx\0\0", 5536)] {
        bytes.extend(tag);
        bytes.extend(chance.to_le_bytes());
        bytes.extend(256u16.to_le_bytes());
        let mut left = Vec::new();
        left_parts(256, &mut left);
        bytes.extend(left.into_iter().flat_map(u16::to_le_bytes));
        (0..2).for_each(|_| bytes.extend((0..256).flat_map(|s: u16| (s ^ 0x65).to_le_bytes())));
    }
    bytes
}

fn roundtrip(model: &TextModel<'_>, text: &str) -> usize {
    let mut packet = [0; 9000];
    let mut encoder = Encoder::new(&mut packet);
    let len = model.code(&mut encoder, text.as_bytes(), &mut []);
    assert_eq!(len, text.len());
    let size = encoder.finish().expect("room enough");
    let mut out = [0; 8000];
    let mut decoder = Decoder::new(&packet[..size]);
    let len = model.code(&mut decoder, &[], &mut out);
    assert_eq!(&out[..len], text.as_bytes());
    size
}

/// Texts of all sorts, from a seed.
fn text(mut seed: u32) -> String {
    let mut next = |below: u32| {
        seed = mix(seed, 0x1234_5678);
        (seed >> 8) % below
    };
    let planes = [
        (97, 26),
        (32, 95),
        (0x410, 64),
        (0x4e00, 9000),
        (0x900, 100),
        (0x1f600, 60),
        (0, 0x10_ffff),
    ];
    let mut text = String::new();
    for _ in 0..next(60) {
        let (start, span) = planes[next(planes.len() as u32) as usize];
        for _ in 0..next(6) {
            text.extend(char::from_u32(start + next(span)));
        }
        if next(4) == 0 {
            let copy = text.clone();
            text.push_str(&copy[..copy.char_indices().nth(9).map_or(0, |at| at.0)]);
        }
    }
    text.truncate(text.char_indices().nth(700).map_or(text.len(), |at| at.0));
    text
}

#[test]
fn any_text_comes_back_within_one_octet_of_raw() {
    let bytes = model();
    let model = TextModel::new(&bytes).expect("sound");
    assert_eq!(model.languages().count(), 2);
    for seed in 0..500 {
        let text = text(seed);
        let size = roundtrip(&model, &text);
        assert!(size <= text.len() + 1, "{text:?}: {size}");
    }
}

/// With weights as large as they can be, so that what is learned within a text runs into its ends.
#[cfg(feature = "large")]
#[test]
fn large_models_bring_texts_back() {
    use crate::features::{PLACES, ROWS};
    let mut bytes = languages();
    bytes.extend(*b"LF\x02\x0d\0\0\x01\0\x01\0\0\0");
    let levels = (0..16).map(|level| if level < 8 { i16::MIN } else { i16::MAX });
    bytes.extend(levels.flat_map(i16::to_le_bytes));
    bytes.extend((0..ROWS * PLACES).map(|at| mix(at as u32, 3) as u8));
    bytes.extend((0..3u32 << 15).map(|at| mix(at, 5) as u8));
    let model = TextModel::new(&bytes).expect("sound");
    for seed in 0..200 {
        let text = text(seed);
        let size = roundtrip(&model, &text);
        assert!(size <= text.len() + 1, "{text:?}: {size}");
    }
}

#[test]
fn our_own_sentences_come_back() {
    let bytes = model();
    let model = TextModel::new(&bytes).expect("sound");
    for text in [
        "",
        "ok",
        "SHOUTING all the WAY to HARBOUR 7",
        "at 60.1699N 24.9384E, 14:35Z, de OH2XYZ k",
        "again and again and again and again and again",
        "größere Wellen, \u{1f30a}\u{1f30a}!",
        "буря мглою небо кроет",
        "海上有风暴",
    ] {
        roundtrip(&model, text);
    }
}

#[test]
fn noise_decodes_to_something_in_bounds() {
    let bytes = model();
    let model = TextModel::new(&bytes).expect("sound");
    for seed in 0..1000u32 {
        let packet: Vec<u8> = (0..seed % 80).map(|at| mix(seed, at) as u8).collect();
        let mut out = [0; 50];
        let len = model.code(&mut Decoder::new(&packet), &[], &mut out);
        assert!(len <= out.len() + 1);
    }
}

#[test]
fn damaged_models_are_refused_or_harmless() {
    let whole = model();
    for cut in (0..whole.len()).step_by(7) {
        assert!(TextModel::new(&whole[..cut]).is_none());
    }
    for seed in 0..300 {
        let mut bytes = whole.clone();
        let at = mix(seed, 1) as usize % bytes.len();
        bytes[at] ^= mix(seed, 2) as u8 | 1;
        if let Some(model) = TextModel::new(&bytes) {
            let mut out = [0; 50];
            model.code(&mut Decoder::new(b"some packet"), &[], &mut out);
        }
    }
}

/// The same octets everywhere and for good: a change here is a change of the wire format.
#[test]
fn packets_are_frozen() {
    let bytes = model();
    let model = TextModel::new(&bytes).expect("sound");
    let mut digest = 0;
    for seed in 0..200 {
        let mut packet = [0; 9000];
        let mut encoder = Encoder::new(&mut packet);
        model.code(&mut encoder, text(seed).as_bytes(), &mut []);
        let size = encoder.finish().expect("room enough");
        digest = packet[..size]
            .iter()
            .fold(mix(digest, size as u32), |d, o| mix(d, u32::from(*o)));
    }
    assert_eq!(digest, 2_533_416_957);
}

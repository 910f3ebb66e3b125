//! Tables made by hand, and tables made of noise.

use super::*;
use std::vec::Vec;

const WINDOWS: u32 = 1;
const WORDS: usize = 3 << SEGMENTS_LOG2[0];

fn noise(len: usize, mut seed: u32) -> Vec<u8> {
    (0..len)
        .map(|_| {
            seed = mix(seed, 0x5bd1);
            seed as u8
        })
        .collect()
}

/// A header of one window, over words of noise; half of the levels are a nat, half of them minus one.
fn table(seed: u32) -> Vec<u8> {
    let mut bytes = Vec::from(*b"LF\x02");
    bytes.extend([SEGMENTS_LOG2[0], 1, 0, 7, 0]);
    bytes.extend(WINDOWS.to_le_bytes());
    (0..LEVELS).for_each(|level| bytes.extend([256i16, -256][level % 2].to_le_bytes()));
    bytes.extend([64; GAIN_LEN]);
    bytes.extend(100i16.to_le_bytes());
    bytes.extend(noise(4 * WORDS, seed));
    bytes
}

#[test]
fn header_is_checked() {
    let bytes = table(3);
    let features = Features::new(&bytes).expect("sound");
    assert_eq!(features.len(), bytes.len());
    for cut in (0..100).chain([bytes.len() - 1]) {
        assert!(Features::new(&bytes[..cut]).is_none(), "cut at {cut}");
    }
    for (at, wrong) in [(2, 1), (3, 11), (8, 0), (8, 2), (11, 1)] {
        let mut bytes = bytes.clone();
        bytes[at] = wrong;
        assert!(Features::new(&bytes).is_none(), "{wrong} at {at}");
    }
}

#[test]
fn bias_counts_and_strangers_are_rare() {
    let bytes = table(3);
    let features = Features::new(&bytes).expect("sound");
    assert_eq!(features.logit(&[], 0), 100);
    assert_eq!(features.logit(&[], 1), 0);
    let found = (0..100_000).filter(|k| features.logit(&[mix(mix(1, *k), 2)], 1) != 0);
    // One in 64, give or take.
    assert!((1400..1750).contains(&found.count()));
}

#[test]
fn places_are_in_bounds_and_all_thirds_are_used() {
    for log2 in SEGMENTS_LOG2 {
        let shape = Shape::new(5, 9, log2);
        let mut shifts = [0; 3];
        for k in 0..30_000 {
            let place = shape.place(mix(mix(3, k), !k));
            assert!(place.window < 9 && place.words.iter().all(|word| word >> log2 == 0));
            shifts[(place.shift / CELL_BITS) as usize] += 1;
        }
        assert!(shifts.iter().all(|count| *count > 9_000), "{shifts:?}");
    }
}

#[test]
fn noise_never_panics() {
    for seed in 0..200 {
        let bytes = table(seed);
        let features = Features::new(&bytes).expect("sound");
        let contexts = [1, 2, seed, u32::MAX];
        for node in [0, seed, u32::MAX] {
            assert!(features.predict(&contexts, node) > 0);
        }
        let tree = bytes[seed as usize..].as_chunks().0;
        let tree = Tree::new(tree.first_chunk().expect("long enough"));
        tree.code(seed as u8, |node, bit| bit ^ (mix(seed, node) & 1 == 1));
    }
}

/// A large table of noise, whose confidences are a half but in one row.
#[cfg(feature = "large")]
fn large_table(row: usize, gain: u8) -> Vec<u8> {
    let mut bytes = Vec::from(*b"LF\x02");
    bytes.extend([SEGMENTS_LOG2[1], 1, 0, 7, 0]);
    bytes.extend(WINDOWS.to_le_bytes());
    (0..LEVELS).for_each(|_| bytes.extend(256i16.to_le_bytes()));
    let rows = (0..ROWS).flat_map(|at| [if at == row { gain } else { 32 }; PLACES]);
    bytes.extend(rows);
    bytes.extend(100i16.to_le_bytes());
    bytes.extend(noise(12 << SEGMENTS_LOG2[1], 5));
    bytes
}

#[cfg(feature = "large")]
#[test]
fn large_tables_temper_by_situation() {
    // The third context alone is found: the third is the longest, and one was.
    let bytes = large_table(row(3, 1), 16);
    let features = Features::new(&bytes).expect("sound");
    assert_eq!(features.len(), bytes.len());
    assert!(Features::new(&bytes[..bytes.len() - 1]).is_none());
    let context = |is_known: bool| {
        let mut contexts = (0..).map(|k| mix(mix(1, k), 2));
        contexts.find(|context| (features.logit(&[*context], 1) != 0) == is_known)
    };
    let (known, stranger) = (context(true).expect("some"), context(false).expect("most"));
    assert_eq!(features.logit(&[known], 1), 128);
    assert_eq!(features.logit(&[stranger, stranger, known], 1), 64);
    assert_eq!(features.logit(&[stranger, stranger, known, known], 1), 256);
    assert_eq!(features.logit(&[known; 40], 1), 32 * 128);
    assert_eq!(features.logit(&[stranger], 0), 100);
}

//! Tables made by hand, and tables made of noise.

use super::*;
use std::vec::Vec;

fn noise(len: usize, mut seed: u32) -> Vec<u8> {
    (0..len)
        .map(|_| {
            seed = mix(seed, 0x5bd1);
            seed as u8
        })
        .collect()
}

/// A header of three segments of 4 cells and 2 levels, over cells of noise.
fn table(cell_bits: u8) -> Vec<u8> {
    let mut bytes = Vec::from(*b"LF\x01");
    bytes.extend([cell_bits, 2, 2, 1, 0, 7, 0, 0, 0, 1, 0, 0, 0]);
    bytes.extend(256i16.to_le_bytes());
    bytes.extend((-256i16).to_le_bytes());
    bytes.extend([64; GAIN_LEN]);
    bytes.extend(100i16.to_le_bytes());
    bytes.extend(noise(12 + high_len(12, cell_bits - 8), 3));
    bytes
}

#[test]
fn header_is_checked() {
    for cell_bits in [8, 9, 11, 16] {
        let bytes = table(cell_bits);
        let features = Features::new(&bytes).expect("sound");
        assert_eq!(features.len(), bytes.len());
        for cut in 0..bytes.len() {
            assert!(Features::new(&bytes[..cut]).is_none(), "cut at {cut}");
        }
    }
    assert!(Features::new(&table(17)).is_none());
}

#[test]
fn bias_counts_and_strangers_are_rare() {
    let bytes = table(16);
    let features = Features::new(&bytes).expect("sound");
    assert_eq!(features.logit(&[], 0), 100);
    assert_eq!(features.logit(&[], 1), 0);
    let found = (0..10_000).filter(|k| features.weight(mix(1, *k)).is_some());
    assert!(found.count() < 10);
}

#[test]
fn noise_never_panics() {
    for seed in 0..2000 {
        let mut bytes = noise(400, seed);
        bytes[..3].copy_from_slice(b"LF\x01");
        bytes[3] = 8 + bytes[3] % 9;
        bytes[4] = 1 + bytes[4] % 16;
        bytes[5] %= 6;
        bytes[6..8].fill(0);
        let segments = u32::from(bytes[12] % 5);
        bytes[12..16].copy_from_slice(&segments.to_le_bytes());
        if let Some(features) = Features::new(&bytes) {
            let contexts = [1, 2, seed, u32::MAX];
            for node in [0, seed, u32::MAX] {
                assert!(features.predict(&contexts, node) > 0);
            }
        }
        if let Some(tree) = Tree::new(&bytes[seed as usize % 300..]) {
            let symbol = tree.code(seed as u16, |node, bit| bit ^ (mix(seed, node) & 1 == 1));
            assert!(symbol < tree.symbols());
        }
    }
}

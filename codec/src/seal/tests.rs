//! Frames sealed and opened, the mode against RFC 3610, NIST and the library's, keys against the library's.

use ::ccm::Ccm;
use ::ccm::aead;
use ::ccm::aead::KeyInit;
use ::ccm::consts::{U4, U6, U8, U10, U12, U13, U14, U16};
use aead::AeadInOut;
use aes::Aes128;
use hkdf::Hkdf;
use proptest::prelude::*;
use sha2::Sha256;
use std::vec::Vec;

use super::*;

const NONCE: Nonce = Nonce {
    sender_epoch: 1,
    receiver_epoch: 2,
    counter: 3,
};

fn pair(tag_len: u8, clear: bool) -> (Seal, Seal) {
    let secret = Secret::new(&[7; 16]).unwrap();
    let seal = |side| Seal::new(&secret, Purpose::Frames, side, tag_len, clear);
    (seal(Side::A), seal(Side::B))
}

#[test]
fn what_one_end_seals_the_other_opens_and_nobody_else() {
    for tag_len in [4, 6, 8, 10, 12, 14, 16] {
        for clear in [false, true] {
            let (a, b) = pair(tag_len, clear);
            let mut frame = *b"hhPAYLOAD................";
            let len = a.seal(&NONCE, &mut frame, 2, 9).unwrap();
            assert_eq!(len, 9 + usize::from(tag_len));
            assert_eq!(&frame[2..9] == b"PAYLOAD", clear);
            let open = |seal: &Seal, nonce: &Nonce| {
                let mut frame = frame;
                let opened = seal.open(nonce, &mut frame[..len], 2);
                (opened, frame)
            };
            let (opened, text) = open(&b, &NONCE);
            assert_eq!(opened, Some(9));
            assert_eq!(&text[..9], b"hhPAYLOAD");
            assert_eq!(open(&a, &NONCE), (None, frame), "our own echo");
            let later = Nonce {
                counter: 4,
                ..NONCE
            };
            assert_eq!(open(&b, &later), (None, frame));
            for i in 0..len {
                let mut changed = frame;
                changed[i] ^= 1;
                assert_eq!(b.open(&NONCE, &mut changed[..len], 2), None, "byte {i}");
            }
        }
    }
}

/// The example of README.md: flags, counter and number, then the packet.
#[test]
fn worked_example() {
    let secret: Vec<u8> = (0..16).collect();
    let secret = Secret::new(&secret).unwrap();
    let nonce = Nonce {
        sender_epoch: 1,
        receiver_epoch: 1,
        counter: 7,
    };
    let frame = |clear| {
        let mut frame = [0; 16];
        frame[..8].copy_from_slice(b"\x00\x07\x05hello");
        let a = Seal::new(&secret, Purpose::Frames, Side::A, 8, clear);
        assert_eq!(a.seal(&nonce, &mut frame, 2, 8), Some(16));
        std::format!("{frame:02x?}")
    };
    assert_eq!(
        frame(false),
        "[00, 07, 58, f5, 25, 0a, 94, 74, 2e, 28, 41, ff, 24, cf, 85, 55]"
    );
    assert_eq!(
        frame(true),
        "[00, 07, 05, 68, 65, 6c, 6c, 6f, 72, 98, f5, 18, 4a, 29, 7e, 88]"
    );
}

/// Encrypts `body` and gives the tag.
fn sealed_with(key: &Block, nonce: &[u8; 13], len: usize, clear: &[u8], body: &mut [u8]) -> Block {
    let cipher = Cipher::new(key, nonce);
    let tag = cipher.tag(len, clear, body);
    cipher.cross(body);
    tag
}

/// RFC 3610 section 8, packet vector #1.
#[test]
fn packet_vector_of_rfc_3610() {
    let key: [u8; 16] = core::array::from_fn(|i| 0xc0 + i as u8);
    let nonce = [0, 0, 0, 3, 2, 1, 0, 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5];
    let clear: [u8; 8] = core::array::from_fn(|i| i as u8);
    let mut body: [u8; 23] = core::array::from_fn(|i| 8 + i as u8);
    let tag = sealed_with(&key, &nonce, 8, &clear, &mut body);
    let sealed = [
        0x58, 0x8c, 0x97, 0x9a, 0x61, 0xc6, 0x63, 0xd2, 0xf0, 0x66, 0xd0, 0xc2, 0xc0, 0xf9, 0x89,
        0x80, 0x6d, 0x5f, 0x6b, 0x61, 0xda, 0xc3, 0x84,
    ];
    assert_eq!(body, sealed);
    assert_eq!(tag[..8], [0x17, 0xe8, 0xd1, 0x2c, 0xfd, 0xf9, 0x26, 0xe0]);
}

/// RFC 3610 section 8, packet vector #8: a tag of ten bytes and a last block that is not full.
#[test]
fn long_tag_of_rfc_3610() {
    let key: [u8; 16] = core::array::from_fn(|i| 0xc0 + i as u8);
    let nonce = [0, 0, 0, 0x0a, 9, 8, 7, 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5];
    let clear: [u8; 8] = core::array::from_fn(|i| i as u8);
    let mut body: [u8; 24] = core::array::from_fn(|i| 8 + i as u8);
    let tag = sealed_with(&key, &nonce, 10, &clear, &mut body);
    let sealed = [
        0x7b, 0x75, 0x39, 0x9a, 0xc0, 0x83, 0x1d, 0xd2, 0xf0, 0xbb, 0xd7, 0x58, 0x79, 0xa2, 0xfd,
        0x8f, 0x6c, 0xae, 0x6b, 0x6c, 0xd9, 0xb7, 0xdb, 0x24,
    ];
    assert_eq!(body, sealed);
    let end = [0xc1, 0x7b, 0x44, 0x33, 0xf4, 0x34, 0x96, 0x3f, 0x34, 0xb4];
    assert_eq!(tag[..10], end);
}

/// NIST CAVP, VADT128, tag of ten bytes, the first with 32 bytes in clear.
#[test]
fn vector_of_nist() {
    let key = [
        0x99, 0x6a, 0x09, 0xa6, 0x52, 0xfa, 0x6c, 0x82, 0xea, 0xe8, 0xbe, 0x78, 0x86, 0xd7, 0xe7,
        0x5e,
    ];
    let nonce = [
        0xa8, 0xb3, 0xeb, 0x68, 0xf2, 0x05, 0xa4, 0x6d, 0x8f, 0x63, 0x2c, 0x33, 0x67,
    ];
    let clear = [
        0xc7, 0x16, 0x20, 0xd0, 0x47, 0x7c, 0x81, 0x37, 0xb7, 0x7e, 0xc5, 0xc7, 0x2c, 0xed, 0x4d,
        0xf3, 0xa1, 0xe9, 0x87, 0xfd, 0x9a, 0xf6, 0xb5, 0xb1, 0x08, 0x53, 0xf0, 0x52, 0x6d, 0x87,
        0x6c, 0xd5,
    ];
    let mut body = [
        0x84, 0xcd, 0xd7, 0x38, 0x0f, 0x47, 0x52, 0x4b, 0x86, 0x16, 0x8e, 0xd9, 0x53, 0x86, 0xfa,
        0xa4, 0x02, 0x83, 0x1f, 0x22, 0x04, 0x51, 0x83, 0xd0,
    ];
    let tag = sealed_with(&key, &nonce, 10, &clear, &mut body);
    let sealed = [
        0xa7, 0xfb, 0xf9, 0xdd, 0x1b, 0x09, 0x9e, 0xd3, 0xac, 0xf6, 0xbc, 0xbd, 0x0b, 0x6f, 0x7c,
        0xae, 0x57, 0xbe, 0xe9, 0x9f, 0x9d, 0x08, 0x4f, 0x82,
    ];
    assert_eq!(body, sealed);
    assert_eq!(
        tag[..10],
        [0x6d, 0x86, 0xe6, 0x9c, 0x07, 0xf0, 0x53, 0xd1, 0xa6, 0x07]
    );
}

/// What the library makes of the same: the body and the tag.
fn library(key: [u8; 16], nonce: [u8; 13], tag_len: usize, clear: &[u8], body: &[u8]) -> Vec<u8> {
    let mut sealed = body.to_vec();
    macro_rules! with {
        ($len:ty) => {{
            let ccm = Ccm::<Aes128, $len, U13>::new(&key.into());
            let tag = ccm.encrypt_inout_detached(&nonce.into(), clear, sealed[..].as_mut().into());
            sealed.extend(tag.unwrap());
        }};
    }
    match tag_len {
        4 => with!(U4),
        6 => with!(U6),
        8 => with!(U8),
        10 => with!(U10),
        12 => with!(U12),
        14 => with!(U14),
        _ => with!(U16),
    }
    sealed
}

proptest! {
    #[test]
    fn the_mode_is_that_of_the_library(
        key: [u8; 16],
        nonce: [u8; 13],
        half in 2usize..=8,
        clear in prop::collection::vec(any::<u8>(), 1..300),
        body in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let mut ours = body.clone();
        let tag = sealed_with(&key, &nonce, 2 * half, &clear, &mut ours);
        let sealed = ours.clone();
        Cipher::new(&key, &nonce).cross(&mut ours);
        prop_assert_eq!(&ours, &body);
        let theirs = library(key, nonce, 2 * half, &clear, &body);
        prop_assert_eq!([&sealed[..], &tag[..2 * half]].concat(), theirs);
    }

    #[test]
    fn keys_are_those_of_the_library(
        secret in prop::collection::vec(any::<u8>(), 16..=32),
        label in prop::collection::vec(any::<u8>(), 0..=40),
        letter: u8,
    ) {
        let mut key = [0; 16];
        let hkdf = Hkdf::<Sha256>::new(None, &secret);
        hkdf.expand_multi_info(&[&label, &[letter]], &mut key).unwrap();
        prop_assert_eq!(derive(&secret, &label, letter), key);
    }
}

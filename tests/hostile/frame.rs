//! Frame headers from strangers, before any key is tried. Forgery, replay and wrong keys are the link's own tests.

use tests::dice::Dice;
use tests::hostile;

#[test]
fn random_headers_are_refused_or_read_back_equal() {
    let mut dice = Dice::new(5);
    for _ in 0..200_000 {
        hostile::frame(&dice.bytes(16));
    }
}

#[test]
fn every_short_header_is_refused_or_reads_back_equal() {
    for first in 0..=u16::MAX {
        let [a, b] = first.to_be_bytes();
        for rest in [&[][..], &[0], &[0, 0, 0, 0], &[255; 8]] {
            hostile::frame(&[&[a, b], rest].concat());
        }
    }
}

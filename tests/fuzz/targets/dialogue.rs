//! Packets one after another at an end that remembers.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tests::hostile::dialogue(bytes));

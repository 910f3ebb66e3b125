//! Octets at a board's radio, in either framing.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tests::board::radio(bytes));

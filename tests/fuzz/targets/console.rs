//! Octets at a board's console, lines or CBOR.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tests::board::console(bytes));

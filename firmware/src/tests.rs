//! What the tests of several modules share.

pub(crate) mod base;

use std::vec::Vec;

use longwire_codec::serial::{emit, wire_len_max};

/// A frame as it lies on a serial line.
pub(crate) fn on_wire(frame: &[u8]) -> Vec<u8> {
    let mut wire = std::vec![0; wire_len_max(frame.len())];
    let len = emit(frame, &mut wire).expect("as long as the function says");
    wire.truncate(len);
    wire
}

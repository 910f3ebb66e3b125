//! Makes dictionaries from text and captured stanzas. Host only; refuses to run on the air path.
//!
//! ```text
//! examples -> survey (a weight for everything seen) -> choice (what is worth its octets) -> refine -> pack
//! ```
//!
//! Deterministic: the same examples in the same order with the same settings give the same octets.

pub mod disguise;
pub mod examples;
pub mod features;
pub mod huffman;
pub mod log;
pub mod pair;
pub mod structure;
pub mod text;
pub mod xml;

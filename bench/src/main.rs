//! What it costs: bytes, seconds of air, instructions.
fn main() {}

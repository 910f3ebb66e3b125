//! `longwire`: see `longwire --help`.
fn main() {}

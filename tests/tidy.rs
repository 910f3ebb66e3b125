//! The rules of the house that no compiler knows: sizes, heads, arrows between crates, words. Refuses opinions a
//! reader could argue with: each rule here is one line of style or design, checked on every file.

#[path = "tidy/arrows.rs"]
mod arrows;
#[path = "tidy/readme.rs"]
mod readme;
#[path = "tidy/sources.rs"]
mod sources;
#[path = "tidy/tree.rs"]
mod tree;

//! What is made of a channel, against the physical minimum. Seeded and in virtual time. Refuses wall-clock time.

#[path = "efficiency/link.rs"]
mod link;

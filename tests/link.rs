//! What a link says besides packets: hellos, call signs, new keys, and how several stations share a channel. Seeded and
//! in virtual time. Refuses faults; those are in `faults`.

#[path = "link/greeting.rs"]
mod greeting;
#[path = "link/rekey.rs"]
mod rekey;
#[path = "link/shared.rs"]
mod shared;

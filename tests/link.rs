//! What a link says besides packets: hellos, call signs, new keys, how several stations share a channel, and how
//! one speaks to all. Seeded and in virtual time. Refuses faults; those are in `faults`.

#[path = "link/greeting.rs"]
mod greeting;
#[path = "link/group.rs"]
mod group;
#[path = "link/rekey.rs"]
mod rekey;
#[path = "link/shared.rs"]
mod shared;

//! What goes wrong on the air and with power: nothing vanishes, nothing comes twice, nothing overtakes what it must not.
//! Seeded and in virtual time. Refuses luck: a failure names its seed.

#[path = "faults/gateways.rs"]
mod gateways;
#[path = "faults/link.rs"]
mod link;

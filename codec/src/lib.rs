//! Stanzas to frames and back. Refuses allocation, clocks, randomness and sockets: storage, `now` and seeds are
//! arguments, so the same code runs on a host and on a microcontroller.
//!
//! The modules are listed in the order the data flows:
//!
//! ```text
//! stanza -> nodes -> values, structure, text -> bits -> packet -> frames -> link -> modem
//! ```
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

pub mod time;

pub mod stanza;

pub mod dictionary;

pub mod entropy;

pub mod features;

pub mod text;

pub mod structure;

pub mod value;

pub mod alias;

pub mod session;

pub mod encode;

pub mod decode;

pub mod explain;

mod row;
pub mod seal;

pub mod frame;

pub mod link;

pub mod group;

#[cfg(feature = "edhoc")]
pub mod pairing;

#[cfg(feature = "edhoc")]
pub mod rekey;

pub mod channel;

pub mod lora;

pub mod serial;

pub mod kiss;

pub mod provision;

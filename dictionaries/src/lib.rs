//! What both ends know before the first bit. Refuses logic beyond lookup: the codec knows how, this crate knows what.
//!
//! A version is a folder of reviewed tables and trained models. Each text model makes a dictionary of its own, and the
//! cargo features `text-128k`, `text-512k` and `text-8m` choose which are linked: a board has room for one.
#![no_std]
#![forbid(unsafe_code)]

use longwire_codec::dictionary::Dictionary;

#[cfg(any(
    feature = "text-128k",
    feature = "text-512k",
    feature = "text-8m",
    deployment
))]
mod v1 {
    use longwire_codec::dictionary::{Dictionary, Exceptions, Kind as K, Names, Strings};
    include!(concat!(env!("OUT_DIR"), "/v1.rs"));
}

/// Version 1 with the text model of 128 KB: the smallest boards.
#[cfg(feature = "text-128k")]
pub static V1_128K: Dictionary<'static> = Dictionary {
    id: v1::ID_TEXT_128K,
    structure: v1::STRUCTURE,
    text: v1::TEXT_128K,
    ..v1::TABLES
};

/// Version 1 with the text model of 512 KB: boards with 1 MB of flash.
#[cfg(feature = "text-512k")]
pub static V1_512K: Dictionary<'static> = Dictionary {
    id: v1::ID_TEXT_512K,
    structure: v1::STRUCTURE,
    text: v1::TEXT_512K,
    ..v1::TABLES
};

/// Version 1 with the text model of 8 MB: hosts.
#[cfg(feature = "text-8m")]
pub static V1_HOST: Dictionary<'static> = Dictionary {
    id: v1::ID_TEXT_8M,
    structure: v1::STRUCTURE,
    text: v1::TEXT_8M,
    ..v1::TABLES
};

/// What a deployment trained on its own traffic, over the tables of version 1: the file that `LONGWIRE_DICTIONARY`
/// named when this was built.
#[cfg(deployment)]
pub static DEPLOYMENT: Dictionary<'static> = Dictionary {
    id: v1::ID_DEPLOYMENT,
    structure: v1::STRUCTURE_DEPLOYMENT,
    text: v1::TEXT_DEPLOYMENT,
    ..v1::TABLES
};

/// Every dictionary in this build: a deployment's own, then the released ones, the strongest first. A board links one
/// text model and speaks the first.
pub static ALL: &[&Dictionary<'static>] = &[
    #[cfg(deployment)]
    &DEPLOYMENT,
    #[cfg(feature = "text-8m")]
    &V1_HOST,
    #[cfg(feature = "text-512k")]
    &V1_512K,
    #[cfg(feature = "text-128k")]
    &V1_128K,
];

/// The dictionary in this build that the other end calls `id`.
pub fn by_id(id: u32) -> Option<&'static Dictionary<'static>> {
    ALL.iter().find(|dictionary| dictionary.id == id).copied()
}

//! What both ends know before the first bit. Refuses logic beyond lookup: the codec knows how, this crate knows what.
#![no_std]
#![forbid(unsafe_code)]

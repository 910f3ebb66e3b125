//! The host gateway: XMPP on one side, modems on the other.

pub mod config;
pub mod xml;

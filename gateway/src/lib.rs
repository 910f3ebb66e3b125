//! The host gateway: XMPP on one side, modems on the other.

pub mod config;
pub mod router;
pub mod xml;
pub mod xmpp;

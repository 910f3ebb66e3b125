//! The host gateway: XMPP on one side, modems on the other.

pub mod check;
pub mod cli;
pub mod config;
pub mod exit;
pub mod hex;
pub mod keys;
pub mod modem;
pub mod router;
pub mod store;
pub mod xml;
pub mod xmpp;

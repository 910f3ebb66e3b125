//! The host gateway: XMPP on one side, modems on the other.

mod capture;
pub mod check;
pub mod cli;
pub mod clock;
pub mod config;
mod control;
pub mod demo;
pub mod dictionaries;
pub mod exit;
pub mod gateway;
pub mod hex;
pub mod inbox;
pub mod keys;
pub mod modem;
pub mod outbox;
pub mod policy;
mod radio;
pub mod router;
pub mod run;
pub mod status;
pub mod store;
pub mod xml;
pub mod xmpp;

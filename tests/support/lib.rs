//! What the tests share: real servers and clients in temporary folders, a radio line between two
//! pseudo-terminals, gateways as processes. Refuses to know what any single test is about.

pub mod dice;

pub mod air;
pub mod crowd;
pub mod keyring;
pub mod pair;

pub mod board;
pub mod hostile;

pub mod ports;
pub mod process;
pub mod server;

pub mod ejabberd;
pub mod prosody;

pub mod python;

pub mod probe;
pub mod profanity;
pub mod relay;
pub mod slixmpp;

pub mod hub;
pub mod pty;
pub mod tnc;

pub mod gateways;

pub mod qemu;

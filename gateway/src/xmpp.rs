//! How XMPP meets the gateway: as a component of someone else's server, or hosted here. Refuses to decide what may
//! cost airtime: every stanza for the far side goes to [`crate::router`].

pub mod attach;
pub mod component;
pub mod datetime;
pub mod hosted;
pub mod stanza;

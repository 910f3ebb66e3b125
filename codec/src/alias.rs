//! What both ends remember between packets: strings, ids and templates, in storage the caller owns. The rule for
//! all of it is QPACK's (RFC 9204 section 2.1): a packet refers only to what the peer is known to have, and a slot
//! is written anew only when no packet under way can still refer to what it held. Refuses to decide what is worth
//! remembering.

pub mod bodies;
pub mod ids;
pub mod pending;
pub mod recent;
pub mod shelf;
pub mod template;

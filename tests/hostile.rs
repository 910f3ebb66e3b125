//! Octets from whoever wishes us ill, into every parser: XML, packets, frames, a board's UARTs. A seeded quick run of what the
//! targets in tests/fuzz do at length. Refuses to look at what well-meant input does.

#[path = "hostile/board.rs"]
mod board;
#[path = "hostile/frame.rs"]
mod frame;
#[path = "hostile/link.rs"]
mod link;
#[path = "hostile/packet.rs"]
mod packet;
#[path = "hostile/xml.rs"]
mod xml;

//! How many bytes things take on the air. Bytes are deterministic. Refuses tolerances.

#[path = "sizes/link.rs"]
mod link;

#[path = "sizes/chat.rs"]
mod chat;
#[path = "sizes/elided.rs"]
mod elided;
#[path = "sizes/lost.rs"]
mod lost;

#[path = "sizes/hosted.rs"]
mod hosted;

//! What goes on air once. Refuses to know keys: it reads and writes the plain part of a frame.

/// Version of the link protocol.
pub const VERSION: u8 = 1;

//! What the link makes of its channel.

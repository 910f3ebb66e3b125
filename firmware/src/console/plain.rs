//! A console without the feature `programs`: a frame is not understood, and that is said in words. Refuses to be more.

use super::{Command, Mistake, Reply, words};
use crate::endpoint::Event;

/// No request is known.
///
/// # Errors
/// [`Mistake`].
pub(super) fn parse(_: &[u8]) -> Result<Command<'_>, Mistake> {
    Err(Mistake::Unknown)
}

/// As for a person.
pub(super) fn reply(reply: &Reply<'_>, out: &mut [u8]) -> usize {
    words::reply(reply, out)
}

/// As for a person.
pub(super) fn event(event: Event, out: &mut [u8]) -> usize {
    words::event(event, out)
}

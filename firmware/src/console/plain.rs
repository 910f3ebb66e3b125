//! A console without the feature `programs`: a frame is not understood, and that is said in words. Refuses to be more.

use super::{Command, Mistake};

pub(super) use super::words::write;

/// No request is known.
///
/// # Errors
/// [`Mistake`].
pub(super) fn parse(_: &[u8]) -> Result<Command<'_>, Mistake> {
    Err(Mistake::Unknown)
}

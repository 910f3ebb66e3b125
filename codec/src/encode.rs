//! A stanza to a packet. Refuses what XML refuses: the packet of a malformed stanza is an error, not a surprise at
//! the far end.

use core::fmt;

use crate::entropy::range::Encoder;
use crate::link::PacketNumber;
use crate::session::cross::Work;
use crate::session::memory::Direction;
use crate::session::staged::Staged;
use crate::session::walk::Scribe;
use crate::session::{Options, Session};
use crate::stanza::{Arena, Stanza};
use crate::value::Fault;

/// Why a stanza was not written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum EncodeError {
    /// The packet does not fit the buffer.
    PacketFull,
    /// Not a stanza XML could carry: a name or character it does not allow, an attribute twice, text in two pieces.
    Malformed,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PacketFull => "the packet does not fit its buffer",
            Self::Malformed => "not well-formed",
        })
    }
}

impl core::error::Error for EncodeError {}

impl From<Fault> for EncodeError {
    fn from(_: Fault) -> Self {
        Self::Malformed
    }
}

impl<'d, S: AsRef<[u8]> + AsMut<[u8]>> Session<'d, S> {
    /// Writes `stanza` into `packet` as the link's packet `number`; returns the length. The same number may be
    /// written again as long as the earlier packet was not sent.
    ///
    /// # Errors
    /// See [`EncodeError`]; the session is then as before.
    pub fn encode(
        &mut self,
        number: PacketNumber,
        stanza: Stanza<'_, '_>,
        options: Options,
        packet: &mut [u8],
    ) -> Result<usize, EncodeError> {
        self.abandon(number);
        let number = number.get();
        let mut encoder = Encoder::new(packet);
        let mut staged = Staged::NOTHING;
        let work = Work::Write(stanza, options);
        let nowhere = &mut Arena::new(&mut []);
        self.code(&mut encoder, number, work, nowhere, &mut staged)?;
        let len = encoder.finish().map_err(|_| EncodeError::PacketFull)?;
        self.commit(Direction::Sent, number, &staged);
        Ok(len)
    }

    /// Writes `stanza` through any scribe, to learn from it or to explain it, and remembers nothing.
    ///
    /// # Errors
    /// See [`EncodeError`].
    pub fn rehearse<D: Scribe>(
        &mut self,
        scribe: &mut D,
        number: PacketNumber,
        stanza: Stanza<'_, '_>,
        options: Options,
    ) -> Result<(), EncodeError> {
        let work = Work::Write(stanza, options);
        let nowhere = &mut Arena::new(&mut []);
        let mut staged = Staged::NOTHING;
        self.cross(scribe, number.get(), work, nowhere, &mut staged)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;

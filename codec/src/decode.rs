//! A packet to a stanza. Total: any octets give a stanza or an error, in time and space the caller's buffers bound.

use core::fmt;

use crate::entropy::range::Decoder;
use crate::link::PacketNumber;
use crate::session::Session;
use crate::session::cross::Work;
use crate::session::memory::Direction;
use crate::session::staged::Staged;
use crate::stanza::{Arena, Node, Stanza};
use crate::value::Fault;

/// Why a packet was not read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum DecodeError {
    /// No stanza is written like this.
    Malformed,
    /// Written in a way this version does not know.
    Version,
    /// The strings do not fit the arena.
    ArenaFull,
    /// The nodes do not fit the tape.
    TapeFull,
    /// Nested deeper than [`Stanza::DEPTH_MAX`].
    TooDeep,
    /// Refers to something this end does not remember.
    Unknown,
    /// Contains a character XML does not allow, or a name that is none.
    Characters,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "not a packet",
            Self::Version => "a packet of a later version",
            Self::ArenaFull => "the stanza's text does not fit",
            Self::TapeFull => "too many nodes in the stanza",
            Self::TooDeep => "nested too deep",
            Self::Unknown => "refers to what is not remembered here",
            Self::Characters => "contains what XML does not allow",
        })
    }
}

impl core::error::Error for DecodeError {}

impl From<Fault> for DecodeError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Malformed => Self::Malformed,
            Fault::Version => Self::Version,
            Fault::ArenaFull => Self::ArenaFull,
            Fault::TapeFull => Self::TapeFull,
            Fault::TooDeep => Self::TooDeep,
            Fault::Unknown => Self::Unknown,
            Fault::Characters => Self::Characters,
        }
    }
}

impl<'d, S: AsRef<[u8]> + AsMut<[u8]>> Session<'d, S> {
    /// Reads the link's packet `number`. Strings go to `arena`, nodes to `tape`.
    ///
    /// # Errors
    /// See [`DecodeError`]; the session is then as before, the arena is not.
    pub fn decode<'t, 'a>(
        &mut self,
        number: PacketNumber,
        packet: &[u8],
        arena: &mut Arena<'a>,
        tape: &'t mut [Node<'a>],
    ) -> Result<Stanza<'t, 'a>, DecodeError>
    where
        'd: 'a,
    {
        let number = number.get();
        let mut decoder = Decoder::new(packet);
        let mut staged = Staged::NOTHING;
        let work = Work::Read(tape);
        let nodes = self.code(&mut decoder, number, work, arena, &mut staged)?;
        self.commit(Direction::Received, number, &staged);
        // Every node was looked at as it came.
        Ok(Stanza::whole(tape.get(..nodes).unwrap_or(&[])))
    }
}

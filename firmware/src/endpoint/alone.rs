//! Packets that stand alone, as they lie in the outbox: written and read by a codec that remembers nothing. Refuses
//! packets from the air, which refer to what both ends remember.

use longwire_codec::dictionary::Dictionary;
use longwire_codec::link::PacketNumber;
use longwire_codec::session::{Ids, Options, Session};
use longwire_codec::stanza::{Arena, Node, Stanza};

/// Number of every packet that stands alone.
const ALONE: PacketNumber = PacketNumber::new(0);
/// How it is written.
const AS_IS: Options = Options {
    ids: Ids::Preserve,
    again: true,
};

// Neither function is made a part of its caller, whose stack would hold the codec for as long.

/// Writes a stanza to `packet`; its length, or `None` if it does not fit.
#[inline(never)]
pub(super) fn write(
    dictionary: &Dictionary<'_>,
    stanza: Stanza<'_, '_>,
    packet: &mut [u8],
) -> Option<usize> {
    let mut session = Session::alone(dictionary);
    session.encode(ALONE, stanza, AS_IS, packet).ok()
}

/// Reads a packet that [`write`] wrote.
#[inline(never)]
pub(super) fn read<'t, 'a>(
    dictionary: &'a Dictionary<'a>,
    packet: &[u8],
    arena: &mut Arena<'a>,
    tape: &'t mut [Node<'a>],
) -> Option<Stanza<'t, 'a>> {
    let mut session = Session::alone(dictionary);
    session.decode(ALONE, packet, arena, tape).ok()
}

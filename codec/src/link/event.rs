//! What the link has to tell. Refuses to carry packets: those come from `recv`.

use super::PacketNumber;

/// News from [`super::Link::poll_event`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The peer was heard for the first time since this link was made.
    Up,
    /// The peer restarted, or we did: alias tables of both directions start empty. Every packet not yet
    /// delivered must be encoded again under its number, through [`super::Link::grant_again`].
    Reset,
    /// The peer's epoch is now this. Store it with the next accepted packet at the latest. What the peer acknowledges
    /// of packets under way it may have read in an earlier run: see [`crate::session::Session::doubt`].
    PeerEpoch(u32),
    /// The peer does not answer; probes go out ever more rarely, packets wait.
    Suspended,
    /// The peer answers again, nothing was lost.
    Resumed,
    /// The peer holds this packet durably.
    Delivered(PacketNumber),
    /// This packet was cancelled, and the peer confirmed it will never surface.
    Abandoned(PacketNumber),
    /// A hello arrived that goes with ours: this dictionary is spoken from now on, in this session.
    Agreed(u32),
    /// A hello arrived of another version, or without a dictionary we have. Nothing is sent until
    /// [`super::Link::rejoin`].
    Mismatch,
    /// The peer left with a sign-off.
    Closed,
}

/// Why the link wants to be woken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Timer {
    /// A frame may be sent from this moment.
    Transmit,
    /// The peer's answer is overdue.
    Reply,
    /// The peer fell silent within its turn.
    Silence,
    /// A probe of a silent peer is due.
    Probe,
    /// A received packet waits to be acknowledged.
    Acknowledge,
    /// The call sign is due.
    Identify,
}

/// News, without what the link knows anyway, in the order they are told in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum What {
    PeerEpoch,
    Reset,
    Up,
    Suspended,
    Resumed,
    /// See [`Event::Agreed`] and [`Event::Mismatch`].
    Hello,
    Closed,
}

const ALL: [What; 7] = [
    What::PeerEpoch,
    What::Reset,
    What::Up,
    What::Suspended,
    What::Resumed,
    What::Hello,
    What::Closed,
];

/// News not polled yet, a bit for each. What happens again before it was polled is told once, as it is then.
#[derive(Debug, Default)]
pub(super) struct News(u8);

impl News {
    pub(super) fn push(&mut self, what: What) {
        // Of the two the later counts.
        match what {
            What::Suspended => self.0 &= !(1 << What::Resumed as u8),
            What::Resumed => self.0 &= !(1 << What::Suspended as u8),
            _ => {}
        }
        self.0 |= 1 << what as u8;
    }

    pub(super) fn poll(&mut self) -> Option<What> {
        let what = ALL.get(self.0.trailing_zeros() as usize)?;
        self.0 &= self.0 - 1;
        Some(*what)
    }
}

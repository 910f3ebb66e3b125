//! What the link has to tell. Refuses to carry packets: those come from `recv`.

use super::{Agreement, PacketNumber};

/// News from [`super::Link::poll_event`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The peer was heard for the first time since this link was made.
    Up,
    /// The peer restarted, or we did: alias tables of both directions start empty. Every packet not yet
    /// delivered must be encoded again under its number, through [`super::Link::grant_again`].
    Reset,
    /// The peer's epoch is now this. Store it with the next accepted packet at the latest.
    PeerEpoch(u32),
    /// The peer does not answer; probes go out ever more rarely, packets wait.
    Suspended,
    /// The peer answers again, nothing was lost.
    Resumed,
    /// The peer holds this packet durably.
    Delivered(PacketNumber),
    /// This packet was cancelled, and the peer confirmed it will never surface.
    Abandoned(PacketNumber),
    /// A hello arrived that goes with ours.
    Agreed {
        /// The dictionary to speak from now on, in this session.
        dictionary: u32,
        /// What the peer said.
        theirs: Agreement,
    },
    /// A hello arrived of another version, or without a dictionary we have. Nothing is sent until `rejoin`.
    Mismatch {
        /// What this end said.
        ours: Agreement,
        /// What the peer said.
        theirs: Agreement,
    },
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

/// News not polled yet, each kind once.
#[derive(Debug, Default)]
pub(super) struct News {
    waiting: [Option<Event>; 8],
}

impl News {
    /// Adds news at the end. What happens again before it was polled is told once.
    pub(super) fn push(&mut self, event: Event) {
        if self.waiting.contains(&Some(event)) {
            return;
        }
        match self.waiting.iter_mut().find(|waiting| waiting.is_none()) {
            Some(free) => *free = Some(event),
            // Eight kinds of news at once were not polled: the oldest gives way.
            None => {
                self.waiting.rotate_left(1);
                self.waiting[7] = Some(event);
            }
        }
    }

    pub(super) fn poll(&mut self) -> Option<Event> {
        let event = self.waiting[0].take();
        self.waiting.rotate_left(1);
        event
    }
}

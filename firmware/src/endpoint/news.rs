//! What an endpoint has to tell: events, counters and refusals. Refuses to carry stanzas.

use crate::flash::StoreError;
use crate::text::line;

/// What happened, for the board to act upon or to show.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A chat is in the inbox.
    Message,
    /// The gateway has custody of the stanza with this order number. Not yet delivered to anyone.
    Custody(u32),
    /// The recipient's client confirmed the chat with this order number (XEP-0184).
    Received(u32),
    /// The chat with this order number came back as an error.
    Failed(u32),
    /// Somebody's presence or subscription changed.
    Contact,
    /// Base asks the board to restart; the answer is in the outbox. Restart when [`super::Endpoint::is_idle`], or at once.
    Reboot,
    /// A new key was agreed with the gateway, and the old one forgotten.
    NewKey,
    /// The gateway said hello, and has no dictionary in common with us or another version of the link. Nothing is sent
    /// until it says another hello.
    Mismatch {
        /// Its version; ours is [`longwire_codec::frame::VERSION`].
        version: u8,
    },
    /// The gateway is heard, or no longer.
    Link {
        /// Whether it is heard.
        up: bool,
    },
}

/// Counters of an endpoint, beside those of its link.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct EndpointStats {
    /// Packets no stanza could be read from.
    pub unreadable_packets: u32,
    /// Chats refused because the inbox was full; their senders were told.
    pub refused_chats: u32,
    /// Answers not sent because the outbox was full.
    pub dropped_answers: u32,
    /// Frames that the radio could not send or received spoilt.
    pub radio_errors: u32,
    /// Times something had to wait for the duty cycle.
    pub duty_waits: u32,
    /// Hellos that did not agree with ours.
    pub mismatches: u32,
}

/// Why an endpoint cannot start or did not take a command.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum EndpointError {
    /// Flash failed.
    Store(StoreError),
    /// The outbox is full; wait for [`Event::Custody`].
    OutboxFull,
    /// The stanza is longer than [`super::PACKET_MAX`], [`super::NODES_MAX`] or [`super::STRINGS_MAX`] allow, or the JID than
    /// [`super::JID_MAX`].
    TooLong,
    /// The image or the storage does not fit this firmware.
    Config,
}

/// What to tell a person, a line for each [`EndpointError::code`].
pub(crate) static REFUSALS: &str = "flash is full
flash failed
outbox full, nothing was sent
too long
the provisioning image does not fit this firmware";

impl EndpointError {
    /// What to tell a person.
    pub fn text(self) -> &'static str {
        line(REFUSALS, self.code() as usize)
    }

    /// What to tell a program.
    pub(crate) const fn code(self) -> u32 {
        match self {
            Self::Store(StoreError::Full) => 0,
            Self::Store(_) => 1,
            Self::OutboxFull => 2,
            Self::TooLong => 3,
            Self::Config => 4,
        }
    }
}

impl core::fmt::Display for EndpointError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.text())
    }
}

impl core::error::Error for EndpointError {}

impl From<StoreError> for EndpointError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Events not polled yet; when full, the oldest gives way: all of them can be asked for.
#[derive(Debug, Default)]
pub(super) struct Events(heapless::Deque<Event, 8>);

impl Events {
    pub(super) fn push(&mut self, event: Event) {
        if self.0.is_full() {
            let _ = self.0.pop_front();
        }
        // There is room: one was taken out if there was none.
        let _ = self.0.push_back(event);
    }

    pub(super) fn poll(&mut self) -> Option<Event> {
        self.0.pop_front()
    }
}

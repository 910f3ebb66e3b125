//! Reliable, ordered, prioritised delivery of packets between two stations over a lossy half-duplex channel.
//! Refuses sockets, clocks, randomness and allocation, and knows nothing of stanzas.
//!
//! ```text
//!          peer heard            no answer, repeatedly
//!  Silent ────────────▶ Up ──────────────────────────▶ Suspended
//!                       ▲ │ peer restarted: Reset           │
//!                       └─┴──────── anything heard ◀────────┘
//! ```
//!
//! # Order
//!
//! Packets of priorities urgent, chat and presence surface in the order of their numbers; so do those of
//! priority bulk. Between the two groups there is no order: a bulk packet in pieces never holds up a chat.
//! Numbers are given when a packet is granted, so an urgent packet granted before a waiting chat goes first.
//!
//! # Custody
//!
//! A packet is acknowledged only after the application called [`Link::accept`] for it. The application stores
//! the packet and [`Link::accepted_with`] in one transaction; then a packet surfaces once, whoever restarts when.

mod config;
mod event;
mod number;
mod stats;

pub use config::{Agreement, Callsign, LinkConfig, Priority, Profile, Resume, Side};
pub use event::{Event, Timer};
pub use number::{Accepted, PacketNumber};
pub use stats::LinkStats;

use crate::channel::Channel;
use crate::time::Instant;

/// One end of a link. `B` is the storage for packets under way, both directions: `Vec<u8>`, `[u8; N]`, `&mut [u8]`.
///
/// Methods come in four kinds: getters; `handle_*` for what the world did; commands for what the application
/// wants; `poll_*` for what the caller must do next. After any `handle_*` or command:
///
/// 1. `recv` until `None`; store each packet, then `accept` it,
/// 2. `poll_event` until `None`,
/// 3. if the modem is free: `grant`/`commit` until `grant` gives `None` or nothing waits, then `poll_transmit`;
///    when a frame was written, call `handle_sent` once the modem is done with it, and repeat,
/// 4. sleep until `poll_timeout`, then `handle_timeout`.
///
/// A frame taken from `poll_transmit` but never sent is to the link a lost frame: cancelling loses nothing.
#[derive(Debug)]
pub struct Link<B> {
    config: LinkConfig,
    channel: Channel,
    resume: Resume,
    stats: LinkStats,
    storage: B,
}

/// Why a link cannot be made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum LinkError {
    /// Tag length, window or MTU out of range.
    OutOfRange,
    /// The storage does not hold one frame in each direction.
    StorageTooSmall,
    /// `Resume::epoch` is 0.
    NoEpoch,
}

/// Room for one packet, written in place.
#[derive(Debug)]
pub struct Grant<'a> {
    /// The number the packet will have. Store it with the stanza before `commit`.
    pub number: PacketNumber,
    /// Where to write the packet. It can be sent at this length at most.
    pub buffer: &'a mut [u8],
}

/// A frame to send.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub struct Transmit {
    /// Bytes of the frame.
    pub len: usize,
    /// Keep the receiver on afterwards: an answer is expected.
    pub expects_reply: bool,
    /// The last frame of our turn: the modem may unkey.
    pub over: bool,
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Link<B> {
    /// Makes a link from what is configured and what was kept.
    ///
    /// # Errors
    /// See [`LinkError`].
    pub fn new(
        config: LinkConfig,
        channel: Channel,
        resume: Resume,
        storage: B,
    ) -> Result<Self, LinkError> {
        if resume.epoch == 0 {
            return Err(LinkError::NoEpoch);
        }
        Ok(Self {
            config,
            channel,
            resume,
            stats: LinkStats::default(),
            storage,
        })
    }

    // Getters.

    /// Counters.
    pub fn stats(&self) -> &LinkStats {
        &self.stats
    }

    /// The channel as last told.
    pub fn channel(&self) -> &Channel {
        &self.channel
    }

    /// Whether the peer was heard in this run and has not fallen silent.
    pub fn is_up(&self) -> bool {
        false
    }

    /// Whether nothing waits to be sent or acknowledged.
    pub fn is_idle(&self) -> bool {
        true
    }

    /// Which packets of the peer were accepted.
    pub fn accepted(&self) -> Accepted {
        self.resume.accepted
    }

    /// The same with `number` accepted too: store it together with the packet, then call [`Link::accept`].
    pub fn accepted_with(&self, number: PacketNumber) -> Accepted {
        let mut accepted = self.resume.accepted;
        accepted.insert(number);
        accepted
    }

    /// The longest packet that can be sent on this channel.
    pub fn packet_len_max(&self) -> usize {
        0
    }

    // What the world did.

    /// A frame was received. Garbage is counted and dropped.
    pub fn handle_frame(&mut self, _now: Instant, frame: &[u8]) {
        self.stats.malformed_frames += u64::from(frame.is_empty());
    }

    /// The modem finished sending the last frame taken.
    pub fn handle_sent(&mut self, _now: Instant) {}

    /// The modem hears (or no longer hears) a signal. Optional: without it timers assume the longest frame.
    pub fn handle_carrier(&mut self, _now: Instant, _busy: bool) {}

    /// Bit rate, MTU or delays changed; or a reliable modem reconnected, which sends everything unconfirmed again.
    pub fn handle_channel(&mut self, _now: Instant, channel: Channel) {
        self.channel = channel;
    }

    /// The moment of `poll_timeout` came. Calling it early does no harm.
    pub fn handle_timeout(&mut self, _now: Instant) {}

    // What the application wants.

    /// Room for a new packet, if one of this priority could go on air soon. Ask for the highest priority that
    /// waits. The number is given out even if nothing is committed, but only once: the next grant repeats it.
    pub fn grant(&mut self, _now: Instant, _priority: Priority) -> Option<Grant<'_>> {
        let _ = (&self.config, self.storage.as_mut());
        None
    }

    /// Room to encode again a packet granted in an earlier run or before a [`Event::Reset`]. Go through them in the
    /// order of their numbers, all of them, before asking for new grants; those no longer wanted: [`Link::cancel`].
    /// `None` when there is no room now, or the peer has it already (then [`Event::Delivered`] follows or came).
    pub fn grant_again(
        &mut self,
        _now: Instant,
        _number: PacketNumber,
        _priority: Priority,
    ) -> Option<Grant<'_>> {
        None
    }

    /// Queues the granted packet, of `len` bytes. A length of 0 gives the grant back unused.
    pub fn commit(&mut self, _now: Instant, _len: usize) {}

    /// Withdraws a packet that is not delivered yet: [`Event::Abandoned`] follows when the peer confirmed that it will
    /// never surface, or [`Event::Delivered`] if it had it already. False if the number is not outstanding.
    pub fn cancel(&mut self, _now: Instant, _number: PacketNumber) -> bool {
        false
    }

    /// The next packet in order; each once in a run. It stays stored until accepted. An empty packet was withdrawn
    /// by its sender: accept it like any other and drop it.
    pub fn recv(&mut self) -> Option<(PacketNumber, &[u8])> {
        None
    }

    /// The application holds this packet durably: it is acknowledged in our next frame and never surfaces again.
    pub fn accept(&mut self, _now: Instant, number: PacketNumber) {
        self.resume.accepted.insert(number);
    }

    /// Keeps off the air until `until`: somebody else talks on a shared channel.
    pub fn defer(&mut self, _until: Instant) {}

    /// Signs off: in profile `amateur` the call sign goes out once more if anything was sent since.
    pub fn close(&mut self, _now: Instant) {}

    // What the caller must do next.

    /// Writes the next frame, if one should go out now. `frame` must hold one MTU.
    pub fn poll_transmit(&mut self, _now: Instant, _frame: &mut [u8]) -> Option<Transmit> {
        None
    }

    /// The next news.
    pub fn poll_event(&mut self) -> Option<Event> {
        None
    }

    /// When to call `handle_timeout`, and why. `None`: sleep until something happens.
    pub fn poll_timeout(&self) -> Option<(Instant, Timer)> {
        None
    }
}

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

mod clock;
mod config;
mod event;
mod incoming;
mod number;
mod outgoing;
mod pool;
mod receive;
mod rekey;
mod session;
mod shared;
mod stats;
mod transmit;
mod turn;

pub use config::{Agreement, Callsign, LinkConfig, Offer, Priority, Profile, Resume, Side};
pub use event::{Event, Timer};
pub use number::{Accepted, PacketNumber};
pub use rekey::{MESSAGE_MAX, RekeyMessage};
pub use stats::LinkStats;

use crate::channel::Channel;
use crate::time::Instant;

use clock::{At, Clock};
use event::{News, What};
use incoming::Incoming;
use outgoing::Outgoing;
use rekey::Handshake;
use session::Session;
use stats::count;
use turn::Turn;

/// Most packets outstanding in one direction.
pub const WINDOW_MAX: u32 = 64;
/// Most segments of one packet.
pub const SEGMENTS_MAX: usize = 256;
/// Shortest MTU a link works with, in bytes.
pub const MTU_MIN: u16 = 14;
/// Longest MTU, in bytes.
pub const MTU_MAX: u16 = 2048;

/// One end of a link. `B` is the storage for packets under way: `Vec<u8>`, `[u8; N]`, `&mut [u8]`. Its first
/// `LinkConfig::out_len` bytes hold packets on their way out, the rest holds packets on their way in.
///
/// Methods come in four kinds: getters; `handle_*` for what the world did; commands for what the application
/// wants; `poll_*` for what the caller must do next. After any `handle_*` or command:
///
/// 1. `recv` until `None`; store each packet, then `accept` it,
/// 2. `poll_event` until `None`; while `wanted` names a packet, `grant_again` or `cancel` it,
/// 3. if the modem is free: `grant`/`commit` until `grant` gives `None` or nothing waits, then `poll_transmit`;
///    when a frame was written, call `handle_sent` once the modem is done with it, and repeat,
/// 4. sleep until `poll_timeout`, then `handle_timeout`.
///
/// A frame taken from `poll_transmit` but never sent is to the link a lost frame: cancelling loses nothing.
// Entry points are not merged into their callers: there the fields would lie far from the pointer at hand.
// In this order, what is small first: a board reaches the first bytes with short instructions.
#[repr(C)]
#[derive(Debug)]
pub struct Link<B> {
    owed: Owed,
    channel: Channel,
    /// Grants wait: the hello did not agree.
    mismatched: bool,
    /// Our hello is not answered: it goes again instead of a question.
    greeting: bool,
    turn: Turn,
    clock: Clock,
    news: News,
    config: LinkConfig,
    session: Session,
    /// What the peer said in its last hello.
    theirs: Agreement,
    handshake: Handshake,
    stats: LinkStats,
    outgoing: Outgoing,
    incoming: Incoming,
    storage: B,
}

/// What must be said even if no packet waits.
#[derive(Debug, Default)]
struct Owed {
    /// Something arrived that is to be acknowledged.
    ack: bool,
    /// How many frames arrived since our last acknowledgement, if not more.
    unacknowledged_frames: u8,
    /// An acknowledgement is wanted from the peer.
    poll: bool,
    /// The peer does not know our epoch.
    notice: bool,
    hello: bool,
    /// The hello asks for one in return.
    hello_asks: bool,
    identify: bool,
    sign_off: bool,
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
    /// Makes a link from what is configured and what was kept. Says nothing yet, and nothing at all until there is a
    /// packet to send or the peer speaks.
    ///
    /// # Errors
    /// See [`LinkError`].
    pub fn new(
        config: LinkConfig,
        channel: Channel,
        resume: Resume,
        storage: B,
    ) -> Result<Self, LinkError> {
        config.check(&channel, &resume, storage.as_ref().len())?;
        Ok(Self::of(config, channel, resume, storage))
    }

    /// The same where [`LinkConfig::check`] found nothing wrong: a board has it made where it is to stay.
    #[inline(always)]
    pub fn of(config: LinkConfig, mut channel: Channel, resume: Resume, storage: B) -> Self {
        channel.bound();
        let owed = Owed {
            hello: config.hello,
            hello_asks: true,
            ..Owed::default()
        };
        Self {
            session: Session::new(&config, resume.epoch, resume.peer_epoch),
            outgoing: Outgoing::new(resume.first_outstanding, resume.next_number, config.out_len),
            incoming: Incoming::new(resume.accepted, config.out_len, storage.as_ref().len()),
            turn: Turn::new(config.seed),
            clock: Clock::new(),
            news: News::default(),
            theirs: Agreement::default(),
            stats: LinkStats::default(),
            owed,
            handshake: Handshake::default(),
            mismatched: false,
            greeting: config.hello,
            config,
            channel,
            storage,
        }
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

    /// What this end says in a hello.
    pub fn agreement(&self) -> &Agreement {
        &self.config.agreement
    }

    /// What the peer said in its last hello.
    pub fn theirs(&self) -> &Agreement {
        &self.theirs
    }

    /// Whether the peer was heard in this run and has not fallen silent.
    pub fn is_up(&self) -> bool {
        self.session.has_heard() && !self.turn.is_suspended()
    }

    /// Whether the peer fell silent: questions stay unanswered.
    pub fn is_suspended(&self) -> bool {
        self.turn.is_suspended()
    }

    /// Whether no packet of ours is under way and nothing waits to be acknowledged.
    #[inline(never)]
    pub fn is_idle(&self) -> bool {
        let said = self.outgoing.span() == 0 && !self.owed.ack && !self.handshake.is_telling();
        said && self.turn.is_idle()
    }

    /// Whether no turn of either end is under way: on a shared channel the base may let another link speak.
    pub fn is_at_rest(&self) -> bool {
        self.turn.is_idle()
    }

    /// The peer's epoch as last heard, to store.
    pub fn peer_epoch(&self) -> u32 {
        self.session.peer_epoch()
    }

    /// The lowest of our packets not confirmed and the next number: what [`Resume`] wants.
    pub fn outstanding(&self) -> (PacketNumber, PacketNumber) {
        (self.outgoing.base(), self.outgoing.next())
    }

    /// The lowest packet that must be encoded again after a restart or a [`Event::Reset`]: answer with
    /// [`Link::grant_again`] or [`Link::cancel`].
    #[inline(never)]
    pub fn wanted(&self) -> Option<PacketNumber> {
        self.outgoing.wanted()
    }

    /// Which packets of the peer were accepted.
    pub fn accepted(&self) -> Accepted {
        self.incoming.accepted()
    }

    /// The same with `number` accepted too: store it together with the packet, then call [`Link::accept`].
    pub fn accepted_with(&self, number: PacketNumber) -> Accepted {
        let mut accepted = self.incoming.accepted();
        accepted.insert(number);
        accepted
    }

    /// The longest packet that can be sent on this channel.
    pub fn packet_len_max(&self) -> usize {
        let most = self.cut_len_max().min(self.config.out_len);
        if self.config.packet_len_max == 0 {
            most
        } else {
            most.min(self.config.packet_len_max)
        }
    }

    // What the application wants.

    /// Room for a new packet, if one of this priority could go on air soon. Ask for the highest priority that
    /// waits. A number granted but not committed is granted again.
    #[inline(never)]
    pub fn grant(&mut self, now: Instant, priority: Priority) -> Option<Grant<'_>> {
        self.clock.tell(now);
        let ready = self.wanted().is_none() && self.outgoing.has_number(self.config.window);
        self.room(ready, self.outgoing.next(), priority)
    }

    /// Room to encode again a packet granted in an earlier run or before a [`Event::Reset`]; [`Link::wanted`] says
    /// which is next. New packets wait for them. `None` when there is no room now, or the number is not wanted.
    #[inline(never)]
    pub fn grant_again(
        &mut self,
        now: Instant,
        number: PacketNumber,
        priority: Priority,
    ) -> Option<Grant<'_>> {
        self.clock.tell(now);
        let ready = self.outgoing.is_wanted(number);
        self.room(ready, number, priority)
    }

    fn room(&mut self, ready: bool, number: PacketNumber, priority: Priority) -> Option<Grant<'_>> {
        if !ready || self.mismatched || !self.may_fill(priority) {
            return None;
        }
        let most = self.packet_len_max();
        // A packet that finds too little room is given back and asks again when the air has taken some.
        let enough = usize::from(self.channel.mtu).min(most);
        if self.outgoing.free() < enough {
            return None;
        }
        let buffer = self.outgoing.grant(self.storage.as_mut(), number, priority);
        let len = buffer.len().min(most);
        Some(Grant {
            number,
            buffer: buffer.get_mut(..len)?,
        })
    }

    /// Queues the granted packet, of `len` bytes. A length of 0 gives the grant back unused.
    #[inline(never)]
    pub fn commit(&mut self, _now: Instant, len: usize) {
        self.outgoing.commit(len);
    }

    /// Withdraws a packet. True if it may still be possible: [`Event::Abandoned`] follows once it is certain that the
    /// packet will never surface, [`Event::Delivered`] if the peer had it already. The first answer is final.
    #[inline(never)]
    pub fn cancel(&mut self, _now: Instant, number: PacketNumber) -> bool {
        let cancelled = self.outgoing.cancel(self.storage.as_mut(), number);
        self.owed.poll |= cancelled && self.outgoing.has_doubt();
        cancelled
    }

    /// The next packet in order; each once in a run. It stays stored until accepted. An empty packet was withdrawn
    /// by its sender: accept it like any other and drop it.
    #[inline(never)]
    pub fn recv(&mut self) -> Option<(PacketNumber, &[u8])> {
        let packet = self.incoming.recv(self.storage.as_ref());
        count(
            &mut self.stats.packets_received,
            u32::from(packet.is_some()),
        );
        packet
    }

    /// The application holds this packet durably: it is acknowledged in our next frame and never surfaces again.
    #[inline(never)]
    pub fn accept(&mut self, now: Instant, number: PacketNumber) {
        if self.incoming.accept(self.storage.as_mut(), number) {
            self.clock.tell(now);
            self.owe_ack(false);
        }
    }

    /// Goes on after [`Event::Mismatch`], with what is agreed now.
    pub fn rejoin(&mut self, agreement: Agreement) {
        self.config.agreement = agreement;
        self.mismatched = false;
        self.greet();
    }

    /// Says hello and asks for one, until it comes: [`Event::Agreed`] or [`Event::Mismatch`] follows. Calling it again
    /// meanwhile does nothing.
    pub fn greet(&mut self) {
        if !self.greeting {
            self.greeting = true;
            (self.owed.hello, self.owed.hello_asks) = (true, true);
        }
    }

    /// Says something although there is nothing to say: a station that slept tells a peer heard before that it listens again,
    /// and so gives it the turn.
    pub fn check_in(&mut self) {
        self.owed.ack |= self.session.has_heard();
    }

    /// Keeps off the air until `until`: somebody else talks on a shared channel.
    pub fn defer(&mut self, until: Instant) {
        self.clock.delay(At::Free, self.clock.ms_to(until));
    }

    /// Signs off: in profile `amateur` the call sign goes out once more if anything was sent since.
    pub fn close(&mut self, _now: Instant) {
        self.owed.sign_off = self.config.profile != Profile::Sealed && self.stats.frames_sent > 0;
    }

    // What the caller must do next.

    /// The next news.
    #[inline(never)]
    pub fn poll_event(&mut self) -> Option<Event> {
        match self.news.poll() {
            Some(what) => Some(self.event_of(what)),
            None => self.outgoing.poll(),
        }
    }

    fn event_of(&self, what: What) -> Event {
        match what {
            What::Up => Event::Up,
            What::Reset => Event::Reset,
            What::PeerEpoch => Event::PeerEpoch(self.session.peer_epoch()),
            What::Suspended => Event::Suspended,
            What::Resumed => Event::Resumed,
            What::Closed => Event::Closed,
            What::Hello => {
                let ours = &self.config.agreement;
                let common = ours.dictionary(self.config.side, &self.theirs);
                common.map_or(Event::Mismatch, Event::Agreed)
            }
        }
    }

    /// When to call `handle_timeout`, and why. `None`: sleep until something happens.
    pub fn poll_timeout(&self) -> Option<(Instant, Timer)> {
        if self.turn.is_sending() {
            None
        } else {
            self.clock.next()
        }
    }
}

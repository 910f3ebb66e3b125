//! A board as an XMPP entity: the link, the codec and what must not be forgotten, behind one type. Refuses pins, time
//! and flash of its own: the board brings them.
//!
//! # What is durable when
//!
//! A stanza that came in is acknowledged to the gateway only after everything it causes is on flash: the chat in the
//! inbox, the receipt and the answer in the outbox. A stanza going out is on flash before the link numbers it, and
//! stays until the gateway has custody. So power may fail at any octet: what was acknowledged is there, and
//! what is done twice after a restart is recognised by the packet that caused it.

mod act;
mod answer;
mod budget;
mod contacts;
mod keys;
mod news;
mod queue;
mod readings;
mod rest;
mod resume;
mod settings;
mod start;
#[cfg(test)]
pub(crate) mod tests;
mod words;

use embedded_storage_async::nor_flash::NorFlash;
use longwire_codec::channel::Channel;
use longwire_codec::link::{Link, LinkStats, Side, Timer, Transmit};
use longwire_codec::session::{Profile, Session};
use longwire_codec::time::Instant;

use crate::flash::{Store, copy};
use crate::say::Form;
use crate::text::Texts;
pub use contacts::CONTACTS_MAX;
#[cfg(feature = "edhoc")]
pub use keys::EntropySource;
pub(crate) use news::REFUSALS;
pub use news::{EndpointError, EndpointStats, Event};
pub(crate) use queue::Cause;
use queue::{HEAD, Queue};
pub use readings::{READINGS_MAX, Reading, Readings, Value};
pub use settings::{Position, STATUS_MAX};
pub use start::channel;

/// Octets of storage the link of an endpoint needs for frames of `mtu` octets.
pub const fn link_storage_len(mtu: usize) -> usize {
    OUT_LEN + IN_LEN + mtu
}

/// Longest frame of an endpoint, octets.
pub const MTU_MAX: usize = 256;
/// What both ends of a board's link remember.
pub const PROFILE: Profile = Profile::BOARD;
/// Longest packet of an endpoint, octets.
pub const PACKET_MAX: usize = 640;
/// Nodes of the longest stanza an endpoint reads or writes.
pub const NODES_MAX: usize = 120;
/// Octets of all strings of the longest stanza.
pub const STRINGS_MAX: usize = 1600;
/// Longest JID taken, octets.
pub const JID_MAX: usize = 96;
/// Stanzas that can wait to be sent.
pub const OUTBOX_MAX: usize = 16;
/// Chats that can wait to be read.
pub const INBOX_MAX: usize = 12;

/// The gateway is the other.
const SIDE: Side = Side::B;
// The longest packet, and a short one after it.
const OUT_LEN: usize = PACKET_MAX + MTU_MAX / 2;
// Two packets of the longest kind.
const IN_LEN: usize = 2 * PACKET_MAX;

/// See the module. `L` and `S` hold the link and the codec's memory: arrays or `&'static mut [u8]` of
/// [`link_storage_len`] and `PROFILE.storage_len()` octets.
///
/// After any call that returns, ask [`Self::poll_transmit`] whenever the radio is free, then [`Self::poll_event`]
/// until `None`, and sleep until [`Self::poll_timeout`] or until something comes in.
#[repr(C)]
pub struct Endpoint<'d, F: NorFlash, L, S> {
    // What is small comes first: it is in reach of short instructions.
    stats: EndpointStats,
    /// The last hello did not agree with ours.
    stranger: bool,
    rest: rest::Rest,
    budget: budget::Budget,
    events: news::Events,
    keyring: keys::Keyring,
    resume: resume::Kept,
    settings: settings::Settings,
    jid: Jid,
    outbox: Queue,
    inbox: Queue,
    readings: Readings<'d>,
    store: Store<F>,
    link: Link<L>,
    session: Session<'d, S>,
    contacts: contacts::Contacts,
}

/// A chat in the inbox.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Message<'m> {
    /// Who wrote it, full JID.
    pub from: &'m str,
    /// What it says.
    pub body: &'m str,
}

/// What comes first.
fn earlier(
    next: Option<(Instant, Timer)>,
    at: Option<Instant>,
    timer: Timer,
) -> Option<(Instant, Timer)> {
    match (next, at) {
        (Some((first, _)), Some(at)) if first <= at => next,
        (_, Some(at)) => Some((at, timer)),
        _ => next,
    }
}

/// A JID kept by value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Jid {
    len: u8,
    octets: [u8; JID_MAX],
}

impl Jid {
    const EMPTY: Self = Self {
        len: 0,
        octets: [0; JID_MAX],
    };

    /// Takes another one; false if it is too long, and nothing changes.
    fn set(&mut self, jid: &[u8]) -> bool {
        let fits = copy(&mut self.octets, jid).is_some();
        if fits {
            // Not above JID_MAX.
            self.len = jid.len() as u8;
        }
        fits
    }

    fn octets(&self) -> &[u8] {
        self.octets.get(..self.len.into()).unwrap_or_default()
    }

    fn as_str(&self) -> &str {
        core::str::from_utf8(self.octets()).unwrap_or_default()
    }
}

impl<'d, F: NorFlash, L: AsRef<[u8]> + AsMut<[u8]>, S: AsRef<[u8]> + AsMut<[u8]>>
    Endpoint<'d, F, L, S>
{
    // What the world did.

    /// A frame came from the radio: it is opened in place. Garbage is counted and dropped.
    ///
    /// # Errors
    /// Flash failed; what came in was not acknowledged and comes again.
    pub fn handle_frame(&mut self, now: Instant, frame: &mut [u8]) -> Result<(), EndpointError> {
        self.rest.note(now);
        self.link.handle_frame(now, frame);
        self.settle(now)
    }

    /// The radio failed to send, or heard a frame that it could not read.
    pub fn handle_radio_error(&mut self) {
        self.stats.radio_errors = self.stats.radio_errors.saturating_add(1);
    }

    /// The radio hears somebody, or no longer. Between two stations their turns say as much.
    pub fn handle_carrier(&mut self, now: Instant, busy: bool) {
        if self.link.channel().station.is_some() {
            self.link.handle_carrier(now, busy);
        }
    }

    /// What the radio says of its channel; who is on it stands in the image.
    pub fn handle_channel(&mut self, now: Instant, channel: Channel) {
        let known = self.link.channel();
        let (mtu, station) = (channel.mtu.min(known.mtu), known.station);
        self.link.handle_channel(
            now,
            Channel {
                mtu,
                station,
                ..channel
            },
        );
    }

    /// The radio finished sending.
    pub fn handle_sent(&mut self, now: Instant) {
        self.rest.note(now);
        self.link.handle_sent(now);
    }

    /// The moment of [`Self::poll_timeout`] came.
    ///
    /// # Errors
    /// Flash failed.
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), EndpointError> {
        self.link.handle_timeout(now);
        self.settle(now)
    }

    // What the application wants.

    /// Sends a chat and asks for a receipt; returns its order number. It is durable when this returns.
    ///
    /// # Errors
    /// [`EndpointError`]; nothing is sent then.
    pub fn chat(&mut self, to: &str, body: &str) -> Result<u32, EndpointError> {
        let order = self.outbox.next_order();
        let mut place = [0; act::ID_LEN];
        let id = act::id(order, &mut place);
        self.tell(Cause::NONE, Form::Chat, &[to, id, body])?;
        Ok(order)
    }

    /// Asks `jid` for its presence (RFC 6121 section 3.1).
    ///
    /// # Errors
    /// [`EndpointError`].
    pub fn subscribe(&mut self, jid: &str) -> Result<(), EndpointError> {
        self.contacts
            .change(&mut self.store, jid, contacts::ASKED, 0)?;
        self.tell(Cause::NONE, Form::Presence, &[jid, "subscribe"])
    }

    /// Sets the position and tells everybody subscribed (XEP-0080 over XEP-0163).
    ///
    /// # Errors
    /// [`EndpointError`].
    pub fn set_position(&mut self, position: Position) -> Result<(), EndpointError> {
        self.move_to(position, Cause::NONE)
    }

    /// Sets the text of our presence and tells everybody subscribed.
    ///
    /// # Errors
    /// [`EndpointError`].
    pub fn set_status(&mut self, status: &str) -> Result<(), EndpointError> {
        self.say(status, Cause::NONE)
    }

    /// Replaces the reading of this name, or adds it; one beyond [`READINGS_MAX`] is left out.
    pub fn set_reading(&mut self, reading: Reading<'d>) {
        self.readings.set(reading);
    }

    /// When the readings were taken, seconds since 1970, for a board with a clock; 0: nobody knows.
    pub fn set_time(&mut self, at_s: u32) {
        self.readings.at_s = at_s;
    }

    /// The oldest chat in the inbox, copied to `buffer`; it stays until [`Self::clear_message`].
    ///
    /// # Errors
    /// [`EndpointError`].
    pub fn message<'m>(
        &mut self,
        buffer: &'m mut [u8],
    ) -> Result<Option<Message<'m>>, EndpointError> {
        let Some(at) = self.inbox.next(self.link.accepted()) else {
            return Ok(None);
        };
        let len = self.inbox.record(&mut self.store, at, buffer)?;
        let mut texts = Texts(buffer.get(HEAD..len).unwrap_or_default());
        let (from, body) = (texts.next(), texts.next());
        Ok(Some(Message { from, body }))
    }

    /// Forgets the oldest chat in the inbox.
    ///
    /// # Errors
    /// [`EndpointError`].
    pub fn clear_message(&mut self) -> Result<(), EndpointError> {
        if let Some(at) = self.inbox.next(self.link.accepted()) {
            self.inbox.clear(&mut self.store, at)?;
        }
        Ok(())
    }

    /// Lets base ask for a new key, and [`Self::rekey`] begin: both need randomness. Without it neither is answered.
    #[cfg(feature = "edhoc")]
    pub fn use_entropy(&mut self, source: EntropySource) {
        self.keyring.use_entropy(source);
    }

    /// Asks base for a new key; begins with the next call that returns. [`Event::NewKey`] tells when it is in use.
    #[cfg(feature = "edhoc")]
    pub fn rekey(&mut self) {
        self.keyring.begin();
    }

    // What the caller must do next.

    /// Writes the next frame, if one should go out now. Call when the radio is free.
    ///
    /// # Errors
    /// Flash failed.
    pub fn poll_transmit(
        &mut self,
        now: Instant,
        frame: &mut [u8],
    ) -> Result<Option<Transmit>, EndpointError> {
        let (may, first) = self.budget.ask(now, self.frame_ms());
        self.budget.keep(&mut self.store)?;
        if !may {
            self.stats.duty_waits += u32::from(first);
            return Ok(None);
        }
        self.fill(now)?;
        let transmit = self.link.poll_transmit(now, frame);
        if let Some(transmit) = &transmit {
            let airtime_ms = self.airtime_of(transmit.len);
            self.budget.spend(now, airtime_ms);
            self.budget.keep(&mut self.store)?;
        }
        Ok(transmit)
    }

    /// The next news.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.poll()
    }

    /// When to call [`Self::handle_timeout`], and why.
    pub fn poll_timeout(&self) -> Option<(Instant, Timer)> {
        let barred = self.budget.barred_until();
        let keys = self.keyring.poll_timeout();
        let next = earlier(self.link.poll_timeout(), barred, Timer::Transmit);
        earlier(next, keys, Timer::Reply)
    }

    /// Airtime of a frame of `len` octets; more than seven weeks count as that.
    fn airtime_of(&self, len: usize) -> u32 {
        u32::try_from(self.link.channel().airtime_ms(len)).unwrap_or(u32::MAX)
    }

    /// Airtime of the longest frame.
    fn frame_ms(&self) -> u32 {
        self.airtime_of(self.link.channel().mtu.into())
    }

    // Getters.

    /// Our bare JID.
    pub fn jid(&self) -> &str {
        self.jid.as_str()
    }

    /// Counters of the link.
    pub fn link_stats(&self) -> &LinkStats {
        self.link.stats()
    }

    /// Counters of the endpoint.
    pub fn stats(&self) -> EndpointStats {
        self.stats
    }

    /// Whether the gateway is heard.
    pub fn is_up(&self) -> bool {
        self.link.is_up()
    }

    /// Whether the gateway is one we cannot talk to: of another version, or without our dictionary.
    pub fn is_stranger(&self) -> bool {
        self.stranger
    }

    /// Whether nothing waits to be sent or acknowledged: a good moment to sleep or restart.
    pub fn is_idle(&self) -> bool {
        self.outbox.len() == 0 && self.link.is_idle()
    }

    /// Stanzas in the outbox, and chats in the inbox.
    pub fn waiting(&self) -> (usize, usize) {
        (self.outbox.len(), self.inbox.len())
    }

    /// Those who asked for our presence, or whom we asked, and whether they are online.
    pub fn contacts(&self) -> impl Iterator<Item = (&str, bool)> {
        self.contacts.iter()
    }

    /// The position, if set.
    pub fn position(&self) -> Option<Position> {
        self.settings.position()
    }
}

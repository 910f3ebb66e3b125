//! From link to flash and back: what came in is stored, answered and acknowledged; what waits goes to the link when
//! there is air for it. Refuses to hold a stanza in memory between two calls.

use embedded_storage_async::nor_flash::NorFlash;
use longwire_codec::link::{Event as LinkEvent, Grant, Link, PacketNumber, Priority};
use longwire_codec::session::{Ids, Options};
use longwire_codec::stanza::{Arena, Node};
use longwire_codec::time::Instant;

use super::contacts::{ASKED, FROM, bare};
use super::queue::{Cause, HEAD, NUMBER, ORDER, PRIORITY};
use super::{CONTACTS_MAX, Endpoint, EndpointError, Event, NODES_MAX, Position, STRINGS_MAX};
use crate::compose::{compose, namespace};
use crate::flash::RECORD_MAX;
use crate::read::Incoming;
use crate::say::{COMMANDS, Form, form, readings};
use crate::text::{Text, decimal};

impl<F: NorFlash, L: AsRef<[u8]> + AsMut<[u8]>, S: AsRef<[u8]> + AsMut<[u8]>>
    Endpoint<'_, F, L, S>
{
    /// Takes the link's news and what it brought. The news first: a packet of a peer that started afresh must be read
    /// with a memory that did.
    pub(super) fn settle(&mut self, now: Instant) -> Result<(), EndpointError> {
        let (store, link) = (&mut self.store, &mut self.link);
        if self.keyring.settle(store, link, now)? {
            self.events.push(Event::NewKey);
        }
        while let Some(event) = self.link.poll_event() {
            self.heed(event)?;
        }
        while let Some(number) = self.act()? {
            let accepted = self.link.accepted_with(number);
            self.resume
                .accept(&mut self.store, accepted, self.link.peer_epoch())?;
            self.link.accept(now, number);
        }
        Ok(())
    }

    #[inline(never)]
    fn heed(&mut self, event: LinkEvent) -> Result<(), EndpointError> {
        match event {
            LinkEvent::Delivered(number) | LinkEvent::Abandoned(number) => {
                if event == LinkEvent::Delivered(number) {
                    self.session.acknowledge(number);
                } else {
                    self.session.abandon(number);
                }
                let (_, next) = self.link.outstanding();
                self.resume.advance(&mut self.store, next)?;
                if let Some(at) = self.outbox.numbered(number) {
                    let order = self.outbox.slot(at)[ORDER];
                    self.outbox.clear(&mut self.store, at)?;
                    self.events.push(Event::Custody(order));
                }
            }
            LinkEvent::PeerEpoch(epoch) => self.session.doubt(epoch),
            LinkEvent::Reset => {
                self.session.reset();
                self.remember_sent();
            }
            LinkEvent::Agreed(_) => self.stranger = false,
            LinkEvent::Mismatch => {
                self.stranger = true;
                self.stats.mismatches += 1;
                self.events.push(Event::Mismatch {
                    version: self.link.theirs().version,
                });
            }
            LinkEvent::Up | LinkEvent::Resumed => self.events.push(Event::Link { up: true }),
            LinkEvent::Suspended | LinkEvent::Closed => self.events.push(Event::Link { up: false }),
            _ => {}
        }
        Ok(())
    }

    /// Tells the codec the ids of packets under way, so that a receipt finds them after a restart.
    pub(super) fn remember_sent(&mut self) {
        for slot in self.outbox.slots() {
            if let Some(number) = slot[NUMBER].checked_sub(1) {
                let mut place = [0; ID_LEN];
                let id = id(slot[ORDER], &mut place);
                self.session
                    .remember(true, PacketNumber::new(number), 0, id);
            }
        }
    }

    /// Does what the next packet asks for; everything it causes is on flash when this returns. An empty packet was
    /// withdrawn.
    #[inline(never)]
    fn act(&mut self) -> Result<Option<PacketNumber>, EndpointError> {
        let Some((number, packet)) = self.link.recv() else {
            return Ok(None);
        };
        if !packet.is_empty() {
            let mut strings = [0; STRINGS_MAX];
            let mut arena = Arena::new(&mut strings);
            let mut tape = [Node::Close; NODES_MAX];
            let read = self.session.decode(number, packet, &mut arena, &mut tape);
            let cause = Cause::of(number, 0);
            match read.ok().and_then(|it| Incoming::new(cause, it)) {
                Some(incoming) => self.take(&incoming)?,
                None => self.stats.unreadable_packets += 1,
            }
        }
        Ok(Some(number))
    }

    /// What a board does not act on is nothing to it; but an iq is always answered.
    #[inline(never)]
    fn take(&mut self, incoming: &Incoming<'_, '_>) -> Result<(), EndpointError> {
        let Incoming {
            stanza, id, kind, ..
        } = *incoming;
        let (ns, name) = stanza.name();
        let event = match name {
            _ if ns != namespace(b'a') => None,
            _ if kind == "error" => order(id).map(Event::Failed),
            "presence" => return self.take_presence(incoming),
            "iq" if kind == "get" || kind == "set" => return self.answer(incoming),
            "message" => match (
                stanza.child(namespace(b'r'), "received"),
                stanza.child(ns, "body"),
            ) {
                (Some(receipt), _) => {
                    order(receipt.attr("id").unwrap_or_default()).map(Event::Received)
                }
                (None, Some(body)) => return self.take_chat(incoming, body.text()),
                (None, None) => None,
            },
            _ => None,
        };
        if let Some(event) = event {
            self.events.push(event);
        }
        Ok(())
    }

    #[inline(never)]
    fn take_chat(&mut self, incoming: &Incoming<'_, '_>, body: &str) -> Result<(), EndpointError> {
        let Incoming {
            cause,
            stanza,
            from,
            id,
            ..
        } = *incoming;
        let mut form = Form::Receipt;
        if !self.inbox.holds(cause) {
            let mut record = [0; RECORD_MAX];
            let mut chat = Text::after(&mut record, HEAD);
            chat.item(from).item(body);
            match self.inbox.put(&mut self.store, cause, 0, chat.whole()) {
                Ok(()) => {}
                Err(EndpointError::OutboxFull | EndpointError::TooLong) => form = Form::Refusal,
                Err(error) => return Err(error),
            }
        }
        if form == Form::Refusal {
            self.stats.refused_chats += 1;
        } else {
            self.events.push(Event::Message);
            if id.is_empty() || stanza.child(namespace(b'r'), "request").is_none() {
                return Ok(());
            }
        }
        self.tell(cause, form, &[from, id])
    }

    #[inline(never)]
    fn take_presence(&mut self, incoming: &Incoming<'_, '_>) -> Result<(), EndpointError> {
        let Incoming {
            cause, from, kind, ..
        } = *incoming;
        let (set, unset) = match kind {
            "" | "unavailable" => {
                if self.contacts.set_online(from, kind.is_empty()) {
                    self.events.push(Event::Contact);
                }
                return Ok(());
            }
            "probe" => return self.tell(cause, Form::Here, &[from]),
            "subscribe" => (FROM, 0),
            "unsubscribe" => (0, FROM),
            "unsubscribed" => (0, ASKED),
            _ => return Ok(()),
        };
        let kept = match self.contacts.change(&mut self.store, from, set, unset) {
            Ok(()) => true,
            Err(EndpointError::TooLong) => false,
            Err(error) => return Err(error),
        };
        if set > 0 {
            let to = bare(from);
            let answer = if kept { "subscribed" } else { "unsubscribed" };
            self.tell(cause, Form::Presence, &[to, answer])?;
            if kept {
                self.tell(cause.part(1), Form::Here, &[to])?;
            }
        }
        self.events.push(Event::Contact);
        Ok(())
    }

    /// Sets the position and tells everybody subscribed.
    pub(super) fn move_to(
        &mut self,
        position: Position,
        cause: Cause,
    ) -> Result<(), EndpointError> {
        self.settings.set_position(&mut self.store, position)?;
        self.tell_all(cause.part(1 + CONTACTS_MAX), Form::Position)
    }

    /// Sets the text of our presence and tells everybody subscribed.
    pub(super) fn say(&mut self, status: &str, cause: Cause) -> Result<(), EndpointError> {
        self.settings.set_status(&mut self.store, status)?;
        self.tell_all(cause.part(1), Form::Here)
    }

    fn tell_all(&mut self, cause: Cause, form: Form) -> Result<(), EndpointError> {
        for at in 0..CONTACTS_MAX {
            if let Some(to) = self.contacts.subscriber(at) {
                self.tell(cause.part(at), form, &[to.as_str()])?;
            }
        }
        Ok(())
    }

    /// Puts a stanza in the outbox, durably. The texts are to whom it goes and those that its form asks for and are not
    /// ours to know. What was answered before a power failure is not answered again. A full outbox drops an answer, counted:
    /// the asker will time out and ask again.
    #[inline(never)]
    pub(super) fn tell(
        &mut self,
        cause: Cause,
        form: Form,
        texts: &[&str],
    ) -> Result<(), EndpointError> {
        if self.outbox.holds(cause) {
            return Ok(());
        }
        let mut record = [0; RECORD_MAX];
        let mut out = Text::after(&mut record, HEAD);
        out.octet(form as u8);
        for text in texts {
            out.item(text);
        }
        let position = self.settings.position();
        match form {
            Form::Here => _ = out.item(self.settings.status()),
            Form::Position | Form::Item => {
                let at = position.unwrap_or_default();
                out.fixed(at.lat_e7, 7).end().fixed(at.lon_e7, 7).end();
            }
            Form::CommandItems => {
                for (node, name, _) in &COMMANDS {
                    out.item(node).item(name);
                }
            }
            Form::Readings => readings(&mut out, &self.readings, position),
            _ => {}
        }
        let priority = form.priority() as u32;
        let posted = self
            .outbox
            .put(&mut self.store, cause, priority, out.whole());
        match posted {
            Err(EndpointError::OutboxFull | EndpointError::TooLong) if cause != Cause::NONE => {
                self.stats.dropped_answers += 1;
                Ok(())
            }
            posted => posted,
        }
    }

    /// Hands the link what it has air for: first what a restart or reset left, then what is new.
    pub(super) fn fill(&mut self, now: Instant) -> Result<(), EndpointError> {
        loop {
            let again = self.link.wanted();
            let at = match again {
                Some(number) => self.outbox.numbered(number),
                None => self.outbox.next(self.link.accepted()),
            };
            let goes_on = match (at, again) {
                (Some(at), _) => self.hand_over(now, at, again)?,
                (None, Some(number)) => {
                    self.link.cancel(now, number);
                    true
                }
                (None, None) => false,
            };
            if !goes_on {
                return Ok(());
            }
        }
    }

    /// Encodes one stanza into the link; false if the link has no room now.
    #[inline(never)]
    fn hand_over(
        &mut self,
        now: Instant,
        at: usize,
        again: Option<PacketNumber>,
    ) -> Result<bool, EndpointError> {
        let mut slot = self.outbox.slot(at);
        let most = self.link.packet_len_max();
        let Some(grant) = grant(&mut self.link, now, again, slot[PRIORITY]) else {
            return Ok(false);
        };
        let mut record = [0; RECORD_MAX];
        let len = self.outbox.record(&mut self.store, at, &mut record)?;
        let mut tape = [Node::Close; NODES_MAX];
        let stanza = match record.get(HEAD..len) {
            Some([number, texts @ ..]) => {
                compose(form(*number), self.jid.as_str(), texts, &mut tape)
            }
            _ => None,
        };
        let number = grant.number;
        // Gone from flash, or longer than any packet: it will never be sent.
        let mut is_lost = grant.buffer.len() >= most;
        let mut packet_len = 0;
        if let Some(stanza) = stanza {
            let options = Options {
                ids: Ids::Short,
                again: again.is_some(),
            };
            let encoded = self.session.encode(number, stanza, options, grant.buffer);
            packet_len = encoded.unwrap_or(0);
            is_lost &= packet_len == 0;
        }
        // The number is on flash before a frame can carry it, and not if none will.
        if again.is_none() && packet_len > 0 {
            slot[NUMBER] = number.plus(1).get();
            let record = record.get_mut(..len).unwrap_or_default();
            self.outbox.write(&mut self.store, at, slot, record)?;
        }
        self.link.commit(now, packet_len);
        if is_lost {
            self.link.cancel(now, number);
            self.outbox.clear(&mut self.store, at)?;
            self.events.push(Event::Failed(slot[ORDER]));
        }
        Ok(is_lost || packet_len > 0)
    }
}

/// What our ids begin with; the order number follows.
const ID: &str = "b";
/// Octets of the longest id.
pub(super) const ID_LEN: usize = 11;

/// The id of our stanza with this order number.
pub(super) fn id(order: u32, place: &mut [u8; ID_LEN]) -> &str {
    let mut id = Text::new(place);
    id.str(ID).number(order);
    id.into_str()
}

/// The order number in an id of ours.
fn order(id: &str) -> Option<u32> {
    decimal(id.strip_prefix(ID)?, 0)?.try_into().ok()
}

/// What forms say of [`PRIORITY`], other than that it is chat.
const PRESENCE: u32 = Priority::Presence as u32;

/// Room for a packet: a new one, or that one again.
fn grant<L: AsRef<[u8]> + AsMut<[u8]>>(
    link: &mut Link<L>,
    now: Instant,
    again: Option<PacketNumber>,
    priority: u32,
) -> Option<Grant<'_>> {
    let priority = match priority {
        PRESENCE => Priority::Presence,
        _ => Priority::Chat,
    };
    match again {
        Some(number) => link.grant_again(now, number, priority),
        None => link.grant(now, priority),
    }
}

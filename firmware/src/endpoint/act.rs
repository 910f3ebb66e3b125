//! From link to flash and back: what came in is stored, answered and acknowledged; what waits goes to the link when
//! there is air for it. Refuses to hold a stanza in memory between two calls.

use embedded_storage_async::nor_flash::NorFlash;
use longwire_codec::link::{Event as LinkEvent, PacketNumber, Priority};
use longwire_codec::session::{Ids, Options};
use longwire_codec::stanza::{Arena, Node, Stanza};
use longwire_codec::time::Instant;

use super::alone;
use super::outbox::{self, Cause, Slot};
use super::{
    CONTACTS_MAX, Endpoint, EndpointError, Event, Message, NODES_MAX, PACKET_MAX, STRINGS_MAX,
};
use crate::compose::{Compose, Position};
use crate::flash::{RECORD_MAX, copy};
use crate::read::{Incoming, read};
use crate::say::Say;

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
        let mut packet = [0; PACKET_MAX];
        while let Some(event) = self.link.poll_event() {
            self.heed(event)?;
        }
        while let Some((number, bytes)) = self.link.recv() {
            match copy(&mut packet, bytes) {
                Some([]) => {}
                Some(packet) => self.act(number, packet)?,
                None => self.stats.unreadable_packets += 1,
            }
            let accepted = self.link.accepted_with(number);
            self.resume
                .accept(&mut self.store, accepted, self.link.peer_epoch())?;
            self.link.accept(now, number);
        }
        Ok(())
    }

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
                if let Some(slot) = self.outbox.numbered(number) {
                    self.outbox.clear(&mut self.store, slot.order)?;
                    self.events.push(Event::Custody(slot.order));
                }
            }
            LinkEvent::PeerEpoch(epoch) => self.session.doubt(epoch),
            LinkEvent::Reset => {
                self.session.reset();
                self.remember_sent();
            }
            LinkEvent::Agreed { .. } => self.stranger = false,
            LinkEvent::Mismatch { theirs, .. } => {
                self.stranger = true;
                self.stats.mismatches += 1;
                self.events.push(Event::Mismatch {
                    version: theirs.version,
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
        for number in self.outbox.numbers() {
            if let Some(slot) = self.outbox.numbered(number) {
                let mut place = [0; outbox::ID_LEN];
                let id = outbox::id(slot.order, &mut place);
                self.session.remember(true, number, 0, id);
            }
        }
    }

    /// Does what a packet asks for; everything it causes is on flash when this returns.
    fn act(&mut self, number: PacketNumber, packet: &[u8]) -> Result<(), EndpointError> {
        let mut strings = [0; STRINGS_MAX];
        let mut arena = Arena::new(&mut strings);
        let mut tape = [Node::Close; NODES_MAX];
        let Ok(stanza) = self.session.decode(number, packet, &mut arena, &mut tape) else {
            self.stats.unreadable_packets += 1;
            return Ok(());
        };
        let Some(from) = stanza.attr("from") else {
            self.stats.unreadable_packets += 1;
            return Ok(());
        };
        match read(stanza) {
            Incoming::Chat { body, receipt_for } => {
                self.take_chat(number, from, body, receipt_for, stanza)
            }
            Incoming::Receipt { id } => {
                outbox::order(id)
                    .into_iter()
                    .for_each(|order| self.events.push(Event::Received(order)));
                Ok(())
            }
            Incoming::Error { id } => {
                id.and_then(outbox::order)
                    .into_iter()
                    .for_each(|order| self.events.push(Event::Failed(order)));
                Ok(())
            }
            Incoming::Presence { kind } => self.take_presence(number, from, kind),
            Incoming::Request(request) => self.answer(number, from, stanza.attr("id"), request),
            _ => Ok(()),
        }
    }

    fn take_chat(
        &mut self,
        number: PacketNumber,
        from: &str,
        body: &str,
        receipt_for: Option<&str>,
        stanza: Stanza<'_, '_>,
    ) -> Result<(), EndpointError> {
        let cause = Some((number, 0));
        if !self
            .inbox
            .put(&mut self.store, number, Message { from, body })?
        {
            self.stats.refused_chats += 1;
            let id = stanza.attr("id");
            let refusal = Say::Error {
                name: "message",
                to: from,
                id,
                kind: "wait",
                condition: "resource-constraint",
            };
            return self.reply(Priority::Chat, cause, &refusal);
        }
        self.events.push(Event::Message);
        match receipt_for {
            Some(id) => self.reply(Priority::Chat, cause, &Say::Receipt { to: from, id }),
            None => Ok(()),
        }
    }

    fn take_presence(
        &mut self,
        number: PacketNumber,
        from: &str,
        kind: Option<&str>,
    ) -> Result<(), EndpointError> {
        let changed = match kind {
            None => self.contacts.set_online(from, true),
            Some("unavailable") => self.contacts.set_online(from, false),
            Some("subscribe") => {
                let kept = self.contacts.accept(&mut self.store, from)?;
                let answer = if kept { "subscribed" } else { "unsubscribed" };
                self.send_presence(super::contacts::bare(from), Some(answer), Some((number, 0)))?;
                if kept {
                    self.announce(super::contacts::bare(from), Some((number, 1)))?;
                }
                true
            }
            Some("unsubscribe") => {
                self.contacts.drop(&mut self.store, from, false)?;
                true
            }
            Some("unsubscribed") => {
                self.contacts.drop(&mut self.store, from, true)?;
                true
            }
            Some("probe") => {
                self.announce(from, Some((number, 0)))?;
                false
            }
            _ => false,
        };
        if changed {
            self.events.push(Event::Contact);
        }
        Ok(())
    }

    /// Sets the position and tells everybody subscribed.
    pub(super) fn move_to(
        &mut self,
        position: Position,
        asked_by: Option<PacketNumber>,
    ) -> Result<(), EndpointError> {
        self.settings.set_position(&mut self.store, position)?;
        for at in 0..CONTACTS_MAX {
            if let Some(to) = self.contacts.subscriber(at) {
                let cause = part(asked_by, 1 + CONTACTS_MAX + at);
                let say = Say::Position { to: &to, position };
                self.reply(Priority::Presence, cause, &say)?;
            }
        }
        Ok(())
    }

    /// Sets the text of our presence and tells everybody subscribed.
    pub(super) fn say(
        &mut self,
        status: &str,
        asked_by: Option<PacketNumber>,
    ) -> Result<(), EndpointError> {
        self.settings.set_status(&mut self.store, status)?;
        for at in 0..CONTACTS_MAX {
            if let Some(to) = self.contacts.subscriber(at) {
                self.announce(&to, part(asked_by, 1 + at))?;
            }
        }
        Ok(())
    }

    /// Sends our presence, as it is now.
    pub(super) fn announce(&mut self, to: &str, cause: Cause) -> Result<(), EndpointError> {
        self.send_presence(to, None, cause)
    }

    /// Sends a presence of this type; our status text goes with an available one.
    pub(super) fn send_presence(
        &mut self,
        to: &str,
        kind: Option<&str>,
        cause: Cause,
    ) -> Result<(), EndpointError> {
        let settings = self.settings.clone();
        let status = settings.status().filter(|_| kind.is_none());
        let priority = if kind.is_some() {
            Priority::Chat
        } else {
            Priority::Presence
        };
        self.reply(priority, cause, &Say::Presence { to, kind, status })
    }

    /// Posts what an incoming packet caused. A full outbox drops it, counted: the asker will time out and ask again.
    pub(super) fn reply(
        &mut self,
        priority: Priority,
        cause: Cause,
        say: &Say<'_>,
    ) -> Result<(), EndpointError> {
        match self.post(priority, cause, say) {
            Err(EndpointError::OutboxFull | EndpointError::TooLong) if cause.is_some() => {
                self.stats.dropped_answers += 1;
                Ok(())
            }
            posted => posted.map(|_| ()),
        }
    }

    /// Puts a stanza in the outbox, durably; returns its order number. What was answered before a power failure is not
    /// answered again.
    pub(super) fn post(
        &mut self,
        priority: Priority,
        cause: Cause,
        say: &Say<'_>,
    ) -> Result<u32, EndpointError> {
        if self.outbox.is_answered(cause) {
            return Ok(0);
        }
        let mut packet = [0; PACKET_MAX];
        let len = self.write_alone(say, &mut packet)?;
        let packet = packet.get(..len).ok_or(EndpointError::TooLong)?;
        self.outbox.put(&mut self.store, priority, cause, packet)
    }

    /// Writes a stanza as a packet that stands alone.
    fn write_alone(&self, say: &Say<'_>, packet: &mut [u8]) -> Result<usize, EndpointError> {
        let mut strings = [0; STRINGS_MAX];
        let mut arena = Arena::new(&mut strings);
        let mut tape = [Node::Close; NODES_MAX];
        let mut compose = Compose::new(&mut tape, &mut arena);
        let stanza = say
            .compose(&self.jid, &mut compose)
            .map_err(|_| EndpointError::TooLong)?;
        alone::write(self.dictionary, stanza, packet).ok_or(EndpointError::TooLong)
    }

    /// Hands the link what it has air for: first what a restart or reset left, then what is new.
    pub(super) fn fill(&mut self, now: Instant) -> Result<(), EndpointError> {
        while let Some(number) = self.link.wanted() {
            match self.outbox.numbered(number) {
                Some(slot) => {
                    if !self.hand_over(now, slot, Some(number))? {
                        return Ok(());
                    }
                }
                None => {
                    self.link.cancel(now, number);
                }
            }
        }
        while let Some(slot) = self.outbox.next() {
            if !self.hand_over(now, slot, None)? {
                break;
            }
        }
        Ok(())
    }

    /// Encodes one stanza into the link; false if the link has no room now.
    fn hand_over(
        &mut self,
        now: Instant,
        slot: Slot,
        again: Option<PacketNumber>,
    ) -> Result<bool, EndpointError> {
        let granted = match again {
            Some(number) => self.link.grant_again(now, number, slot.priority),
            None => self.link.grant(now, slot.priority),
        };
        let Some(number) = granted.map(|grant| grant.number) else {
            return Ok(false);
        };
        let mut record = [0; RECORD_MAX];
        let stored = self
            .outbox
            .packet(&mut self.store, slot.order, &mut record)?;
        let Some(packet) = stored else {
            // Gone from flash although indexed: a broken part. Nothing can be sent under this number.
            self.link.commit(now, 0);
            self.outbox.clear(&mut self.store, slot.order)?;
            return Ok(true);
        };
        let options = Options {
            ids: Ids::Short,
            again: again.is_some(),
        };
        let len = self.rewrite(now, slot, number, options, packet);
        // The number is on flash before a frame can carry it, and not if none will.
        if again.is_none() && len > 0 {
            self.outbox.number(&mut self.store, slot.order, number)?;
        }
        self.link.commit(now, len);
        Ok(len > 0)
    }

    /// From the packet that stands alone to one that refers to what the peer knows. 0 if there is no room.
    fn rewrite(
        &mut self,
        now: Instant,
        slot: Slot,
        number: PacketNumber,
        options: Options,
        packet: &[u8],
    ) -> usize {
        let mut strings = [0; STRINGS_MAX];
        let mut arena = Arena::new(&mut strings);
        let mut tape = [Node::Close; NODES_MAX];
        let Some(stanza) = alone::read(self.dictionary, packet, &mut arena, &mut tape) else {
            return 0;
        };
        let grant = if options.again {
            self.link.grant_again(now, number, slot.priority)
        } else {
            self.link.grant(now, slot.priority)
        };
        grant
            .and_then(|grant| {
                self.session
                    .encode(number, stanza, options, grant.buffer)
                    .ok()
            })
            .unwrap_or(0)
    }
}

/// One of the stanzas that a packet of base made us send; 0 is its answer.
fn part(asked_by: Option<PacketNumber>, at: usize) -> Cause {
    asked_by.map(|number| (number, at as u8))
}

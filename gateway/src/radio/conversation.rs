//! What goes on with one peer: its link, its codec session, and the rows of the outbox between them. Refuses to wait:
//! [`super::Radio`] says when.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use longwire_codec::channel::Channel;
use longwire_codec::link::{Event, Link, LinkConfig, PacketNumber, Priority, Transmit};
use longwire_codec::time::Instant;
use tracing::{error, info, warn};

use super::accord::Accord;
use super::coding::{Coding, Unfit};
use super::keyring::Keyring;
use super::settings::{ConversationError, link_config, new_link, side};
use crate::capture::Capture;
use crate::config;
use crate::dictionaries::Known;
use crate::gateway::{Gateway, GatewayError, Granted, Spoken};
use crate::policy::{Class, address};
use crate::store::peer::LinkState;

/// See the module.
#[derive(Debug)]
pub(crate) struct Conversation {
    peer: usize,
    link: Link<Vec<u8>>,
    keyring: Keyring,
    coding: Coding,
    accord: Accord,
    capture: Option<Capture>,
    /// What a new link to this peer is made from.
    settings: LinkConfig,
    channel: Channel,
    /// A packet that could not be read, and whether the link was started again for it.
    unread: Option<(PacketNumber, bool)>,
    /// Numbers the link was asked to withdraw.
    withdrawn: BTreeSet<u32>,
    /// Octets of frames and packets since airtime was last accounted.
    frame_octets: u64,
    packet_octets: u64,
    airtime_ms: u64,
}

impl Conversation {
    /// Takes up the conversation with the peer at place `peer` where the database left it.
    pub(crate) fn new(
        peer: usize,
        config: &config::Config,
        channel: Channel,
        state: LinkState,
        gateway: &mut Gateway,
        offered: Vec<&'static Known>,
    ) -> Result<Self, ConversationError> {
        let rules = &config.peers[peer];
        let mut keyring = Keyring::load(peer, side(config, rules)?, gateway)?;
        let accord = Accord::new(offered);
        let mut settings = link_config(config, rules, &keyring, channel)?;
        settings.agreement.dictionaries = accord.offer();
        let mut link = new_link(&rules.name, &settings, channel, state)?;
        keyring.attach(&mut link);
        gateway.key_mut(peer).is_barred = !link.rekey_fits();
        let dictionary = &accord.favourite().dictionary;
        let reached = reached(&link);
        let ids = gateway
            .store()
            .ids(&rules.name)
            .map_err(GatewayError::from)?;
        Ok(Self {
            peer,
            link,
            keyring,
            coding: Coding::new(rules, dictionary, ids, reached),
            accord,
            capture: None,
            settings,
            channel,
            unread: None,
            withdrawn: BTreeSet::new(),
            frame_octets: 0,
            packet_octets: 0,
            airtime_ms: 0,
        })
    }

    /// Writes down what crosses.
    pub(crate) fn with_capture(self, capture: Option<Capture>) -> Self {
        Self { capture, ..self }
    }

    /// The peer's place in the configuration.
    pub(crate) fn peer(&self) -> usize {
        self.peer
    }

    /// Are there more than two stations on the channel?
    pub(super) fn is_shared(&self) -> bool {
        self.channel.station.is_some()
    }

    /// A frame was heard, and is opened in place; `true` if it was from this peer.
    pub(super) fn handle_frame(&mut self, now: Instant, frame: &mut [u8]) -> bool {
        let before = self.link.stats().frames_received;
        self.link.handle_frame(now, frame);
        self.link.stats().frames_received != before
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.link.handle_timeout(now);
    }

    pub(super) fn poll_timeout(&self, gateway: &Gateway) -> Option<Instant> {
        let link = self.link.poll_timeout().map(|(at, _)| at);
        let keyring = self.keyring.poll_timeout(gateway);
        link.into_iter().chain(keyring).min()
    }

    pub(super) fn poll_transmit(&mut self, now: Instant, frame: &mut [u8]) -> Option<Transmit> {
        self.link.poll_transmit(now, frame)
    }

    pub(super) fn defer(&mut self, until: Instant) {
        self.link.defer(until);
    }

    pub(super) fn close(&mut self, now: Instant) {
        self.link.close(now);
    }

    /// The modem hears somebody, or no longer.
    pub(super) fn handle_carrier(&mut self, now: Instant, busy: bool) {
        self.link.handle_carrier(now, busy);
    }

    /// May others on the channel speak?
    pub(super) fn is_at_rest(&self) -> bool {
        self.link.channel().full_duplex || self.link.is_at_rest()
    }

    /// The modem is done with a frame.
    pub(super) fn handle_sent(
        &mut self,
        now: Instant,
        transmit: &Transmit,
        gateway: &Rc<RefCell<Gateway>>,
    ) {
        self.link.handle_sent(now);
        let airtime_ms = self.link.channel().airtime_ms(transmit.len);
        self.frame_octets += transmit.len as u64;
        self.airtime_ms += airtime_ms;
        let mut gateway = gateway.borrow_mut();
        let view = gateway.link_mut(self.peer);
        view.air_octets += transmit.len as u64;
        view.airtime_ms += airtime_ms;
    }

    /// Moves everything between link and gateway that can move now, in one batch.
    ///
    /// News come first: after a reset the packets that follow are written for an empty memory.
    pub(super) fn settle(
        &mut self,
        gateway: &mut Gateway,
        now: Instant,
    ) -> Result<(), GatewayError> {
        self.keyring.settle(gateway, &mut self.link, now)?;
        let mut accepted = Vec::new();
        gateway.batch(|gateway| {
            self.events(gateway)?;
            if !self.accord.is_settled() {
                self.greet(gateway);
                return Ok(());
            }
            self.receive(gateway, &mut accepted)?;
            self.withdraw(gateway, now);
            self.grant_again(gateway, now)?;
            self.grant(gateway, now)?;
            self.account(gateway)
        })?;
        for number in accepted {
            self.link.accept(now, number);
        }
        match self.unread {
            Some((number, false)) => {
                self.unread = Some((number, true));
                self.restart(gateway)
            }
            _ => Ok(()),
        }
    }

    fn receive(
        &mut self,
        gateway: &mut Gateway,
        accepted: &mut Vec<PacketNumber>,
    ) -> Result<(), GatewayError> {
        let mut record = self.link.accepted();
        while let Some((number, packet)) = self.link.recv() {
            let packet = packet.to_vec();
            let stanza = self.coding.decode(number, &packet);
            // Empty: withdrawn by its sender.
            if stanza.is_none() && !packet.is_empty() && self.unread != Some((number, true)) {
                self.unread = Some((number, false));
                break;
            }
            self.unread = None;
            record.insert(number);
            accepted.push(number);
            if packet.is_empty() {
                continue;
            }
            for id in self.coding.ids(false, number) {
                let name = gateway.peers()[self.peer].rules.name.clone();
                gateway
                    .store_mut()
                    .keep_id(&name, &id)
                    .map_err(GatewayError::from)?;
            }
            if let (Some(capture), Some(stanza)) = (&mut self.capture, &stanza) {
                capture.note(false, stanza);
            }
            gateway.handle_packet(self.peer, stanza)?;
        }
        if accepted.is_empty() {
            return Ok(());
        }
        gateway.accept(self.peer, record.base.get(), record.beyond)
    }

    /// The two memories are out of step, which nothing but a fault explains. A new start of this end makes the far end
    /// write everything again for an empty memory; what cannot be read even then is counted and given up.
    fn restart(&mut self, gateway: &mut Gateway) -> Result<(), GatewayError> {
        error!(
            peer = gateway.peers()[self.peer].rules.name,
            "starting the link again to read a packet"
        );
        self.settings.hello = true;
        self.coding.reset();
        self.accord.reset();
        self.withdrawn.clear();
        let state = gateway.batch(|gateway| gateway.start_link(self.peer))?;
        let name = &gateway.peers()[self.peer].rules.name;
        // The same settings made a link before.
        self.settings.secret = self.keyring.secret().clone();
        if let Ok(link) = new_link(name, &self.settings, self.channel, state) {
            self.link = link;
            self.keyring.attach(&mut self.link);
        }
        Ok(())
    }

    fn events(&mut self, gateway: &mut Gateway) -> Result<(), GatewayError> {
        let name = gateway.peers()[self.peer].rules.name.clone();
        while let Some(event) = self.link.poll_event() {
            match event {
                Event::Up | Event::Resumed => {
                    info!(peer = name, "the far end answers");
                    gateway.handle_up(self.peer, true);
                }
                Event::Suspended | Event::Closed => {
                    info!(peer = name, "the far end is silent");
                    gateway.handle_up(self.peer, false);
                }
                Event::Reset => {
                    info!(peer = name, "one end started again, memories begin empty");
                    self.coding.reset();
                    self.accord.reset();
                    self.withdrawn.clear();
                }
                Event::PeerEpoch(epoch) => {
                    self.coding.doubt(epoch);
                    gateway.handle_peer_epoch(self.peer, epoch)?;
                }
                Event::Delivered(number) => {
                    self.coding.acknowledge(number);
                    self.withdrawn.remove(&number.get());
                    gateway.handle_delivered(self.peer, number.get())?;
                }
                Event::Abandoned(number) => {
                    self.coding.abandon(number);
                    self.withdrawn.remove(&number.get());
                    gateway.handle_abandoned(self.peer, number.get())?;
                }
                Event::Agreed(dictionary) => self.agree(gateway, dictionary)?,
                Event::Mismatch => {
                    let (ours, theirs) = (self.link.agreement(), self.link.theirs());
                    gateway.link_mut(self.peer).dictionary = Spoken::None;
                    error!(
                        peer = name,
                        ?ours,
                        ?theirs,
                        "the two ends have no dictionary in common; nothing can be sent: \
                         give both the same text-model and dictionaries, and the same version"
                    );
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Asks the far end for its dictionaries, once there is a reason to talk.
    fn greet(&mut self, gateway: &Gateway) {
        let wanted = self.link.is_up() || self.link.wanted().is_some();
        if wanted || gateway.next_class(self.peer).is_some() {
            self.link.greet();
        }
    }

    /// The hellos settled on a dictionary.
    fn agree(&mut self, gateway: &mut Gateway, id: u32) -> Result<(), GatewayError> {
        let Some((known, favourite)) = self.accord.settle(id) else {
            return Ok(());
        };
        let peer = gateway.peers()[self.peer].rules.name.clone();
        let ids = gateway.store().ids(&peer)?;
        self.coding
            .change(&known.dictionary, ids, reached(&self.link));
        let name = &known.name;
        gateway.link_mut(self.peer).dictionary = if favourite {
            info!(peer, name, "the dictionary is agreed");
            Spoken::Agreed(name)
        } else {
            let favourite = self.accord.favourite();
            let (wanted, id) = (&favourite.name, favourite.dictionary.id);
            warn!(
                peer,
                name,
                wanted,
                id = format!("{id:08x}"),
                "the far end lacks a dictionary, or has another version; a lesser one is spoken"
            );
            Spoken::Lesser { name, wanted, id }
        };
        Ok(())
    }

    fn withdraw(&mut self, gateway: &Gateway, now: Instant) {
        for number in gateway.withdrawals(self.peer) {
            if self.withdrawn.insert(number) {
                self.link.cancel(now, PacketNumber::new(number));
            }
        }
    }

    /// Writes again what an earlier run, or an earlier memory, had under way.
    fn grant_again(&mut self, gateway: &mut Gateway, now: Instant) -> Result<(), GatewayError> {
        while let Some(number) = self.link.wanted() {
            let row = gateway.row(self.peer, number.get());
            let granted = match row {
                Some((id, class, false)) => gateway.stanza(id, class)?,
                _ => None,
            };
            let Some(granted) = granted else {
                self.link.cancel(now, number);
                continue;
            };
            let Some(grant) = self.link.grant_again(now, number, priority(granted.class)) else {
                return Ok(());
            };
            match self
                .coding
                .encode(number, &granted.stanza, true, grant.buffer)
            {
                Ok(len) => {
                    self.link.commit(now, len);
                    self.packet_octets += len as u64;
                }
                Err(Unfit::Room) => {
                    self.link.commit(now, 0);
                    return Ok(());
                }
                // It fitted once; whatever changed, nothing may wait for it.
                Err(Unfit::Never) => {
                    self.link.commit(now, 0);
                    self.link.cancel(now, number);
                }
            }
        }
        Ok(())
    }

    fn grant(&mut self, gateway: &mut Gateway, now: Instant) -> Result<(), GatewayError> {
        let len_max = self.link.packet_len_max();
        while let Some(class) = gateway.next_class(self.peer) {
            let Some(grant) = self.link.grant(now, priority(class)) else {
                return Ok(());
            };
            let Some(granted) = gateway.next_stanza(self.peer)? else {
                self.link.commit(now, 0);
                return Ok(());
            };
            let (number, room) = (grant.number, grant.buffer.len());
            match self
                .coding
                .encode(number, &granted.stanza, false, grant.buffer)
            {
                Ok(len) => {
                    self.record(gateway, &granted, number, len)?;
                    self.link.commit(now, len);
                }
                Err(Unfit::Room) if room < len_max => {
                    self.link.commit(now, 0);
                    return Ok(());
                }
                Err(_) => {
                    self.link.commit(now, 0);
                    gateway.handle_unfit(self.peer, &granted)?;
                }
            }
        }
        Ok(())
    }

    /// Makes number, ids and cost of a packet durable.
    fn record(
        &mut self,
        gateway: &mut Gateway,
        granted: &Granted,
        number: PacketNumber,
        len: usize,
    ) -> Result<(), GatewayError> {
        gateway.handle_grant(self.peer, granted, number.get())?;
        if let Some(capture) = &mut self.capture {
            capture.note(true, &granted.stanza);
        }
        let name = gateway.peers()[self.peer].rules.name.clone();
        for id in self.coding.ids(true, number) {
            gateway.store_mut().keep_id(&name, &id)?;
        }
        let view = gateway.link_mut(self.peer);
        if matches!(view.dictionary, Spoken::Lesser { .. }) {
            view.lesser_packets += 1;
        }
        self.packet_octets += len as u64;
        let user = address::bare(address::from(&granted.stanza));
        let airtime_ms = self.link.channel().airtime_ms(len);
        gateway.spend(self.peer, user, len as u64, airtime_ms)
    }

    /// What frames cost beyond the packets in them is nobody's: headers, tags, repeats, acknowledgements.
    fn account(&mut self, gateway: &mut Gateway) -> Result<(), GatewayError> {
        // Small sums wait, or every acknowledgement would cost a write.
        if self.frame_octets < self.packet_octets + 1024 {
            return Ok(());
        }
        let octets = self.frame_octets - self.packet_octets;
        let channel = self.link.channel();
        let packets_ms = (8000 * self.packet_octets).div_ceil(channel.bit_rate.max(1).into());
        let airtime_ms = self.airtime_ms.saturating_sub(packets_ms);
        (self.frame_octets, self.packet_octets, self.airtime_ms) = (0, 0, 0);
        gateway.spend(self.peer, "", octets, airtime_ms)
    }
}

/// The highest numbers sent and received.
fn reached(link: &Link<Vec<u8>>) -> [Option<PacketNumber>; 2] {
    let sent = link.outstanding().1.get().checked_sub(1);
    [sent.map(PacketNumber::new), link.accepted().highest()]
}

fn priority(class: Class) -> Priority {
    match class {
        Class::Urgent => Priority::Urgent,
        Class::Chat => Priority::Chat,
        Class::Presence => Priority::Presence,
        Class::Bulk => Priority::Bulk,
    }
}

//! Between outbox and link: which stanza goes next, under which number, and what became of it. Refuses to encode.

use crate::policy::{self, Class};
use crate::store::peer::Spent;
use crate::xml::Element;

use super::{Gateway, GatewayError, stored};

/// A stanza to encode.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Granted {
    /// Row of the outbox.
    pub id: i64,
    /// How it goes.
    pub class: Class,
    /// What goes.
    pub stanza: Element,
}

impl Gateway {
    /// The class of the stanza that should go next to a peer.
    pub fn next_class(&self, peer: usize) -> Option<Class> {
        self.peers[peer].outbox.next().map(|(_, class)| class)
    }

    /// The stanza that should go next to a peer.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub fn next_stanza(&self, peer: usize) -> Result<Option<Granted>, GatewayError> {
        match self.peers[peer].outbox.next() {
            None => Ok(None),
            Some((id, class)) => self.stanza(id, class),
        }
    }

    /// The stanza of a row.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub fn stanza(&self, id: i64, class: Class) -> Result<Option<Granted>, GatewayError> {
        let Some((xml, queued_ms)) = self.store.queued_since(id)? else {
            return Ok(None);
        };
        let mut stanza = stored(&xml)?;
        policy::delay::stamp(&mut stanza, queued_ms, self.clock.unix_ms());
        Ok(Some(Granted { id, class, stanza }))
    }

    /// The link gave a stanza its number; durable with the batch the caller runs.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub fn handle_grant(
        &mut self,
        peer: usize,
        granted: &Granted,
        number: u32,
    ) -> Result<(), GatewayError> {
        let name = &self.peers[peer].rules.name;
        self.store
            .number(granted.id, name, number, granted.class.index())?;
        self.peers[peer]
            .outbox
            .grant(granted.id, number, granted.class);
        Ok(())
    }

    /// The far end has custody.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub fn handle_delivered(&mut self, peer: usize, number: u32) -> Result<(), GatewayError> {
        if let Some(id) = self.peers[peer].outbox.by_number(number) {
            let octets = self.store.queued_xml(id)?.map_or(0, |xml| xml.len());
            self.unqueue(peer, id)?;
            self.peers[peer].delivered += 1;
            self.peers[peer].xml_octets += octets as u64;
        }
        Ok(())
    }

    /// The packet was withdrawn, and the far end confirmed that it will never surface.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub fn handle_abandoned(&mut self, peer: usize, number: u32) -> Result<(), GatewayError> {
        match self.peers[peer].outbox.by_number(number) {
            Some(id) => self.give_up(peer, id),
            None => Ok(()),
        }
    }

    /// A stanza that can never be encoded for this link goes back to its sender.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub fn handle_unfit(&mut self, peer: usize, granted: &Granted) -> Result<(), GatewayError> {
        self.unqueue(peer, granted.id)?;
        let text = "too large for the radio link";
        self.bounce(
            &granted.stanza,
            policy::refuse::Condition::PolicyViolation,
            text,
        )
    }

    /// The row of a packet under way: its id, how it goes, and whether it is to be withdrawn.
    pub fn row(&self, peer: usize, number: u32) -> Option<(i64, Class, bool)> {
        self.peers[peer].outbox.on_air_row(number)
    }

    /// The far end was heard, or fell silent.
    pub fn handle_up(&mut self, peer: usize, is_up: bool) {
        self.peers[peer].link.is_up = is_up;
    }

    /// A frame of this peer was heard.
    pub fn handle_heard(&mut self, peer: usize) {
        let heard_ms = self.clock.unix_ms();
        let link = &mut self.peers[peer].link;
        (link.was_heard, link.heard_ms) = (true, heard_ms);
    }

    /// What the link to a peer says of itself.
    pub fn link_mut(&mut self, peer: usize) -> &mut super::LinkView {
        &mut self.peers[peer].link
    }

    /// The database, for ids and link state; in the batch the caller runs.
    pub fn store_mut(&mut self) -> &mut crate::store::Store {
        &mut self.store
    }

    /// Adds transmissions to the airtime account.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub fn spend(
        &mut self,
        peer: usize,
        user: &str,
        octets: u64,
        airtime_ms: u64,
    ) -> Result<(), GatewayError> {
        let spent = Spent {
            peer: self.peers[peer].rules.name.clone(),
            user: user.into(),
            octets,
            airtime_ms,
        };
        self.store.spend(self.clock.day(), &spent)?;
        Ok(())
    }

    /// The record of accepted packets, in the batch of the newest.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub fn accept(&mut self, peer: usize, base: u32, beyond: u64) -> Result<(), GatewayError> {
        let name = &self.peers[peer].rules.name;
        Ok(self.store.accept(name, base, beyond)?)
    }

    /// Counts a start of the link to a peer, and what it must know of earlier ones.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub fn start_link(
        &mut self,
        peer: usize,
    ) -> Result<crate::store::peer::LinkState, GatewayError> {
        let name = &self.peers[peer].rules.name;
        self.store.start_epoch(name)?;
        Ok(self.store.link_state(name)?)
    }

    /// The far end said how often it started.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub fn handle_peer_epoch(&mut self, peer: usize, epoch: u32) -> Result<(), GatewayError> {
        let name = &self.peers[peer].rules.name;
        Ok(self.store.keep_peer_epoch(name, epoch)?)
    }
}

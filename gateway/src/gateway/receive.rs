//! A stanza from a peer: checked, learnt from, and passed on. Refuses to take a peer's word for domains that do not
//! live there.

use tracing::{debug, warn};

use crate::policy::refuse::Condition;
use crate::policy::{Reason, address};
use crate::xml::Element;

use super::{Gateway, GatewayError, Target};

impl Gateway {
    /// Takes a stanza out of packet `number` of a peer; the caller runs this in one [`Self::batch`] with the record of
    /// accepted packets. `None` is a packet that could not be read.
    ///
    /// # Errors
    /// [`GatewayError`]; the packet must not be acknowledged then.
    pub fn handle_packet(
        &mut self,
        peer: usize,
        stanza: Option<Element>,
    ) -> Result<(), GatewayError> {
        let Some(stanza) = stanza.filter(address::is_addressed) else {
            warn!(peer = %self.peers[peer].rules.name, "a packet that is no stanza");
            self.count_at(Reason::Undecodable, peer);
            return Ok(());
        };
        self.peers[peer].received += 1;
        if let Target::Group(group) = self
            .routes
            .target(address::from(&stanza), address::to(&stanza))
            && stanza.name == "message"
        {
            return self.handle_member(group, peer, &stanza);
        }
        if !self.routes.is_of(peer, address::from(&stanza)) {
            warn!(
                peer = %self.peers[peer].rules.name,
                domain = address::domain(address::from(&stanza)),
                "dropped a stanza from a domain that does not live there"
            );
            self.count_at(Reason::Spoofed, peer);
            return Ok(());
        }
        debug!(peer = %self.peers[peer].rules.name, kind = %stanza.name, "received");
        match stanza.name.as_str() {
            "presence" => self.note_presence(&stanza)?,
            "message" => self.note_event(&stanza)?,
            "iq" if is_reply(&stanza) && !self.note_reply(&stanza)? => {
                self.count_at(Reason::LateReply, peer);
                return Ok(());
            }
            _ => {}
        }
        self.forward(Some(peer), stanza)
    }

    /// Passes a stanza on to where it belongs; never back to the peer it came from.
    pub(super) fn forward(
        &mut self,
        came: Option<usize>,
        stanza: Element,
    ) -> Result<(), GatewayError> {
        match self
            .routes
            .target(address::from(&stanza), address::to(&stanza))
        {
            Target::Service(service) => self.keep(service, stanza),
            Target::Peer(peer) if Some(peer) != came => self.send(peer, stanza),
            Target::Group(group) => match came {
                Some(peer) => self.handle_member(group, peer, &stanza),
                None => self.handle_room(group, &stanza),
            },
            Target::Peer(_) | Target::Nowhere => self.bounce(
                &stanza,
                Condition::RemoteServerNotFound,
                "no route to this domain",
            ),
        }
    }
}

fn is_reply(iq: &Element) -> bool {
    !matches!(address::kind(iq), "get" | "set")
}

//! What happens when time is up: stanzas come back as errors, requests are answered for those who never will. Refuses
//! to give up a packet on its own word: once on the air, only the far end can say that it will never surface.

use crate::policy::Reason;
use crate::policy::refuse::{self, Condition};
use crate::xmpp::stanza::{self, ErrorKind};

use super::{Gateway, GatewayError, stored};

impl Gateway {
    /// When something expires next, Unix ms.
    pub fn next_deadline(&self) -> Option<i64> {
        let expiries = self
            .peers
            .iter()
            .filter_map(|peer| peer.outbox.next_expiry());
        expiries.chain(self.next_iq_ms).min()
    }

    /// Expires what is due. Packets to withdraw wait in [`Self::withdrawals`].
    ///
    /// # Errors
    /// [`GatewayError`].
    pub fn handle_timeout(&mut self) -> Result<(), GatewayError> {
        let now_ms = self.clock.unix_ms();
        if self.next_deadline().is_none_or(|next| next > now_ms) {
            return Ok(());
        }
        self.batch(|gateway| {
            gateway.expire_requests(now_ms)?;
            for peer in 0..gateway.peers.len() {
                while let Some((id, number)) = gateway.peers[peer].outbox.expire(now_ms) {
                    match number {
                        None => gateway.give_up(peer, id)?,
                        Some(_) => gateway.peers[peer].wake.notify_one(),
                    }
                }
            }
            gateway.store.sweep(now_ms).map_err(Into::into)
        })
    }

    /// Takes a row out of the outbox on the operator's word; its sender is told. `false` if there is none.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub fn withdraw(&mut self, id: i64) -> Result<bool, GatewayError> {
        let Some(peer) = self.peers.iter().position(|peer| peer.outbox.contains(id)) else {
            return Ok(false);
        };
        self.batch(|gateway| Ok(gateway.store.withdraw(id)?))?;
        self.peers[peer].outbox.withdraw(id);
        self.handle_timeout()?;
        Ok(true)
    }

    /// The numbers of this peer's packets that the link should withdraw.
    pub fn withdrawals(&self, peer: usize) -> Vec<u32> {
        let granted = self.peers[peer].outbox.granted().into_iter();
        granted
            .filter_map(|(number, _, _, cancelled)| cancelled.then_some(number))
            .collect()
    }

    /// Ends custody of a row that will never reach the far end.
    pub(super) fn give_up(&mut self, peer: usize, id: i64) -> Result<(), GatewayError> {
        let Some(xml) = self.store.queued_xml(id)? else {
            return Ok(());
        };
        let stanza = stored(&xml)?;
        self.unqueue(peer, id)?;
        if stanza.name == "presence" {
            let (from, to) = (stanza.attr("from"), stanza.attr("to"));
            self.forget_sent(from.unwrap_or_default(), to.unwrap_or_default())?;
        }
        // Requests have a deadline of their own.
        if stanza.name == "iq" {
            return Ok(());
        }
        if refuse::error(&stanza, Condition::RemoteServerTimeout, "").is_none() {
            self.count_at(Reason::Expired, peer);
            return Ok(());
        }
        let text = "the radio link did not take it in time";
        self.bounce(&stanza, Condition::RemoteServerTimeout, text)
    }

    fn expire_requests(&mut self, now_ms: i64) -> Result<(), GatewayError> {
        for request in self.store.overdue(now_ms)? {
            let request = stored(&request.xml)?;
            let text = "no reply over the radio link in time";
            if let Some(error) =
                stanza::error(&request, ErrorKind::Wait, "remote-server-timeout", text)
            {
                self.forward(None, error)?;
            }
        }
        self.next_iq_ms = self.store.next_deadline()?;
        Ok(())
    }
}

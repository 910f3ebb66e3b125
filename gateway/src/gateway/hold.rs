//! Far entities' state held here, and answers from it. Refuses to answer for an entity that is not known to be there.
//!
//! | topic | owner | what |
//! |---|---|---|
//! | `presence` + receiver | far full JID, or far bare JID when no resource is left | the last presence |
//! | `sent` + receiver | local JID | digest of the last presence sent, so that it is not sent again |
//! | `photo` | far bare JID | hash of the photo its presence announced |
//! | see [`answer::topic`] | | payloads of replies |

use sha2::{Digest, Sha256};

use crate::policy::address::{bare, domain, from, id, is_full, kind, to};
use crate::policy::answer::{self, Topic};
use crate::policy::caps;
use crate::policy::classify::{NS_PUBSUB_EVENT, is_join, is_presence_state};
use crate::xml::Element;

use super::{Gateway, GatewayError, stored};

const NS_MUC_USER: &str = "http://jabber.org/protocol/muc#user";
const NS_PHOTO: &str = "vcard-temp:x:update";
/// How long presence is believed without news; then probes and pings cross again.
const PRESENCE_MS: i64 = 24 * 3_600_000;

impl Gateway {
    /// Answers a stanza on its way to `peer` from what is held; `false` if it must go.
    pub(super) fn answer_here(
        &mut self,
        peer: usize,
        stanza: &Element,
    ) -> Result<bool, GatewayError> {
        if stanza.name == "presence" && kind(stanza) == "probe" {
            return self.answer_probe(stanza);
        }
        if stanza.name != "iq" || kind(stanza) != "get" {
            return Ok(false);
        }
        let now_ms = self.clock.unix_ms();
        if answer::is_ping(stanza) {
            let there = self.peers[peer].link.is_up && self.is_there(stanza)?;
            if there {
                self.answer("ping", answer::reply(stanza, None, now_ms));
            }
            return Ok(there);
        }
        let topic = if answer::asks_info_of_client(stanza) {
            self.caps_of(stanza)?
        } else {
            answer::topic(stanza)
        };
        let Some(topic) = topic else {
            return Ok(false);
        };
        let Some(held) = self.store.held(&topic.owner, &topic.name, now_ms)? else {
            return Ok(false);
        };
        let reply = answer::reply(stanza, Some(stored(&held)?), now_ms);
        self.answer("held", reply);
        Ok(true)
    }

    /// Is the pinged entity a far server, or has it sent presence to who pings?
    fn is_there(&self, ping: &Element) -> Result<bool, GatewayError> {
        let (asked, asker) = (to(ping), from(ping));
        if asked == domain(asked) {
            return Ok(true);
        }
        let now_ms = self.clock.unix_ms();
        for receiver in [asker, bare(asker)] {
            let topic = format!("presence {receiver}");
            for (owner, xml) in self.store.held_of(bare(asked), &topic, now_ms)? {
                let same = owner == asked || (!is_full(asked) && is_full(&owner));
                if same && kind(&stored(&xml)?).is_empty() {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Where the disco of a client lies whose presence announced its capabilities.
    fn caps_of(&self, request: &Element) -> Result<Option<Topic>, GatewayError> {
        let now_ms = self.clock.unix_ms();
        for receiver in [from(request), bare(from(request))] {
            let held = self
                .store
                .held(to(request), &format!("presence {receiver}"), now_ms)?;
            if let Some(presence) = held.map(|xml| stored(&xml)).transpose()? {
                return Ok(caps::announced(&presence).map(|(node, ver)| Topic::caps(node, ver)));
            }
        }
        Ok(None)
    }

    /// Answers a probe with the presence held of everything the probed account has.
    fn answer_probe(&mut self, probe: &Element) -> Result<bool, GatewayError> {
        let topic = format!("presence {}", bare(from(probe)));
        let held = self
            .store
            .held_of(bare(to(probe)), &topic, self.clock.unix_ms())?;
        for (_, xml) in &held {
            let mut presence = stored(xml)?;
            presence.set_attr("to", from(probe));
            self.answer("probe", presence);
        }
        Ok(!held.is_empty())
    }

    /// Learns from a presence that came from the far end.
    pub(super) fn note_presence(&mut self, presence: &Element) -> Result<(), GatewayError> {
        let (sender, receiver) = (from(presence), to(presence));
        let (owner, topic) = (bare(sender), format!("presence {receiver}"));
        match kind(presence) {
            "" if is_full(sender) => {
                self.note_photo(presence)?;
                let until = self.clock.unix_ms() + PRESENCE_MS;
                self.store
                    .hold(sender, &topic, until, &presence.to_xml(""))?;
                self.store.let_go(owner, &topic)?;
            }
            "unavailable" => {
                self.store.let_go(sender, &topic)?;
                self.store.let_go(sender, "version")?;
                let now_ms = self.clock.unix_ms();
                let gone = self.store.held_of(owner, &topic, now_ms)?.is_empty();
                // A room is not an account: nobody is left to speak for its occupants.
                if gone && presence.child(NS_MUC_USER, "x").is_none() {
                    let mut absent = presence.clone();
                    absent.set_attr("from", owner);
                    self.store
                        .hold(owner, &topic, now_ms + PRESENCE_MS, &absent.to_xml(""))?;
                }
            }
            // They want to know, so what was sent last must be sent again.
            "probe" => self.forget_sent(receiver, sender)?,
            "error" => {}
            _ => {
                self.forget_held(owner, bare(receiver))?;
                self.forget_sent(receiver, sender)?;
            }
        }
        Ok(())
    }

    /// A new photo makes the card held stale.
    fn note_photo(&mut self, presence: &Element) -> Result<(), GatewayError> {
        let update = presence.child(NS_PHOTO, "x");
        let Some(photo) = update.and_then(|x| x.child(NS_PHOTO, "photo")) else {
            return Ok(());
        };
        let (owner, now_ms) = (bare(from(presence)), self.clock.unix_ms());
        let known = self.store.held(owner, "photo", now_ms)?;
        if known.as_deref() != Some(&photo.text()) {
            self.store.let_go(owner, "vcard")?;
            self.store
                .hold(owner, "photo", now_ms + 30 * PRESENCE_MS, &photo.text())?;
        }
        Ok(())
    }

    /// An item pushed by an account makes what is held of it stale.
    pub(super) fn note_event(&mut self, message: &Element) -> Result<(), GatewayError> {
        if message.child(NS_PUBSUB_EVENT, "event").is_some() {
            self.store.let_go(from(message), "vcard4")?;
            self.store.let_go(from(message), "vcard")?;
        }
        Ok(())
    }

    /// A reply from the far end: `false` if nobody waits for it. What may be held of it is.
    pub(super) fn note_reply(&mut self, reply: &Element) -> Result<bool, GatewayError> {
        let Some(request) = self.store.answered(to(reply), from(reply), id(reply))? else {
            return Ok(false);
        };
        let request = stored(&request)?;
        let topic = if answer::asks_info_of_client(&request) {
            self.caps_of(&request)?
        } else {
            answer::topic(&request)
        };
        let payload = reply.children().next();
        if let (Some(topic), Some(payload), "result") = (topic, payload, kind(reply)) {
            let ver = topic
                .name
                .strip_prefix("caps ")
                .and_then(|it| it.rsplit_once('#'));
            if ver.is_none_or(|(_, ver)| caps::matches(payload, ver)) {
                let until = self.clock.unix_ms().saturating_add(topic.hold_ms);
                self.store
                    .hold(&topic.owner, &topic.name, until, &payload.to_xml(""))?;
            }
        }
        Ok(true)
    }

    /// Was this very presence the last one sent there? Remembers it. Rooms are told everything.
    pub(super) fn repeats_sent(&mut self, stanza: &Element) -> Result<bool, GatewayError> {
        if !is_presence_state(stanza) || is_join(stanza) || is_full(to(stanza)) {
            return Ok(false);
        }
        let mut known = stanza.clone();
        known.remove_attr("id");
        let digest = crate::hex::emit(&Sha256::digest(known.to_xml("")));
        let (topic, now_ms) = (format!("sent {}", to(stanza)), self.clock.unix_ms());
        if self.store.held(from(stanza), &topic, now_ms)?.as_deref() == Some(&digest) {
            return Ok(true);
        }
        self.store
            .hold(from(stanza), &topic, now_ms + PRESENCE_MS, &digest)?;
        Ok(false)
    }

    /// The far end may no longer know what `local` sent to `far`.
    pub(super) fn forget_sent(&mut self, local: &str, far: &str) -> Result<(), GatewayError> {
        let topic = format!("sent {}", bare(far));
        for (owner, _) in self.store.held_of(bare(local), &topic, 0)? {
            self.store.let_go(&owner, &topic)?;
        }
        Ok(())
    }

    /// `far` and `local` (bare) changed what they tell each other.
    fn forget_held(&mut self, far: &str, local: &str) -> Result<(), GatewayError> {
        let topic = format!("presence {local}");
        for (owner, _) in self.store.held_of(far, &topic, 0)? {
            self.store.let_go(&owner, &topic)?;
        }
        Ok(())
    }
}

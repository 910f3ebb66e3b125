//! The gateway's decisions, without its sockets and radios: stanzas and news of links in, rows and deliveries out.
//! Refuses to wait for anything; [`crate::run`] does.
//!
//! A stanza visits, in this order:
//!
//! ```text
//! attachment ─▶ submit ─▶ routes ─▶ send (answer, plan, merge) ─▶ outbox ─▶ grant ─▶ codec session, link, modem
//! attachment ◀─ inbox ◀── routes ◀── receive (hold, match) ◀──────────────────────── codec session, link, modem
//! ```
//!
//! Everything that happens in one step of the world is one batch of the store: it is all there after a kill, or none
//! of it.

mod expire;
mod grant;
pub mod group;
mod hold;
mod key;
mod receive;
mod room;
mod routes;
mod send;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::rc::Rc;

use thiserror::Error;
use tokio::sync::Notify;
use tracing::{error, warn};

use crate::clock::Clock;
use crate::config::{self, Config};
use crate::inbox::Inbox;
use crate::outbox::Outbox;
use crate::policy::refuse::{self, Condition};
use crate::policy::{Reason, address};
use crate::router::{Refused, Service, Submission};
use crate::store::{Store, StoreError};
use crate::xml::{Context, Element, Limits, XmlError};
pub use grant::Granted;
pub use key::{KeyState, KeyView};
use routes::{Routes, Target};

/// A step of the gateway that failed; nothing of it was kept.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GatewayError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A row of ours does not parse any more.
    #[error("a stored stanza is damaged: {0}")]
    Stored(#[from] XmlError),
    /// The stanza has no addresses.
    #[error("not a stanza with valid from and to")]
    Malformed,
}

/// One peer, as far as it needs no link: its rules, its queue, its counters.
#[derive(Debug)]
pub struct Peer {
    /// From the configuration.
    pub rules: config::Peer,
    /// What waits for it.
    pub outbox: Outbox,
    /// Told whenever something may be sent; all peers of a modem share it.
    pub wake: Rc<Notify>,
    /// What the link says.
    pub link: LinkView,
    /// Its key.
    pub key: KeyView,
    /// Stanzas the far end confirmed.
    pub delivered: u64,
    /// XML of the stanzas sent, octets.
    pub xml_octets: u64,
    /// Stanzas the far end sent.
    pub received: u64,
}

/// What a link last said, for decisions and `status`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct LinkView {
    /// Was the far end heard, and has not fallen silent?
    pub is_up: bool,
    /// Was it ever heard in this run?
    pub was_heard: bool,
    /// When, Unix ms.
    pub heard_ms: i64,
    /// Octets of frames handed to the modem.
    pub air_octets: u64,
    /// How long they took.
    pub airtime_ms: u64,
    /// Which dictionary is spoken.
    pub dictionary: Spoken,
    /// Packets written in a lesser dictionary than the favourite.
    pub lesser_packets: u64,
}

/// How far two ends are with choosing a dictionary.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Spoken {
    /// That of the configuration, or, where several are offered, none yet.
    #[default]
    Assumed,
    /// The favourite, by its name: the hellos said so.
    Agreed(&'static str),
    /// Another one than the favourite.
    Lesser {
        /// Its name.
        name: &'static str,
        /// The favourite, which the far end lacks, or has in another version.
        wanted: &'static str,
        /// The favourite's id, which tells two versions of one name apart.
        id: u32,
    },
    /// There is none in common.
    None,
}

/// See the module.
#[derive(Debug)]
pub struct Gateway {
    store: Store,
    clock: Clock,
    routes: Routes,
    peers: Vec<Peer>,
    /// What waits for the attachments.
    pub inbox: Inbox,
    /// Told when [`Self::next_deadline`] may have become earlier.
    pub timer: Rc<Notify>,
    groups: Vec<group::Group>,
    dropped: BTreeMap<(Reason, String), u64>,
    answered: BTreeMap<&'static str, u64>,
    /// When the next request is overdue, Unix ms.
    next_iq_ms: Option<i64>,
    /// Deliveries of the running batch.
    kept: Vec<(Service, u64, Element)>,
}

impl Gateway {
    /// The gateway as its database left it.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub fn new(config: &Config, mut store: Store, clock: Clock) -> Result<Self, GatewayError> {
        let mut wakes = BTreeMap::<String, Rc<Notify>>::new();
        let peers = config.peers.iter().map(|rules| {
            Ok(Peer {
                outbox: Outbox::new(&store.queued(&rules.name)?),
                rules: rules.clone(),
                wake: wakes.entry(rules.modem.clone()).or_default().clone(),
                link: LinkView::default(),
                key: KeyView::default(),
                xml_octets: 0,
                delivered: 0,
                received: 0,
            })
        });
        let peers = peers.collect::<Result<Vec<_>, StoreError>>()?;
        let groups = config.groups.iter().map(|rules| {
            let wake = wakes.entry(rules.modem.clone()).or_default().clone();
            group::Group::load(config, rules, &mut store, wake)
        });
        let groups = groups.collect::<Result<Vec<_>, StoreError>>()?;
        let mut inbox = Inbox::default();
        for (service, waiting) in store.waiting()? {
            let key = waiting.id.unsigned_abs();
            inbox.push(&crate::inbox::service(&service), key, stored(&waiting.xml)?);
        }
        Ok(Self {
            next_iq_ms: store.next_deadline()?,
            routes: Routes::new(config),
            store,
            clock,
            peers,
            inbox,
            timer: Rc::default(),
            groups,
            dropped: BTreeMap::new(),
            answered: BTreeMap::new(),
            kept: Vec::new(),
        })
    }

    // Getters.

    /// The peers, in the order of the configuration.
    pub fn peers(&self) -> &[Peer] {
        &self.peers
    }

    /// The database, for link state and reports.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The clock everything here goes by.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// What was not carried: reason, peer (or empty) and how often.
    pub fn dropped(&self) -> impl Iterator<Item = (Reason, &str, u64)> {
        let counts = self.dropped.iter();
        counts.map(|((reason, peer), count)| (*reason, peer.as_str(), *count))
    }

    /// Requests answered without the air, by kind.
    pub fn answered(&self) -> &BTreeMap<&'static str, u64> {
        &self.answered
    }

    // What the world did.

    /// Takes stanzas from attachments in one batch, and tells each sender how it went.
    pub fn handle_submissions(&mut self, submissions: Vec<Submission>) {
        let mut replies = Vec::with_capacity(submissions.len());
        let taken = self.batch(|gateway| {
            for submission in submissions {
                let taken = gateway.submit(submission.stanza);
                let result = match taken {
                    Ok(()) => Ok(()),
                    Err(GatewayError::Malformed) => Err(Refused::Malformed),
                    Err(error) => {
                        replies.push((submission.reply, Err(Refused::Storage)));
                        return Err(error);
                    }
                };
                replies.push((submission.reply, result));
            }
            Ok(())
        });
        for (reply, result) in replies {
            let result = if taken.is_ok() {
                result
            } else {
                Err(Refused::Storage)
            };
            // A sender that went away does not need to know.
            let _ = reply.send(result);
        }
    }

    /// Somebody took a delivery.
    pub fn handle_taken(&mut self, service: &Service, key: u64) {
        let taken = self.inbox.pop(service, key);
        if taken.is_empty() {
            return;
        }
        let kept = self.batch(|gateway| {
            for key in taken {
                gateway.store.taken(key.cast_signed())?;
            }
            Ok(())
        });
        if let Err(error) = kept {
            error!(%error, "delivered stanzas stay in the inbox and will be delivered again");
        }
    }

    /// Runs `work` in one batch. Where it fails, the queues in memory are read again from what is on disk.
    ///
    /// # Errors
    /// What `work` returns.
    pub fn batch<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, GatewayError>,
    ) -> Result<T, GatewayError> {
        self.store.begin()?;
        let done = work(self);
        let done = match done {
            Ok(value) => self.store.commit().map(|()| value).map_err(Into::into),
            Err(error) => Err(error),
        };
        match done {
            Ok(value) => {
                for (service, key, stanza) in std::mem::take(&mut self.kept) {
                    self.inbox.push(&service, key, stanza);
                }
                Ok(value)
            }
            Err(error) => {
                error!(%error, "nothing of this step was kept");
                self.kept.clear();
                self.store.roll_back();
                self.reload()?;
                Err(error)
            }
        }
    }

    fn reload(&mut self) -> Result<(), GatewayError> {
        for peer in &mut self.peers {
            peer.outbox = Outbox::new(&self.store.queued(&peer.rules.name)?);
        }
        for group in &mut self.groups {
            group.next = self.store.group_next(&group.rules.name)?;
        }
        self.next_iq_ms = self.store.next_deadline()?;
        Ok(())
    }

    // Steps of the way.

    fn submit(&mut self, stanza: Element) -> Result<(), GatewayError> {
        if !address::is_addressed(&stanza) {
            return Err(GatewayError::Malformed);
        }
        self.forward(None, stanza)
    }

    /// Keeps a stanza for an attachment.
    fn keep(&mut self, service: Service, stanza: Element) -> Result<(), GatewayError> {
        let name = crate::inbox::name(&service);
        let row = self
            .store
            .keep(&name, self.clock.unix_ms(), &stanza.to_xml(""))?;
        self.kept.push((service, row.unsigned_abs(), stanza));
        Ok(())
    }

    /// Hands a reply of our own to whoever asked; it is not durable, as the question was not.
    fn answer(&mut self, what: &'static str, reply: Element) {
        *self.answered.entry(what).or_default() += 1;
        let target = self
            .routes
            .target(address::from(&reply), address::to(&reply));
        if let Target::Service(service) = target {
            self.kept.push((service, 0, reply));
        }
    }

    /// Sends a stanza back as an error, where its sender may be told.
    fn bounce(
        &mut self,
        stanza: &Element,
        condition: Condition,
        text: &str,
    ) -> Result<(), GatewayError> {
        let Some(error) = refuse::error(stanza, condition, text) else {
            self.count(Reason::Undeliverable, "");
            return Ok(());
        };
        let target = self
            .routes
            .target(address::from(&error), address::to(&error));
        match target {
            Target::Service(service) => self.keep(service, error),
            Target::Peer(peer) => self.queue(peer, error),
            Target::Group(group) => self.handle_room(group, &error),
            Target::Nowhere => {
                warn!("an error has no way back to its sender");
                self.count(Reason::Undeliverable, "");
                Ok(())
            }
        }
    }

    fn count(&mut self, reason: Reason, peer: &str) {
        *self.dropped.entry((reason, peer.to_owned())).or_default() += 1;
    }
}

/// Reads a stanza that this gateway wrote. The limits of [`Element::parse`] were those of the stream it came from, and
/// may be narrower.
fn stored(xml: &str) -> Result<Element, XmlError> {
    let limits = Limits {
        size: usize::MAX,
        ..Limits::default()
    };
    Element::parse_in(xml.as_bytes(), &Context::default(), &limits)
}

//! A group: what is said in its room goes out once for all members, and who has it is known because they said so.
//! Refuses to know frames; `radio` sends and repairs.
//!
//! ```text
//! room of a listener ─▶ outbox of the speaker's peer ─▶ link ─▶ say
//! room of the speaker ─▶ say ─▶ log ─▶ broadcast ─▶ log of every listener ─▶ its room
//!                                         reports ◀─ links of the listeners
//! ```

use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use longwire_codec::group::{GROUP_REQUEST_MAX, GroupAccepted, GroupResume};
use longwire_codec::link::PacketNumber;
use tokio::sync::Notify;
use tracing::{debug, warn};

use super::room::{Occupant, content};
use super::{Gateway, GatewayError, stored};
use crate::config::{self, Config};
use crate::policy::address::{bare, from, kind};
use crate::policy::{Reason, delay};
use crate::store::Store;
use crate::store::StoreError;
use crate::store::group::{LOG_MAX, Said};
use crate::store::peer::Spent;
use crate::xml::{Element, NS_CLIENT};

/// What gateways of a group tell each other.
pub(crate) const NS_GROUP: &str = "urn:longwire:group:0";

/// One group.
#[derive(Debug)]
pub struct Group {
    /// From the configuration.
    pub rules: config::Group,
    /// At the speaker: the listeners.
    pub members: Vec<Member>,
    /// At a listener: the peer that speaks, by its place in the configuration.
    pub speaker: Option<usize>,
    /// Told whenever something may be sent.
    pub(crate) wake: Rc<Notify>,
    /// At the speaker: the number of the next message.
    pub next: u32,
    /// At a listener: the number of the message the room is told next.
    told: u32,
    /// Messages said here, or heard, in this run.
    pub count: u64,
    /// Octets of frames to the whole group.
    pub air_octets: u64,
    /// Repair requests the radio has not seen.
    pub(crate) requests: Vec<Vec<u8>>,
    pub(super) occupants: Vec<Occupant>,
}

/// A station that listens.
#[derive(Debug)]
pub struct Member {
    /// Its place in the configuration.
    pub peer: usize,
    /// What it said it has.
    pub accepted: GroupAccepted,
    /// When it last said so in this run, Unix ms.
    pub reported_ms: Option<i64>,
}

impl Group {
    pub(super) fn load(
        config: &Config,
        rules: &config::Group,
        store: &mut Store,
        wake: Rc<Notify>,
    ) -> Result<Self, StoreError> {
        let place = |name: &String| config.peers.iter().position(|peer| peer.name == *name);
        let members = rules.members.iter().map(|name| {
            Ok(Member {
                // Members are peers: the configuration was validated.
                peer: place(name).unwrap_or_default(),
                accepted: store.member(&rules.name, name)?,
                reported_ms: None,
            })
        });
        Ok(Self {
            members: members.collect::<Result<_, StoreError>>()?,
            speaker: place(&rules.speaker),
            next: store.group_next(&rules.name)?,
            // What the room was not told before a restart is in its history.
            told: store.group_next(&rules.name)?,
            rules: rules.clone(),
            wake,
            count: 0,
            air_octets: 0,
            requests: Vec::new(),
            occupants: Vec::new(),
        })
    }

    /// Its name in the account of airtime.
    pub fn account(&self) -> String {
        format!("group {}", self.rules.name)
    }

    /// Messages a member is not known to have.
    pub fn lacking(&self, member: &Member) -> Vec<u32> {
        let numbers = self.next.saturating_sub(LOG_MAX)..self.next;
        let lacks = |number: &u32| !member.accepted.contains(PacketNumber::new(*number));
        numbers.filter(lacks).collect()
    }
}

impl Gateway {
    /// The groups, in the order of the configuration.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    pub(crate) fn group_mut(&mut self, group: usize) -> &mut Group {
        &mut self.groups[group]
    }

    /// Says `said` to everybody: here at once, elsewhere by the radio.
    pub(super) fn say(&mut self, group: usize, said: Element) -> Result<(), GatewayError> {
        let number = self.groups[group].next;
        self.log(group, number, &said)?;
        self.groups[group].next = number + 1;
        self.groups[group].wake.notify_one();
        self.tell_all(group, &said)
    }

    fn log(&mut self, group: usize, number: u32, said: &Element) -> Result<(), GatewayError> {
        let row = Said {
            number,
            at_ms: self.clock.unix_ms(),
            xml: said.to_xml(""),
        };
        self.groups[group].count += 1;
        let name = self.groups[group].rules.name.clone();
        Ok(self.store.keep_said(&name, &row)?)
    }

    /// The message of this number, for the radio; `None` if it is too old.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub(crate) fn said(&self, group: usize, number: u32) -> Result<Option<Element>, GatewayError> {
        let said = self.store.said(&self.groups[group].rules.name, number)?;
        let Some(found) = said.first().filter(|it| it.number == number) else {
            return Ok(None);
        };
        let mut said = stored(&found.xml)?;
        delay::stamp(&mut said, found.at_ms, self.clock.unix_ms());
        Ok(Some(said))
    }

    /// A packet of the group was heard; `resume` is kept with it, in the batch the caller runs.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub(crate) fn handle_said(
        &mut self,
        group: usize,
        number: u32,
        said: Option<Element>,
        resume: &GroupResume,
    ) -> Result<(), GatewayError> {
        let name = self.groups[group].rules.name.clone();
        self.store.keep_group_resume(&name, resume)?;
        let room = self.room(group);
        let ours = |it: &Element| bare(from(it)) == room;
        let Some(said) = said.filter(ours) else {
            warn!(
                group = name,
                number, "a packet that is no message of the room"
            );
            self.count(Reason::Undecodable, &name);
            return Ok(());
        };
        debug!(group = name, number, "heard");
        self.log(group, number, &said)?;
        // The room did not wait for it.
        if number < self.groups[group].told {
            self.tell_all(group, &said)?;
        }
        Ok(())
    }

    /// Tells the room of a listener what it has, in the order of the numbers; `over_gaps` leaves out what is missing.
    /// `true` if a message waits for a missing one.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub(crate) fn tell_in_order(
        &mut self,
        group: usize,
        over_gaps: bool,
    ) -> Result<bool, GatewayError> {
        let of = &self.groups[group];
        for said in self.store.said(&of.rules.name, of.told)? {
            if said.number > self.groups[group].told && !over_gaps {
                return Ok(true);
            }
            self.tell_all(group, &stored(&said.xml)?)?;
            self.groups[group].told = said.number + 1;
        }
        Ok(false)
    }

    /// A listener tells the speaker what it has and what it asks for.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub(crate) fn report(
        &mut self,
        group: usize,
        request: &[u8],
        accepted: &GroupAccepted,
    ) -> Result<(), GatewayError> {
        let Some(peer) = self.groups[group].speaker else {
            return Ok(());
        };
        let room = self.room(group).to_owned();
        let report =
            Element::new(NS_GROUP, "report").with_text(BASE64.encode(emit(request, accepted)));
        let message = Element::new(NS_CLIENT, "message")
            .with_attr("from", room.clone())
            .with_attr("to", room)
            .with_child(report);
        self.queue(peer, message)
    }

    /// A stanza of `peer` for the room: something to say, or a report. Both only from members.
    pub(super) fn handle_member(
        &mut self,
        group: usize,
        peer: usize,
        stanza: &Element,
    ) -> Result<(), GatewayError> {
        let members = &self.groups[group].members;
        let Some(member) = members.iter().position(|it| it.peer == peer) else {
            self.count_at(Reason::Spoofed, peer);
            return Ok(());
        };
        if let Some(report) = stanza.child(NS_GROUP, "report") {
            return self.handle_report(group, member, &report.text());
        }
        if stanza.name != "message" || kind(stanza) != "groupchat" {
            self.count_at(Reason::Undeliverable, peer);
            return Ok(());
        }
        if bare(from(stanza)) != self.room(group) {
            self.count_at(Reason::Spoofed, peer);
            return Ok(());
        }
        let Some(mut said) = content(stanza, from(stanza)) else {
            return Ok(());
        };
        if let Some(carried) = stanza.child(NS_GROUP, "id") {
            said.set_attr("id", carried.text());
        }
        self.say(group, said)
    }

    fn handle_report(
        &mut self,
        group: usize,
        member: usize,
        text: &str,
    ) -> Result<(), GatewayError> {
        let now_ms = self.clock.unix_ms();
        let group = &mut self.groups[group];
        let parsed = BASE64.decode(text).ok();
        let Some((request, accepted)) = parsed.as_deref().and_then(parse) else {
            warn!(group = group.rules.name, "a report that makes no sense");
            return Ok(());
        };
        let peer = &mut group.members[member];
        peer.accepted = joined(&peer.accepted, &accepted);
        peer.reported_ms = Some(now_ms);
        if !request.is_empty() {
            group.requests.push(request.to_vec());
        }
        group.wake.notify_one();
        let (name, accepted) = (&group.rules.name, peer.accepted);
        let peer = &self.peers[peer.peer].rules.name;
        Ok(self.store.keep_member(name, peer, &accepted)?)
    }

    /// Adds transmissions to the airtime account.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub(crate) fn spend_on_group(
        &mut self,
        group: usize,
        octets: u64,
        airtime_ms: u64,
    ) -> Result<(), GatewayError> {
        let spent = Spent {
            peer: self.groups[group].account(),
            user: String::new(),
            octets,
            airtime_ms,
        };
        Ok(self.store.spend(self.clock.day(), &spent)?)
    }

    /// A start, or renewal, of the speaking end: its epoch, and the messages somebody lacks.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub(crate) fn start_group(&mut self, group: usize) -> Result<u32, GatewayError> {
        Ok(self
            .store
            .start_group_epoch(&self.groups[group].rules.name)?)
    }
}

/// Length of the request, the request, length of the base, the base without high zeros, the record without trailing zeros.
fn emit(request: &[u8], accepted: &GroupAccepted) -> Vec<u8> {
    let trim =
        |octets: &[u8]| octets.len() - octets.iter().rev().take_while(|it| **it == 0).count();
    let base = accepted.base.get().to_le_bytes();
    let base = &base[..trim(&base)];
    let beyond: Vec<u8> = accepted
        .beyond
        .iter()
        .flat_map(|it| it.to_le_bytes())
        .collect();
    // A request has 35 octets at most.
    let mut octets = vec![request.len() as u8];
    octets.extend_from_slice(request);
    octets.push(base.len() as u8);
    octets.extend_from_slice(base);
    octets.extend_from_slice(&beyond[..trim(&beyond)]);
    octets
}

fn parse(octets: &[u8]) -> Option<(&[u8], GroupAccepted)> {
    let (len, rest) = octets.split_first()?;
    let (request, rest) = rest.split_at_checked(usize::from(*len))?;
    let (len, rest) = rest.split_first()?;
    let (low, beyond) = rest.split_at_checked(usize::from(*len))?;
    let mut base = [0; 4];
    base.get_mut(..low.len())?.copy_from_slice(low);
    let mut words = [0u8; 32];
    words.get_mut(..beyond.len())?.copy_from_slice(beyond);
    let mut accepted = GroupAccepted {
        base: PacketNumber::new(u32::from_le_bytes(base)),
        beyond: [0; 4],
    };
    for (at, octet) in words.iter().enumerate() {
        accepted.beyond[at / 8] |= u64::from(*octet) << (at % 8 * 8);
    }
    (request.len() <= GROUP_REQUEST_MAX).then_some((request, accepted))
}

/// What a member has: what it had before, and what it says. Below its first base it is owed nothing.
fn joined(before: &GroupAccepted, now: &GroupAccepted) -> GroupAccepted {
    let has = |number: u32| {
        let number = PacketNumber::new(number);
        before.contains(number) || now.contains(number)
    };
    let mut base = before.base.get().max(now.base.get());
    while has(base) && base < u32::MAX {
        base += 1;
    }
    let mut beyond = [0u64; 4];
    for bit in (0..LOG_MAX).filter(|bit| has(base.saturating_add(1 + bit))) {
        beyond[bit as usize / 64] |= 1 << (bit % 64);
    }
    GroupAccepted {
        base: PacketNumber::new(base),
        beyond,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(base: u32, low: u64) -> GroupAccepted {
        GroupAccepted {
            base: PacketNumber::new(base),
            beyond: [low, 0, 0, 1 << 63],
        }
    }

    #[test]
    fn a_report_crosses_whole_and_short() {
        for (request, base) in [(&[][..], 0), (&[1, 2, 3], 300), (&[7; 35], u32::MAX)] {
            let accepted = record(base, 5);
            let octets = emit(request, &accepted);
            assert_eq!(parse(&octets), Some((request, accepted)));
            assert!(
                (0..octets.len() - 32)
                    .all(|cut| parse(&octets[..cut]) != Some((request, accepted)))
            );
        }
        assert_eq!(
            emit(
                &[],
                &GroupAccepted {
                    base: PacketNumber::new(12),
                    beyond: [0; 4]
                }
            ),
            [0, 1, 12]
        );
        assert_eq!(parse(&[40, 0]), None);
        assert_eq!(parse(&[0, 5, 1, 1, 1, 1, 1]), None);
    }

    #[test]
    fn a_report_takes_nothing_back() {
        let none = GroupAccepted::default();
        let late = record(10, 0);
        assert_eq!(
            joined(&late, &none).base.get(),
            10,
            "owed nothing of the past"
        );
        let some = GroupAccepted {
            base: PacketNumber::new(9),
            beyond: [0b11, 0, 0, 0],
        };
        let both = joined(&late, &some);
        assert_eq!(both.base.get(), 12, "10 and 11 are there");
        assert!(both.contains(PacketNumber::new(10 + 256)));
    }
}

//! The end of a group on one modem: it broadcasts, or listens and asks for what it missed. Refuses to know rooms; what
//! is said passes between it and the gateway.

mod listener;
mod speaker;

use std::cell::RefCell;
use std::rc::Rc;

use longwire_codec::channel::Channel;
use longwire_codec::dictionary::Dictionary;
use longwire_codec::group::GroupError;
use longwire_codec::link::PacketNumber;
use longwire_codec::time::Instant;
use thiserror::Error;

use self::listener::Listener;
use self::speaker::Speaker;
use super::coding::Coding;
use crate::config;
use crate::gateway::{Gateway, GatewayError};
use crate::keys::{Key, KeyError};
use crate::policy::address;
use crate::xml::{Element, NS_CLIENT};

/// Largest packet, octets; half a window of the longest frames.
const PACKET_MAX: usize = 128 << 10;

/// Why a group cannot be taken part in.
#[derive(Debug, Error)]
pub(crate) enum GroupEndError {
    /// The database.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// The key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Frames are too short.
    #[error("{0}")]
    Group(GroupError),
}

/// See the module.
#[derive(Debug)]
pub(crate) struct GroupEnd {
    group: usize,
    channel: Channel,
    station: u8,
    coding: Packing,
    role: Role,
}

#[derive(Debug)]
enum Role {
    Speaker(Box<Speaker>),
    Listener(Box<Listener>),
}

impl GroupEnd {
    /// Takes up group `group` of the configuration where the database left it; `own` is this station's address.
    pub(crate) fn new(
        group: usize,
        channel: Channel,
        own: u8,
        dictionary: &'static Dictionary<'static>,
        gateway: &mut Gateway,
    ) -> Result<Self, GroupEndError> {
        let of = &gateway.groups()[group];
        let rules = of.rules.clone();
        let speaks = of.speaker.is_none();
        let secret = Key::load(&rules.key_file)?.secret();
        let agreement = rules.agreement(secret, channel.mtu);
        let frame_ms =
            u64::from(channel.turnaround_ms) + channel.airtime_ms(usize::from(channel.mtu));
        let role = if speaks {
            Role::Speaker(Box::new(Speaker::new(group, agreement, frame_ms, gateway)?))
        } else {
            Role::Listener(Box::new(Listener::new(
                group, agreement, frame_ms, own, gateway,
            )?))
        };
        Ok(Self {
            group,
            channel,
            station: rules.station,
            coding: Packing::new(&rules.room, dictionary),
            role,
        })
    }

    /// A frame was heard; `true` if it is of this group. Then its speaker may go on, for at most the time of a frame.
    pub(super) fn handle_frame(&mut self, now: Instant, frame: &[u8]) -> bool {
        if frame.first() != Some(&self.station) {
            return false;
        }
        match &mut self.role {
            Role::Speaker(_) => false,
            Role::Listener(listener) => listener.handle_frame(now, frame),
        }
    }

    /// Moves everything between this end and the gateway that can move now.
    pub(super) fn settle(
        &mut self,
        gateway: &mut Gateway,
        now: Instant,
    ) -> Result<(), GatewayError> {
        match &mut self.role {
            Role::Speaker(speaker) => speaker.settle(gateway, &self.coding, now),
            Role::Listener(listener) => listener.settle(gateway, &self.coding, now),
        }
    }

    /// The next frame to the group.
    pub(super) fn poll_transmit(&mut self, frame: &mut [u8]) -> Option<usize> {
        match &mut self.role {
            Role::Speaker(speaker) => speaker.poll_transmit(frame),
            Role::Listener(_) => None,
        }
    }

    /// The modem is done with a frame.
    pub(super) fn handle_sent(&mut self, len: usize, gateway: &Rc<RefCell<Gateway>>) {
        gateway.borrow_mut().group_mut(self.group).air_octets += len as u64;
        if let Role::Speaker(speaker) = &mut self.role {
            speaker.handle_sent(len as u64, self.channel.airtime_ms(len));
        }
    }

    /// When to call [`Self::settle`] at the latest; `clear` is when the channel is ours to use, if that is known.
    pub(super) fn poll_timeout(&self, clear: Option<Instant>) -> Option<Instant> {
        match &self.role {
            Role::Speaker(speaker) => speaker.poll_timeout(clear),
            Role::Listener(listener) => listener.poll_timeout(),
        }
    }

    /// How long others keep off after a frame to the group: its speaker may go on.
    pub(super) fn pause_ms(&self) -> u64 {
        u64::from(self.channel.turnaround_ms)
            + self.channel.airtime_ms(usize::from(self.channel.mtu))
    }
}

/// Messages of the room to packets and back. Each stands alone: members heard different ones before. All it counts on is
/// an example that every member makes from the configuration.
#[derive(Debug)]
struct Packing {
    rules: config::Peer,
    dictionary: &'static Dictionary<'static>,
    example: Element,
}

impl Packing {
    fn new(room: &str, dictionary: &'static Dictionary<'static>) -> Self {
        let example = Element::new(NS_CLIENT, "message")
            .with_attr("from", format!("{room}/a"))
            .with_attr("type", "groupchat")
            .with_attr("id", "a")
            .with_child(Element::new(NS_CLIENT, "body").with_text("a"));
        // Clients match ids of what they said, so these cross.
        let rules = config::Peer {
            ids: config::Ids::Preserve,
            ..config::Peer::default()
        };
        Self {
            rules,
            dictionary,
            example,
        }
    }

    /// A memory of nothing but the example, and the example's packet.
    fn begin(&self) -> Option<(Coding, Vec<u8>)> {
        let mut coding = Coding::new(&self.rules, self.dictionary, Vec::new(), [None; 2]);
        let mut packet = vec![0; 1024];
        let first = PacketNumber::new(0);
        let len = coding
            .encode(first, &self.example, false, &mut packet)
            .ok()?;
        coding.acknowledge(first);
        packet.truncate(len);
        Some((coding, packet))
    }

    fn encode(&self, said: &Element) -> Option<Vec<u8>> {
        let (mut coding, _) = self.begin()?;
        let mut packet = vec![0; PACKET_MAX];
        let len = coding.encode(PacketNumber::new(1), said, false, &mut packet);
        packet.truncate(len.ok()?);
        Some(packet)
    }

    fn decode(&self, packet: &[u8]) -> Option<Element> {
        let (_, example) = self.begin()?;
        let mut coding = Coding::new(&self.rules, self.dictionary, Vec::new(), [None; 2]);
        coding.decode(PacketNumber::new(0), &example)?;
        let said = coding.decode(PacketNumber::new(1), packet)?;
        (said.name == "message" && address::kind(&said) == "groupchat").then_some(said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use longwire_dictionaries::V1_HOST;

    #[test]
    fn what_is_said_crosses_alone_and_for_little() {
        let packing = Packing::new("all@fleet.example", &V1_HOST);
        let said = Element::parse(
            "<message xmlns='jabber:client' id='5f2c4c52-6a1e-4f0e-8b0a-3a1f7c9d2e4b' type='groupchat' \
             from='all@fleet.example/juliet'><body>Ice ahead, keep south of the buoy</body></message>",
        );
        let said = said.expect("XML");
        let packet = packing.encode(&said).expect("a packet");
        assert_eq!(packing.decode(&packet).as_ref(), Some(&said));
        // 16 octets of id, 14 of text, the nick.
        assert!(packet.len() < 42, "{} octets", packet.len());
        assert_eq!(packing.decode(&packet[..4]), None);
    }
}

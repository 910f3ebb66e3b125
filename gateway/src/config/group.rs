//! `[[group]]`: stations of one channel that hear the same packets, as a room. Refuses to say when they are sent.

use std::path::PathBuf;

use longwire_codec::group::GroupConfig;
use longwire_codec::seal::Secret;
use serde::Deserialize;

use super::{Config, Modem, Peer, TextModel};

/// Data segments of a block.
const BLOCK: u8 = 8;
/// Most parity segments of a block.
pub(super) const PARITY_MAX: u8 = 16;
/// Segments both ends keep.
const WINDOW: u16 = 128;

/// A group that a station speaks to, or listens to.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Group {
    /// Name in `status` and logs.
    pub name: String,
    /// Name of the `[[modem]]` on whose channel it is.
    pub modem: String,
    /// The group's address on the channel, 0 to 254, which no station has.
    pub station: u8,
    /// File of the group's own 32-byte key, the same at every member, mode 0600.
    pub key_file: PathBuf,
    /// Bare JID of the room that people enter.
    pub room: String,
    /// At the station that speaks: names of the peers that listen.
    pub members: Vec<String>,
    /// At a station that listens: name of the peer that speaks.
    pub speaker: String,
    /// Segments of parity after every eight of data.
    pub parity: u8,
    /// Static text model, the same at every member.
    pub text_model: TextModel,
}

impl Group {
    /// What all members agree on, for frames of up to `mtu` octets.
    pub fn agreement(&self, secret: Secret, mtu: u16) -> GroupConfig {
        GroupConfig {
            data: BLOCK,
            parity: self.parity,
            window: WINDOW,
            ..GroupConfig::new(self.station, secret, mtu)
        }
    }
}

type Wrong = (&'static str, String);

/// What the types cannot say of one group.
pub(super) fn check(group: &Group, others: &[Group], config: &Config) -> Result<(), Wrong> {
    let refuse = |wrong: bool, key: &'static str, message: &str| match wrong {
        true => Err((key, message.to_owned())),
        false => Ok(()),
    };
    refuse(group.name.is_empty(), "name", "a group needs a name")?;
    let Some(modem) = config.modem(&group.modem) else {
        return Err(("modem", format!("there is no modem `{}`", group.modem)));
    };
    refuse(
        group.key_file.as_os_str().is_empty(),
        "key-file",
        "a group needs a key of its own; make one with `longwire keygen` and copy it to every member",
    )?;
    let is_room = group.room.contains('@') && group.room.parse::<jid::BareJid>().is_ok();
    refuse(
        !is_room,
        "room",
        "write a bare JID, such as \"all@fleet.example\"",
    )?;
    let domain = crate::policy::address::domain(&group.room);
    refuse(
        config.hosted.iter().any(|it| it.domain == domain),
        "room",
        "a room's domain is its own: none that is hosted here",
    )?;
    refuse(
        group.members.is_empty() == group.speaker.is_empty(),
        "members",
        "name the `members` where this station speaks, or the `speaker` where it listens",
    )?;
    refuse(
        group.parity > PARITY_MAX,
        "parity",
        "at most 16 segments of parity",
    )?;
    for name in group.members.iter().chain([&group.speaker]) {
        if name.is_empty() {
            continue;
        }
        let key = if group.speaker.is_empty() {
            "members"
        } else {
            "speaker"
        };
        let Some(peer) = config.peer(name).filter(|it| it.modem == group.modem) else {
            return Err((key, format!("there is no peer `{name}` on this modem")));
        };
        refuse(
            peer.profile == super::Profile::Amateur,
            key,
            "groups have no call sign: profile `amateur` cannot be a member",
        )?;
    }
    check_address(group, others, modem, &config.peers)
}

fn check_address(
    group: &Group,
    others: &[Group],
    modem: &Modem,
    peers: &[Peer],
) -> Result<(), Wrong> {
    let mut peers = peers.iter().filter(|it| it.modem == group.modem);
    let mut others = others.iter();
    let same = |it: &Group| it.modem == group.modem && it.station == group.station;
    let taken = group.station == u8::MAX
        || group.station == modem.station
        || peers.any(|it| it.station == group.station)
        || others.clone().any(same);
    if taken {
        let said = "the group's address on the channel is 0 to 254, and no station's";
        return Err(("station", said.to_owned()));
    }
    if others.any(|it| it.name == group.name || it.room == group.room) {
        return Err(("name", "two groups have this name or room".to_owned()));
    }
    Ok(())
}

//! What a link is made from: configuration, key, and the state the database kept. Refuses to talk.

use longwire_codec::channel::Channel;
use longwire_codec::link::{
    Accepted, Callsign, Link, LinkConfig, LinkError, PacketNumber, Profile, Resume, Side,
};
use thiserror::Error;

use super::keyring::Keyring;
use crate::config;
use crate::gateway::GatewayError;
use crate::keys::KeyError;
use crate::store::peer::LinkState;

/// Octets of packets under way in each direction.
const STORAGE_HALF: usize = 192 * 1024;
/// From this rate on a turn holds more packets than a small window.
const FAST_BIT_RATE: u32 = 2400;

/// Why a peer cannot be talked to.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConversationError {
    /// The database.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// The key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The link does not take these settings.
    #[error("peer `{peer}`: settings out of range ({error:?})")]
    Link {
        /// Its name.
        peer: String,
        /// What the link said.
        error: LinkError,
    },
    /// The call sign has letters no call sign has.
    #[error("peer `{peer}`: {what} cannot be used")]
    Setting {
        /// Its name.
        peer: String,
        /// Which setting.
        what: &'static str,
    },
}

fn wrong(rules: &config::Peer, what: &'static str) -> ConversationError {
    ConversationError::Setting {
        peer: rules.name.clone(),
        what,
    }
}

fn modem<'c>(
    config: &'c config::Config,
    rules: &config::Peer,
) -> Result<&'c config::Modem, ConversationError> {
    let found = config.modem(&rules.modem);
    found.ok_or_else(|| wrong(rules, "the modem"))
}

pub(super) fn side(
    config: &config::Config,
    rules: &config::Peer,
) -> Result<Side, ConversationError> {
    let modem = modem(config, rules)?;
    Ok(if modem.station < rules.station {
        Side::A
    } else {
        Side::B
    })
}

pub(super) fn link_config(
    config: &config::Config,
    rules: &config::Peer,
    keyring: &Keyring,
    channel: Channel,
) -> Result<LinkConfig, ConversationError> {
    let modem = modem(config, rules)?;
    let mut settings = LinkConfig::new(side(config, rules)?, keyring.secret().clone());
    settings.tag_len = rules.tag_bytes;
    settings.profile = match rules.profile {
        config::Profile::Sealed => Profile::Sealed,
        config::Profile::Amateur => {
            let callsign = Callsign::new(&config.gateway.callsign);
            Profile::Amateur(callsign.ok_or_else(|| wrong(rules, "the call sign"))?)
        }
    };
    settings.out_len = STORAGE_HALF;
    // Small windows have shorter headers, and at these rates a turn holds no more.
    settings.window = if channel.bit_rate < FAST_BIT_RATE || rules.memory == config::Memory::Board {
        8
    } else {
        64
    };
    settings.agreement.mtu = channel.mtu;
    settings.seed = u64::from(modem.station) << 8 | u64::from(rules.station);
    Ok(settings)
}

/// A new start of the link to a peer; that it starts is on disk already.
pub(super) fn new_link(
    peer: &str,
    settings: &LinkConfig,
    channel: Channel,
    state: LinkState,
) -> Result<Link<Vec<u8>>, ConversationError> {
    let resume = Resume {
        epoch: state.epoch,
        peer_epoch: state.peer_epoch,
        next_number: PacketNumber::new(state.next),
        first_outstanding: PacketNumber::new(state.first_outstanding),
        accepted: Accepted {
            base: PacketNumber::new(state.accepted_base),
            beyond: state.accepted_beyond,
        },
    };
    let storage = vec![0; 2 * STORAGE_HALF];
    Link::new(settings.clone(), channel, resume, storage).map_err(|error| ConversationError::Link {
        peer: peer.into(),
        error,
    })
}

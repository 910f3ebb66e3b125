//! What the types cannot say: required keys, names that lead somewhere, limits. Refuses to touch the environment,
//! which is `check`'s work.

use std::path::Path;
use std::time::Duration;

use longwire_codec::link::{Callsign, Offer};
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, line_of, nearest};
use crate::modem::AnyModem;

use super::{Component, Config, Hosted, Modem, Peer, Profile};

/// Largest station address; 255 is everybody.
const STATION_MAX: u8 = 254;
/// Smallest and largest frame the link protocol can use, octets.
const MTU: std::ops::RangeInclusive<u16> = 14..=2048;
/// Shortest time between new keys.
const REKEY_MIN: Duration = Duration::from_secs(3600);
/// Most files of a peer: the hello names them and the three built in.
const DICTIONARIES_MAX: usize = Offer::MAX - 3;
/// Smallest frame that holds such a hello with a tag of 16, octets.
const HELLO_MTU_MIN: u16 = 56;
/// Tag lengths CCM allows that are also long enough (RFC 3610 section 2).
const TAG_BYTES: [u8; 7] = [4, 6, 8, 10, 12, 14, 16];

/// Something wrong with `key` of the `index`-th table of `section`.
#[derive(Debug)]
pub(super) struct Problem {
    section: &'static str,
    index: usize,
    key: &'static str,
    message: String,
}

impl Problem {
    /// Finds the line.
    pub(super) fn locate(self, text: &str, path: &Path) -> ConfigError {
        let at = self.offset(text).unwrap_or(0);
        ConfigError::Invalid {
            path: path.to_owned(),
            line: line_of(text, at),
            key: Some(self.key.to_owned()),
            message: self.message,
        }
    }

    /// Where the key stands, or the table where it is missing.
    fn offset(&self, text: &str) -> Option<usize> {
        let root = DeTable::parse(text).ok()?;
        let section = root.get_ref().get(self.section)?;
        let table = match section.get_ref() {
            DeValue::Array(tables) => tables.get(self.index)?,
            _ => section,
        };
        let DeValue::Table(keys) = table.get_ref() else {
            return None;
        };
        let value = keys.get(self.key).unwrap_or(table);
        Some(value.span().start)
    }
}

/// The first problem, in the order of the file's sections.
pub(super) fn validate(config: &Config) -> Result<(), Problem> {
    let callsign = &config.gateway.callsign;
    if !callsign.is_empty() && Callsign::new(callsign).is_none() {
        let wrong = "a call sign is at most 10 letters, digits, `-` and `/`".to_owned();
        return Err(at("gateway", 0)(("callsign", wrong)));
    }
    for (index, component) in config.components.iter().enumerate() {
        check_component(component).map_err(at("component", index))?;
    }
    for (index, hosted) in config.hosted.iter().enumerate() {
        check_hosted(hosted).map_err(at("hosted", index))?;
    }
    for (index, modem) in config.modems.iter().enumerate() {
        check_modem(modem).map_err(at("modem", index))?;
        let twice = config.modems[..index]
            .iter()
            .any(|it| it.name == modem.name);
        refuse(twice, "name", "two modems have this name").map_err(at("modem", index))?;
    }
    for (index, peer) in config.peers.iter().enumerate() {
        check_peer(peer, config).map_err(at("peer", index))?;
        let others = &config.peers[..index];
        check_apart(peer, others).map_err(at("peer", index))?;
    }
    for (index, group) in config.groups.iter().enumerate() {
        super::group::check(group, &config.groups[..index], config).map_err(at("group", index))?;
    }
    let local = config.components.iter().flat_map(|it| &it.domains);
    let local: Vec<&String> = local
        .chain(config.hosted.iter().map(|it| &it.domain))
        .collect();
    for (index, hosted) in config.hosted.iter().enumerate() {
        let count = local
            .iter()
            .filter(|domain| **domain == &hosted.domain)
            .count();
        refuse(count > 1, "domain", "this domain is served twice").map_err(at("hosted", index))?;
    }
    check_directions(config)
}

type Wrong = (&'static str, String);

fn at(section: &'static str, index: usize) -> impl Fn(Wrong) -> Problem {
    move |(key, message)| Problem {
        section,
        index,
        key,
        message,
    }
}

fn refuse(wrong: bool, key: &'static str, message: &str) -> Result<(), Wrong> {
    if wrong {
        Err((key, message.into()))
    } else {
        Ok(())
    }
}

fn check_component(component: &Component) -> Result<(), Wrong> {
    refuse(
        component.domains.is_empty(),
        "domains",
        "name at least one domain",
    )?;
    for domain in &component.domains {
        check_domain("domains", domain)?;
    }
    refuse(
        component
            .server
            .rsplit_once(':')
            .is_none_or(|(_, port)| port.parse::<u16>().is_err()),
        "server",
        "write host:port, such as \"127.0.0.1:5347\"",
    )?;
    let none = component.secret.0.is_empty();
    let file = !component.secret_file.as_os_str().is_empty();
    refuse(
        none && !file,
        "secret-file",
        "a component needs `secret-file` or `secret`",
    )?;
    refuse(
        !none && file,
        "secret",
        "give `secret` or `secret-file`, not both",
    )
}

fn check_hosted(hosted: &Hosted) -> Result<(), Wrong> {
    check_domain("domain", &hosted.domain)?;
    let nowhere = hosted.listen.is_empty() && hosted.listen_tls.is_empty();
    refuse(
        nowhere,
        "listen",
        "no client can reach a domain that listens nowhere",
    )?;
    let one = hosted.certificate.as_os_str().is_empty();
    let other = hosted.private_key.as_os_str().is_empty();
    refuse(
        one != other,
        "certificate",
        "`certificate` and `private-key` go together",
    )
}

fn check_modem(modem: &Modem) -> Result<(), Wrong> {
    refuse(modem.name.is_empty(), "name", "a modem needs a name")?;
    refuse(
        modem.url.is_empty(),
        "url",
        "a modem needs a URL, such as \"serial:/dev/ttyUSB0?baud=9600\"",
    )?;
    // Modems open their device when first used, so this only reads the URL.
    AnyModem::open(&modem.url, modem.channel()).map_err(|error| ("url", error.to_string()))?;
    refuse(
        !MTU.contains(&modem.mtu),
        "mtu",
        "a frame is 14 to 2048 octets",
    )?;
    refuse(
        modem.bit_rate == 0,
        "bit-rate",
        "a rate of zero carries nothing",
    )?;
    refuse(
        modem.station > STATION_MAX,
        "station",
        "a station address is 0 to 254",
    )
}

fn check_peer(peer: &Peer, config: &Config) -> Result<(), Wrong> {
    refuse(peer.name.is_empty(), "name", "a peer needs a name")?;
    let Some(modem) = config.modem(&peer.modem) else {
        let names = config.modems.iter().map(|it| it.name.as_str());
        let hint = nearest(&peer.modem, names).map_or_else(
            || "add a [[modem]] of this name".into(),
            |it| format!("did you mean `{it}`?"),
        );
        return Err((
            "modem",
            format!("there is no modem `{}`; {hint}", peer.modem),
        ));
    };
    refuse(
        peer.station > STATION_MAX,
        "station",
        "a station address is 0 to 254",
    )?;
    refuse(
        peer.station == modem.station,
        "station",
        "this is our own address on that modem; the two ends need different ones",
    )?;
    refuse(
        peer.key_file.as_os_str().is_empty(),
        "key-file",
        "a peer needs a key; make one with `longwire keygen` and copy it to the far end",
    )?;
    refuse(
        !peer.rekey_every.is_zero() && peer.rekey_every < REKEY_MIN,
        "rekey-every",
        "a new key is worth its airtime once an hour at most; \"0s\" is never",
    )?;
    refuse(
        !TAG_BYTES.contains(&peer.tag_bytes),
        "tag-bytes",
        "use 4, 6, 8, 10, 12, 14 or 16",
    )?;
    refuse(
        peer.profile == Profile::Amateur && config.gateway.callsign.is_empty(),
        "profile",
        "profile `amateur` needs `callsign` in [gateway]",
    )?;
    refuse(
        peer.dictionaries.len() > DICTIONARIES_MAX,
        "dictionaries",
        "name three files at most",
    )?;
    refuse(
        !peer.dictionaries.is_empty() && modem.mtu < HELLO_MTU_MIN,
        "dictionaries",
        "the modem needs an `mtu` of 56 or more for the hello that names them",
    )?;
    peer.domains
        .iter()
        .try_for_each(|domain| check_domain("domains", domain))
}

fn check_apart(peer: &Peer, others: &[Peer]) -> Result<(), Wrong> {
    for other in others {
        refuse(other.name == peer.name, "name", "two peers have this name")?;
        let same = other.modem == peer.modem && other.station == peer.station;
        refuse(
            same,
            "station",
            "two peers have this address on the same modem",
        )?;
        let shared = peer.domains.iter().find(|it| other.domains.contains(it));
        if let Some(domain) = shared {
            return Err((
                "domains",
                format!("`{domain}` already lives at peer `{}`", other.name),
            ));
        }
    }
    Ok(())
}

/// A hosted domain is here, so it cannot also be at a peer; a component's domain may be: that is how two
/// servers are joined.
fn check_directions(config: &Config) -> Result<(), Problem> {
    for (index, peer) in config.peers.iter().enumerate() {
        let here = config
            .hosted
            .iter()
            .find(|it| peer.domains.contains(&it.domain));
        if let Some(hosted) = here {
            let wrong = format!(
                "`{}` is hosted here, so it cannot live at the peer",
                hosted.domain
            );
            return Err(at("peer", index)(("domains", wrong)));
        }
    }
    Ok(())
}

fn check_domain(key: &'static str, domain: &str) -> Result<(), Wrong> {
    match domain.parse::<jid::BareJid>() {
        Ok(_) => Ok(()),
        Err(error) => Err((key, format!("`{domain}` is no domain or bare JID: {error}"))),
    }
}

//! One struct per section of the file, with defaults. Refuses I/O except reading the secret a section points at.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use longwire_codec::channel::Channel;
use longwire_codec::lora::Lora;
use serde::Deserialize;

use super::units;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// `[gateway]`: the process itself.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Gateway {
    /// Name in logs and in answers to XEP-0092.
    pub name: String,
    /// Folder of everything durable.
    pub state_dir: PathBuf,
    /// SQLite file of outbox, inbox, accounts, rosters; empty: `longwire.db` in `state-dir`.
    pub database: PathBuf,
    /// Unix socket for `status`, `queue` and `send`; empty: `control.sock` in `state-dir`.
    pub control_socket: PathBuf,
    /// A `tracing` filter: `info`, `debug`, `longwire::link=trace,info`.
    pub log: String,
    /// Call sign sent by peers of profile `amateur`.
    pub callsign: String,
    /// Largest stanza taken from a server or client, octets of XML.
    #[serde(with = "units::size")]
    pub stanza_size_max: u64,
    /// Folder to write down every stanza that crosses, for training; empty: none.
    pub capture: PathBuf,
}

impl Default for Gateway {
    fn default() -> Self {
        Self {
            name: "longwire".into(),
            state_dir: "/var/lib/longwire".into(),
            database: PathBuf::new(),
            control_socket: PathBuf::new(),
            log: "info".into(),
            callsign: String::new(),
            stanza_size_max: 256 * 1024,
            capture: PathBuf::new(),
        }
    }
}

/// `[[component]]`: domains this gateway is on someone else's server (XEP-0114).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Component {
    /// `host:port` of the server's component listener.
    pub server: String,
    /// Domains to be there, one connection each.
    pub domains: Vec<String>,
    /// Shared secret; or see `secret_file`.
    pub secret: Secret,
    /// File that holds the secret, mode 0600.
    pub secret_file: PathBuf,
    /// Longest pause between attempts to connect.
    #[serde(with = "units::duration")]
    pub reconnect_max: Duration,
}

impl Default for Component {
    fn default() -> Self {
        Self {
            server: "127.0.0.1:5347".into(),
            domains: Vec::new(),
            secret: Secret::default(),
            secret_file: PathBuf::new(),
            reconnect_max: MINUTE,
        }
    }
}

impl Component {
    /// The secret, from the file if one is named.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read_secret(&self) -> std::io::Result<Secret> {
        if self.secret_file.as_os_str().is_empty() {
            return Ok(self.secret.clone());
        }
        let text = std::fs::read_to_string(&self.secret_file)?;
        Ok(Secret(text.trim_end_matches(['\r', '\n']).into()))
    }
}

/// `[[hosted]]`: a domain this gateway is the server of.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Hosted {
    /// The domain.
    pub domain: String,
    /// Addresses for clients that use STARTTLS.
    pub listen: Vec<SocketAddr>,
    /// Addresses for clients that use direct TLS (XEP-0368).
    pub listen_tls: Vec<SocketAddr>,
    /// PEM certificate chain; empty: a self-signed one is made in `state-dir` on first run.
    pub certificate: PathBuf,
    /// PEM private key of `certificate`.
    pub private_key: PathBuf,
    /// Whether a missing certificate may be made; set while loading.
    #[serde(skip)]
    pub make_certificate: bool,
    /// Stanzas kept for one account while no client is logged in.
    pub offline_max: u32,
    /// How long a broken client stream can be resumed (XEP-0198).
    #[serde(with = "units::duration")]
    pub resume_timeout: Duration,
}

impl Default for Hosted {
    fn default() -> Self {
        Self {
            domain: String::new(),
            listen: vec![SocketAddr::from(([127, 0, 0, 1], 5222))],
            listen_tls: Vec::new(),
            certificate: PathBuf::new(),
            private_key: PathBuf::new(),
            make_certificate: false,
            offline_max: 1000,
            resume_timeout: 10 * MINUTE,
        }
    }
}

/// `[[modem]]`: one radio, and the channel it is on.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Modem {
    /// Name peers refer to.
    pub name: String,
    /// `serial:`, `kiss+serial:`, `kiss+tcp:` or `air:` with its parameters.
    pub url: String,
    /// This station's address on the channel, 0 to 254.
    pub station: u8,
    /// Largest frame, octets, 14 to 2048.
    pub mtu: u16,
    /// Rate on the air, bit/s.
    #[serde(with = "units::bit_rate")]
    pub bit_rate: u32,
    /// From the end of receiving to the first bit of transmitting: key-up, preamble, interleaver.
    #[serde(with = "units::duration")]
    pub turnaround: Duration,
    /// How a LoRa modem is tuned; then `bit-rate` follows from it, and a frame has 255 octets at most.
    #[serde(with = "units::lora")]
    pub lora: Option<Lora>,
    /// The modem itself repeats what was lost (STANAG 5066 ARQ, ARDOP, VARA, TCP).
    pub reliable: bool,
    /// More than two stations share the channel: listen before transmitting, random back-off.
    pub shared: bool,
}

impl Default for Modem {
    fn default() -> Self {
        Self {
            name: String::new(),
            url: String::new(),
            station: 0,
            mtu: 256,
            bit_rate: 300,
            turnaround: Duration::from_millis(500),
            lora: None,
            reliable: false,
            shared: false,
        }
    }
}

impl Modem {
    /// The channel as the link sees it.
    pub fn channel(&self) -> Channel {
        let turnaround_ms = u32::try_from(self.turnaround.as_millis()).unwrap_or(u32::MAX);
        Channel {
            reliable: self.reliable,
            ..match &self.lora {
                Some(lora) => lora.channel(self.mtu, turnaround_ms),
                None => Channel::radio(self.mtu, self.bit_rate, turnaround_ms),
            }
        }
    }
}

/// `[[peer]]`: a station at the far end of a modem, what lives there, and what it may cost to talk to it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Peer {
    /// Name in `status`, `queue` and logs.
    pub name: String,
    /// Name of the `[[modem]]` it is reached through.
    pub modem: String,
    /// Its address on the channel, 0 to 254, other than the modem's own.
    pub station: u8,
    /// File of the 32-byte key both ends share, made by `longwire keygen`, mode 0600.
    pub key_file: PathBuf,
    /// After this a new key is agreed over the air; zero: only when `longwire rekey` asks for it.
    #[serde(with = "units::duration")]
    pub rekey_every: Duration,
    /// Domains (or bare JIDs, for an endpoint) that live there.
    pub domains: Vec<String>,
    /// Whether frames are encrypted.
    pub profile: Profile,
    /// Octets of authentication tag on each frame: 4, 6, 8, 10, 12, 14 or 16.
    pub tag_bytes: u8,
    /// Static text model; both ends must say the same, unless `dictionaries` names any.
    pub text_model: TextModel,
    /// Files of trained dictionaries, the favourite first; what the far end lacks is passed over.
    pub dictionaries: Vec<PathBuf>,
    /// How much both ends remember of earlier stanzas.
    pub memory: Memory,
    /// What becomes of message ids.
    pub ids: Ids,
    /// XEP-0085 notifications.
    pub chat_states: Carry,
    /// XHTML-IM bodies (XEP-0071); the plain body always goes.
    pub xhtml: Carry,
    /// Avatar and photo pushes (XEP-0084, XEP-0153).
    pub avatars: Carry,
    /// Presence of any kind but subscriptions.
    pub presence: Carry,
    /// After this an iq without a reply is answered with `remote-server-timeout`.
    #[serde(with = "units::duration")]
    pub iq_timeout: Duration,
    /// How long a stanza may wait in the outbox.
    pub expiry: Expiry,
    /// Who goes first and who goes last.
    pub priority: Priorities,
    /// What may be spent.
    pub budget: Budget,
}

impl Default for Peer {
    fn default() -> Self {
        Self {
            name: String::new(),
            modem: String::new(),
            station: 1,
            key_file: PathBuf::new(),
            rekey_every: Duration::ZERO,
            domains: Vec::new(),
            profile: Profile::Sealed,
            tag_bytes: 8,
            text_model: TextModel::M8,
            dictionaries: Vec::new(),
            memory: Memory::Host,
            ids: Ids::Short,
            chat_states: Carry::Drop,
            xhtml: Carry::Drop,
            avatars: Carry::Drop,
            presence: Carry::Carry,
            iq_timeout: 15 * MINUTE,
            expiry: Expiry::default(),
            priority: Priorities::default(),
            budget: Budget::default(),
        }
    }
}

/// `[peer.expiry]`: how long a stanza may wait in the outbox; then it comes back as an error, where RFC 6120
/// allows one.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Expiry {
    /// Urgent messages.
    #[serde(with = "units::duration")]
    pub urgent: Duration,
    /// Chat, receipts, rooms, subscriptions.
    #[serde(with = "units::duration")]
    pub chat: Duration,
    /// Presence.
    #[serde(with = "units::duration")]
    pub presence: Duration,
    /// Files and other bulk.
    #[serde(with = "units::duration")]
    pub bulk: Duration,
}

impl Default for Expiry {
    fn default() -> Self {
        Self {
            urgent: 7 * DAY,
            chat: 7 * DAY,
            presence: 24 * HOUR,
            bulk: 30 * DAY,
        }
    }
}

/// `[peer.priority]`: bare JIDs or domains whose stanzas leave the usual order.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Priorities {
    /// Senders or receivers whose messages go before everything else.
    pub urgent: Vec<String>,
    /// Senders or receivers whose messages go after everything else.
    pub bulk: Vec<String>,
}

/// `[peer.budget]`: limits; zero is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Budget {
    /// Own transmissions to this peer in 24 hours.
    #[serde(with = "units::duration")]
    pub airtime_per_day: Duration,
    /// The same for each local user.
    #[serde(with = "units::duration")]
    pub airtime_per_user_per_day: Duration,
    /// Stanzas waiting in the outbox; more are refused with `resource-constraint`.
    pub outbox_max: u32,
}

/// How much both ends of a link remember of earlier stanzas; both must say the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Memory {
    /// About 2 MB.
    #[default]
    Host,
    /// Under 10 KB: the far end is a microcontroller.
    Board,
}

/// Whether frames hide their content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// Encrypted and authenticated.
    #[default]
    Sealed,
    /// Authenticated plain text and the call sign, as amateur rules ask for.
    Amateur,
}

/// What becomes of message ids on the air.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ids {
    /// The far side mints its own; references are mapped both ways.
    #[default]
    Short,
    /// Carried bit by bit.
    Preserve,
}

/// Whether a kind of traffic may cost airtime.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Carry {
    /// Dropped here, and counted.
    #[default]
    Drop,
    /// Sent.
    Carry,
}

/// Size of the static text model.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, clap::ValueEnum,
)]
pub enum TextModel {
    /// 128 KiB, small microcontrollers.
    #[serde(rename = "128k")]
    #[value(name = "128k")]
    K128,
    /// 512 KiB, larger microcontrollers.
    #[serde(rename = "512k")]
    #[value(name = "512k")]
    K512,
    /// 8 MiB, hosts.
    #[default]
    #[serde(rename = "8m")]
    #[value(name = "8m")]
    M8,
}

/// A secret that does not print itself.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() {
            "(none)"
        } else {
            "(secret)"
        })
    }
}

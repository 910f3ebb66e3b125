//! The gateway's end of a board's link, and a board on a flash in memory. For tests only.

use core::ops::Range;
use std::collections::VecDeque;
use std::string::{String, ToString};
use std::vec::Vec;

use longwire_codec::link::{
    Accepted, Event as LinkEvent, Link, LinkConfig, PacketNumber, Priority, Resume, Side,
};
use longwire_codec::provision::Provision;
use longwire_codec::rekey::{Keys, Rekey};
use longwire_codec::seal::Secret;
use longwire_codec::session::{Options, Session};
use longwire_codec::stanza::{Arena, Node};
use longwire_codec::time::Instant;
use longwire_dictionaries::V1_128K;

use crate::compose::compose;
use crate::endpoint::{Endpoint, EndpointError, PROFILE, channel, link_storage_len};
use crate::flash::Store;
use crate::ram_flash::RamFlash;
use crate::text::Text;

const MTU: usize = 128;
pub(crate) const PROVISION: Provision<'static> = Provision::EXAMPLE;

pub(crate) type Board<'f> = Endpoint<'static, &'f mut RamFlash, Vec<u8>, Vec<u8>>;

pub(crate) fn board(flash: &mut RamFlash) -> Board<'_> {
    board_of(flash, &PROVISION)
}

/// A board with this image.
pub(crate) fn board_of<'f>(flash: &'f mut RamFlash, provision: &Provision<'_>) -> Board<'f> {
    try_board(flash, provision).expect("starts")
}

/// The same on a flash that may fail.
pub(crate) fn try_board<'f>(
    flash: &'f mut RamFlash,
    provision: &Provision<'_>,
) -> Result<Board<'f>, EndpointError> {
    let len = flash.len() as u32;
    let store = Store::new(flash, 0..len).expect("whole blocks");
    let (link, session) = (
        std::vec![0; link_storage_len(MTU)],
        std::vec![0; PROFILE.storage_len()],
    );
    Endpoint::start(provision, &V1_128K, store, link, session, 7, |it| it)
}

/// The gateway's end: stanzas as XML-like text, for assertions.
pub(crate) struct Base {
    pub(crate) link: Link<Vec<u8>>,
    session: Session<'static, Vec<u8>>,
    /// Waiting, and under way with their numbers.
    waiting: VecDeque<String>,
    under_way: Vec<(PacketNumber, String)>,
    pub(crate) heard: Vec<String>,
    accepted: Accepted,
    custody: usize,
    epoch: u32,
    peer_epoch: u32,
    /// Ids of what it said, for receipts after a restart.
    said: Vec<(PacketNumber, String)>,
    pub(crate) rekey: Rekey,
    /// New keys so far.
    pub(crate) keys: usize,
    /// Frames base sends, where a test wants them.
    pub(crate) tap: Option<Vec<Vec<u8>>>,
}

impl Base {
    pub(crate) fn new() -> Self {
        Self::with(Self::config())
    }

    /// The configuration that fits the board's.
    pub(crate) fn config() -> LinkConfig {
        LinkConfig {
            window: 8,
            out_len: 2048,
            ..LinkConfig::new(Side::A, Secret::new(&PROVISION.key).expect("32 octets"))
        }
    }

    pub(crate) fn with(config: LinkConfig) -> Self {
        let resume = Resume {
            epoch: 1,
            ..Resume::default()
        };
        let link =
            Link::new(config, channel(&PROVISION), resume, std::vec![0; 8192]).expect("sound");
        let session =
            Session::new(&V1_128K, PROFILE, std::vec![0; PROFILE.storage_len()]).expect("sized");
        Self {
            link,
            session,
            waiting: VecDeque::new(),
            under_way: Vec::new(),
            heard: Vec::new(),
            accepted: Accepted::default(),
            custody: 0,
            epoch: 1,
            peer_epoch: 0,
            said: Vec::new(),
            rekey: {
                let secret = Secret::new(&PROVISION.key).expect("32 octets");
                Rekey::new(Side::A, Keys::new(secret))
            },
            keys: 0,
            tap: None,
        }
    }

    /// The gateway is killed and starts again with what it stored, and perhaps another configuration.
    pub(crate) fn restart(&mut self, mut config: LinkConfig) {
        self.epoch += 1;
        config.secret = self.rekey.keys().current.clone();
        let (first_outstanding, next_number) = self.link.outstanding();
        let resume = Resume {
            epoch: self.epoch,
            peer_epoch: self.peer_epoch,
            next_number,
            first_outstanding,
            accepted: self.accepted,
        };
        let storage = std::vec![0; 8192];
        self.link = Link::new(config, channel(&PROVISION), resume, storage).expect("sound");
        self.session =
            Session::new(&V1_128K, PROFILE, std::vec![0; PROFILE.storage_len()]).expect("sized");
        for (number, id) in &self.said {
            self.session.remember(true, *number, 0, id);
        }
        self.rekey = Rekey::new(Side::A, self.rekey.keys().clone());
        self.rekey.attach(&mut self.link);
    }

    /// `kind|id|payload`: a chat body, or one of the requests below.
    pub(crate) fn say(&mut self, what: &str) {
        self.waiting.push_back(what.to_string());
    }

    pub(crate) fn settle(&mut self, now: Instant) {
        while let Some(keys) = self.rekey.advance(now, &mut self.link, &mut || {
            // As good as any for a test: no handshake begins at the same moment twice.
            let mut octets = [7; 32];
            octets[..8].copy_from_slice(&now.as_millis().to_be_bytes());
            Some(octets)
        }) {
            self.keys += usize::from(keys.next.is_none());
            self.rekey.stored(now, &mut self.link);
        }
        while let Some(event) = self.link.poll_event() {
            match event {
                LinkEvent::Delivered(number) => {
                    self.session.acknowledge(number);
                    self.under_way.retain(|(known, _)| *known != number);
                    self.custody += 1;
                }
                LinkEvent::PeerEpoch(epoch) => {
                    self.peer_epoch = epoch;
                    self.session.doubt(epoch);
                }
                LinkEvent::Reset => self.session.reset(),
                _ => {}
            }
        }
        while let Some((number, bytes)) = self.link.recv() {
            let bytes = bytes.to_vec();
            assert!(
                !self.accepted.contains(number),
                "packet {number} surfaced twice"
            );
            if !bytes.is_empty() {
                let mut strings = [0; 4096];
                let mut arena = Arena::new(&mut strings);
                let mut tape = [Node::Close; 200];
                // A board whose flash was spoilt may refer to what it no longer knows.
                let read = self.session.decode(number, &bytes, &mut arena, &mut tape);
                self.heard.push(match read {
                    Ok(stanza) => std::format!("{:?}", stanza.nodes()),
                    Err(error) => std::format!("unreadable: {error:?}"),
                });
            }
            self.accepted = self.link.accepted_with(number);
            self.link.accept(now, number);
        }
    }

    /// When something is due.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let link = self.link.poll_timeout().map(|(at, _)| at);
        link.into_iter().chain(self.rekey.poll_timeout()).min()
    }

    pub(crate) fn fill(&mut self, now: Instant) {
        while let Some(number) = self.link.wanted() {
            let what = self
                .under_way
                .iter()
                .find(|(known, _)| *known == number)
                .map(|(_, what)| what.clone());
            let Some(what) = what else {
                self.link.cancel(now, number);
                continue;
            };
            let Some(grant) = self.link.grant_again(now, number, Priority::Chat) else {
                return;
            };
            let len = encode(&mut self.session, number, &what, true, grant.buffer);
            self.link.commit(now, len);
        }
        while let Some(what) = self.waiting.front().cloned() {
            let Some(grant) = self.link.grant(now, Priority::Chat) else {
                return;
            };
            let number = grant.number;
            let len = encode(&mut self.session, number, &what, false, grant.buffer);
            self.link.commit(now, len);
            let id = what.split('|').nth(1).unwrap_or_default();
            self.said.push((number, id.to_string()));
            self.waiting.pop_front();
            self.under_way.push((number, what));
        }
    }
}

fn encode(
    session: &mut Session<'static, Vec<u8>>,
    number: PacketNumber,
    what: &str,
    again: bool,
    packet: &mut [u8],
) -> usize {
    let options = Options {
        again,
        ..Options::default()
    };
    let mut tape = [Node::Close; 64];
    let mut parts = what.splitn(3, '|');
    let (kind, id, payload) = (parts.next(), parts.next(), parts.next().unwrap_or(""));
    let form = match kind {
        Some("chat") => "<message|type=chat|id=?|<body|=?|>|<r:request",
        Some("subscribe") => "<presence|type=subscribe|id=?",
        Some("items") => "<iq|type=get|id=?|<p:pubsub|<items|node=:g",
        Some("list") => "<iq|type=get|id=?|<j:query|node=:c",
        Some("cancel") => "<iq|type=set|id=?|<c:command|node=?|action=cancel",
        Some("command") => "<iq|type=set|id=?|<c:command|node=?",
        Some("set") => {
            "<iq|type=set|id=?|<c:command|node=set|<x:x|type=submit|<field|var=status|<value|=?"
        }
        Some("info") => "<iq|type=get|id=?|<i:query|node=?",
        Some("items of") => "<iq|type=get|id=?|<j:query|node=?",
        Some("version") => "<iq|type=get|id=?|<v:query",
        Some("ping") => "<iq|type=get|id=?|<q:ping",
        _ => "<iq|type=get|id=?|<r:query",
    };
    let mut texts = [0; 1024];
    let mut text = Text::new(&mut texts);
    text.item("buoy@field.example")
        .item(id.unwrap_or_default())
        .item(payload);
    let texts = text.whole().expect("fits");
    let from = match kind {
        Some("subscribe") if !payload.is_empty() => payload,
        _ => "romeo@base.example/phone",
    };
    let stanza = compose(form, from, texts, &mut tape).expect("fits");
    session
        .encode(number, stanza, options, packet)
        .expect("fits")
}

/// The seeds a test plays: `usual`, or those that `LONGWIRE_SEEDS=FROM..TO` names, for a soak.
pub(crate) fn seeds(usual: Range<u64>) -> Range<u64> {
    let Ok(named) = std::env::var("LONGWIRE_SEEDS") else {
        return usual;
    };
    let (from, to) = named.split_once("..").expect("FROM..TO");
    from.parse().expect("a number")..to.parse().expect("a number")
}

/// Numbers by chance, the same for the same seed (splitmix64).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Below `limit`, which is not 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ mixed >> 31) % limit as u64) as usize
    }
}

/// The id of the dictionary that boards here speak.
pub(crate) fn dictionary() -> u32 {
    V1_128K.id
}

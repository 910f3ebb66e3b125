//! What a link must be told before it starts. Refuses to guess: nothing here is read from the air.

use super::transmit::overhead;
use super::{Accepted, LinkError, MTU_MAX, MTU_MIN, PacketNumber, WINDOW_MAX};
use crate::channel::Channel;
use crate::row::put;
use crate::seal::{Seal, Secret};

/// Which of the two ends this is. The ends of one link must differ.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Side {
    /// Goes first when both want to start.
    A,
    /// Waits a little longer when both want to start.
    B,
}

impl Side {
    /// The other end.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

/// In which order packets go on the air; the first goes first.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Priority {
    /// Alerts.
    Urgent,
    /// Conversation.
    Chat,
    /// Presence and other state.
    Presence,
    /// Files, archives, rosters.
    Bulk,
}

/// What the frames hide.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Profile {
    /// Contents are encrypted and authenticated.
    Sealed,
    /// Nothing is hidden, everything is authenticated; the call sign is sent while transmitting.
    Amateur(Callsign),
}

/// A call sign of at most 10 bytes, as sent in clear in profile `amateur`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Callsign {
    bytes: [u8; 10],
    len: u8,
}

impl Callsign {
    /// `None` if empty, longer than 10 bytes, or not of ASCII letters, digits, `-` and `/`.
    pub fn new(text: &str) -> Option<Self> {
        let ok = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'/');
        if text.is_empty() || !text.as_bytes().iter().all(ok) {
            return None;
        }
        let mut bytes = [0; 10];
        // Cut off only where the text does not fit.
        let len = text.len() as u8;
        put(&mut bytes, text.as_bytes()).then_some(Self { bytes, len })
    }

    /// The call sign as text.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or(&[])
    }
}

/// Dictionaries an end can speak, by id, its favourite first.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Offer {
    ids: [u32; Self::MAX],
    len: u8,
}

impl Offer {
    /// Most dictionaries of an offer.
    pub const MAX: usize = 6;

    /// An end that speaks one dictionary.
    pub const fn one(id: u32) -> Self {
        let mut ids = [0; Self::MAX];
        ids[0] = id;
        Self { ids, len: 1 }
    }

    /// Adds the next best. What is there already, or finds no room, is left out.
    pub fn push(&mut self, id: u32) {
        let len = usize::from(self.len);
        if !self.ids().contains(&id)
            && let Some(place) = self.ids.get_mut(len)
        {
            *place = id;
            self.len += 1;
        }
    }

    /// The ids, favourite first.
    pub fn ids(&self) -> &[u32] {
        self.ids.get(..usize::from(self.len)).unwrap_or(&[])
    }

    /// The first of ours that they have too.
    fn best(&self, theirs: &Self) -> Option<u32> {
        let has = |id: &&u32| theirs.ids().contains(id);
        self.ids().iter().find(has).copied()
    }
}

/// What both ends must agree on. Sent in a hello when an end asks for one, compared when received.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Agreement {
    /// Version of the link protocol: [`crate::frame::VERSION`].
    pub version: u8,
    /// The dictionaries this end can speak, models included.
    pub dictionaries: Offer,
    /// How many alias entries this end can hold for the peer's packets.
    pub alias_capacity: u16,
    /// The longest frame this end can receive, in bytes.
    pub mtu: u16,
}

impl Agreement {
    /// The dictionary both ends speak: of those they share, the one side A likes best. `None`: there is none, or the
    /// versions differ. Both ends find the same.
    pub fn dictionary(&self, side: Side, theirs: &Self) -> Option<u32> {
        if self.version != theirs.version {
            return None;
        }
        let (ours, theirs) = (&self.dictionaries, &theirs.dictionaries);
        match side {
            Side::A => ours.best(theirs),
            Side::B => theirs.best(ours),
        }
    }
}

/// How a link behaves. Both ends need the same secret, tag length and profile kind.
#[derive(Clone, Debug)]
pub struct LinkConfig {
    /// Which end this is.
    pub side: Side,
    /// The shared secret, pre-shared or from pairing.
    pub secret: Secret,
    /// Length of the authentication tag in bytes: 4, 6, 8, 10, 12, 14 or 16.
    pub tag_len: u8,
    /// Hidden or in clear.
    pub profile: Profile,
    /// Most packets outstanding, 1 to 64. At 8 and below segment headers are one byte shorter.
    pub window: u8,
    /// Bytes of the storage that hold packets on their way out; the rest holds packets coming in.
    pub out_len: usize,
    /// Longest packet the peer can hold, in bytes; 0: as long as the channel and `out_len` allow.
    pub packet_len_max: usize,
    /// What this end would say in a hello.
    pub agreement: Agreement,
    /// Say hello before the first packet after a start. Off where both ends are configured alike: then
    /// a start costs no frame of its own.
    pub hello: bool,
    /// Longest turn in milliseconds; 0 picks one from the channel.
    pub turn_ms_max: u32,
    /// Longest pause between probes while the peer is silent, in milliseconds.
    pub probe_ms_max: u32,
    /// Seeds the random part of back-off.
    pub seed: u64,
}

impl LinkConfig {
    /// An 8-byte tag, sealed, window 64, no hello. `out_len` must be set.
    pub fn new(side: Side, secret: Secret) -> Self {
        Self {
            side,
            secret,
            tag_len: 8,
            profile: Profile::Sealed,
            window: 64,
            out_len: 0,
            packet_len_max: 0,
            agreement: Agreement {
                version: crate::frame::VERSION,
                ..Agreement::default()
            },
            hello: false,
            turn_ms_max: 0,
            probe_ms_max: 300_000,
            seed: 0,
        }
    }

    /// Whether a link can be made so, with a storage of so many bytes.
    ///
    /// # Errors
    /// See [`LinkError`].
    pub fn check(
        &self,
        channel: &Channel,
        resume: &Resume,
        storage_len: usize,
    ) -> Result<(), LinkError> {
        let mtu = usize::from(channel.mtu);
        let span = resume.next_number.distance_from(resume.first_outstanding);
        let in_range = (MTU_MIN..=MTU_MAX).contains(&channel.mtu)
            && self.agreement.mtu <= MTU_MAX
            && Seal::is_tag_len(self.tag_len)
            && (1..=WINDOW_MAX).contains(&self.window.into())
            && span.is_some_and(|span| span <= WINDOW_MAX)
            && mtu > overhead(channel, self.tag_len, false) + 2;
        if !in_range {
            return Err(LinkError::OutOfRange);
        }
        if self.out_len < mtu || storage_len < self.out_len + mtu {
            return Err(LinkError::StorageTooSmall);
        }
        if resume.epoch == 0 {
            return Err(LinkError::NoEpoch);
        }
        Ok(())
    }
}

/// What the application kept of an earlier run of this link. `Resume::default()` with epoch 1 is a new link.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Resume {
    /// Counts the starts of this end, from 1. Store the new value **before** making the link: with it the
    /// nonces of all earlier runs are behind us.
    pub epoch: u32,
    /// The last [`super::Event::PeerEpoch`], 0 if none.
    pub peer_epoch: u32,
    /// The next packet number to give out: one above the highest ever granted.
    pub next_number: PacketNumber,
    /// The lowest of our packets that the peer has not confirmed; `next_number` if all are.
    pub first_outstanding: PacketNumber,
    /// Which of the peer's packets were accepted.
    pub accepted: Accepted,
}

//! What re-keying asks of a link: its messages carried, and two keys at once while one replaces the other. Refuses to
//! make keys: [`crate::rekey`] does, where the feature `edhoc` is on.

use super::Link;
use super::transmit::overhead;
use crate::row::put;
use crate::seal::Secret;

/// Longest message of re-keying, in bytes.
pub const MESSAGE_MAX: usize = 40;

/// Proof that links are re-keyed at all. Without the feature `edhoc` there is none, and the compiler leaves out what
/// needs one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Proof {
    #[cfg(feature = "edhoc")]
    Rekeyed,
}

impl Proof {
    #[cfg(feature = "edhoc")]
    pub(super) const ANY: Option<Self> = Some(Self::Rekeyed);
    #[cfg(not(feature = "edhoc"))]
    pub(super) const ANY: Option<Self> = None;
}

/// A message of re-keying.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RekeyMessage {
    bytes: [u8; MESSAGE_MAX],
    len: u8,
    proof: Proof,
}

impl RekeyMessage {
    /// Says nothing; whoever hears it answers, under the key he has.
    #[cfg(feature = "edhoc")]
    pub const EMPTY: Self = Self {
        bytes: [0; MESSAGE_MAX],
        len: 0,
        proof: Proof::Rekeyed,
    };

    /// `None` if longer than [`MESSAGE_MAX`].
    pub fn new(message: &[u8]) -> Option<Self> {
        let proof = Proof::ANY?;
        let mut bytes = [0; MESSAGE_MAX];
        let len = u8::try_from(message.len()).ok()?;
        put(&mut bytes, message).then_some(Self { bytes, len, proof })
    }

    /// The message.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or(&[])
    }
}

/// Messages to and from the peer, one of each.
#[derive(Debug, Default)]
pub(super) struct Handshake {
    out: Option<RekeyMessage>,
    /// `out` is to be sent, or sent again.
    due: bool,
    told: Option<RekeyMessage>,
}

impl Handshake {
    pub(super) fn tell(&mut self, message: Option<RekeyMessage>) {
        self.due = message.is_some();
        self.out = message;
    }

    pub(super) fn hear(&mut self, body: &[u8], notice: bool) {
        // A notice may be a replay of an earlier run's.
        if let Some(message) = RekeyMessage::new(body).filter(|_| !notice) {
            self.told = Some(message);
        }
    }

    /// Our last message may be lost.
    pub(super) fn repeat(&mut self) {
        self.due = self.out.is_some();
    }

    /// A message is kept until the next replaces it.
    pub(super) fn is_telling(&self) -> bool {
        self.out.is_some()
    }

    pub(super) fn is_due(&self) -> bool {
        self.due && self.is_telling()
    }

    /// The message.
    pub(super) fn message(&self) -> &[u8] {
        self.out.as_ref().map_or(&[], RekeyMessage::as_bytes)
    }

    /// It is about to be sent.
    pub(super) fn note_sent(&mut self) {
        self.due = false;
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Link<B> {
    /// Whether frames are long enough for every message of re-keying.
    pub fn rekey_fits(&self) -> bool {
        self.fits(MESSAGE_MAX)
    }

    fn fits(&self, len: usize) -> bool {
        let frame = overhead(&self.channel, self.config.tag_len, false) + len;
        frame <= usize::from(self.channel.mtu)
    }

    /// Sends a message of re-keying, and again whenever its answer stays out, until this is called again or the peer
    /// falls silent. `false` if frames are too short for it.
    pub fn tell(&mut self, message: Option<RekeyMessage>) -> bool {
        let fits = message.is_none_or(|message| self.fits(message.as_bytes().len()));
        self.handshake.tell(message.filter(|_| fits));
        fits
    }

    /// The last message of re-keying heard; once.
    pub fn told(&mut self) -> Option<RekeyMessage> {
        self.handshake.told.take()
    }

    /// Opens frames under a new secret too from now on, and seals with it if `send`. It is durable before.
    pub fn rekey(&mut self, secret: &Secret, send: bool) {
        self.session.rekey(secret, send);
    }

    /// Whether the peer was heard under the new secret: store that it is the only one, then [`Link::retire`].
    pub fn is_next_heard(&self) -> bool {
        self.session.is_next_heard()
    }

    /// Forgets the old secret for the new one.
    pub fn retire(&mut self) {
        self.session.retire();
    }
}

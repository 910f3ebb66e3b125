//! Who the ends are in this run: epochs, counters, keys. Refuses to know what frames carry.
//!
//! A session is a pair of epochs. A station that restarted speaks in notices, which name its epoch and can be opened
//! by a peer that knows only an earlier one, until it has proof that the peer knows the new epoch.

use crate::frame::{Header, Notice};
use crate::seal::{Nonce, Purpose, Replay, Seal, Secret};

use super::{LinkConfig, Profile, Side};

/// How a frame was received.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Opened {
    /// Bytes of its body.
    pub(super) len: usize,
    /// The peer started a new session; `Some(true)` if there was one before in this run.
    pub(super) new_session: Option<bool>,
    /// Packets in it may be used.
    pub(super) data: bool,
    /// Its acknowledgement is about this session, and none newer was received.
    pub(super) ack: bool,
    /// Its sender knows our epoch: what it says of counters is about this session.
    pub(super) within: bool,
}

/// Why a frame was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Refusal {
    Forged,
    Replayed,
    Stale,
}

/// A secret, and what is derived from it once.
#[derive(Debug)]
struct Key {
    secret: Secret,
    seal: Seal,
}

/// A frame to be opened.
struct Closed<'f> {
    nonce: Nonce,
    bytes: &'f [u8],
    header_len: usize,
    hello: bool,
}

#[derive(Debug)]
pub(super) struct Session {
    key: Key,
    /// A key agreed but not alone yet.
    next: Option<Key>,
    /// We send with it.
    sends_next: bool,
    /// The peer sends with it.
    next_heard: bool,
    side: Side,
    tag_len: u8,
    clear: bool,
    epoch: u32,
    peer_epoch: u32,
    /// The peer was heard in this run, in `peer_epoch`.
    heard_peer: bool,
    /// The peer is known to know our epoch.
    known: bool,
    /// The peer spoke within the session: its notices carry no packets any more.
    peer_in_session: bool,
    counter: u32,
    notice_counter: u32,
    replay: Replay,
    peer_notice: Option<u32>,
    /// Counters below this reached the peer or are lost.
    heard: u32,
}

/// Most frames sent within a session without an answer; then only notices.
const UNHEARD_MAX: u32 = 128;
const NOTICES_MAX: u32 = 1 << 24;

impl Session {
    pub(super) fn new(config: &LinkConfig, epoch: u32, peer_epoch: u32) -> Self {
        let clear = config.profile != Profile::Sealed;
        Self {
            key: Key {
                seal: Seal::new(
                    &config.secret,
                    Purpose::Frames,
                    config.side,
                    config.tag_len,
                    clear,
                ),
                secret: config.secret.clone(),
            },
            next: None,
            sends_next: false,
            next_heard: false,
            side: config.side,
            tag_len: config.tag_len,
            clear,
            epoch,
            peer_epoch,
            heard_peer: false,
            known: false,
            peer_in_session: false,
            counter: 0,
            notice_counter: 0,
            replay: Replay::default(),
            peer_notice: None,
            heard: 0,
        }
    }

    pub(super) fn peer_epoch(&self) -> u32 {
        self.peer_epoch
    }

    /// Both ends know each other's epoch.
    #[inline(never)]
    pub(super) fn is_open(&self) -> bool {
        self.known && self.peer_epoch != 0
    }

    /// Whether the peer may not know our epoch.
    pub(super) fn is_unknown(&self) -> bool {
        !self.known
    }

    pub(super) fn has_heard(&self) -> bool {
        self.heard_peer
    }

    /// Whether the peer could still follow our counters.
    #[inline(never)]
    pub(super) fn may_send(&self) -> bool {
        self.counter - self.heard < UNHEARD_MAX
    }

    /// Whether there is any nonce left to send a frame with.
    pub(super) fn can_notice(&self) -> bool {
        self.notice_counter < NOTICES_MAX
    }

    /// The value an item sent in the next frame is remembered by.
    pub(super) fn mark(&self, notice: bool) -> u32 {
        if notice { 0 } else { self.counter }
    }

    pub(super) fn position(&self) -> [u8; 3] {
        let [low, middle, high, _] = self.counter.to_le_bytes();
        [low, middle, high]
    }

    /// The peer said which counter it expects next from itself.
    pub(super) fn advance(&mut self, position: [u8; 3]) {
        let [low, middle, high] = position;
        let next = u32::from_le_bytes([low, middle, high, 0]);
        let here = self.replay.resolve_wide(next);
        self.replay.advance(here);
    }

    /// The counter and notice parts of the next header.
    pub(super) fn stamp(&self, notice: bool) -> (u8, Option<Notice>) {
        if notice {
            let [low, middle, high, _] = self.notice_counter.to_le_bytes();
            let counter_high = u16::from_le_bytes([middle, high]);
            let (epoch, peer_epoch) = (
                self.epoch.to_le_bytes()[0],
                self.peer_epoch.to_le_bytes()[0],
            );
            (
                low,
                Some(Notice {
                    counter_high,
                    epoch,
                    peer_epoch,
                }),
            )
        } else {
            (self.counter.to_le_bytes()[0], None)
        }
    }

    /// Seals a frame stamped before, and uses up its counter. `None` if it does not fit, or no counter is left: 2^32
    /// frames of a session are more than any radio sends.
    pub(super) fn seal(
        &mut self,
        notice: bool,
        hello: bool,
        frame: &mut [u8],
        header: usize,
        len: usize,
    ) -> Option<usize> {
        let (counter, receiver_epoch) = if notice {
            (&mut self.notice_counter, 0)
        } else {
            (&mut self.counter, self.peer_epoch)
        };
        let nonce = Nonce {
            sender_epoch: self.epoch,
            receiver_epoch,
            counter: *counter,
        };
        *counter = counter.checked_add(1)?;
        let key = match &self.next {
            Some(next) if self.sends_next => next,
            _ => &self.key,
        };
        if hello {
            self.hello_seal(key).seal(nonce, frame, header, len)
        } else {
            key.seal.seal(nonce, frame, header, len)
        }
    }

    fn hello_seal(&self, key: &Key) -> Seal {
        Seal::new(&key.secret, Purpose::Hello, self.side, self.tag_len, true)
    }

    /// A new secret is agreed: frames under it are opened from now on, and sent if `send`.
    pub(super) fn rekey(&mut self, secret: &Secret, send: bool) {
        let seal = Seal::new(secret, Purpose::Frames, self.side, self.tag_len, self.clear);
        let secret = secret.clone();
        self.next = Some(Key { secret, seal });
        (self.sends_next, self.next_heard) = (send, false);
    }

    /// Whether the peer was heard under the new secret.
    pub(super) fn is_next_heard(&self) -> bool {
        self.next_heard
    }

    /// Forgets the old secret for the new one.
    pub(super) fn retire(&mut self) {
        if let Some(next) = self.next.take() {
            self.key = next;
            self.next_heard = false;
        }
    }

    fn try_key(&self, key: &Key, frame: &Closed<'_>, body: &mut [u8]) -> Option<usize> {
        let Closed { nonce, bytes, .. } = *frame;
        if frame.hello {
            self.hello_seal(key)
                .open(nonce, bytes, frame.header_len, body)
        } else {
            key.seal.open(nonce, bytes, frame.header_len, body)
        }
    }

    fn try_open(&mut self, frame: &Closed<'_>, body: &mut [u8]) -> Option<usize> {
        let opened = self.try_key(&self.key, frame, body);
        if opened.is_some() {
            return opened;
        }
        let opened = self.try_key(self.next.as_ref()?, frame, body);
        self.next_heard |= opened.is_some();
        opened
    }

    /// Opens a frame into `body`.
    pub(super) fn open(
        &mut self,
        header: &Header,
        hello: bool,
        bytes: &[u8],
        body: &mut [u8],
    ) -> Result<Opened, Refusal> {
        let (nonce, tries) = match header.notice {
            None if self.peer_epoch == 0 => return Err(Refusal::Stale),
            None => (self.short_nonce(header.counter), 2),
            // A peer never heard, or heard long ago, may have restarted often since.
            Some(notice) => (self.notice_nonce(header.counter, notice), 8),
        };
        let mut frame = Closed {
            nonce,
            bytes,
            header_len: header.len(),
            hello,
        };
        for _ in 0..tries {
            if let Some(len) = self.try_open(&frame, body) {
                return match header.notice {
                    None => self.take_short(frame.nonce.counter, len),
                    Some(notice) => self.take_notice(frame.nonce, notice, len),
                };
            }
            // The low byte crossed: try the next number that ends so.
            let unknown = match header.notice {
                None => &mut frame.nonce.counter,
                Some(_) => &mut frame.nonce.sender_epoch,
            };
            *unknown = unknown.saturating_add(256);
        }
        Err(if self.known || header.notice.is_some() {
            Refusal::Forged
        } else {
            Refusal::Stale
        })
    }

    fn short_nonce(&self, counter: u8) -> Nonce {
        Nonce {
            sender_epoch: self.peer_epoch,
            receiver_epoch: self.epoch,
            counter: self.replay.resolve(counter),
        }
    }

    fn notice_nonce(&self, counter: u8, notice: Notice) -> Nonce {
        let ahead = notice.epoch.wrapping_sub(self.peer_epoch as u8);
        Nonce {
            sender_epoch: self.peer_epoch.saturating_add(ahead.into()),
            receiver_epoch: 0,
            counter: u32::from(notice.counter_high) << 8 | u32::from(counter),
        }
    }

    fn take_short(&mut self, counter: u32, len: usize) -> Result<Opened, Refusal> {
        if !self.replay.is_new(counter) {
            return Err(Refusal::Replayed);
        }
        let ack = self.replay.is_newest(counter);
        self.replay.record(counter);
        (self.known, self.heard_peer, self.peer_in_session) = (true, true, true);
        Ok(Opened {
            len,
            new_session: None,
            data: true,
            ack,
            within: true,
        })
    }

    fn take_notice(&mut self, nonce: Nonce, notice: Notice, len: usize) -> Result<Opened, Refusal> {
        let knows_us = notice.peer_epoch == self.epoch as u8;
        let mut opened = Opened {
            len,
            new_session: None,
            data: true,
            ack: knows_us,
            within: knows_us,
        };
        if nonce.sender_epoch > self.peer_epoch {
            opened.new_session = Some(self.heard_peer);
            self.start(nonce.sender_epoch, nonce.counter, knows_us);
            return Ok(opened);
        }
        if self.peer_notice.is_some_and(|last| nonce.counter <= last) {
            return Err(Refusal::Replayed);
        }
        // Without memory of its notices a packet could be a replay.
        opened.data = self.peer_notice.is_some() && !self.peer_in_session;
        opened.ack &= !self.peer_in_session;
        self.peer_notice = Some(nonce.counter);
        self.heard_peer = true;
        self.known |= knows_us;
        Ok(opened)
    }

    fn start(&mut self, peer_epoch: u32, counter: u32, knows_us: bool) {
        self.peer_epoch = peer_epoch;
        (self.heard_peer, self.known, self.peer_in_session) = (true, knows_us, false);
        self.peer_notice = Some(counter);
        self.replay = Replay::default();
        (self.counter, self.heard) = (0, 0);
    }

    /// What an acknowledgement names as highest counter heard.
    pub(super) fn note_heard(&mut self, low: u8) -> u32 {
        let behind = self.counter.to_le_bytes()[0].wrapping_sub(low.wrapping_add(1));
        self.heard = self.heard.max(self.counter.saturating_sub(behind.into()));
        self.heard
    }

    /// What our acknowledgement names.
    pub(super) fn heard(&self) -> u8 {
        self.replay.heard()
    }

    /// From now on everything up to that counts as lost.
    pub(super) fn close_heard(&mut self) {
        self.replay.close();
    }
}

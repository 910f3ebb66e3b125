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

/// A key agreed but not alone yet.
#[derive(Debug)]
struct Next {
    secret: Secret,
    seal: Seal,
    /// We send with it.
    send: bool,
    /// The peer sends with it.
    heard: bool,
}

#[derive(Debug)]
pub(super) struct Session {
    secret: Secret,
    seal: Seal,
    next: Option<Next>,
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
            seal: Seal::new(
                &config.secret,
                Purpose::Frames,
                config.side,
                config.tag_len,
                clear,
            ),
            secret: config.secret.clone(),
            next: None,
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
        let nonce = if notice {
            let counter = self.notice_counter;
            self.notice_counter = counter.checked_add(1)?;
            Nonce {
                sender_epoch: self.epoch,
                receiver_epoch: 0,
                counter,
            }
        } else {
            let counter = self.counter;
            self.counter = counter.checked_add(1)?;
            Nonce {
                sender_epoch: self.epoch,
                receiver_epoch: self.peer_epoch,
                counter,
            }
        };
        let (secret, seal) = match &self.next {
            Some(next) if next.send => (&next.secret, &next.seal),
            _ => (&self.secret, &self.seal),
        };
        if hello {
            self.hello_seal(secret).seal(nonce, frame, header, len)
        } else {
            seal.seal(nonce, frame, header, len)
        }
    }

    fn hello_seal(&self, secret: &Secret) -> Seal {
        Seal::new(secret, Purpose::Hello, self.side, self.tag_len, true)
    }

    /// A new secret is agreed: frames under it are opened from now on, and sent if `send`.
    pub(super) fn rekey(&mut self, secret: &Secret, send: bool) {
        let seal = Seal::new(secret, Purpose::Frames, self.side, self.tag_len, self.clear);
        self.next = Some(Next {
            secret: secret.clone(),
            seal,
            send,
            heard: false,
        });
    }

    /// Whether the peer was heard under the new secret.
    pub(super) fn is_next_heard(&self) -> bool {
        self.next.as_ref().is_some_and(|next| next.heard)
    }

    /// Forgets the old secret for the new one.
    pub(super) fn retire(&mut self) {
        if let Some(next) = self.next.take() {
            (self.secret, self.seal) = (next.secret, next.seal);
        }
    }

    fn try_open(
        &mut self,
        nonce: Nonce,
        frame: &[u8],
        header: usize,
        hello: bool,
        body: &mut [u8],
    ) -> Option<usize> {
        let mut open = |secret: &Secret, seal: &Seal| {
            if hello {
                self.hello_seal(secret).open(nonce, frame, header, body)
            } else {
                seal.open(nonce, frame, header, body)
            }
        };
        if let Some(len) = open(&self.secret, &self.seal) {
            return Some(len);
        }
        let next = self.next.as_ref()?;
        let len = open(&next.secret, &next.seal)?;
        if let Some(next) = &mut self.next {
            next.heard = true;
        }
        Some(len)
    }

    /// Opens a frame into `body`.
    pub(super) fn open(
        &mut self,
        header: &Header,
        hello: bool,
        frame: &[u8],
        body: &mut [u8],
    ) -> Result<Opened, Refusal> {
        match header.notice {
            Some(notice) => self.open_notice(header, notice, hello, frame, body),
            None => self.open_short(header, frame, body),
        }
    }

    fn open_short(
        &mut self,
        header: &Header,
        frame: &[u8],
        body: &mut [u8],
    ) -> Result<Opened, Refusal> {
        if self.peer_epoch == 0 {
            return Err(Refusal::Stale);
        }
        let near = self.replay.resolve(header.counter);
        for counter in [near, near.saturating_add(256)] {
            let nonce = Nonce {
                sender_epoch: self.peer_epoch,
                receiver_epoch: self.epoch,
                counter,
            };
            let Some(len) = self.try_open(nonce, frame, header.len(), false, body) else {
                continue;
            };
            if !self.replay.is_new(counter) {
                return Err(Refusal::Replayed);
            }
            let ack = self.replay.is_newest(counter);
            self.replay.record(counter);
            (self.known, self.heard_peer, self.peer_in_session) = (true, true, true);
            return Ok(Opened {
                len,
                new_session: None,
                data: true,
                ack,
                within: true,
            });
        }
        Err(if self.known {
            Refusal::Forged
        } else {
            Refusal::Stale
        })
    }

    fn open_notice(
        &mut self,
        header: &Header,
        notice: Notice,
        hello: bool,
        frame: &[u8],
        body: &mut [u8],
    ) -> Result<Opened, Refusal> {
        let counter = u32::from(notice.counter_high) << 8 | u32::from(header.counter);
        let ahead = u32::from(notice.epoch.wrapping_sub(self.peer_epoch.to_le_bytes()[0]));
        // A peer never heard, or heard long ago, may have restarted often since.
        let last = self.peer_epoch;
        for epoch in (0..8).filter_map(|i| last.checked_add(ahead)?.checked_add(i << 8)) {
            let nonce = Nonce {
                sender_epoch: epoch,
                receiver_epoch: 0,
                counter,
            };
            let Some(len) = self.try_open(nonce, frame, header.len(), hello, body) else {
                continue;
            };
            let knows_us = notice.peer_epoch == self.epoch.to_le_bytes()[0];
            if epoch > self.peer_epoch {
                let before = self.heard_peer;
                self.start(epoch, counter, knows_us);
                return Ok(Opened {
                    len,
                    new_session: Some(before),
                    data: true,
                    ack: knows_us,
                    within: knows_us,
                });
            }
            if self.peer_notice.is_some_and(|last| counter <= last) {
                return Err(Refusal::Replayed);
            }
            // Without memory of its notices a packet could be a replay.
            let data = self.peer_notice.is_some() && !self.peer_in_session;
            self.peer_notice = Some(counter);
            self.heard_peer = true;
            self.known |= knows_us;
            return Ok(Opened {
                len,
                new_session: None,
                data,
                ack: knows_us && !self.peer_in_session,
                within: knows_us,
            });
        }
        Err(Refusal::Forged)
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

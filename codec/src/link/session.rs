//! Who the ends are in this run: epochs, counters, keys. Refuses to know what frames carry.
//!
//! A session is a pair of epochs. A station that restarted speaks in notices, which name its epoch and can be opened
//! by a peer that knows only an earlier one, until it has proof that the peer knows the new epoch.

use crate::frame::{Control, Header, Kind, Notice};
use crate::seal::{Nonce, Purpose, Replay, Seal, Secret, Way};

use super::rekey::Proof;
use super::{LinkConfig, Profile, Side};

/// How a frame was received.
#[derive(Debug, Default)]
pub(super) struct Opened {
    /// The peer started a new session.
    pub(super) starts: bool,
    /// The peer was heard before in this run.
    pub(super) before: bool,
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

impl Key {
    fn new(secret: &Secret, side: Side, tag_len: u8, clear: bool) -> Self {
        Self {
            seal: Seal::new(secret, Purpose::Frames, side, tag_len, clear),
            secret: secret.clone(),
        }
    }
}

/// A key agreed but not alone yet.
#[derive(Debug)]
struct Next {
    key: Key,
    /// We send with it.
    sends: bool,
    /// The peer sends with it.
    heard: bool,
    /// There is one only where links are re-keyed.
    _proof: Proof,
}

#[derive(Debug)]
pub(super) struct Session {
    key: Key,
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
    /// Notices of the peer below this are old; 0: none was heard in `peer_epoch`.
    fresh_notice: u32,
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
            key: Key::new(&config.secret, config.side, config.tag_len, clear),
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
            fresh_notice: 0,
            heard: 0,
        }
    }

    pub(super) fn peer_epoch(&self) -> u32 {
        self.peer_epoch
    }

    /// Both ends know each other's epoch: we heard from the peer, in its epoch, that it knows ours.
    pub(super) fn is_open(&self) -> bool {
        self.known
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

    /// The next header, of a frame that carries nothing yet.
    pub(super) fn header(&self, station: Option<u8>, is_notice: bool) -> Header {
        let mut header = Header {
            station,
            kind: Kind::Control(Control::Plain),
            more: false,
            ack: false,
            counter: self.counter as u8,
            notice: None,
        };
        if is_notice {
            header.counter = self.notice_counter as u8;
            header.notice = Some(Notice {
                counter_high: (self.notice_counter >> 8) as u16,
                epoch: self.epoch as u8,
                peer_epoch: self.peer_epoch as u8,
            });
        }
        header
    }

    /// Seals a frame with the next header and room for the tag at its end, and uses up its counter. False if no counter is
    /// left: 2^32 frames of a session are more than any radio sends.
    pub(super) fn seal(&mut self, header: &Header, frame: &mut [u8]) -> bool {
        let (counter, receiver_epoch) = match header.notice {
            Some(_) => (&mut self.notice_counter, 0),
            None => (&mut self.counter, self.peer_epoch),
        };
        let nonce = Nonce {
            sender_epoch: self.epoch,
            receiver_epoch,
            counter: *counter,
        };
        let Some(next) = counter.checked_add(1) else {
            return false;
        };
        *counter = next;
        let key = match &self.next {
            Some(next) if next.sends => &next.key,
            _ => &self.key,
        };
        self.cross(key, Way::Seal, header, &nonce, frame)
    }

    /// Seals or opens a frame with one of the keys.
    fn cross(&self, key: &Key, way: Way, header: &Header, nonce: &Nonce, frame: &mut [u8]) -> bool {
        let hello;
        let mut seal = &key.seal;
        if header.is_hello() {
            hello = Seal::new(&key.secret, Purpose::Hello, self.side, self.tag_len, true);
            seal = &hello;
        }
        seal.cross(way, nonce, frame, header.len())
    }

    /// A new secret is agreed: frames under it are opened from now on, and sent if `send`.
    pub(super) fn rekey(&mut self, secret: &Secret, send: bool) {
        self.next = Proof::ANY.map(|proof| Next {
            key: Key::new(secret, self.side, self.tag_len, self.clear),
            sends: send,
            heard: false,
            _proof: proof,
        });
    }

    /// Whether the peer was heard under the new secret.
    pub(super) fn is_next_heard(&self) -> bool {
        self.next.as_ref().is_some_and(|next| next.heard)
    }

    /// Forgets the old secret for the new one.
    pub(super) fn retire(&mut self) {
        if let Some(next) = self.next.take() {
            self.key = next.key;
        }
    }

    fn try_open(&mut self, header: &Header, nonce: &Nonce, frame: &mut [u8]) -> bool {
        if self.cross(&self.key, Way::Open, header, nonce, frame) {
            return true;
        }
        let Some(next) = &self.next else {
            return false;
        };
        let opens = self.cross(&next.key, Way::Open, header, nonce, frame);
        if let Some(next) = &mut self.next {
            next.heard |= opens;
        }
        opens
    }

    /// Opens a frame in place, and says in `opened` how.
    pub(super) fn open(
        &mut self,
        header: &Header,
        frame: &mut [u8],
        opened: &mut Opened,
    ) -> Result<(), Refusal> {
        opened.before = self.heard_peer;
        let (mut nonce, tries) = match header.notice {
            None if self.peer_epoch == 0 => return Err(Refusal::Stale),
            None => (self.short_nonce(header.counter), 2),
            // A peer never heard, or heard long ago, may have restarted often since.
            Some(notice) => (self.notice_nonce(header.counter, notice), 8),
        };
        for _ in 0..tries {
            if self.try_open(header, &nonce, frame) {
                let fresh = match header.notice {
                    None => self.take_short(nonce.counter, opened),
                    Some(notice) => self.take_notice(&nonce, notice, opened),
                };
                self.heard_peer |= fresh;
                return fresh.then_some(()).ok_or(Refusal::Replayed);
            }
            // The low byte crossed: try the next number that ends so.
            let unknown = match header.notice {
                None => &mut nonce.counter,
                Some(_) => &mut nonce.sender_epoch,
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

    fn take_short(&mut self, counter: u32, opened: &mut Opened) -> bool {
        if !self.replay.is_new(counter) {
            return false;
        }
        (opened.data, opened.within) = (true, true);
        opened.ack = self.replay.is_newest(counter);
        self.replay.record(counter);
        (self.known, self.peer_in_session) = (true, true);
        true
    }

    fn take_notice(&mut self, nonce: &Nonce, notice: Notice, opened: &mut Opened) -> bool {
        opened.within = notice.peer_epoch == self.epoch as u8;
        opened.starts = nonce.sender_epoch > self.peer_epoch;
        if opened.starts {
            self.peer_epoch = nonce.sender_epoch;
            (self.known, self.peer_in_session) = (false, false);
            self.replay = Replay::default();
            (self.counter, self.heard) = (0, 0);
        } else if nonce.counter < self.fresh_notice {
            return false;
        }
        // Without memory of its notices a packet could be a replay.
        let remembered = opened.starts || self.fresh_notice > 0;
        opened.data = remembered && !self.peer_in_session;
        opened.ack = opened.within && !self.peer_in_session;
        self.fresh_notice = nonce.counter + 1;
        self.known |= opened.within;
        true
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

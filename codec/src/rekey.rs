//! A new key for a link at work, by EDHOC: who asks, who answers, and which key counts when, whatever is lost and whenever
//! the power fails. Refuses storage, clocks and randomness: the caller stores what it is given before it goes on.
//!
//! ```text
//! asks, has K                          answers, has K
//!     ── 1, 32 bytes, under K ──▶
//!     ◀─ 2, 40 bytes, under K ───
//! has K and K'
//!     ── 3, 18 bytes, under K ──▶
//!                                      has K and K', sends under K'
//!     ◀─ empty, under K' ────────
//! has K'
//!     ── any frame, under K' ───▶
//!                                      has K'
//! ```
//!
//! Whoever has two keys opens frames under both, so there is no moment at which the ends do not understand each other; and
//! no key is used before it is durable. Both ends show in EDHOC that they know K, so K' is as authentic as K was. It does
//! not follow from K: whoever finds K later cannot read what goes under K'.

mod keys;

pub use keys::{KEYS_LEN, Keys, Next, ORIGIN_LEN, origin};

use crate::link::{Link, RekeyMessage, Side};
use crate::pairing::{Identity, Initiator, MESSAGE_1_LEN, MESSAGE_2_LEN, MESSAGE_3_LEN, Responder};
use crate::time::Instant;

/// Attempts before the far end counts as unable.
const TRIES_MAX: u32 = 5;
/// What stations may need to compute, over what the channel needs, in milliseconds.
const PATIENCE_MS: u64 = 30_000;

/// How far a handshake is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Progress {
    /// None is under way.
    Rest,
    /// Wished for; begins when the peer is heard.
    Wanted,
    /// Messages are exchanged.
    UnderWay,
    /// We have the new key and do not know yet whether the peer uses it.
    Unconfirmed,
}

#[expect(
    clippy::large_enum_variant,
    reason = "there is no allocator to put it elsewhere"
)]
#[derive(Debug)]
enum Phase {
    Rest,
    /// Message 1 was sent.
    Asked(Initiator),
    /// Message 1 came, message 2 was sent.
    Answered(Responder, RekeyMessage, RekeyMessage),
    /// Message 3 was sent.
    Proved(RekeyMessage),
}

/// What to do once the keys are stored.
#[derive(Debug)]
enum Then {
    /// Send message 3.
    Prove(RekeyMessage),
    /// Send under the new key.
    Use,
    /// Forget the old key.
    Retire,
}

/// The handshakes of one link, one after another.
///
/// After whatever happened to the link call [`Rekey::advance`]; if it gives keys, store them, then call
/// [`Rekey::stored`], and repeat. Nothing is lost if the power fails in between.
#[derive(Debug)]
pub struct Rekey {
    side: Side,
    keys: Keys,
    phase: Phase,
    wanted: bool,
    /// Attempts that came to nothing.
    tries: u32,
    deadline: Option<Instant>,
    pending: Option<(Keys, Then)>,
}

impl Rekey {
    /// Goes on with `keys` as they were stored. The secret of the link is [`Keys::current`]; tell it the rest by
    /// [`Rekey::attach`].
    pub fn new(side: Side, keys: Keys) -> Self {
        Self {
            side,
            // We asked, and never heard whether the peer took the last message.
            wanted: keys.next.as_ref().is_some_and(|next| !next.send),
            keys,
            phase: Phase::Rest,
            tries: 0,
            deadline: None,
            pending: None,
        }
    }

    /// Prepares a link that was just made.
    pub fn attach<B: AsRef<[u8]> + AsMut<[u8]>>(&mut self, link: &mut Link<B>) {
        self.phase = Phase::Rest;
        self.deadline = None;
        self.pending = None;
        if let Some(next) = &self.keys.next {
            link.rekey(&next.secret, next.send);
            if next.send {
                link.tell(Some(RekeyMessage::EMPTY));
            }
        }
    }

    /// The keys as stored last.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        match (&self.keys.next, &self.phase) {
            (Some(next), _) if next.send => Progress::Unconfirmed,
            (_, Phase::Proved(_)) => Progress::Unconfirmed,
            (_, Phase::Asked(_) | Phase::Answered(..)) => Progress::UnderWay,
            (_, Phase::Rest) if self.wanted => Progress::Wanted,
            _ => Progress::Rest,
        }
    }

    /// A new key is wished for.
    pub fn begin(&mut self) {
        self.wanted = true;
        self.tries = 0;
    }

    /// When to call [`Rekey::advance`] at the latest.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadline
    }

    /// Moves the handshake on with what the link heard. If keys come back, store them in place of those before and call
    /// [`Rekey::stored`]; without `entropy` nothing is begun or answered.
    pub fn advance<B: AsRef<[u8]> + AsMut<[u8]>>(
        &mut self,
        now: Instant,
        link: &mut Link<B>,
        entropy: &mut dyn FnMut() -> Option<[u8; 32]>,
    ) -> Option<&Keys> {
        if self.pending.is_none() {
            self.step(now, link, entropy);
        }
        self.pending.as_ref().map(|(keys, _)| keys)
    }

    fn step<B: AsRef<[u8]> + AsMut<[u8]>>(
        &mut self,
        now: Instant,
        link: &mut Link<B>,
        entropy: &mut dyn FnMut() -> Option<[u8; 32]>,
    ) {
        if link.is_next_heard()
            && let Some(next) = &self.keys.next
        {
            self.pending = Some((Keys::new(next.secret.clone()), Then::Retire));
            return;
        }
        if link.is_suspended() {
            // The link forgot the message too; what was wished for begins anew when the peer is heard.
            self.rest();
        }
        if let Some(message) = link.told() {
            self.handle_message(now, link, message, entropy);
        }
        if self.deadline.is_some_and(|at| at <= now) {
            self.give_up(link);
        }
        let free = matches!(self.phase, Phase::Rest) && !self.sends_next();
        if self.wanted && free && self.pending.is_none() && !link.is_suspended() {
            self.ask(now, link, entropy);
        }
    }

    /// The keys of [`Rekey::advance`] are durable.
    pub fn stored<B: AsRef<[u8]> + AsMut<[u8]>>(&mut self, now: Instant, link: &mut Link<B>) {
        let Some((keys, then)) = self.pending.take() else {
            return;
        };
        self.keys = keys;
        match (then, &self.keys.next) {
            (Then::Prove(message), Some(next)) => {
                link.rekey(&next.secret, false);
                link.tell(Some(message));
                self.phase = Phase::Proved(message);
                self.wait(now, link);
            }
            (Then::Use, Some(next)) => {
                link.rekey(&next.secret, true);
                link.tell(Some(RekeyMessage::EMPTY));
                self.rest();
            }
            _ => {
                link.retire();
                link.tell(None);
                (self.wanted, self.tries) = (false, 0);
                self.rest();
            }
        }
    }

    fn rest(&mut self) {
        self.phase = Phase::Rest;
        self.deadline = None;
    }

    /// Long enough for a turn of each end, with data in it; longer with each attempt.
    fn wait<B: AsRef<[u8]> + AsMut<[u8]>>(&mut self, now: Instant, link: &Link<B>) {
        let channel = link.channel();
        let turns = u64::from(2 * (channel.turn_ms() + channel.gap_ms()));
        self.deadline = Some(now + ((turns + PATIENCE_MS) << self.tries.min(6)));
    }

    fn sends_next(&self) -> bool {
        self.keys.next.as_ref().is_some_and(|next| next.send)
    }

    /// The answer stays out although the peer is heard: it forgot the handshake, or knows none.
    fn give_up<B: AsRef<[u8]> + AsMut<[u8]>>(&mut self, link: &mut Link<B>) {
        link.tell(None);
        if !matches!(self.phase, Phase::Answered(..)) {
            self.tries += 1;
            self.wanted &= self.tries < TRIES_MAX;
        }
        self.rest();
    }

    fn ask<B: AsRef<[u8]> + AsMut<[u8]>>(
        &mut self,
        now: Instant,
        link: &mut Link<B>,
        entropy: &mut dyn FnMut() -> Option<[u8; 32]>,
    ) {
        let own = Identity::derive(&self.keys.current, self.side);
        let peer = Identity::derive(&self.keys.current, self.side.other()).public();
        let begun = entropy().and_then(|entropy| Initiator::new(&entropy, own, peer).ok());
        // The longest message is not ours, but it must fit too.
        let fits = link.rekey_fits();
        match begun.filter(|_| fits) {
            Some((initiator, message)) => {
                link.tell(Some(message));
                self.phase = Phase::Asked(initiator);
                self.wait(now, link);
            }
            None => self.wanted = false,
        }
    }

    fn handle_message<B: AsRef<[u8]> + AsMut<[u8]>>(
        &mut self,
        now: Instant,
        link: &mut Link<B>,
        message: RekeyMessage,
        entropy: &mut dyn FnMut() -> Option<[u8; 32]>,
    ) {
        match message.as_bytes().len() {
            MESSAGE_1_LEN => self.answer(now, link, message, entropy),
            MESSAGE_2_LEN => self.prove(link, message),
            MESSAGE_3_LEN => self.conclude(link, message),
            _ => {}
        }
    }

    fn answer<B: AsRef<[u8]> + AsMut<[u8]>>(
        &mut self,
        now: Instant,
        link: &mut Link<B>,
        message: RekeyMessage,
        entropy: &mut dyn FnMut() -> Option<[u8; 32]>,
    ) {
        match &self.phase {
            // The answer to this goes under the new key, which says all.
            _ if self.sends_next() => return,
            // Both asked: A goes first.
            Phase::Asked(_) if self.side == Side::A => return,
            Phase::Answered(_, asked, answer) if *asked == message => {
                link.tell(Some(*answer));
                return;
            }
            _ => {}
        }
        let own = Identity::derive(&self.keys.current, self.side);
        let peer = Identity::derive(&self.keys.current, self.side.other()).public();
        let answered = entropy()
            .and_then(|entropy| Responder::new(&entropy, &own, peer, message.as_bytes()).ok());
        if let Some((responder, answer)) = answered {
            link.tell(Some(answer));
            self.phase = Phase::Answered(responder, message, answer);
            self.wait(now, link);
        }
    }

    fn prove<B: AsRef<[u8]> + AsMut<[u8]>>(&mut self, link: &mut Link<B>, message: RekeyMessage) {
        match core::mem::replace(&mut self.phase, Phase::Rest) {
            Phase::Asked(initiator) => match initiator.handle_message_2(message.as_bytes()) {
                Ok((proof, secret)) => {
                    let keys = self.keys.with(secret, false);
                    self.pending = Some((keys, Then::Prove(proof)));
                }
                Err(_) => self.give_up(link),
            },
            Phase::Proved(proof) => {
                link.tell(Some(proof));
                self.phase = Phase::Proved(proof);
            }
            other => self.phase = other,
        }
    }

    fn conclude<B: AsRef<[u8]> + AsMut<[u8]>>(
        &mut self,
        link: &mut Link<B>,
        message: RekeyMessage,
    ) {
        match core::mem::replace(&mut self.phase, Phase::Rest) {
            Phase::Answered(responder, ..) => {
                match responder.handle_message_3(message.as_bytes()) {
                    Ok(secret) => {
                        let keys = self.keys.with(secret, true);
                        self.pending = Some((keys, Then::Use));
                    }
                    // Of an earlier handshake, perhaps: the peer begins anew.
                    Err(_) => self.give_up(link),
                }
            }
            other => self.phase = other,
        }
    }
}

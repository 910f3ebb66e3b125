//! Whose turn it is. Refuses to look into frames: it is told who spoke and whether more follows.
//!
//! On a half-duplex channel a frame that says "over" gives the turn away, one that says "more" keeps it. Who is silent
//! when it is his turn loses it: the peer of a speaker who fell silent takes over after a few longest frames, the speaker
//! who gets no answer asks again earlier, so the two do not meet. Only from idle can they.

use super::shared::Manners;
use super::stats::count;
use super::{At, Link, MTU_MAX, Priority, Side, What};
use crate::channel::Channel;
use crate::time::Instant;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Phase {
    /// Nobody speaks; either end may start.
    Idle,
    Ours,
    /// We said over and expect an answer.
    Waiting,
    Theirs,
}

/// The state of the conversation.
#[derive(Debug)]
pub(super) struct Turn {
    phase: Phase,
    /// The frame in the modem.
    sending: Option<Sending>,
    /// Questions in a row that got no answer.
    failures: u32,
    /// How often nothing was left to say while the peer had not accepted all.
    rests: u32,
    /// The peer fell silent within its turn, or seems to: say no more than is owed, it may still be speaking.
    tentative: bool,
    /// What the modem last said, if it can tell.
    pub(super) carrier: Option<bool>,
    /// An acknowledgement came since our last frame.
    answered: bool,
    /// What a shared channel asks for besides.
    pub(super) manners: Manners,
    random: u32,
}

#[derive(Clone, Copy, Debug)]
struct Sending {
    over: bool,
    expects_reply: bool,
}

/// Questions without an answer before the peer counts as gone.
const SUSPEND_AFTER: u32 = 5;
/// What an application may take to store a packet before its acknowledgement is due, in milliseconds.
pub(super) const ACCEPT_MS: u32 = 150;
/// What it may take to answer a packet, in milliseconds: the answer then carries the acknowledgement.
const ANSWER_MS: u32 = 150;

impl Turn {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            phase: Phase::Idle,
            sending: None,
            failures: 0,
            rests: 0,
            tentative: false,
            carrier: None,
            answered: true,
            manners: Manners::default(),
            random: (seed ^ seed >> 32) as u32,
        }
    }

    /// An acknowledgement came, of something new or not.
    pub(super) fn note_answer(&mut self, is_progress: bool) {
        self.answered = true;
        if is_progress {
            self.rests = 0;
        }
    }

    pub(super) fn is_suspended(&self) -> bool {
        self.failures >= SUSPEND_AFTER
    }

    pub(super) fn is_idle(&self) -> bool {
        self.phase == Phase::Idle && self.sending.is_none()
    }

    pub(super) fn is_sending(&self) -> bool {
        self.sending.is_some()
    }

    /// Nothing but single questions until the peer is heard.
    pub(super) fn is_failing(&self) -> bool {
        self.failures > 0
    }

    pub(super) fn is_tentative(&self) -> bool {
        self.tentative
    }

    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    /// Whether our last frames were answered, if only in part.
    pub(super) fn is_answered(&self) -> bool {
        self.answered
    }

    /// A counter, stirred: enough to keep two stations apart.
    pub(super) fn random_below(&mut self, bound: u32) -> u32 {
        self.random = self.random.wrapping_add(0x9e37_79b9);
        let mut x = self.random;
        x = (x ^ x >> 16).wrapping_mul(0x21f0_aaad);
        x = (x ^ x >> 15).wrapping_mul(0x735a_2d97);
        (x ^ x >> 15) % bound.max(1)
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Link<B> {
    fn is_half_duplex(&self) -> bool {
        !self.channel.full_duplex
    }

    /// How long a frame of `len` bytes takes, or the longest if that is shorter.
    #[inline(never)]
    pub(super) fn frame_ms(&self, len: u16) -> u32 {
        self.channel.frame_ms(len.min(self.channel.mtu).into())
    }

    /// How long a frame may take to be heard when we cannot hear that one is coming.
    fn unseen_frame_ms(&self) -> u32 {
        match self.turn.carrier {
            Some(_) => self.frame_ms(4),
            None => self.frame_ms(MTU_MAX),
        }
    }

    fn reply_ms(&self) -> u32 {
        let frame = self.unseen_frame_ms();
        let patience = self.patience_ms();
        let jitter = self.channel.turnaround_ms / 4 + 20;
        let wait = self.channel.gap_ms() + ACCEPT_MS + frame + frame / 8 + patience + jitter;
        if self.channel.reliable {
            60_000 + 4 * wait
        } else {
            wait
        }
    }

    /// When both started at once, A asks again first, and B hears it out: one short frame after another of about the same
    /// length, so two of them.
    fn patience_ms(&self) -> u32 {
        if self.config.side == Side::A {
            return 0;
        }
        2 * self.frame_ms(super::transmit::ASK_ABOVE_LEN as u16)
            + 2 * self.channel.turnaround_ms
            + 40
    }

    /// Some frames of the peer's turn may be lost without its end: that costs less to wait for than to speak into it,
    /// and who lost the answer to his last frame asks earlier.
    fn silence_ms(&self) -> u32 {
        let frame = self.frame_ms(MTU_MAX);
        self.channel.interleaver_ms + self.reply_ms() + 3 * frame
    }

    /// The longest time to wait with an acknowledgement for a packet of ours to carry it, on a full-duplex channel.
    fn ack_delay_ms(&self, more: bool) -> u32 {
        let short = if self.channel.reliable { 200 } else { 20 } + self.frame_ms(28);
        if more { 8 * short } else { short }
    }

    /// Something arrived or was accepted that the peer should hear about.
    pub(super) fn owe_ack(&mut self, more: bool) {
        self.owed.ack = true;
        if !self.is_half_duplex() {
            let many = self.owed.unacknowledged_frames >= 16;
            let wait = if many { 0 } else { self.ack_delay_ms(more) };
            self.clock.hasten(At::Acknowledge, wait);
        }
    }

    /// Whether new packets should be asked for now.
    pub(super) fn may_fill(&mut self, priority: Priority) -> bool {
        // With nothing to be answered nobody would ask again, and the failure never end.
        if self.turn.is_failing() && self.is_owed_answer()
            || self.turn.manners.gives_way()
            || self.turn.is_sending()
            || !self.session.may_send()
            || !self.may_speak()
        {
            return false;
        }
        self.outgoing.due_len(priority) < 2 * usize::from(self.channel.mtu)
    }

    /// Whether a frame may go out now; otherwise sets the timer for when it may, if time decides that.
    pub(super) fn may_speak(&mut self) -> bool {
        if self.turn.is_sending() {
            return false;
        }
        if self.is_half_duplex() {
            match self.turn.phase {
                Phase::Waiting | Phase::Theirs => return false,
                Phase::Idle if self.turn.carrier == Some(true) => return false,
                // On a shared channel it is not the peer who speaks into our turn.
                Phase::Ours if self.turn.carrier == Some(true) && self.is_shared() => return false,
                _ => {}
            }
        }
        let free = self.clock.is_past(At::Free);
        if !free {
            let timer = if self.turn.is_failing() {
                At::Probe
            } else {
                At::Transmit
            };
            self.clock.put(timer, self.clock.get(At::Free));
        }
        free
    }

    /// A frame is about to go out: takes the turn if nobody has it.
    pub(super) fn begin_turn(&mut self) {
        if self.turn.phase != Phase::Ours || !self.is_half_duplex() {
            self.turn.phase = Phase::Ours;
            self.clock.set(At::Until, self.opening_ms());
        }
        self.note_dialogue();
        self.clock.stop(At::Transmit);
        self.clock.stop(At::Probe);
    }

    pub(super) fn turn_ms(&self) -> u32 {
        match self.config.turn_ms_max {
            0 => self.channel.turn_ms(),
            most => most,
        }
    }

    /// Twice as long each time, up to the longest pause between probes.
    #[inline(never)]
    fn ever_longer_ms(&self, first: u32, times: u32) -> u32 {
        let most = self.config.probe_ms_max;
        let mut wait = first.min(most);
        for _ in 0..times.min(20) {
            wait = wait.saturating_mul(2).min(most);
        }
        wait
    }

    /// Nothing is left to say in our turn.
    pub(super) fn rest(&mut self) {
        if self.turn.phase == Phase::Ours {
            self.turn.phase = Phase::Idle;
            self.give_way();
        }
        // What the peer holds but did not accept yet is asked for again, in case it forgets to tell.
        if self.turn.is_idle() && self.outgoing.is_unconfirmed() && !self.clock.is_set(At::Reply) {
            // Ever more rarely, while nothing is delivered.
            let wait = self.ever_longer_ms(4 * self.reply_ms(), self.turn.rests);
            self.turn.rests += 1;
            self.clock.set(At::Reply, wait);
        }
    }

    /// A frame went to the modem. Gives whether an answer to our turn is expected.
    pub(super) fn note_sending(&mut self, over: bool, elicits: bool) -> bool {
        if elicits {
            self.turn.answered = false;
        }
        let expects_reply = !self.turn.answered;
        self.turn.sending = Some(Sending {
            over,
            expects_reply,
        });
        expects_reply
    }

    /// The modem finished sending the last frame taken.
    #[inline(never)]
    pub fn handle_sent(&mut self, now: Instant) {
        self.clock.tell(now);
        let Some(Sending {
            over,
            expects_reply,
        }) = self.turn.sending.take()
        else {
            return;
        };
        self.note_dialogue();
        if !self.is_half_duplex() {
            if expects_reply {
                self.await_duplex();
            }
            return;
        }
        if !over {
            return;
        }
        if expects_reply {
            self.turn.tentative = false;
            self.turn.phase = Phase::Waiting;
            let wait = self.reply_ms();
            self.clock.set(At::Reply, wait);
        } else {
            self.turn.phase = Phase::Idle;
            // The peer has the turn first, if it wants it.
            let small = self.frame_ms(48);
            let patience = if self.turn.tentative {
                self.silence_ms()
            } else {
                self.unseen_frame_ms().min(small)
            };
            self.turn.tentative = false;
            let wait = self.channel.gap_ms() + patience;
            self.clock.delay(At::Free, wait);
            self.give_way();
            self.rest();
        }
    }

    /// The modem hears (or no longer hears) a signal. Optional: without it timers assume the longest frame.
    #[inline(never)]
    pub fn handle_carrier(&mut self, now: Instant, busy: bool) {
        self.clock.tell(now);
        if self.turn.carrier.replace(busy) != Some(true) || busy {
            return;
        }
        self.wait_aside();
        // A frame may be on its way through the interleaver.
        let wait = self.channel.interleaver_ms + self.frame_ms(2) + 10;
        self.clock.delay(At::Reply, wait);
        self.clock.delay(At::Silence, wait);
    }

    /// Bit rate, MTU or delays changed; or a reliable modem reconnected, which sends everything unconfirmed again.
    #[inline(never)]
    pub fn handle_channel(&mut self, now: Instant, channel: Channel) {
        self.clock.tell(now);
        self.channel = channel;
        self.channel.bound();
        if self.channel.reliable {
            self.outgoing.doubt();
        }
        if self.turn.is_failing() {
            // A new chance, perhaps for both at the same moment.
            let wait = if self.is_half_duplex() {
                self.patience_ms()
            } else {
                0
            };
            self.clock.set(At::Free, wait);
        }
    }

    /// The peer spoke. `more`: it goes on.
    pub(super) fn heard(&mut self, more: bool) {
        self.clock.stop(At::Reply);
        self.clock.stop(At::Silence);
        self.clock.stop(At::Probe);
        if self.turn.is_suspended() {
            self.news.push(What::Resumed);
        }
        self.turn.failures = 0;
        self.turn.manners.note_speaker(self.channel.station);
        if self.is_half_duplex() {
            self.yield_turn(more);
        } else {
            self.clock.set(At::Free, 0);
            if self.outgoing.is_unconfirmed() {
                self.await_duplex();
            }
        }
    }

    /// On a full-duplex channel an answer may wait for company.
    fn await_duplex(&mut self) {
        let wait = self.reply_ms() + 4 * self.ack_delay_ms(true);
        self.clock.set(At::Reply, wait);
    }

    /// Somebody spoke who may be the peer: the turn is theirs or ours.
    pub(super) fn yield_turn(&mut self, more: bool) {
        self.note_dialogue();
        self.clock.set(At::Free, 0);
        self.turn.tentative = false;
        self.clock.set(At::Since, 0);
        if more {
            self.turn.phase = Phase::Theirs;
            let wait = self.silence_ms();
            self.clock.set(At::Silence, wait);
        } else {
            self.turn.phase = Phase::Ours;
            self.clock.set(At::Until, self.turn_ms());
            self.note_overdue();
        }
    }

    /// The application is still storing what it was given, or about to answer it: our turn may wait a little.
    pub(super) fn hold_for_accept(&mut self) -> bool {
        let only_ack = self.owed.ack && !self.outgoing.has_due() && !self.handshake.is_due();
        let answer_ms = (self.channel.gap_ms() / 2 + self.frame_ms(14)).min(ANSWER_MS);
        let wait = if self.incoming.has_unaccepted() {
            ACCEPT_MS
        } else if only_ack && !self.turn.manners.gives_way() {
            answer_ms
        } else {
            0
        };
        let until = self.clock.get(At::Since) + wait;
        let given = self.turn.phase == Phase::Ours && !self.turn.tentative && self.is_half_duplex();
        let holds = given && self.clock.now() < until;
        if holds {
            self.clock.put(At::Transmit, until);
        }
        holds
    }

    /// The moment of `poll_timeout` came. Calling it early does no harm.
    #[inline(never)]
    pub fn handle_timeout(&mut self, now: Instant) {
        self.clock.tell(now);
        if self.turn.is_sending() {
            return;
        }
        let busy = self.turn.carrier == Some(true) && self.is_half_duplex();
        if busy {
            // Whatever is coming in will move these on; should the carrier stick, they still fire.
            let wait = self.frame_ms(MTU_MAX);
            for timer in &[At::Reply, At::Silence] {
                if self.clock.take(*timer) {
                    self.turn.carrier = None;
                    self.clock.set(*timer, wait);
                }
            }
        }
        self.clock.take(At::Transmit);
        self.clock.take(At::Probe);
        self.clock.take(At::Acknowledge);
        if self.clock.take(At::Identify) {
            self.owed.identify = true;
        }
        if self.clock.take(At::Silence) {
            count(&mut self.stats.silent_turns, 1);
            self.turn.phase = Phase::Ours;
            self.turn.tentative = true;
            self.clock.set(At::Since, 0);
        }
        if self.clock.take(At::Reply) {
            self.fail();
        }
    }

    fn fail(&mut self) {
        count(&mut self.stats.reply_timeouts, 1);
        self.turn.phase = Phase::Idle;
        self.turn.failures = self.turn.failures.saturating_add(1);
        let failures = self.turn.failures;
        if failures == SUSPEND_AFTER {
            self.handshake.tell(None);
            self.news.push(What::Suspended);
        }
        self.owed.poll = true;
        if self.greeting {
            (self.owed.hello, self.owed.hello_asks) = (true, true);
        }
        self.outgoing.doubt();
        self.handshake.repeat();
        let pause = match failures.checked_sub(3) {
            None => 0,
            Some(more) => self.ever_longer_ms(self.reply_ms(), more),
        };
        let mut spread = pause / 4 + 1;
        if !self.is_shared() {
            spread += self.channel.turnaround_ms / 4 + 19;
        }
        let jitter = self.back_off_ms() + self.turn.random_below(spread);
        self.clock.set(At::Free, pause.saturating_add(jitter));
        self.clock.put(At::Probe, self.clock.get(At::Free));
    }
}

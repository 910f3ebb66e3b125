//! Manners on a channel of more than two stations: who overhears others waits for the end of what they do, who collided
//! backs off, who talked long lets others in. Refuses to know who the others are: nothing here is authenticated.

use super::turn::ACCEPT_MS;
use super::{At, Link, MTU_MAX};

/// Of how many slots a station takes one at random while the channel is not crowded.
const SLOTS: u32 = 4;
/// The most of crowding: 16 times the slots.
const CROWDING_MAX: u32 = 8;
/// How many longest turns a dialogue may take.
const TURNS: u32 = 2;
/// What a modem and its driver take to report a carrier, in milliseconds.
const CARRIER_MS: u32 = 10;

/// What a turn remembers of the others.
#[derive(Debug, Default)]
pub(super) struct Manners {
    /// How many seem to want the channel at once: the slots double with each two. Up by two when no answer comes, down
    /// by one with each dialogue, ours or not, so that who was lucky does not wait less than who was not.
    crowding: u32,
    /// Who was heard last: the address of a link, ours or not.
    speaker: Option<u8>,
    /// It has lasted long enough: our turn is for what is owed, then others may speak.
    overdue: bool,
}

impl Manners {
    /// A frame of the link with this address was heard.
    pub(super) fn note_speaker(&mut self, station: Option<u8>) {
        if self.speaker != station {
            self.speaker = station;
            self.crowding = self.crowding.saturating_sub(1);
        }
    }

    fn slots(&self) -> u32 {
        SLOTS << (self.crowding / 2)
    }

    /// Whether nothing new may be said in this turn.
    pub(super) fn gives_way(&self) -> bool {
        self.overdue
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Link<B> {
    pub(super) fn is_shared(&self) -> bool {
        self.channel.station.is_some()
    }

    /// How long a turn may last that nobody gave us. Others may have started too: who was not given the turn asks for
    /// it first, and where there are more than two, with a single frame.
    pub(super) fn opening_ms(&self) -> u32 {
        if self.is_shared() {
            return 0;
        }
        let frames = 4 * self.frame_ms(MTU_MAX);
        self.turn_ms().min(self.channel.gap_ms() + frames)
    }

    /// Airtime of a usual answer.
    fn answer_ms(&self) -> u32 {
        self.frame_ms(28)
    }

    /// What it takes to notice that somebody else began to speak.
    fn slot_ms(&self) -> u32 {
        let notice_ms = match self.turn.carrier {
            Some(_) => CARRIER_MS + self.frame_ms(4),
            None => self.frame_ms(self.channel.mtu / 2),
        };
        self.channel.turnaround_ms + notice_ms
    }

    /// A random wait that keeps those apart who wait for the same moment.
    fn slots_ms(&mut self) -> u32 {
        let slots = self.turn.manners.slots();
        self.turn.random_below(slots) * self.slot_ms()
    }

    /// From the end of a frame to the end of the answer to it.
    fn exchange_ms(&self) -> u32 {
        self.channel.gap_ms() + ACCEPT_MS + self.answer_ms()
    }

    /// Two others speak: we keep off until one of them must have answered.
    pub(super) fn overhear(&mut self, station: Option<u8>, more: bool) {
        self.turn.manners.note_speaker(station);
        let frame = if more { self.frame_ms(MTU_MAX) } else { 0 };
        self.clock.stop(At::Began);
        let wait = self.exchange_ms() + frame + self.slots_ms();
        self.clock.delay(At::Free, wait);
        self.clock.delay(At::Reply, wait);
    }

    /// A signal ended. Others waited for its end too; what it was comes next, and may say more.
    pub(super) fn wait_aside(&mut self) {
        if self.is_shared() && self.turn.is_idle() {
            let slots = self.slots_ms();
            self.clock.delay(At::Free, slots);
        }
    }

    /// No answer came: perhaps somebody spoke at the same time, and waits for an answer too.
    pub(super) fn back_off_ms(&mut self) -> u32 {
        if !self.is_shared() {
            return 0;
        }
        let manners = &mut self.turn.manners;
        manners.crowding = (manners.crowding + 2).min(CROWDING_MAX);
        manners.overdue = false;
        if !self.clock.is_set(At::Began) {
            // Others were heard since, and their slots waited for: whoever waits twice never gets in.
            return 0;
        }
        self.slots_ms()
    }

    /// One of the two ends speaks, perhaps after a silence in which others could have spoken.
    pub(super) fn note_dialogue(&mut self) {
        let silence = self.exchange_ms() + self.frame_ms(MTU_MAX);
        if !self.clock.is_set(At::Began) || self.clock.now() > self.clock.get(At::Last) + silence {
            self.clock.set(At::Began, 0);
        }
        self.clock.set(At::Last, 0);
    }

    /// We have the turn. As long as the two ends answer each other at once nobody else gets a word in.
    pub(super) fn note_overdue(&mut self) {
        let most_ms = self.turn_ms().saturating_mul(TURNS);
        let over = self.clock.get(At::Began).saturating_add(most_ms) <= self.clock.now();
        self.turn.manners.overdue = self.is_shared() && over;
    }

    /// A long dialogue is over: those who overheard it go first.
    pub(super) fn give_way(&mut self) {
        if core::mem::take(&mut self.turn.manners.overdue) {
            let theirs = self.turn.manners.slots() * self.slot_ms();
            let wait = self.exchange_ms() + theirs + self.slots_ms();
            self.clock.delay(At::Free, wait);
        }
    }
}

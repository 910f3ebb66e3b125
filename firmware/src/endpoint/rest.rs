//! When the board must be awake, and how much it may send: the duty cycle and the sleep between turns that its image asks
//! for. Refuses to switch anything off: the drive loop does.

use core::ops::Range;

use embedded_storage_async::nor_flash::NorFlash;
use longwire_codec::link::Timer;
use longwire_codec::provision::Provision;
use longwire_codec::time::Instant;

use super::Endpoint;

/// A board that sleeps listens so many frames longer than an exchange takes: base may have more to say.
const PATIENCE_FRAMES: u32 = 2;

/// Sleep between turns.
#[derive(Debug)]
pub(super) struct Rest {
    /// It listens at least so often; 0: always.
    listen_every_ms: u64,
    /// When a frame last came or went.
    busy_at: Instant,
    asleep_since: Option<Instant>,
    asleep_s: u32,
    /// Of a second begun.
    asleep_ms: u32,
}

impl Rest {
    pub(super) const fn new(provision: &Provision<'_>) -> Self {
        Self {
            listen_every_ms: 1000 * provision.listen_every_s as u64,
            busy_at: Instant::ZERO,
            asleep_since: None,
            asleep_s: 0,
            asleep_ms: 0,
        }
    }

    pub(super) fn note(&mut self, now: Instant) {
        self.busy_at = now;
    }
}

impl<F: NorFlash, L: AsRef<[u8]> + AsMut<[u8]>, S: AsRef<[u8]> + AsMut<[u8]>>
    Endpoint<'_, F, L, S>
{
    /// From when until when the radio may sleep: nothing is expected then, and what base has to say waits. `None`: it
    /// listens. Tell [`Self::handle_sleep`] and [`Self::handle_wake`].
    pub fn poll_sleep(&self) -> Option<Range<Instant>> {
        let Rest {
            listen_every_ms,
            busy_at,
            ..
        } = self.rest;
        if listen_every_ms == 0 {
            return None;
        }
        let channel = self.link.channel();
        let pause_ms = 2 * (channel.turnaround_ms + channel.interleaver_ms);
        let frames_ms = u64::from(self.frame_ms()) * u64::from(1 + PATIENCE_FRAMES);
        let from = busy_at + frames_ms + u64::from(pause_ms);
        let (mut until, mut quiet) = (busy_at + listen_every_ms, self.is_idle());
        if let Some((at, timer)) = self.link.poll_timeout() {
            until = until.min(at);
            // Between two probes of a base that does not answer there is nothing to hear either.
            quiet |= timer == Timer::Probe;
        }
        (quiet && from < until).then_some(from..until)
    }

    /// The radio went to sleep.
    pub fn handle_sleep(&mut self, now: Instant) {
        self.rest.asleep_since = Some(now);
    }

    /// The radio listens, or sends, again. Base is told by an empty frame, and says what it has.
    pub fn handle_wake(&mut self, now: Instant) {
        if let Some(since) = self.rest.asleep_since.take() {
            // Nobody sleeps for seven weeks at a time.
            let asleep_ms = self.rest.asleep_ms.saturating_add(now.since(since) as u32);
            self.rest.asleep_s += asleep_ms / 1000;
            self.rest.asleep_ms = asleep_ms % 1000;
            self.rest.note(now);
            self.link.check_in();
        }
    }

    /// Milliseconds on the air in the last hour, and allowed in an hour (0: no limit).
    pub fn airtime_ms(&self) -> (u32, u32) {
        self.budget.hour_ms()
    }

    /// Seconds that the radio slept since the start.
    pub fn asleep_s(&self) -> u32 {
        self.rest.asleep_s
    }
}

//! The moments a link remembers, its timers among them, in one table. Refuses to fire: the caller asks what is next.
//!
//! Inside a link time is 32 bits of milliseconds: a board reckons with them in one register. They count from an origin
//! that follows the caller's time, so they never wrap: what is long past is as good as twelve days past.

use super::Timer;
use crate::time::Instant;

const TIMERS: [Timer; 6] = [
    Timer::Transmit,
    Timer::Reply,
    Timer::Silence,
    Timer::Probe,
    Timer::Acknowledge,
    Timer::Identify,
];

/// What happened, or is due, at a moment.
#[derive(Clone, Copy, Debug)]
pub(super) enum At {
    // The timers, in the order of their table.
    Transmit,
    Reply,
    Silence,
    Probe,
    Acknowledge,
    Identify,
    /// We are not on air before this.
    Free,
    /// We got the turn.
    Since,
    /// Our turn ends about here.
    Until,
    /// The dialogue with the peer began; others end it.
    Began,
    /// One of the two was heard last.
    Last,
    /// Before this an unreadable frame is not answered.
    Notice,
}

const MOMENTS: usize = 12;
/// What does not happen.
pub(super) const NEVER: u32 = u32::MAX;
/// How far back moments are told apart, and the longest wait, in milliseconds.
const REACH_MS: u32 = 1 << 30;

/// See the module.
// In this order, what is asked for most first: a board reaches it with short instructions.
#[repr(C)]
#[derive(Debug)]
pub(super) struct Clock {
    now: u32,
    at: [u32; MOMENTS],
    origin: Instant,
}

impl Clock {
    pub(super) const fn new() -> Self {
        let mut at = [NEVER; MOMENTS];
        (at[At::Free as usize], at[At::Since as usize]) = (0, 0);
        (at[At::Until as usize], at[At::Last as usize]) = (0, 0);
        at[At::Notice as usize] = 0;
        Self {
            origin: Instant::ZERO,
            now: 0,
            at,
        }
    }

    /// The caller's time is `now`.
    #[inline(never)]
    pub(super) fn tell(&mut self, now: Instant) {
        let mut since = now.since(self.origin);
        if since > 2 * u64::from(REACH_MS) {
            let step = since - u64::from(REACH_MS);
            self.origin = self.origin + step;
            since -= step;
            let step = u32::try_from(step).unwrap_or(NEVER);
            for at in self.at.iter_mut().filter(|at| **at != NEVER) {
                *at = at.saturating_sub(step);
            }
        }
        self.now = since as u32;
    }

    pub(super) fn now(&self) -> u32 {
        self.now
    }

    pub(super) fn get(&self, what: At) -> u32 {
        self.at[what as usize]
    }

    pub(super) fn is_set(&self, what: At) -> bool {
        self.get(what) != NEVER
    }

    /// Whether the moment is here, or past.
    pub(super) fn is_past(&self, what: At) -> bool {
        self.get(what) <= self.now
    }

    pub(super) fn put(&mut self, what: At, at: u32) {
        self.at[what as usize] = at;
    }

    /// `wait_ms` from now.
    pub(super) fn after(&self, wait_ms: u32) -> u32 {
        self.now + wait_ms.min(REACH_MS)
    }

    #[inline(never)]
    pub(super) fn set(&mut self, what: At, wait_ms: u32) {
        self.put(what, self.after(wait_ms));
    }

    /// Not before `wait_ms` from now, if at all.
    #[inline(never)]
    pub(super) fn delay(&mut self, what: At, wait_ms: u32) {
        self.put(what, self.get(what).max(self.after(wait_ms)));
    }

    /// No later than `wait_ms` from now.
    pub(super) fn hasten(&mut self, what: At, wait_ms: u32) {
        self.put(what, self.get(what).min(self.after(wait_ms)));
    }

    pub(super) fn stop(&mut self, what: At) {
        self.put(what, NEVER);
    }

    /// Stops the timer and says whether it was due.
    #[inline(never)]
    pub(super) fn take(&mut self, what: At) -> bool {
        let due = self.is_past(what);
        if due {
            self.stop(what);
        }
        due
    }

    /// How long until `until`, which lies ahead.
    pub(super) fn ms_to(&self, until: Instant) -> u32 {
        let until = until.since(self.origin).min(NEVER.into()) as u32;
        until.saturating_sub(self.now)
    }

    /// The timer that is due first.
    pub(super) fn next(&self) -> Option<(Instant, Timer)> {
        let (mut first, mut next) = (NEVER, None);
        for (at, timer) in self.at.iter().zip(TIMERS) {
            if *at < first {
                (first, next) = (*at, Some(timer));
            }
        }
        Some((self.origin + u64::from(first), next?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_stay_apart_while_the_origin_moves() {
        let mut clock = Clock::new();
        // A host counts from 1970, and a link may rest for months.
        for start in [1_800_000_000_000u64, 1_900_000_000_000] {
            clock.tell(Instant::from_millis(start));
            clock.set(At::Since, 0);
            clock.set(At::Probe, 300_000);
            clock.set(At::Reply, 50);
            let reply = Instant::from_millis(start + 50);
            assert_eq!(clock.next(), Some((reply, Timer::Reply)));
            clock.stop(At::Reply);
            let probe = Instant::from_millis(start + 300_000);
            for later in [0, 299_999] {
                clock.tell(Instant::from_millis(start + later));
                assert!(clock.is_past(At::Since) && !clock.take(At::Probe));
                assert_eq!(clock.next(), Some((probe, Timer::Probe)));
            }
            clock.delay(At::Reply, 7);
            assert!(
                !clock.is_set(At::Reply),
                "what does not happen is not put off"
            );
            clock.tell(probe);
            assert!(clock.take(At::Probe) && clock.next().is_none());
        }
    }
}

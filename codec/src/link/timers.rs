//! All timers of a link in one table. Refuses to fire: the caller asks what is next.

use super::Timer;
use crate::time::Instant;

const ALL: [Timer; 6] = [
    Timer::Transmit,
    Timer::Reply,
    Timer::Silence,
    Timer::Probe,
    Timer::Acknowledge,
    Timer::Identify,
];

/// When each timer is due.
#[derive(Debug, Default)]
pub(super) struct Timers {
    due: [Option<Instant>; ALL.len()],
}

impl Timers {
    pub(super) fn set(&mut self, timer: Timer, at: Instant) {
        self.due[timer as usize] = Some(at);
    }

    pub(super) fn get(&self, timer: Timer) -> Option<Instant> {
        self.due[timer as usize]
    }

    pub(super) fn stop(&mut self, timer: Timer) {
        self.due[timer as usize] = None;
    }

    /// Stops the timer and says whether it was due.
    pub(super) fn take(&mut self, timer: Timer, now: Instant) -> bool {
        let due = self.get(timer).is_some_and(|at| at <= now);
        if due {
            self.stop(timer);
        }
        due
    }

    pub(super) fn next(&self) -> Option<(Instant, Timer)> {
        ALL.into_iter()
            .filter_map(|timer| Some((self.get(timer)?, timer)))
            .min_by_key(|(at, _)| *at)
    }
}

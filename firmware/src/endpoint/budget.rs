//! How much of the time the board may be on the air: a duty cycle over one hour (EN 300 220-2 section 4.3.3). Refuses to
//! outlive a restart: after one it has the whole hour again.

use longwire_codec::time::Instant;

const MINUTE_MS: u64 = 60_000;
/// Minutes looked back at: the hour, and the one that is not over yet, so that no hour holds too much.
const MINUTES: usize = 61;
/// What airtime is counted in: 16 bits of it hold a minute, and what is left of a long frame that began in it.
const TICK_MS: u64 = 4;

/// Airtime of the last hour.
#[derive(Debug)]
pub(super) struct Budget {
    /// Airtime in an hour, milliseconds; 0: no limit.
    allowed_ms: u32,
    /// Airtime of the frames begun in each of the last minutes, in [`TICK_MS`]; the newest is at `minute % MINUTES`.
    spent_ticks: [u16; MINUTES],
    minute: u64,
    /// When a frame may go out again, if the last one asked for had to wait.
    barred_until: Option<Instant>,
}

impl Budget {
    /// So many thousandths of the time; 0: no limit.
    pub(super) const fn new(duty_permille: u16) -> Self {
        Self {
            allowed_ms: 3600 * duty_permille as u32,
            spent_ticks: [0; MINUTES],
            minute: 0,
            barred_until: None,
        }
    }

    /// Whether a frame of this airtime can ever go out.
    pub(super) fn allows(&self, airtime_ms: u64) -> bool {
        self.allowed_ms == 0 || airtime_ms <= self.allowed_ms.into()
    }

    /// Airtime spent and allowed in an hour, milliseconds; 0 allowed: no limit.
    pub(super) fn hour_ms(&self) -> (u32, u32) {
        let ticks: u32 = self.spent_ticks.iter().map(|it| u32::from(*it)).sum();
        (ticks * TICK_MS as u32, self.allowed_ms)
    }

    /// Whether a frame of this airtime may go out now; if not, [`Self::barred_until`] tells when. The second value says
    /// whether it was refused for the first time.
    pub(super) fn ask(&mut self, now: Instant, airtime_ms: u64) -> (bool, bool) {
        self.pass(now);
        if self.allowed_ms == 0 {
            return (true, false);
        }
        let allowed_ms = u64::from(self.allowed_ms);
        let mut spent_ms = u64::from(self.hour_ms().0);
        let before = self.barred_until.take();
        // The oldest minute is forgotten first, one minute after the other.
        for gone in 0..=MINUTES as u64 {
            if spent_ms + airtime_ms <= allowed_ms {
                let at = Instant::from_millis((self.minute + gone) * MINUTE_MS);
                self.barred_until = (gone > 0).then_some(at);
                break;
            }
            let oldest = (self.minute + 1 + gone) % MINUTES as u64;
            spent_ms -= u64::from(self.spent_ticks[oldest as usize]) * TICK_MS;
        }
        let barred = self.barred_until.is_some();
        (!barred, barred && before.is_none())
    }

    /// A frame goes out.
    pub(super) fn spend(&mut self, now: Instant, airtime_ms: u64) {
        self.pass(now);
        let ticks = u16::try_from(airtime_ms.div_ceil(TICK_MS)).unwrap_or(u16::MAX);
        let minute = &mut self.spent_ticks[(self.minute % MINUTES as u64) as usize];
        *minute = minute.saturating_add(ticks);
    }

    pub(super) fn barred_until(&self) -> Option<Instant> {
        self.barred_until
    }

    /// Forgets the minutes that are more than an hour ago.
    fn pass(&mut self, now: Instant) {
        let minute = now.as_millis() / MINUTE_MS;
        for new in (self.minute + 1..=minute).take(MINUTES) {
            self.spent_ticks[(new % MINUTES as u64) as usize] = 0;
        }
        if minute > self.minute + MINUTES as u64 {
            self.spent_ticks = [0; MINUTES];
        }
        self.minute = minute;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    /// Sends frames of `airtime_ms` as fast as it may for `hours`; when they began.
    fn sent(budget: &mut Budget, airtime_ms: u64, hours: u64) -> Vec<u64> {
        let (mut now, mut sent) = (0, Vec::new());
        while now < hours * 3_600_000 {
            let at = Instant::from_millis(now);
            if budget.ask(at, airtime_ms).0 {
                budget.spend(at, airtime_ms);
                sent.push(now);
                now += airtime_ms;
            } else {
                let until = budget.barred_until().expect("barred until some moment");
                assert!(until > at);
                now = until.as_millis();
            }
        }
        sent
    }

    #[test]
    fn no_hour_holds_more_than_is_allowed() {
        let slow = [(1, 1_700), (100, 9_000), (10, 36_000), (500, 40_000)];
        for (permille, airtime_ms) in [(10, 370)].into_iter().chain(slow) {
            let sent = sent(&mut Budget::new(permille), airtime_ms, 6);
            let most = 3600 * u64::from(permille) / airtime_ms;
            for begin in &sent {
                let hour = *begin..begin + 3_600_000;
                let frames = sent.iter().filter(|at| hour.contains(at)).count() as u64;
                assert!(
                    frames <= most,
                    "{frames} frames in the hour after {begin} ms"
                );
            }
            // The minute that is not over costs a sixtieth.
            assert!(
                sent.len() as u64 >= 5 * most,
                "{} of {most} an hour",
                sent.len()
            );
        }
    }

    #[test]
    fn a_long_silence_gives_the_whole_hour_back() {
        let mut budget = Budget::new(10);
        budget.spend(Instant::ZERO, 36_000);
        assert_eq!(budget.ask(Instant::ZERO, 1), (false, true));
        assert_eq!(budget.ask(Instant::from_millis(5), 1), (false, false));
        let later = Instant::from_millis(500 * 3_600_000);
        assert_eq!(budget.ask(later, 36_000), (true, false));
        assert!(!budget.allows(36_001) && Budget::new(0).allows(u64::MAX));
    }
}

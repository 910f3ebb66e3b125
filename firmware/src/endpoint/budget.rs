//! How much of the time the board may be on the air: a duty cycle over one hour (EN 300 220-2 section 4.3.3), kept on flash
//! in one record. Refuses to guess how long the board was off: what was on the air before a restart counts as if the
//! restart took no time.
//!
//! The record is written every five minutes while there is something in it, and before a frame that would make more of the
//! airtime than it says; it then says a sixteenth of the hour's more, so that the next frames need no writing.

use embedded_storage_async::nor_flash::NorFlash;
use longwire_codec::time::Instant;

use super::words;
use crate::flash::{Store, StoreError};

const KEY: u8 = 4;
const SLOT_MS: u64 = 300_000;
/// Slots looked back at: the hour, and the one that is not over yet, so that no hour holds too much.
const SLOTS: usize = 13;

/// Airtime of the last hour.
#[derive(Debug)]
pub(super) struct Budget {
    /// Airtime in an hour, milliseconds; 0: no limit.
    allowed_ms: u32,
    /// Airtime of the frames begun in each of the last slots, the newest first.
    spent_ms: [u32; SLOTS],
    /// When the newest slot began.
    begun: Option<Instant>,
    /// What the record says of the newest slot.
    kept_ms: u32,
    /// The record is of an older slot.
    is_late: bool,
    /// When to ask again, if the last frame asked for had to wait.
    barred_until: Option<Instant>,
}

impl Budget {
    /// So many thousandths of the time; 0: no limit.
    pub(super) const fn new(duty_permille: u16) -> Self {
        Self {
            allowed_ms: 3600 * duty_permille as u32,
            spent_ms: [0; SLOTS],
            begun: None,
            kept_ms: 0,
            is_late: false,
            barred_until: None,
        }
    }

    /// What earlier runs spent.
    pub(super) fn load<F: NorFlash>(&mut self, store: &mut Store<F>) -> Result<(), StoreError> {
        words::load(store, KEY, &mut self.spent_ms)?;
        self.kept_ms = self.spent_ms[0];
        Ok(())
    }

    /// Brings the record up to date, if it must be: before what was spent goes on the air.
    pub(super) fn keep<F: NorFlash>(&mut self, store: &mut Store<F>) -> Result<(), StoreError> {
        if self.allowed_ms == 0 || !self.is_late && self.spent_ms[0] <= self.kept_ms {
            return Ok(());
        }
        let mut kept = self.spent_ms;
        if kept[0] > 0 {
            kept[0] += self.allowed_ms / 16;
        }
        words::keep(store, KEY, &kept)?;
        (self.kept_ms, self.is_late) = (kept[0], false);
        Ok(())
    }

    /// Whether a frame of this airtime can ever go out.
    pub(super) fn allows(&self, airtime_ms: u32) -> bool {
        self.allowed_ms == 0 || airtime_ms <= self.allowed_ms
    }

    /// Airtime spent and allowed in an hour, milliseconds; 0 allowed: no limit.
    pub(super) fn hour_ms(&self) -> (u32, u32) {
        let add = |sum: u32, it: &u32| sum.saturating_add(*it);
        (self.spent_ms.iter().fold(0, add), self.allowed_ms)
    }

    /// Whether a frame of this airtime may go out now; if not, [`Self::barred_until`] tells when to ask again. The second
    /// value says whether it was refused for the first time.
    pub(super) fn ask(&mut self, now: Instant, airtime_ms: u32) -> (bool, bool) {
        let begun = self.pass(now);
        if self.allowed_ms == 0 {
            return (true, false);
        }
        let barred = self.hour_ms().0.saturating_add(airtime_ms) > self.allowed_ms;
        let before = self.barred_until.take();
        // Perhaps not yet then; but the record must not stand still while the board waits.
        self.barred_until = barred.then(|| begun + SLOT_MS);
        (!barred, barred && before.is_none())
    }

    /// A frame goes out.
    pub(super) fn spend(&mut self, now: Instant, airtime_ms: u32) {
        self.pass(now);
        self.spent_ms[0] = self.spent_ms[0].saturating_add(airtime_ms);
    }

    pub(super) fn barred_until(&self) -> Option<Instant> {
        self.barred_until
    }

    /// Forgets the slots that are more than an hour ago; when the newest began.
    fn pass(&mut self, now: Instant) -> Instant {
        let mut begun = self.begun.unwrap_or(now);
        while now.since(begun) >= SLOT_MS {
            if self.hour_ms().0 == 0 {
                begun = now;
                break;
            }
            self.spent_ms.rotate_right(1);
            self.spent_ms[0] = 0;
            (self.kept_ms, self.is_late) = (0, true);
            begun = begun + SLOT_MS;
        }
        self.begun = Some(begun);
        begun
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ram_flash::RamFlash;
    use crate::tests::base::Dice;
    use std::vec::Vec;

    /// Sends frames of `airtime_ms` as fast as it may for `hours`; when they began.
    fn sent(budget: &mut Budget, airtime_ms: u32, hours: u64) -> Vec<u64> {
        let (mut now, mut sent) = (0, Vec::new());
        while now < hours * 3_600_000 {
            let at = Instant::from_millis(now);
            if budget.ask(at, airtime_ms).0 {
                budget.spend(at, airtime_ms);
                sent.push(now);
                now += u64::from(airtime_ms);
            } else {
                let until = budget.barred_until().expect("barred until some moment");
                assert!(until > at);
                now = until.as_millis();
            }
        }
        sent
    }

    /// No hour holds more than `most` frames.
    fn check_hours(sent: &[u64], most: u64) {
        for begin in sent {
            let hour = *begin..begin + 3_600_000;
            let frames = sent.iter().filter(|at| hour.contains(at)).count() as u64;
            assert!(
                frames <= most,
                "{frames} frames in the hour after {begin} ms"
            );
        }
    }

    #[test]
    fn no_hour_holds_more_than_is_allowed() {
        let slow = [(1, 1_700), (100, 9_000), (10, 36_000), (500, 40_000)];
        for (permille, airtime_ms) in [(10, 370)].into_iter().chain(slow) {
            let sent = sent(&mut Budget::new(permille), airtime_ms, 6);
            let most = 3600 * u64::from(permille) / u64::from(airtime_ms);
            check_hours(&sent, most);
            // The slot that is not over costs a twelfth.
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
        assert!(!budget.allows(36_001) && Budget::new(0).allows(u32::MAX));
    }

    /// One run of a board that has frames of `airtime_ms` to send, until its power fails at `end` or in a write.
    fn run(flash: &mut RamFlash, now: &mut u64, end: u64, airtime_ms: u32, sent: &mut Vec<u64>) {
        let began = *now;
        let range = 0..RamFlash::SIZE as u32;
        let mut store = Store::new(flash, range).expect("whole blocks");
        let mut budget = Budget::new(10);
        let Ok(()) = budget.load(&mut store) else {
            return;
        };
        while *now < end {
            let at = Instant::from_millis(*now - began);
            let (may, _) = budget.ask(at, airtime_ms);
            if budget.keep(&mut store).is_err() {
                return;
            }
            if may {
                budget.spend(at, airtime_ms);
                if budget.keep(&mut store).is_err() {
                    return;
                }
                sent.push(*now);
                *now += u64::from(airtime_ms);
            } else {
                let until = budget.barred_until().expect("barred until some moment");
                *now = end.min(began + until.as_millis());
            }
        }
    }

    #[test]
    fn no_hour_holds_more_though_the_power_fails() {
        let (airtime_ms, most) = (370, 36_000 / 370);
        for (seed, life_ms) in [(1, 70_000), (2, 1_500_000), (3, 5_000_000)] {
            let mut dice = Dice::new(seed);
            let (mut flash, mut now, mut sent) = (RamFlash::new(), 0, Vec::new());
            while now < 10 * 3_600_000 {
                let end = now + dice.below(life_ms) as u64;
                flash.power_until = (dice.below(2) == 0).then(|| flash.written + dice.below(900));
                run(&mut flash, &mut now, end, airtime_ms, &mut sent);
                flash.power_until = None;
                now += dice.below(2) as u64 * dice.below(life_ms) as u64;
            }
            check_hours(&sent, most);
            std::println!(
                "seed {seed}: {} of {} frames, {} octets of flash",
                sent.len(),
                10 * most,
                flash.written
            );
            // Who is cut off more often than a slot lasts is silenced until it is not.
            let least = if life_ms < 300_000 {
                most / 2
            } else {
                3 * most
            };
            assert!(sent.len() as u64 >= least, "{} frames", sent.len());
        }
    }
}

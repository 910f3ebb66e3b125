//! What time it is. Refuses to jump: within one run the clock follows tokio's, whatever happens to the system's, so a
//! set clock expires nothing, and tests run in virtual time.

use std::time::{SystemTime, UNIX_EPOCH};

use longwire_codec::time::Instant;

const DAY_MS: i64 = 86_400_000;

/// Two views of one clock: the link's, from zero, and the store's, since 1970.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: tokio::time::Instant,
    start_unix_ms: i64,
}

impl Clock {
    /// Starts now, at the system's time.
    pub fn system() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let millis = since.map_or(0, |it| it.as_millis());
        Self::starting_at(i64::try_from(millis).unwrap_or(i64::MAX))
    }

    /// Starts now, calling it `unix_ms`.
    pub fn starting_at(unix_ms: i64) -> Self {
        Self {
            start: tokio::time::Instant::now(),
            start_unix_ms: unix_ms,
        }
    }

    /// The link's time.
    pub fn now(&self) -> Instant {
        Instant::from_millis(self.elapsed_ms())
    }

    /// Milliseconds since 1970.
    pub fn unix_ms(&self) -> i64 {
        let elapsed = i64::try_from(self.elapsed_ms()).unwrap_or(i64::MAX);
        self.start_unix_ms.saturating_add(elapsed)
    }

    /// Days since 1970 (UTC), by which airtime is accounted.
    pub fn day(&self) -> i64 {
        self.unix_ms().div_euclid(DAY_MS)
    }

    /// When the link's time is `instant`.
    pub fn deadline(&self, instant: Instant) -> tokio::time::Instant {
        self.start + std::time::Duration::from_millis(instant.as_millis())
    }

    /// When it is `unix_ms`; now if that is past.
    pub fn deadline_unix(&self, unix_ms: i64) -> tokio::time::Instant {
        let ahead = unix_ms.saturating_sub(self.start_unix_ms).max(0);
        self.start + std::time::Duration::from_millis(ahead.unsigned_abs())
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn both_views_move_together() {
        let clock = Clock::starting_at(1000);
        tokio::time::advance(std::time::Duration::from_secs(3600)).await;
        assert_eq!(clock.now().as_millis(), 3_600_000);
        assert_eq!(clock.unix_ms(), 3_601_000);
        assert_eq!(clock.deadline_unix(3_601_000), tokio::time::Instant::now());
    }
}

//! Time as the caller tells it. Refuses to read a clock: every entry point of this crate takes `now`.

use core::ops::{Add, Sub};

/// A moment: milliseconds since an origin of the caller's choice, never going back.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Instant(u64);

impl Instant {
    /// The origin.
    pub const ZERO: Self = Self(0);

    /// The moment `millis` milliseconds after the origin.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the origin.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Milliseconds from `earlier` to `self`; zero if `earlier` is later.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<u64> for Instant {
    type Output = Self;
    /// The moment `millis` later. No clock gets near the end of the numbers.
    fn add(self, millis: u64) -> Self {
        Self(self.0.wrapping_add(millis))
    }
}

impl Sub<u64> for Instant {
    type Output = Self;
    fn sub(self, millis: u64) -> Self {
        Self(self.0.saturating_sub(millis))
    }
}

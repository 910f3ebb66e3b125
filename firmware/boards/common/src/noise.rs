//! A chip's source of noise, where the whole program finds it. Refuses to be one: a board puts its generator in.

use core::cell::RefCell;

use embassy_sync::blocking_mutex::Mutex;
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;

/// The place of a generator, empty at first.
pub struct Source<R>(Mutex<CriticalSectionRawMutex, RefCell<Option<R>>>);

impl<R> Source<R> {
    /// Empty.
    #[expect(clippy::new_without_default, reason = "it is made in a static")]
    pub const fn new() -> Self {
        Self(Mutex::new(RefCell::new(None)))
    }

    /// Puts the generator in.
    pub fn put(&self, generator: R) {
        self.0.lock(|place| place.replace(Some(generator)));
    }

    /// Lets `fill` draw from the generator; false if there is none.
    pub fn draw(&self, fill: impl FnOnce(&mut R)) -> bool {
        self.0
            .lock(|place| place.borrow_mut().as_mut().map(fill).is_some())
    }
}

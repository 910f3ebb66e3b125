//! How fast the link's time runs. Refuses to touch anything that keeps the system's time.

use std::time::Duration;

/// Step of accelerated time, in the machine's time.
const STEP: Duration = Duration::from_millis(5);

/// A faster clock for everything on this runtime, until stopped.
#[derive(Debug)]
pub(super) struct Pace {
    driver: Option<tokio::task::JoinHandle<()>>,
    paused: bool,
}

impl Pace {
    /// `speed` seconds in one; 1 leaves the clock alone, 0 jumps from one event to the next.
    pub(super) fn start(speed: u32) -> Self {
        if speed == 1 {
            return Self {
                driver: None,
                paused: false,
            };
        }
        tokio::time::pause();
        let driver = (speed > 1).then(|| {
            tokio::task::spawn_local(async move {
                // Tokio's paused clock jumps ahead only while no blocking task is running: this one holds it.
                while tokio::task::spawn_blocking(|| std::thread::sleep(STEP))
                    .await
                    .is_ok()
                {
                    tokio::time::advance(STEP * speed).await;
                }
            })
        });
        Self {
            driver,
            paused: true,
        }
    }

    /// Back to the machine's time.
    pub(super) fn stop(self) {
        if let Some(driver) = self.driver {
            driver.abort();
        }
        if self.paused {
            tokio::time::resume();
        }
    }
}

//! What an endpoint needs of a radio, and radios that boards have. Refuses to know what is in a frame.

#[cfg(feature = "lora")]
pub mod lora;
pub mod serial;

use longwire_codec::channel::Channel;

/// A half-duplex radio.
#[expect(
    async_fn_in_trait,
    reason = "boards poll it on one core; no Send is needed"
)]
pub trait Radio {
    /// What can go wrong.
    type Error;

    /// The channel it is tuned to.
    fn channel(&self) -> Channel;

    /// Sends one frame; completes when the air is free again. A radio that must wait for that may hear a frame meanwhile:
    /// the last one is in `heard` then, and so long; 0: none.
    ///
    /// # Errors
    /// The device failed; to the link the frame is lost.
    async fn transmit(&mut self, frame: &[u8], heard: &mut [u8]) -> Result<usize, Self::Error>;

    /// Waits for one frame and says how long it is; 0: only what `carrier` says has changed. Cancelling loses at most a
    /// frame that is just coming in.
    ///
    /// # Errors
    /// The device failed, or the frame was spoilt.
    async fn receive(&mut self, frame: &mut [u8]) -> Result<usize, Self::Error>;

    /// Whether somebody is on the air, if the radio can tell while it receives.
    fn carrier(&self) -> Option<bool> {
        None
    }

    /// Saves power until the next call. A radio that cannot stays as it is.
    ///
    /// # Errors
    /// The device failed.
    async fn sleep(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

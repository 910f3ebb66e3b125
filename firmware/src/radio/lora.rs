//! Semtech SX126x and SX127x through `lora-phy`. Refuses LoRaWAN: frames of the link go on air as they are, with the
//! private sync word.
//!
//! Before the first frame of a turn it looks for a preamble on the channel (channel activity detection), and while there is
//! one it waits for a random time and listens; what it hears then comes with the next `receive`.
//!
//! The bus must finish a transfer without yielding, as a blocking one behind an adapter does: a receiver that is dropped
//! in the middle of a transfer would leave the chip selected, and the next command misunderstood.

mod chip;

use embassy_futures::select::{Either, select};
use embedded_hal_async::delay::DelayNs;
use longwire_codec::channel::Channel;
use longwire_codec::lora::{Lora, MTU};
use lora_phy::mod_params::RadioError;
use lora_phy::mod_traits::RadioKind;

use super::Radio;
use crate::flash::copy;
use chip::Chip;

/// A busy channel is looked at again after one to so many times of looking, at first, and at most.
const SLOTS: (u32, u32) = (8, 64);

/// A LoRa radio.
pub struct LoRaRadio<K: RadioKind, D: DelayNs> {
    chip: Chip<K>,
    delay: D,
    dice: u64,
    sense_ms: u32,
    channel: Channel,
    /// Nobody else can have begun to send since our last frame.
    holds: bool,
    /// Heard while waiting for a free channel, and how long it is.
    kept: [u8; MTU as usize],
    kept_len: usize,
}

impl<K: RadioKind, D: DelayNs> LoRaRadio<K, D> {
    /// Starts the chip. `turnaround_ms`: from the end of receiving to the first bit sent, beside the sensing; `seed` makes
    /// waiting differ between stations.
    ///
    /// # Errors
    /// The chip does not answer, or cannot do what `tuned` asks.
    pub async fn new(
        kind: K,
        mut delay: D,
        tuned: &Lora,
        turnaround_ms: u32,
        seed: u64,
    ) -> Result<Self, RadioError> {
        Ok(Self {
            chip: Chip::start(kind, &mut delay, tuned).await?,
            delay,
            dice: seed | 1,
            sense_ms: tuned.sense_ms(),
            channel: tuned.channel(MTU, turnaround_ms),
            holds: false,
            kept: [0; MTU as usize],
            kept_len: 0,
        })
    }

    /// Waits until no preamble is on the channel. Who goes on for longer than two of our longest frames take is none of
    /// us, and is not waited for.
    async fn await_silence(&mut self) -> Result<(), RadioError> {
        let mut patience_ms = 2 * self.channel.airtime_ms(MTU.into());
        let mut slots = SLOTS.0;
        loop {
            if !self.chip.senses().await? {
                return Ok(());
            }
            let wait_ms = self.sense_ms * (1 + self.random_below(slots));
            let spent_ms = u64::from(self.sense_ms + wait_ms) + self.listen(wait_ms).await?;
            patience_ms = match patience_ms.checked_sub(spent_ms) {
                Some(left_ms) => left_ms,
                None => return Ok(()),
            };
            slots = SLOTS.1.min(2 * slots);
        }
    }

    /// Listens until nothing has come for so long, and keeps what came last; returns what that took on the air.
    async fn listen(&mut self, silence_ms: u32) -> Result<u64, RadioError> {
        let mut heard_ms = 0;
        loop {
            let hear = self.chip.hear(&mut self.kept);
            let heard = select(hear, self.delay.delay_ms(silence_ms)).await;
            let Either::First(Ok(len)) = heard else {
                // Silence, or a frame that was spoilt: look again.
                return Ok(heard_ms);
            };
            heard_ms += self.channel.airtime_ms(len);
            self.kept_len = len;
        }
    }

    /// Marsaglia's xorshift.
    fn random_below(&mut self, limit: u32) -> u32 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        (self.dice >> 32) as u32 % limit
    }
}

impl<K: RadioKind, D: DelayNs> Radio for LoRaRadio<K, D> {
    type Error = RadioError;

    fn channel(&self) -> Channel {
        self.channel
    }

    async fn transmit(&mut self, frame: &[u8]) -> Result<(), RadioError> {
        if !self.holds {
            self.await_silence().await?;
        }
        self.chip.send(frame).await?;
        self.holds = true;
        Ok(())
    }

    async fn receive(&mut self, frame: &mut [u8]) -> Result<usize, RadioError> {
        let len = core::mem::take(&mut self.kept_len);
        if len > 0 {
            let kept = self.kept.get(..len);
            let place = kept.and_then(|kept| copy(frame, kept));
            return place.map_or(Err(RadioError::PayloadSizeUnexpected(len)), |_| Ok(len));
        }
        if self.holds {
            // Whoever wants to answer senses first, and for twice as long.
            self.delay.delay_ms(self.sense_ms / 2).await;
            self.holds = false;
        }
        self.chip.hear(frame).await
    }

    async fn sleep(&mut self) -> Result<(), RadioError> {
        self.holds = false;
        self.chip.sleep(&mut self.delay).await
    }
}

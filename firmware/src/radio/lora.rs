//! Semtech SX126x and SX127x through `lora-phy`. Refuses LoRaWAN: frames of the link go on air as they are, with the
//! private sync word.
//!
//! Before the first frame of a turn it looks for a preamble on the channel (channel activity detection), and while there is
//! one it waits for a random time and listens.
//!
//! Commands are waited for in place: a receiver that were dropped in the middle of a transfer would leave the chip selected,
//! and the next command misunderstood.

mod chip;

use embassy_futures::select::{Either, select};
use embedded_hal_async::delay::DelayNs;
use longwire_codec::channel::Channel;
use longwire_codec::lora::{Lora, MTU};
use lora_phy::mod_params::RadioError;
use lora_phy::mod_traits::RadioKind;

use super::Radio;
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
        })
    }

    /// Waits until no preamble is on the channel; returns how long the frame in `heard` is that came last, or 0. Who goes
    /// on for longer than two of our longest frames take is none of us, and is not waited for.
    async fn await_silence(&mut self, heard: &mut [u8]) -> Result<usize, RadioError> {
        let mut patience_ms = 2 * self.channel.airtime_ms(MTU.into());
        let (mut slots, mut len) = (SLOTS.0, 0);
        while self.chip.senses().await? {
            let wait_ms = self.sense_ms * (1 + self.random_below(slots));
            let listened_ms = self.listen(wait_ms, heard, &mut len).await;
            let spent_ms = u64::from(self.sense_ms + wait_ms) + listened_ms;
            let Some(left_ms) = patience_ms.checked_sub(spent_ms) else {
                break;
            };
            patience_ms = left_ms;
            slots = SLOTS.1.min(2 * slots);
        }
        Ok(len)
    }

    /// Listens until nothing has come for so long, or a frame that was spoilt; returns what that took on the air.
    async fn listen(&mut self, silence_ms: u32, heard: &mut [u8], len: &mut usize) -> u64 {
        let mut heard_ms = 0;
        loop {
            let hear = self.chip.hear(heard);
            let came = select(hear, self.delay.delay_ms(silence_ms)).await;
            let Either::First(Ok(came)) = came else {
                return heard_ms;
            };
            heard_ms += self.channel.airtime_ms(came);
            *len = came;
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

    async fn transmit(&mut self, frame: &[u8], heard: &mut [u8]) -> Result<usize, RadioError> {
        let mut len = 0;
        if !self.holds {
            len = self.await_silence(heard).await?;
        }
        self.chip.send(frame).await?;
        self.holds = true;
        Ok(len)
    }

    async fn receive(&mut self, frame: &mut [u8]) -> Result<usize, RadioError> {
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

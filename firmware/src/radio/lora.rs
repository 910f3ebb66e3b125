//! Semtech SX126x and SX127x through `lora-phy`. Refuses LoRaWAN: frames of the link go on air as they are, with the
//! private sync word.
//!
//! Before the first frame of a turn it looks for a preamble on the channel (channel activity detection), and while there is
//! one it waits for a random time and listens; what it hears then comes with the next `receive`.
//!
//! The bus must finish a transfer without yielding, as a blocking one behind an adapter does: a receiver that is dropped
//! in the middle of a transfer would leave the chip selected, and the next command misunderstood.

use embassy_futures::select::{Either, select};
use embedded_hal_async::delay::DelayNs;
use longwire_codec::channel::Channel;
use longwire_codec::lora::{Lora, MTU, PREAMBLE_SYMBOLS};
use lora_phy::mod_params::{
    Bandwidth, CodingRate, ModulationParams, PacketParams, RadioError, SpreadingFactor,
};
use lora_phy::mod_traits::RadioKind;
use lora_phy::{LoRa, RxMode};

use super::Radio;

/// What the chip can be told of `lora`; `None` for a spreading factor or bandwidth it does not have.
fn modulation(lora: &Lora) -> Option<(SpreadingFactor, Bandwidth, CodingRate)> {
    use {Bandwidth as B, CodingRate as R, SpreadingFactor as S};
    let spreading = [S::_5, S::_6, S::_7, S::_8, S::_9, S::_10, S::_11, S::_12];
    let bandwidths = [
        B::_7KHz,
        B::_10KHz,
        B::_15KHz,
        B::_20KHz,
        B::_31KHz,
        B::_41KHz,
        B::_62KHz,
        B::_125KHz,
        B::_250KHz,
        B::_500KHz,
    ];
    let rates = [R::_4_5, R::_4_6, R::_4_7, R::_4_8];
    let spread = |it: &S| it.factor() == u32::from(lora.spreading_factor);
    let band = |it: &B| it.hz() == lora.bandwidth_hz;
    let rate = |it: &R| it.denom() == u32::from(lora.coding_rate);
    Some((
        spreading.into_iter().find(spread)?,
        bandwidths.into_iter().find(band)?,
        rates.into_iter().find(rate)?,
    ))
}

/// A busy channel is looked at again after one to so many times of looking, at first, and at most.
const SLOTS: (u32, u32) = (8, 64);

/// A LoRa radio.
pub struct LoRaRadio<K: RadioKind, D: DelayNs + Clone> {
    lora: LoRa<K, D>,
    delay: D,
    dice: u64,
    sense_ms: u32,
    power_dbm: i32,
    channel: Channel,
    modulation: ModulationParams,
    transmit: PacketParams,
    receive: PacketParams,
    /// The receiver is set up and stays on from one frame to the next.
    listening: bool,
    /// Nobody else can have begun to send since our last frame.
    holds: bool,
    /// Heard while waiting for a free channel.
    kept: heapless::Vec<u8, { MTU as usize }>,
}

impl<K: RadioKind, D: DelayNs + Clone> LoRaRadio<K, D> {
    /// Starts the chip. `turnaround_ms`: from the end of receiving to the first bit sent, beside the sensing; `seed` makes
    /// waiting differ between stations.
    ///
    /// # Errors
    /// The chip does not answer, or cannot do what `tuned` asks.
    pub async fn new(
        chip: K,
        delay: D,
        tuned: &Lora,
        turnaround_ms: u32,
        seed: u64,
    ) -> Result<Self, RadioError> {
        let (spreading_factor, bandwidth, coding_rate) =
            modulation(tuned).ok_or(RadioError::InvalidConfiguration)?;
        let mut lora = LoRa::new(chip, false, delay.clone()).await?;
        let modulation = lora.create_modulation_params(
            spreading_factor,
            bandwidth,
            coding_rate,
            tuned.frequency_hz,
        )?;
        let transmit =
            lora.create_tx_packet_params(PREAMBLE_SYMBOLS, false, true, false, &modulation)?;
        let receive =
            lora.create_rx_packet_params(PREAMBLE_SYMBOLS, false, 255, true, false, &modulation)?;
        Ok(Self {
            lora,
            delay,
            dice: seed | 1,
            sense_ms: tuned.sense_ms(),
            power_dbm: i32::from(tuned.power_dbm),
            channel: tuned.channel(MTU, turnaround_ms),
            modulation,
            transmit,
            receive,
            listening: false,
            holds: false,
            kept: heapless::Vec::new(),
        })
    }

    /// Waits until no preamble is on the channel. Who goes on for longer than two of our longest frames take is none of
    /// us, and is not waited for.
    async fn await_silence(&mut self) -> Result<(), RadioError> {
        let mut patience_ms = 2 * self.channel.airtime_ms(MTU.into());
        let mut slots = SLOTS.0;
        loop {
            self.listening = false;
            self.lora.prepare_for_cad(&self.modulation).await?;
            if !self.lora.cad(&self.modulation).await? {
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
        let mut delay = self.delay.clone();
        let mut frame = [0; MTU as usize];
        loop {
            let heard = select(self.hear(&mut frame), delay.delay_ms(silence_ms)).await;
            let Either::First(Ok(len)) = heard else {
                // Silence, or a frame that was spoilt: look again.
                return Ok(heard_ms);
            };
            heard_ms += self.channel.airtime_ms(len);
            // No longer than the buffer it is from.
            let heard = frame.get(..len).and_then(|it| it.try_into().ok());
            self.kept = heard.unwrap_or_default();
        }
    }

    async fn hear(&mut self, frame: &mut [u8]) -> Result<usize, RadioError> {
        if !self.listening {
            self.lora
                .prepare_for_rx(RxMode::Continuous, &self.modulation, &self.receive)
                .await?;
            self.listening = true;
        }
        let received = self.lora.rx(&self.receive, frame).await;
        self.listening = received.is_ok();
        received.map(|(len, _)| usize::from(len))
    }

    /// Marsaglia's xorshift.
    fn random_below(&mut self, limit: u32) -> u32 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        (self.dice >> 32) as u32 % limit
    }
}

impl<K: RadioKind, D: DelayNs + Clone> Radio for LoRaRadio<K, D> {
    type Error = RadioError;

    fn channel(&self) -> Channel {
        self.channel
    }

    async fn transmit(&mut self, frame: &[u8]) -> Result<(), RadioError> {
        if !self.holds {
            self.await_silence().await?;
        }
        self.listening = false;
        self.lora
            .prepare_for_tx(&self.modulation, &mut self.transmit, self.power_dbm, frame)
            .await?;
        self.lora.tx().await?;
        self.holds = true;
        Ok(())
    }

    async fn receive(&mut self, frame: &mut [u8]) -> Result<usize, RadioError> {
        if !self.kept.is_empty() {
            let kept = core::mem::take(&mut self.kept);
            let place = frame.get_mut(..kept.len());
            place
                .ok_or(RadioError::PayloadSizeUnexpected(kept.len()))?
                .copy_from_slice(&kept);
            return Ok(kept.len());
        }
        if self.holds {
            // Whoever wants to answer senses first, and for twice as long.
            self.delay.delay_ms(self.sense_ms / 2).await;
            self.holds = false;
        }
        self.hear(frame).await
    }

    async fn sleep(&mut self) -> Result<(), RadioError> {
        (self.listening, self.holds) = (false, false);
        self.lora.sleep(true).await
    }
}

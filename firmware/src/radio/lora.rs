//! Semtech SX126x and SX127x through `lora-phy`. Refuses LoRaWAN: frames of the link go on air as they are, with the
//! private sync word.
//!
//! The bus must finish a transfer without yielding, as a blocking one behind an adapter does: a receiver that is dropped
//! in the middle of a transfer would leave the chip selected, and the next command misunderstood.

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

/// A LoRa radio.
pub struct LoRaRadio<K: RadioKind, D: DelayNs> {
    lora: LoRa<K, D>,
    power_dbm: i32,
    channel: Channel,
    modulation: ModulationParams,
    transmit: PacketParams,
    receive: PacketParams,
    /// The receiver is set up and stays on from one frame to the next.
    listening: bool,
}

impl<K: RadioKind, D: DelayNs> LoRaRadio<K, D> {
    /// Starts the chip. `turnaround_ms`: from the end of receiving to the first bit sent.
    ///
    /// # Errors
    /// The chip does not answer, or cannot do what `tuned` asks.
    pub async fn new(
        chip: K,
        delay: D,
        tuned: &Lora,
        turnaround_ms: u32,
    ) -> Result<Self, RadioError> {
        let (spreading_factor, bandwidth, coding_rate) =
            modulation(tuned).ok_or(RadioError::InvalidConfiguration)?;
        let mut lora = LoRa::new(chip, false, delay).await?;
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
            power_dbm: i32::from(tuned.power_dbm),
            channel: tuned.channel(MTU, turnaround_ms),
            modulation,
            transmit,
            receive,
            listening: false,
        })
    }
}

impl<K: RadioKind, D: DelayNs> Radio for LoRaRadio<K, D> {
    type Error = RadioError;

    fn channel(&self) -> Channel {
        self.channel
    }

    async fn transmit(&mut self, frame: &[u8]) -> Result<(), RadioError> {
        self.listening = false;
        self.lora
            .prepare_for_tx(&self.modulation, &mut self.transmit, self.power_dbm, frame)
            .await?;
        self.lora.tx().await
    }

    async fn receive(&mut self, frame: &mut [u8]) -> Result<usize, RadioError> {
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

    async fn sleep(&mut self) -> Result<(), RadioError> {
        self.listening = false;
        self.lora.sleep(true).await
    }
}

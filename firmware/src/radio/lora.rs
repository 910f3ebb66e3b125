//! Semtech SX126x and SX127x through `lora-phy`. Refuses LoRaWAN: frames of the link go on air as they are, with the
//! private sync word.

use embedded_hal_async::delay::DelayNs;
use longwire_codec::channel::Channel;
use lora_phy::mod_params::{
    Bandwidth, CodingRate, ModulationParams, PacketParams, RadioError, SpreadingFactor,
};
use lora_phy::mod_traits::RadioKind;
use lora_phy::{LoRa, RxMode};

use super::Radio;

/// Longest LoRa payload, octets.
pub const MTU: u16 = 255;
const PREAMBLE_SYMBOLS: u16 = 8;

/// Where and how to send. Both ends need the same, and what the law of the place allows.
#[derive(Clone, Copy, Debug)]
pub struct LoRaConfig {
    /// Carrier, Hz.
    pub frequency_hz: u32,
    /// Output power, dBm.
    pub power_dbm: i32,
    /// Symbols of 2^SF chips.
    pub spreading_factor: SpreadingFactor,
    /// Occupied bandwidth.
    pub bandwidth: Bandwidth,
    /// Redundancy.
    pub coding_rate: CodingRate,
}

impl LoRaConfig {
    /// 869.525 MHz, 14 dBm, SF9, 125 kHz, 4/5: the 10 % duty-cycle band of EN 300 220 in Europe.
    pub const EU_869: Self = Self {
        frequency_hz: 869_525_000,
        power_dbm: 14,
        spreading_factor: SpreadingFactor::_9,
        bandwidth: Bandwidth::_125KHz,
        coding_rate: CodingRate::_4_5,
    };

    /// The channel as the link sees it; the rate is that of payload octets.
    pub fn channel(&self) -> Channel {
        let sf = self.spreading_factor.factor();
        let bandwidth_hz = self.bandwidth.hz();
        // SF bits a symbol of 2^SF / BW seconds, of which 4 in 4 + CR carry payload (Semtech AN1200.13).
        let coded =
            u64::from(sf) * u64::from(bandwidth_hz) * 4 / u64::from(self.coding_rate.denom());
        let bit_rate = (coded >> sf) as u32;
        let symbol_us = (1_000_000u64 << sf) / u64::from(bandwidth_hz);
        // Preamble, 4.25 symbols of sync word and 8 of header.
        let preamble_ms = (u64::from(PREAMBLE_SYMBOLS + 13) * symbol_us).div_ceil(1000) as u32;
        Channel {
            preamble_ms,
            ..Channel::radio(MTU, bit_rate, 10)
        }
    }
}

/// A LoRa radio.
pub struct LoRaRadio<K: RadioKind, D: DelayNs> {
    lora: LoRa<K, D>,
    config: LoRaConfig,
    modulation: ModulationParams,
    transmit: PacketParams,
    receive: PacketParams,
}

impl<K: RadioKind, D: DelayNs> LoRaRadio<K, D> {
    /// Starts the chip.
    ///
    /// # Errors
    /// The chip does not answer, or cannot do what `config` asks.
    pub async fn new(chip: K, delay: D, config: LoRaConfig) -> Result<Self, RadioError> {
        let mut lora = LoRa::new(chip, false, delay).await?;
        let modulation = lora.create_modulation_params(
            config.spreading_factor,
            config.bandwidth,
            config.coding_rate,
            config.frequency_hz,
        )?;
        let transmit =
            lora.create_tx_packet_params(PREAMBLE_SYMBOLS, false, true, false, &modulation)?;
        let receive =
            lora.create_rx_packet_params(PREAMBLE_SYMBOLS, false, 255, true, false, &modulation)?;
        Ok(Self {
            lora,
            config,
            modulation,
            transmit,
            receive,
        })
    }

    /// Puts the chip to sleep until the next call: between turns of a duty-cycled station.
    ///
    /// # Errors
    /// The chip does not answer.
    pub async fn sleep(&mut self) -> Result<(), RadioError> {
        self.lora.sleep(true).await
    }
}

impl<K: RadioKind, D: DelayNs> Radio for LoRaRadio<K, D> {
    type Error = RadioError;

    fn channel(&self) -> Channel {
        self.config.channel()
    }

    async fn transmit(&mut self, frame: &[u8]) -> Result<(), RadioError> {
        self.lora
            .prepare_for_tx(
                &self.modulation,
                &mut self.transmit,
                self.config.power_dbm,
                frame,
            )
            .await?;
        self.lora.tx().await
    }

    async fn receive(&mut self, frame: &mut [u8]) -> Result<usize, RadioError> {
        self.lora
            .prepare_for_rx(RxMode::Continuous, &self.modulation, &self.receive)
            .await?;
        let (len, _) = self.lora.rx(&self.receive, frame).await?;
        Ok(usize::from(len))
    }
}

//! How a LoRa radio is tuned, in one line of text or eleven octets, and what that makes of the channel. Refuses to
//! know a chip, or the law of the place.

use core::fmt;
use core::str::FromStr;

use crate::channel::Channel;

/// Longest LoRa payload, octets.
pub const MTU: u16 = 255;
/// Symbols before each frame, besides the chip's own 4.25 of synchronisation.
pub const PREAMBLE_SYMBOLS: u16 = 8;
/// Symbols for which a station looks for a preamble before it sends, and thinks about it.
pub const SENSE_SYMBOLS: u16 = 9;
/// Bandwidths of SX126x and SX127x, hertz.
pub const BANDWIDTHS_HZ: [u32; 10] = [
    7_810, 10_420, 15_630, 20_830, 31_250, 41_670, 62_500, 125_000, 250_000, 500_000,
];

/// A LoRa modulation. Every station of a channel needs the same, its power excepted.
///
/// As text: `869.525 MHz, SF9, 125 kHz, 4/5, 14 dBm`. Coding rate and power may be left out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Lora {
    /// Carrier, hertz.
    pub frequency_hz: u32,
    /// Symbols of 2^SF chips, 5 to 12.
    pub spreading_factor: u8,
    /// One of [`BANDWIDTHS_HZ`].
    pub bandwidth_hz: u32,
    /// So many bits carry four of payload: 5 to 8.
    pub coding_rate: u8,
    /// Output power.
    pub power_dbm: i8,
}

/// Why a text is no modulation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum LoraError {
    /// A carrier from 137 to 1020 MHz comes first.
    Frequency,
    /// SF5 to SF12 comes second.
    SpreadingFactor,
    /// One of [`BANDWIDTHS_HZ`] comes third.
    Bandwidth,
    /// 4/5 to 4/8, or nothing, comes fourth.
    CodingRate,
    /// -9 to 22 dBm, or nothing, comes last.
    Power,
}

impl fmt::Display for LoraError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Frequency => "first comes a frequency such as 869.525 MHz",
            Self::SpreadingFactor => "second comes a spreading factor, SF5 to SF12",
            Self::Bandwidth => "third comes a bandwidth such as 125 kHz or 62.5 kHz",
            Self::CodingRate => "fourth comes a coding rate, 4/5 to 4/8",
            Self::Power => "last comes a power, -9 dBm to 22 dBm",
        })
    }
}

impl core::error::Error for LoraError {}

impl Lora {
    /// Length of [`Self::octets`].
    pub const LEN: usize = 11;

    /// 869.525 MHz, SF9, 125 kHz, 4/5, 14 dBm: in the band of EN 300 220 that allows 10 % of the time.
    pub const EU_869: Self = Self {
        frequency_hz: 869_525_000,
        spreading_factor: 9,
        bandwidth_hz: 125_000,
        coding_rate: 5,
        power_dbm: 14,
    };

    /// As a provisioning image carries it, big-endian.
    pub fn octets(&self) -> [u8; Self::LEN] {
        let mut octets = [0; Self::LEN];
        octets[..4].copy_from_slice(&self.frequency_hz.to_be_bytes());
        octets[4..8].copy_from_slice(&self.bandwidth_hz.to_be_bytes());
        octets[8] = self.spreading_factor;
        octets[9] = self.coding_rate;
        octets[10] = self.power_dbm.to_be_bytes()[0];
        octets
    }

    /// Reads [`Self::octets`].
    ///
    /// # Errors
    /// [`LoraError`].
    pub fn parse(octets: &[u8; Self::LEN]) -> Result<Self, LoraError> {
        let [
            f0,
            f1,
            f2,
            f3,
            b0,
            b1,
            b2,
            b3,
            spreading_factor,
            coding_rate,
            power,
        ] = *octets;
        Self {
            frequency_hz: u32::from_be_bytes([f0, f1, f2, f3]),
            bandwidth_hz: u32::from_be_bytes([b0, b1, b2, b3]),
            spreading_factor,
            coding_rate,
            power_dbm: i8::from_be_bytes([power]),
        }
        .checked()
    }

    fn checked(self) -> Result<Self, LoraError> {
        if !(137_000_000..=1_020_000_000).contains(&self.frequency_hz) {
            Err(LoraError::Frequency)
        } else if !(5..=12).contains(&self.spreading_factor) {
            Err(LoraError::SpreadingFactor)
        } else if !BANDWIDTHS_HZ.contains(&self.bandwidth_hz) {
            Err(LoraError::Bandwidth)
        } else if !(5..=8).contains(&self.coding_rate) {
            Err(LoraError::CodingRate)
        } else if !(-9..=22).contains(&self.power_dbm) {
            Err(LoraError::Power)
        } else {
            Ok(self)
        }
    }

    /// Of these there are so many in a second; within bounds whatever was said.
    fn bandwidth_hz(&self) -> u32 {
        self.bandwidth_hz.clamp(7_810, 500_000)
    }

    fn symbol_us(&self) -> u32 {
        (1_000_000 << self.spreading_factor.clamp(5, 12)) / self.bandwidth_hz()
    }

    /// What [`SENSE_SYMBOLS`] take.
    pub fn sense_ms(&self) -> u32 {
        symbols_ms(SENSE_SYMBOLS, self.symbol_us())
    }

    /// The channel as the link sees it; the rate is that of payload octets. `turnaround_ms`: of the station beside its
    /// sensing.
    pub fn channel(&self, mtu: u16, turnaround_ms: u32) -> Channel {
        let spreading_factor = self.spreading_factor.clamp(5, 12);
        let symbol_us = self.symbol_us();
        // SF bits in a symbol of 2^SF / bandwidth seconds, two less in symbols longer than 16 ms, and of `coding_rate`
        // bits four are payload (Semtech AN1200.13).
        let bits = spreading_factor - if symbol_us > 16_000 { 2 } else { 0 };
        let coded = u32::from(4 * bits) * self.bandwidth_hz() / u32::from(self.coding_rate.max(5));
        Channel {
            // Preamble, 4.25 symbols of synchronisation and 8 of header.
            preamble_ms: symbols_ms(PREAMBLE_SYMBOLS + 13, symbol_us),
            ..Channel::radio(
                mtu.min(MTU),
                (coded >> spreading_factor).max(1),
                turnaround_ms.saturating_add(self.sense_ms()),
            )
        }
    }
}

fn symbols_ms(symbols: u16, symbol_us: u32) -> u32 {
    (symbol_us * u32::from(symbols)).div_ceil(1000)
}

impl FromStr for Lora {
    type Err = LoraError;

    fn from_str(text: &str) -> Result<Self, LoraError> {
        let mut parts = text.split(',').map(str::trim);
        let mut part = || parts.next().unwrap_or_default();
        let frequency = part().strip_suffix("MHz").and_then(|it| thousandths(it, 6));
        let spreading = part().strip_prefix("SF").and_then(|it| it.parse().ok());
        let bandwidth = part().strip_suffix("kHz").and_then(|it| thousandths(it, 3));
        let mut lora = Self {
            frequency_hz: frequency.ok_or(LoraError::Frequency)?,
            spreading_factor: spreading.ok_or(LoraError::SpreadingFactor)?,
            bandwidth_hz: bandwidth.ok_or(LoraError::Bandwidth)?,
            ..Self::EU_869
        };
        for rest in parts {
            if let Some(rate) = rest.strip_prefix("4/") {
                lora.coding_rate = rate.parse().map_err(|_| LoraError::CodingRate)?;
            } else {
                let power = rest.strip_suffix("dBm").map(str::trim_end);
                lora.power_dbm = power
                    .and_then(|it| it.parse().ok())
                    .ok_or(LoraError::Power)?;
            }
        }
        lora.checked()
    }
}

/// A decimal number times ten to the power of `digits`; more digits after the point are refused.
fn thousandths(text: &str, digits: usize) -> Option<u32> {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let decimal = |part: &str| part.bytes().all(|it| it.is_ascii_digit());
    if whole.is_empty() || fraction.len() > digits || !decimal(whole) || !decimal(fraction) {
        return None;
    }
    let padded = fraction
        .bytes()
        .chain(core::iter::repeat(b'0'))
        .take(digits);
    whole.bytes().chain(padded).try_fold(0u32, |value, digit| {
        value
            .checked_mul(10)?
            .checked_add(u32::from(digit.wrapping_sub(b'0')))
    })
}

impl fmt::Display for Lora {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{:06} MHz, SF{}, {}.{:03} kHz, 4/{}, {} dBm",
            self.frequency_hz / 1_000_000,
            self.frequency_hz % 1_000_000,
            self.spreading_factor,
            self.bandwidth_hz / 1000,
            self.bandwidth_hz % 1000,
            self.coding_rate,
            self.power_dbm
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn a_line_of_text_is_a_modulation_and_back() {
        let text = "869.525 MHz, SF9, 125 kHz, 4/5, 14 dBm";
        assert_eq!(text.parse(), Ok(Lora::EU_869));
        assert_eq!("869.525MHz,SF9,125kHz".parse(), Ok(Lora::EU_869));
        assert_eq!(Lora::EU_869.to_string().parse(), Ok(Lora::EU_869));
        let narrow: Lora = "433.92 MHz, SF12, 62.5 kHz, 4/8, -3 dBm".parse().unwrap();
        assert_eq!(
            (narrow.frequency_hz, narrow.bandwidth_hz, narrow.power_dbm),
            (433_920_000, 62_500, -3)
        );
        assert_eq!(Lora::parse(&narrow.octets()), Ok(narrow));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let refused = |text: &str| text.parse::<Lora>().unwrap_err();
        assert_eq!(refused(""), LoraError::Frequency);
        assert_eq!(refused("869525 kHz, SF9, 125 kHz"), LoraError::Frequency);
        assert_eq!(
            refused("4294967296 MHz, SF9, 125 kHz"),
            LoraError::Frequency
        );
        assert_eq!(
            refused("869.525 MHz, SF13, 125 kHz"),
            LoraError::SpreadingFactor
        );
        assert_eq!(refused("869.525 MHz, SF9, 126 kHz"), LoraError::Bandwidth);
        assert_eq!(
            refused("869.525 MHz, SF9, 125 kHz, 4/9"),
            LoraError::CodingRate
        );
        assert_eq!(
            refused("869.525 MHz, SF9, 125 kHz, 25 mW"),
            LoraError::Power
        );
    }

    #[test]
    fn the_channel_is_about_as_slow_as_the_calculator_of_semtech_says() {
        // SF9, 125 kHz, 4/5, explicit header, CRC, preamble 8, 24 octets of payload: 205.8 ms.
        let channel = Lora::EU_869.channel(255, 100);
        assert_eq!(channel.bit_rate, 1757);
        let airtime_ms = channel.airtime_ms(24);
        assert!((190..230).contains(&airtime_ms), "{airtime_ms} ms");
        // SF12: 255 octets take 9.0 s.
        let slow = Lora {
            spreading_factor: 12,
            ..Lora::EU_869
        };
        let airtime_ms = slow.channel(255, 100).airtime_ms(255);
        assert!((8700..9500).contains(&airtime_ms), "{airtime_ms} ms");
    }
}

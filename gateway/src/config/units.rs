//! Values with their unit written out: `8s`, `300 bit/s`, `256 KiB`. Refuses bare numbers, so nobody wonders.

use std::time::Duration;

use longwire_codec::lora::Lora;

/// Factor table of one quantity, smallest unit first.
type Units = &'static [(&'static str, u64)];

const DURATION: Units = &[
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];
const BIT_RATE: Units = &[("bit/s", 1), ("kbit/s", 1_000), ("Mbit/s", 1_000_000)];
const SIZE: Units = &[
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

/// Reads `1.5h`, `90s`, `500ms`, `7d`.
///
/// # Errors
/// A sentence fragment that names the units.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    parse(text, DURATION, "a duration such as \"8s\"").map(Duration::from_millis)
}

/// Reads `300 bit/s`, `9.6 kbit/s`.
///
/// # Errors
/// A sentence fragment that names the units.
pub fn parse_bit_rate(text: &str) -> Result<u32, String> {
    let rate = parse(text, BIT_RATE, "a rate such as \"300 bit/s\"")?;
    u32::try_from(rate).map_err(|_| format!("`{text}` is more than any modem does"))
}

/// Reads `869.525 MHz, SF9, 125 kHz, 4/5, 14 dBm`, or nothing.
///
/// # Errors
/// A sentence fragment that names the form.
pub fn parse_lora(text: &str) -> Result<Option<Lora>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let said = |error| format!("`{text}` is no LoRa modulation: {error}");
    text.parse().map(Some).map_err(said)
}

/// Reads `256 KiB`, `1 MiB`.
///
/// # Errors
/// A sentence fragment that names the units.
pub fn parse_size(text: &str) -> Result<u64, String> {
    parse(text, SIZE, "a size such as \"256 KiB\"")
}

fn parse(text: &str, units: Units, wanted: &str) -> Result<u64, String> {
    let refused = || {
        let names: Vec<&str> = units.iter().map(|(name, _)| *name).collect();
        format!(
            "`{text}` is not {wanted} (a number and one of {})",
            names.join(", ")
        )
    };
    let text = text.trim();
    let split = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .ok_or_else(refused)?;
    let (number, unit) = text.split_at(split);
    let unit = unit.trim_start();
    let factor = units
        .iter()
        .find_map(|(name, factor)| (*name == unit).then_some(*factor))
        .ok_or_else(refused)?;
    decimal(number, factor).ok_or_else(refused)
}

/// `number` times `factor` in integers, the fraction cut off below one.
fn decimal(number: &str, factor: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let mut value = whole.parse::<u64>().ok()?.checked_mul(factor)?;
    if fraction.is_empty() || fraction.len() > 9 {
        return None;
    }
    let scale = 10u64.pow(u32::try_from(fraction.len()).ok()?);
    let part = u128::from(fraction.parse::<u64>().ok()?) * u128::from(factor);
    value = value.checked_add(u64::try_from(part / u128::from(scale)).ok()?)?;
    Some(value)
}

macro_rules! quantity {
    ($(#[$doc:meta])* $module:ident, $type:ty, $parse:path) => {
        $(#[$doc])*
        pub(super) mod $module {
            use serde::{Deserialize, Deserializer, de::Error};

            pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
                from: D,
            ) -> Result<$type, D::Error> {
                let text = String::deserialize(from)?;
                $parse(&text).map_err(D::Error::custom)
            }
        }
    };
}

quantity!(
    /// For `#[serde(with)]`.
    duration, std::time::Duration, super::parse_duration
);
quantity!(
    /// For `#[serde(with)]`.
    bit_rate, u32, super::parse_bit_rate
);
quantity!(
    /// For `#[serde(with)]`.
    lora, Option<longwire_codec::lora::Lora>, super::parse_lora
);
quantity!(
    /// For `#[serde(with)]`.
    size, u64, super::parse_size
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_carry_their_unit() {
        assert_eq!(parse_duration("8s"), Ok(Duration::from_secs(8)));
        assert_eq!(parse_duration("1.5 h"), Ok(Duration::from_secs(5400)));
        assert_eq!(parse_bit_rate("9.6 kbit/s"), Ok(9600));
        assert_eq!(parse_size("256 KiB"), Ok(262_144));
    }

    #[test]
    fn what_is_no_quantity_is_refused_with_the_units() {
        for wrong in [
            "",
            "8",
            "8 parsecs",
            "-1s",
            "1.s",
            "1.2.3s",
            "99999999999999999999s",
        ] {
            let said = parse_duration(wrong).unwrap_err();
            assert!(said.contains("ms, s, m, h, d"), "{said}");
        }
    }
}

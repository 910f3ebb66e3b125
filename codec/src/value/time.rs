//! Date and time of XEP-0082, and the older form of XEP-0091, as a distance from a time both ends know. Refuses
//! what it could not write again: leap seconds, zones other than UTC, years beyond 9999.

use crate::features::Decide;
use crate::structure::{Contexts, flat, signed, tree};

/// Longest text.
pub const LEN_MAX: usize = 36;
const FORM: u32 = 0x7454_0001;
const DIGITS: u32 = 0x7454_0002;
const DELTA: u32 = 0x7454_0003;

/// A moment no packet has to name: the start of 2026, in seconds since 1970.
pub const EPOCH_S: i64 = 1_767_225_600;

/// How a time is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Form {
    /// `2024-05-14T13:43:21Z`.
    Zulu,
    /// `2024-05-14T13:43:21+00:00`.
    Offset,
    /// `20240514T13:43:21`.
    Old,
}

/// A time as written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Time {
    /// Since 1970.
    seconds: i64,
    form: Form,
    digits: u32,
    fraction: u32,
}

impl Default for Time {
    fn default() -> Self {
        Self {
            seconds: EPOCH_S,
            form: Form::Zulu,
            digits: 0,
            fraction: 0,
        }
    }
}

/// Days from 1970 to a date (Hinnant's algorithm).
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of a number of days since 1970.
fn date(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |sum, octet| {
        octet
            .is_ascii_digit()
            .then(|| sum * 10 + i64::from(octet - b'0'))
    })
}

fn power(digits: u32) -> u32 {
    10u32.pow(digits.min(9))
}

impl Time {
    /// Reads one of the forms.
    pub fn parse(text: &str) -> Option<Self> {
        let octets = text.as_bytes();
        let old = octets.get(8) == Some(&b'T');
        let at = if old { [4, 6, 9] } else { [5, 8, 11] };
        let year = digits(octets.get(..4)?)?;
        let month = digits(octets.get(at[0]..at[0] + 2)?)?;
        let day = digits(octets.get(at[1]..at[1] + 2)?)?;
        let [h0, h1, _, m0, m1, _, s0, s1, rest @ ..] = octets.get(at[2]..)? else {
            return None;
        };
        let of_day = digits(&[*h0, *h1])? * 3600 + digits(&[*m0, *m1])? * 60 + digits(&[*s0, *s1])?;
        let rest = rest.strip_prefix(b".").unwrap_or(rest);
        let digit_count = rest.iter().take_while(|o| o.is_ascii_digit()).count();
        if digit_count > 9 || of_day >= 86_400 {
            return None;
        }
        let (fraction, zone) = rest.split_at(digit_count);
        let form = match (old, zone) {
            (false, b"Z") => Form::Zulu,
            (false, b"+00:00") => Form::Offset,
            (true, b"") => Form::Old,
            _ => return None,
        };
        let time = Self {
            seconds: days(year, month, day) * 86_400 + of_day,
            form,
            digits: digit_count as u32,
            fraction: digits(fraction)? as u32,
        };
        let mut again = [0; LEN_MAX];
        let len = time.write(&mut again);
        (again[..len] == *octets).then_some(time)
    }

    /// Seconds since 1970.
    pub fn seconds(self) -> i64 {
        self.seconds
    }

    /// Writes it; returns the length.
    pub fn write(self, out: &mut [u8; LEN_MAX]) -> usize {
        let (year, month, day) = date(self.seconds.div_euclid(86_400));
        let of_day = self.seconds.rem_euclid(86_400);
        let mut len = 0;
        let mut push = |octet: u8| {
            if let Some(place) = out.get_mut(len) {
                *place = octet;
                len += 1;
            }
        };
        let mut decimal = |value: i64, width: u32, after: &[u8]| {
            for at in (0..width).rev() {
                push(b'0' + (value / i64::from(power(at)) % 10).unsigned_abs() as u8);
            }
            after.iter().for_each(|octet| push(*octet));
        };
        let hyphen: &[u8] = if self.form == Form::Old { b"" } else { b"-" };
        decimal(year, 4, hyphen);
        decimal(month, 2, hyphen);
        decimal(day, 2, b"T");
        decimal(of_day / 3600, 2, b":");
        decimal(of_day / 60 % 60, 2, b":");
        decimal(of_day % 60, 2, if self.digits > 0 { b"." } else { b"" });
        let zone: &[u8] = match self.form {
            Form::Zulu => b"Z",
            Form::Offset => b"+00:00",
            Form::Old => b"",
        };
        decimal(i64::from(self.fraction), self.digits, zone);
        len
    }

    /// Codes it as its distance from `base_s`.
    pub fn code<D: Decide>(self, d: &mut D, contexts: &Contexts, base_s: i64) -> Option<Self> {
        let form = match tree(d, contexts, FORM, 2, self.form as u32) {
            0 => Form::Zulu,
            1 => Form::Offset,
            2 => Form::Old,
            _ => return None,
        };
        let digits = tree(d, contexts, DIGITS, 4, self.digits);
        if digits > 9 {
            return None;
        }
        let delta = signed(d, contexts, DELTA, self.seconds.wrapping_sub(base_s));
        let bits = power(digits).next_power_of_two().ilog2();
        let fraction = flat(d, u64::from(self.fraction), bits) as u32;
        // Years 0 to 9999 only.
        let seconds = base_s.checked_add(delta)?;
        let in_range = (-62_167_219_200..253_402_300_800).contains(&seconds);
        (in_range && fraction < power(digits)).then_some(Self {
            seconds,
            form,
            digits,
            fraction,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_come_back() {
        for text in [
            "2024-05-14T13:43:21Z",
            "1969-12-31T23:59:59.123456Z",
            "2000-02-29T00:00:00.000+00:00",
            "20020910T23:08:25",
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59.999999999Z",
        ] {
            let time = Time::parse(text).expect(text);
            let mut out = [0; LEN_MAX];
            let len = time.write(&mut out);
            assert_eq!(&out[..len], text.as_bytes());
        }
        let second_day = Time::parse("1970-01-02T00:00:00Z").map(Time::seconds);
        assert_eq!(second_day, Some(86_400));
        for text in [
            "2023-02-29T00:00:00Z",
            "2024-05-14T13:43:60Z",
            "2024-05-14T13:43:21",
            "2024-05-14T13:43:21+02:00",
            "2024-05-14 13:43:21Z",
            "2024-05-14T13:43:21.Z",
            "+024-05-14T13:43:21Z",
            "2024-05-14T24:00:00Z",
            "",
        ] {
            assert_eq!(Time::parse(text), None, "{text}");
        }
    }
}

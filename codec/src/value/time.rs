//! Date and time of XEP-0082, and the older form of XEP-0091, as a distance from a time both ends know. Refuses
//! what it could not write again: leap seconds, zones other than UTC, years beyond 9999.

use super::Line;
use crate::features::Decide;
use crate::structure::{Contexts, flat, signed, tree};

/// Longest text.
pub const LEN_MAX: usize = 36;
/// Most digits of a fraction of a second.
const FRACTION_MAX: usize = 9;
const FORM: u32 = 0x0001_7454;
const DIGITS: u32 = 0x0002_7454;
const DELTA: u32 = 0x0003_7454;

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

/// Years before year 0 that days are counted from, so that they are never negative; a whole round of the calendar.
const YEARS_BEFORE: u32 = 400;
/// Days from there to 1970.
const DAYS_BEFORE: i64 = 719_468 + 146_097;
const DAY_S: i64 = 86_400;

/// Days before `year`, which begins in March.
fn days_before(year: u32) -> u32 {
    year * 365 + year / 4 - year / 100 + year / 400
}

/// Days to a date; `month` and `day` may be any number.
fn days(year: u32, month: u32, day: u32) -> u32 {
    let year = year + YEARS_BEFORE - u32::from(month <= 2);
    days_before(year) + (153 * ((month + 9) % 12) + 2) / 5 + day - 1
}

/// Year, month and day.
fn date(days: u32) -> (u32, u32, u32) {
    // No year begins more than two days before the mean one, or a day after it.
    let mut year = (days + 3) * 400 / 146_097;
    if days_before(year) > days {
        year -= 1;
    }
    let of_year = days - days_before(year);
    let since_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * since_march + 2) / 5 + 1;
    let month = (since_march + 2) % 12 + 1;
    (year - YEARS_BEFORE + u32::from(month <= 2), month, day)
}

/// At most nine digits.
fn digits(text: &[u8]) -> Option<u32> {
    text.iter().try_fold(0, |sum, octet| {
        let digit = octet.wrapping_sub(b'0');
        (digit < 10).then(|| sum * 10 + u32::from(digit))
    })
}

impl Time {
    /// Reads one of the forms.
    pub fn parse(text: &str) -> Option<Self> {
        let octets = text.as_bytes();
        let (form, octets) = if let Some(rest) = octets.strip_suffix(b"Z") {
            (Form::Zulu, rest)
        } else if let Some(rest) = octets.strip_suffix(b"+00:00") {
            (Form::Offset, rest)
        } else {
            (Form::Old, octets)
        };
        let hyphen = usize::from(form != Form::Old);
        let two = |at: usize| digits(octets.get(at..at + 2)?);
        let year = digits(octets.get(..4)?)?;
        let days = days(year, two(4 + hyphen)?, two(6 + 2 * hyphen)?);
        let clock = 9 + 2 * hyphen;
        let of_day = two(clock)? * 3600 + two(clock + 3)? * 60 + two(clock + 6)?;
        let fraction = octets.get(clock + 9..).unwrap_or(&[]);
        if fraction.len() > FRACTION_MAX {
            return None;
        }
        let time = Self {
            seconds: (i64::from(days) - DAYS_BEFORE) * DAY_S + i64::from(of_day),
            form,
            digits: fraction.len() as u32,
            fraction: digits(fraction)?,
        };
        // What stood between the numbers, and whether there is such a day, shows when it is written again.
        let mut again = [0; LEN_MAX];
        (time.write(&mut again) == text.as_bytes()).then_some(time)
    }

    /// This many seconds since 1970, as XEP-0082 writes them.
    pub fn at(seconds: i64) -> Self {
        Self {
            seconds,
            ..Self::default()
        }
    }

    /// Seconds since 1970.
    pub fn seconds(self) -> i64 {
        self.seconds
    }

    /// Writes it; returns what was written.
    pub fn write(self, out: &mut [u8; LEN_MAX]) -> &[u8] {
        let since = (self.seconds + DAYS_BEFORE * DAY_S) as u64;
        let (year, month, day) = date((since / DAY_S as u64) as u32);
        let of_day = (since % DAY_S as u64) as u32;
        let hyphen: &[u8] = if self.form == Form::Old { b"" } else { b"-" };
        let zone: &[u8] = match self.form {
            Form::Zulu => b"Z",
            Form::Offset => b"+00:00",
            Form::Old => b"",
        };
        let mut line = Line::new(out);
        line.digits(year, 4);
        line.push(hyphen);
        line.digits(month, 2);
        line.push(hyphen);
        line.digits(day, 2);
        line.push(b"T");
        line.digits(of_day / 3600, 2);
        line.push(b":");
        line.digits(of_day / 60 % 60, 2);
        line.push(b":");
        line.digits(of_day % 60, 2);
        if self.digits > 0 {
            line.push(b".");
            line.digits(self.fraction, self.digits);
        }
        line.push(zone);
        line.written()
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
        if digits > FRACTION_MAX as u32 {
            return None;
        }
        let delta = signed(d, contexts, DELTA, self.seconds.wrapping_sub(base_s));
        // As many as the digits need.
        let fraction = flat(d, u64::from(self.fraction), (10 * digits).div_ceil(3)) as u32;
        // Years 0 to 9999 only.
        let seconds = base_s.checked_add(delta)?;
        let in_range = (-62_167_219_200..253_402_300_800).contains(&seconds);
        (in_range && fraction < 10u32.pow(digits)).then_some(Self {
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
            assert_eq!(time.write(&mut [0; LEN_MAX]), text.as_bytes());
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

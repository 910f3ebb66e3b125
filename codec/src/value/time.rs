//! Date and time of XEP-0082, and the older form of XEP-0091, as a distance from a time both ends know. Refuses
//! what it could not write again: leap seconds, zones other than UTC, years before 1970 and beyond 2102.

use super::Line;
use crate::entropy::flat;
use crate::features::Decide;
use crate::structure::{Contexts, Label, Room, signed, tree};

/// Longest text.
pub const LEN_MAX: usize = 36;
/// Most digits of a fraction of a second.
const FRACTION_MAX: u32 = 9;
const FORM: Label = Label::new(Room::Time, 1);
const DIGITS: Label = Label::new(Room::Time, 2);
const DELTA: Label = Label::new(Room::Time, 3);

const YEAR_MIN: u32 = 1970;
const YEARS: u32 = 133;
const DAY_S: u32 = 86_400;
const MONTH_S: u32 = 31 * DAY_S;

/// A moment no packet has to name, as [`Time::clock`] counts: the start of 2026.
pub const EPOCH: u32 = (2026 - YEAR_MIN) * 12 * MONTH_S;

/// What ends a time, by its form. The last one, of XEP-0091, has no hyphens either: `20240514T13:43:21`.
const ZONES: [&[u8]; 3] = [b"Z", b"+00:00", b""];
const OLD: u32 = 2;

/// The fields after the year: what stands before each, the least it can be, and how many there are.
const FIELDS: [(u8, u8, u8); 5] = [
    (b'-', 1, 12),
    (b'-', 1, 31),
    (b'T', 0, 24),
    (b':', 0, 60),
    (b':', 0, 60),
];

/// A time as written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Time {
    clock: u32,
    form: u32,
    digits: u32,
    fraction: u32,
}

/// Takes a number of `width` digits off the start of `text`.
fn take(text: &mut &[u8], width: usize) -> Option<u32> {
    let (digits, rest) = text.split_at_checked(width)?;
    *text = rest;
    let mut number = 0;
    for octet in digits {
        let digit = octet.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number * 10 + u32::from(digit);
    }
    Some(number)
}

impl Time {
    /// Reads one of the forms.
    pub fn parse(text: &str) -> Option<Self> {
        let (mut form, mut rest) = (0, None);
        for zone in ZONES {
            rest = text.as_bytes().strip_suffix(zone);
            if rest.is_some() {
                break;
            }
            form += 1;
        }
        let mut rest = rest?;
        let mut clock = take(&mut rest, 4)?.wrapping_sub(YEAR_MIN);
        if clock >= YEARS {
            return None;
        }
        for (before, least, count) in FIELDS {
            if form != OLD || before != b'-' {
                rest = rest.strip_prefix(&[before])?;
            }
            let count = u32::from(count);
            let field = take(&mut rest, 2)?.wrapping_sub(least.into());
            if field >= count {
                return None;
            }
            clock = clock * count + field;
        }
        let (mut digits, mut fraction) = (0, 0);
        if !rest.is_empty() {
            rest = rest.strip_prefix(b".")?;
            digits = rest.len() as u32;
            if !matches!(digits, 1..=FRACTION_MAX) {
                return None;
            }
            fraction = take(&mut rest, digits as usize)?;
        }
        Some(Self {
            clock,
            form,
            digits,
            fraction,
        })
    }

    /// What [`Self::clock`] says, as XEP-0082 writes it.
    pub fn new(clock: u32) -> Self {
        Self {
            clock,
            form: 0,
            digits: 0,
            fraction: 0,
        }
    }

    /// This many seconds since 1970, until February 2100.
    pub fn at(seconds: u32) -> Self {
        // Days and years from March 1968: the leap day is a year's last.
        let days = seconds / DAY_S + 671;
        let years = (4 * days + 3) / 1461;
        let of_year = days - 1461 * years / 4;
        let months = (5 * of_year + 2) / 153;
        let day = of_year - (153 * months + 2) / 5;
        let months = 12 * years + months - 22;
        Self::new((31 * months + day).wrapping_mul(DAY_S) + seconds % DAY_S)
    }

    /// Seconds since 1970 if all months had 31 days: that is as good for telling times apart and for what is near.
    pub fn clock(self) -> u32 {
        self.clock
    }

    /// Writes it; returns what was written.
    pub fn write(self, out: &mut [u8; LEN_MAX]) -> &[u8] {
        let mut line = Line::new(out);
        line.push(ZONES.get(self.form as usize).unwrap_or(&ZONES[0]));
        if self.digits > 0 {
            line.digits(self.fraction, self.digits);
            line.push(b".");
        }
        let mut clock = self.clock;
        for (before, least, count) in FIELDS.iter().rev() {
            // So that the compiler knows it is never zero.
            let count = u32::from(*count).max(1);
            line.digits(clock % count + u32::from(*least), 2);
            clock /= count;
            if self.form != OLD || *before != b'-' {
                line.push(&[*before]);
            }
        }
        line.digits(clock + YEAR_MIN, 4);
        line.written()
    }

    /// Codes it as its distance from `base`, a [`Self::clock`].
    pub fn code<D: Decide>(self, d: &mut D, contexts: &Contexts, base: u32) -> Self {
        let form = tree(d, contexts, FORM, 2, self.form).min(OLD);
        let digits = tree(d, contexts, DIGITS, 4, self.digits).min(FRACTION_MAX);
        let delta = self.clock.wrapping_sub(base).cast_signed();
        let delta = signed(d, contexts, DELTA, delta);
        // As many as the digits need.
        let fraction = flat(d.coder(), self.fraction, (10 * digits).div_ceil(3));
        Self {
            clock: base.wrapping_add_signed(delta),
            form,
            digits,
            fraction,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_come_back() {
        for text in [
            "2024-05-14T13:43:21Z",
            "1970-01-01T00:00:00.123456Z",
            "2000-02-29T00:00:00.000+00:00",
            "20020910T23:08:25",
            "2102-12-31T23:59:59.999999999Z",
        ] {
            let time = Time::parse(text).expect(text);
            assert_eq!(time.write(&mut [0; LEN_MAX]), text.as_bytes());
        }
        for text in [
            "1969-12-31T23:59:59Z",
            "2103-01-01T00:00:00Z",
            "2023-02-32T00:00:00Z",
            "2023-00-01T00:00:00Z",
            "2024-05-14T13:43:60Z",
            "2024-05-14T13:43:21",
            "2024-05-14T13:43:21+02:00",
            "2024-05-14 13:43:21Z",
            "2024-05-14T13:43:21.Z",
            "2024-05-14T13:43:21.0123456789Z",
            "20240514T13:43:21Z",
            "+024-05-14T13:43:21Z",
            "2024-05-14T24:00:00Z",
            "",
        ] {
            assert_eq!(Time::parse(text), None, "{text}");
        }
    }

    #[test]
    fn seconds_are_told_by_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (68_169_599, "1972-02-28T23:59:59Z"),
            (68_169_600, "1972-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_767_225_600, "2026-01-01T00:00:00Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
        ] {
            let written = Time::at(seconds);
            assert_eq!(written.write(&mut [0; LEN_MAX]), text.as_bytes());
        }
        assert_eq!(Time::at(1_767_225_600).clock(), EPOCH);
    }
}

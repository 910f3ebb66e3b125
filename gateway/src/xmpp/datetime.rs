//! Points in time as XMPP writes them (XEP-0082). Refuses time zones other than as an offset to take away: what is
//! written is always UTC.

use std::time::{SystemTime, UNIX_EPOCH};

/// Now, in Unix milliseconds.
pub fn now_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

const DAY_MS: i64 = 86_400_000;

/// `2026-11-20T12:00:00.000Z`; without the fraction if it is zero.
pub fn format(at_ms: i64) -> String {
    let (year, month, day) = civil(at_ms.div_euclid(DAY_MS));
    let ms = at_ms.rem_euclid(DAY_MS);
    let (h, m, s, ms) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000);
    let fraction = match ms {
        0 => String::new(),
        ms => format!(".{ms:03}"),
    };
    format!("{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}{fraction}Z")
}

/// Unix milliseconds of a XEP-0082 DateTime; `None` if it is none.
pub fn parse(text: &str) -> Option<i64> {
    let text = text.trim();
    let number = |range: std::ops::Range<usize>| -> Option<i64> { text.get(range)?.parse().ok() };
    let mark = |at: usize, what: u8| text.as_bytes().get(at) == Some(&what);
    if !(mark(4, b'-') && mark(7, b'-') && mark(10, b'T') && mark(13, b':') && mark(16, b':')) {
        return None;
    }
    let (month, day) = (number(5..7)?, number(8..10)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let seconds = (number(11..13)? * 60 + number(14..16)?) * 60 + number(17..19)?;
    let rest = text.get(19..)?;
    let digits = rest
        .strip_prefix('.')
        .map_or(0, |it| it.bytes().take_while(u8::is_ascii_digit).count());
    let mut fraction = rest
        .get(1..1 + digits.min(3))
        .unwrap_or_default()
        .to_owned();
    while fraction.len() < 3 {
        fraction.push('0');
    }
    let zone = if digits > 0 {
        &rest[1 + digits..]
    } else {
        rest
    };
    let at =
        days(number(0..4)?, month, day) * DAY_MS + seconds * 1000 + fraction.parse::<i64>().ok()?;
    Some(at - zone_ms(zone)?)
}

/// `Z`, `+02:00` or `-05:30`, as milliseconds ahead of UTC.
fn zone_ms(zone: &str) -> Option<i64> {
    if zone == "Z" {
        return Some(0);
    }
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    Some(sign * (hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?) * 60_000)
}

/// Days since 1970-01-01 of a date in the Gregorian calendar. Years begin in March, so leap days come last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The inverse of [`days`].
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_survive() {
        for (text, ms) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1969-07-21T02:56:15Z", -14_159_025_000),
            ("2000-02-29T23:59:59.999Z", 951_868_799_999),
            ("2026-11-20T12:01:30Z", 1_795_176_090_000),
        ] {
            assert_eq!(parse(text), Some(ms), "{text}");
            assert_eq!(format(ms), text);
        }
        assert_eq!(parse("1969-07-20T21:56:15-05:00"), Some(-14_159_025_000));
        assert_eq!(parse("2010-01-01T00:00:00.5Z"), Some(1_262_304_000_500));
        for bad in [
            "",
            "2010-01-01",
            "2010-01-01T00:00:00",
            "2010-13-01T00:00:00Z",
            "2010-01-01T00:00:00.5",
            "ä010-01-01T00:00:00Z",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}

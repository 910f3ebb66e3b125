//! The line language: what a person at a terminal, or a phone over Bluetooth serial, types. Refuses to act: a line
//! becomes a [`Command`].

use super::{Command, Mistake};
use crate::compose::Position;

/// Reads one line, without its end.
///
/// # Errors
/// [`Mistake`].
pub fn parse(line: &str) -> Result<Command<'_>, Mistake> {
    let (word, rest) = split(line);
    let command = match word {
        "" => Command::Nothing,
        "to" => {
            let (jid, text) = split(rest);
            Command::To { jid, text }
        }
        "inbox" => Command::Inbox,
        "who" => Command::Who,
        "status" => Command::Status,
        "pos" => Command::Pos(position(rest).ok_or(Mistake::NoPosition)?),
        "add" => Command::Add(rest),
        "say" => Command::Say(rest),
        #[cfg(feature = "edhoc")]
        "rekey" => Command::Rekey,
        "help" | "?" => Command::Help,
        _ => return Err(Mistake::Unknown),
    };
    command.checked()
}

/// The first word, and what follows the blanks after it.
fn split(line: &str) -> (&str, &str) {
    let line = line.trim();
    match line.split_once(' ') {
        Some((word, rest)) => (word, rest.trim_start()),
        None => (line, ""),
    }
}

/// Two numbers of degrees, as `pos` and the command `set` take them.
pub fn position(text: &str) -> Option<Position> {
    let (lat, lon) = split(text);
    let position = Position {
        lat_e7: degrees(lat)?,
        lon_e7: degrees(lon)?,
    };
    position.is_on_earth().then_some(position)
}

/// A decimal number in units of 1e-7; digits beyond the seventh are cut off.
fn degrees(text: &str) -> Option<i32> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let numeric = |part: &str| {
        !part.is_empty() && part.len() <= 12 && part.bytes().all(|octet| octet.is_ascii_digit())
    };
    if !numeric(whole) || !numeric(fraction) {
        return None;
    }
    let digit = |at: usize| {
        fraction
            .as_bytes()
            .get(at)
            .map_or(0, |octet| i32::from(octet - b'0'))
    };
    let fraction_e7 = (0..7).fold(0, |sum, at| sum * 10 + digit(at));
    let value = whole
        .parse::<i32>()
        .ok()?
        .checked_mul(10_000_000)?
        .checked_add(fraction_e7)?;
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_handbook() {
        assert_eq!(
            parse("to romeo@base.example  hello  there"),
            Ok(Command::To {
                jid: "romeo@base.example",
                text: "hello  there"
            })
        );
        let position = Position {
            lat_e7: 593_000_000,
            lon_e7: 181_000_000,
        };
        assert_eq!(parse("pos 59.3 18.1"), Ok(Command::Pos(position)));
        assert_eq!(parse(" who "), Ok(Command::Who));
        assert_eq!(parse(""), Ok(Command::Nothing));
        assert_eq!(parse("add base.example"), Ok(Command::Add("base.example")));
    }

    #[test]
    fn mistakes_are_named() {
        assert_eq!(parse("too romeo@x hi"), Err(Mistake::Unknown));
        assert_eq!(parse("to romeo hi"), Err(Mistake::NoJid));
        assert_eq!(parse("to romeo@x"), Err(Mistake::NoText));
        assert_eq!(parse("pos 91 0"), Err(Mistake::NoPosition));
        assert_eq!(parse("pos north"), Err(Mistake::NoPosition));
        assert_eq!(parse("pos 99999999999 0"), Err(Mistake::NoPosition));
    }

    #[test]
    fn southern_and_western_positions_keep_their_digits() {
        let found = position("-33.8567844 -0.00000012").expect("a position");
        assert_eq!(
            found,
            Position {
                lat_e7: -338_567_844,
                lon_e7: -1
            }
        );
    }
}

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
    let line = line.trim_ascii();
    let end = line.bytes().position(|octet| octet == b' ');
    match end.and_then(|end| line.split_at_checked(end)) {
        Some((word, rest)) => (word, rest.trim_ascii_start()),
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

/// Digits after the point that count.
const PLACES: u32 = 7;

/// A decimal number in units of 1e-7; digits beyond the seventh are cut off.
fn degrees(text: &str) -> Option<i32> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest.as_bytes()),
        None => (1, text.as_bytes()),
    };
    let ends = [digits.first()?, digits.last()?];
    if !ends.iter().all(|octet| octet.is_ascii_digit()) {
        return None;
    }
    let (mut value, mut places) = (0i32, None);
    let mut push = |digit: u8| {
        value = value.checked_mul(10)?.checked_add(digit.into())?;
        Some(())
    };
    for octet in digits {
        match (octet, places) {
            (b'.', None) => places = Some(0),
            (b'0'..=b'9', Some(PLACES)) => {}
            (b'0'..=b'9', _) => {
                push(octet - b'0')?;
                places = places.map(|places| places + 1);
            }
            _ => return None,
        }
    }
    for _ in places.unwrap_or(0)..PLACES {
        push(0)?;
    }
    Some(sign * value)
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

//! The line language: what a person at a terminal, or a phone over Bluetooth serial, types. Refuses to act: a line
//! becomes a [`Command`].

use super::{ASKS, Command, Mistake};
use crate::endpoint::Position;
use crate::text::{cut, decimal};

/// Reads one line, without its end.
///
/// # Errors
/// [`Mistake`].
pub(super) fn parse(line: &str) -> Result<Command<'_>, Mistake> {
    let (wanted, mut rest) = split(line);
    for (word, ask, fields) in ASKS {
        if *word == wanted {
            let mut command = Command::new(*ask);
            for field in fields.bytes() {
                match field {
                    b'j' => (command.jid, rest) = split(rest),
                    b't' => command.text = rest,
                    _ => command.position = position(rest),
                }
            }
            return command.checked();
        }
    }
    Err(Mistake::Unknown)
}

/// The first word, and what follows the blanks after it.
fn split(line: &str) -> (&str, &str) {
    let (word, rest) = cut(line.trim_ascii(), b' ');
    (word, rest.trim_ascii_start())
}

/// Two numbers of degrees, as `pos` and the command `set` take them.
pub(crate) fn position(text: &str) -> Option<Position> {
    let (lat, lon) = split(text);
    let position = Position {
        lat_e7: decimal(lat, 7)?,
        lon_e7: decimal(lon, 7)?,
    };
    position.is_on_earth().then_some(position)
}

#[cfg(test)]
mod tests {
    use super::super::Ask;
    use super::*;

    #[test]
    fn lines_of_the_handbook() {
        assert_eq!(
            parse("to romeo@base.example  hello  there"),
            Ok(Command {
                jid: "romeo@base.example",
                text: "hello  there",
                ..Command::new(Ask::To)
            })
        );
        let position = Some(Position {
            lat_e7: 593_000_000,
            lon_e7: 181_000_000,
        });
        assert_eq!(
            parse("pos 59.3 18.1"),
            Ok(Command {
                position,
                ..Command::new(Ask::Pos)
            })
        );
        assert_eq!(parse(" who "), Ok(Command::new(Ask::Who)));
        assert_eq!(parse(""), Ok(Command::new(Ask::Nothing)));
        assert_eq!(
            parse("add base.example"),
            Ok(Command {
                jid: "base.example",
                ..Command::new(Ask::Add)
            })
        );
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

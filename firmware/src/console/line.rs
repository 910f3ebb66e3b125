//! The line language: what a person at a terminal, or a phone over Bluetooth serial, types. Refuses to act: a line
//! becomes a [`Command`].

use core::fmt;

use super::Command;
use crate::compose::Position;

/// Longest line taken, octets; longer ones are refused whole.
pub const LINE_MAX: usize = 512;

/// Why a line was not understood.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum LineError {
    /// No such word.
    Unknown,
    /// `to` and `add` need a JID with an `@` or a dot in it.
    NoJid,
    /// `to` needs a text.
    NoText,
    /// `pos` needs two numbers of degrees, -90 to 90 and -180 to 180.
    NoPosition,
    /// Longer than [`LINE_MAX`].
    TooLong,
    /// Not UTF-8.
    NotText,
}

impl LineError {
    /// What to tell the person who typed.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Unknown => "unknown command; try: help",
            Self::NoJid => "whom? such as: romeo@base.example",
            Self::NoText => "nothing to say",
            Self::NoPosition => {
                "position is: pos LATITUDE LONGITUDE, degrees, such as: pos 59.3 18.1"
            }
            Self::TooLong => "line too long",
            Self::NotText => "line is not UTF-8",
        }
    }
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl core::error::Error for LineError {}

/// Reads one line, without its end.
///
/// # Errors
/// [`LineError`].
pub fn parse(line: &str) -> Result<Command<'_>, LineError> {
    let (word, rest) = split(line);
    match word {
        "" => Ok(Command::Nothing),
        "to" => {
            let (jid, text) = split(rest);
            if text.is_empty() && is_jid(jid) {
                Err(LineError::NoText)
            } else {
                Ok(Command::To {
                    jid: jid_of(jid)?,
                    text,
                })
            }
        }
        "inbox" => Ok(Command::Inbox),
        "who" => Ok(Command::Who),
        "status" => Ok(Command::Status),
        "pos" => position(rest)
            .map(Command::Pos)
            .ok_or(LineError::NoPosition),
        "add" => jid_of(rest).map(Command::Add),
        "say" => Ok(Command::Say(rest)),
        "help" | "?" => Ok(Command::Help),
        _ => Err(LineError::Unknown),
    }
}

/// The first word, and what follows the blanks after it.
fn split(line: &str) -> (&str, &str) {
    let line = line.trim();
    match line.split_once(' ') {
        Some((word, rest)) => (word, rest.trim_start()),
        None => (line, ""),
    }
}

fn is_jid(word: &str) -> bool {
    (word.contains('@') || word.contains('.')) && !word.starts_with('@') && !word.ends_with('@')
}

fn jid_of(word: &str) -> Result<&str, LineError> {
    is_jid(word).then_some(word).ok_or(LineError::NoJid)
}

/// Two numbers of degrees.
pub fn position(text: &str) -> Option<Position> {
    let (lat, lon) = split(text);
    let position = Position {
        lat_e7: degrees(lat)?,
        lon_e7: degrees(lon)?,
    };
    let within = |value: i32, limit: i32| (-limit..=limit).contains(&value);
    (within(position.lat_e7, 900_000_000) && within(position.lon_e7, 1_800_000_000))
        .then_some(position)
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

/// Collects the octets of a console into lines.
#[derive(Debug)]
pub struct Lines<B> {
    buffer: B,
    len: usize,
    overrun: bool,
    /// The line handed out last is to be dropped on the next octet.
    taken: bool,
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Lines<B> {
    /// Lines of up to the length of `buffer`.
    pub fn new(buffer: B) -> Self {
        Self {
            buffer,
            len: 0,
            overrun: false,
            taken: false,
        }
    }

    /// Takes one octet; a line if CR or LF ended one. The second of a CR LF pair ends an empty line, which parses
    /// to [`Command::Nothing`].
    ///
    /// # Errors
    /// The line was too long or no text.
    pub fn push(&mut self, octet: u8) -> Option<Result<&str, LineError>> {
        if core::mem::take(&mut self.taken) {
            self.len = 0;
        }
        match octet {
            b'\r' | b'\n' => {
                self.taken = true;
                if core::mem::take(&mut self.overrun) {
                    return Some(Err(LineError::TooLong));
                }
                let line = core::str::from_utf8(&self.buffer.as_ref()[..self.len]);
                Some(line.map_err(|_| LineError::NotText))
            }
            // Backspace and delete, as a person corrects a typing error.
            0x08 | 0x7f => {
                self.len = self.len.saturating_sub(1);
                None
            }
            _ => {
                match self.buffer.as_mut().get_mut(self.len) {
                    Some(place) => {
                        *place = octet;
                        self.len += 1;
                    }
                    None => self.overrun = true,
                }
                None
            }
        }
    }
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
        assert_eq!(parse("too romeo@x hi"), Err(LineError::Unknown));
        assert_eq!(parse("to romeo hi"), Err(LineError::NoJid));
        assert_eq!(parse("to romeo@x"), Err(LineError::NoText));
        assert_eq!(parse("pos 91 0"), Err(LineError::NoPosition));
        assert_eq!(parse("pos north"), Err(LineError::NoPosition));
        assert_eq!(parse("pos 99999999999 0"), Err(LineError::NoPosition));
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

    #[test]
    fn long_lines_are_refused_and_the_next_is_read() {
        let mut lines = Lines::new([0u8; 8]);
        let results: std::vec::Vec<_> = b"status for ever\nwho\n"
            .iter()
            .filter_map(|octet| {
                lines
                    .push(*octet)
                    .map(|line| line.map(std::string::String::from))
            })
            .collect();
        assert_eq!(results, [Err(LineError::TooLong), Ok("who".into())]);
    }
}

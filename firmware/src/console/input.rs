//! The octets of a console cut into requests: lines of a person and frames of a program, told apart by themselves. Refuses
//! to read what is in them.
//!
//! A frame stands between zeros, as on a modem (`longwire_codec::serial`); a line ends in CR or LF. Frames hold a CBOR array,
//! so their second octet has its high bit set, and a line, which begins with an English word, has not: that tells them
//! apart where the octets of a frame happen to be CR or LF.

use longwire_codec::serial;

use super::Mistake;

/// Longest line or frame taken, octets; longer ones are refused whole.
pub const INPUT_MAX: usize = 512;
const BACKSPACE: u8 = 0x08;
const DELETE: u8 = 0x7f;

/// What was typed, or sent by a program.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Input<'i> {
    Line(Result<&'i str, Mistake>),
    Frame(&'i [u8]),
}

/// Collects octets.
#[derive(Debug)]
pub(super) struct Intake {
    buffer: [u8; INPUT_MAX],
    len: usize,
    overrun: bool,
    /// What is being collected comes after a zero, so it may be a frame.
    after_zero: bool,
}

impl Intake {
    pub(super) const fn new() -> Self {
        Self {
            buffer: [0; INPUT_MAX],
            len: 0,
            overrun: false,
            after_zero: false,
        }
    }

    /// Takes one octet; what it completes. The second of a CR LF pair ends an empty line.
    pub(super) fn push(&mut self, octet: u8) -> Option<Input<'_>> {
        match octet {
            0 => {
                let overrun = core::mem::take(&mut self.overrun);
                let wire = self.buffer.get_mut(..core::mem::take(&mut self.len))?;
                self.after_zero = true;
                serial::open(wire).filter(|_| !overrun).map(Input::Frame)
            }
            _ if self.is_frame() => self.collect(octet),
            b'\r' | b'\n' => {
                self.after_zero = false;
                let line = self.buffer.get(..core::mem::take(&mut self.len))?;
                if core::mem::take(&mut self.overrun) {
                    return Some(Input::Line(Err(Mistake::TooLong)));
                }
                let line = core::str::from_utf8(line).map_err(|_| Mistake::NotText);
                Some(Input::Line(line))
            }
            // As a person corrects a typing error.
            BACKSPACE | DELETE => {
                self.len = self.len.saturating_sub(1);
                None
            }
            _ => self.collect(octet),
        }
    }

    fn is_frame(&self) -> bool {
        self.after_zero
            && (self.len == 0 || self.len > 1 && self.buffer.get(1).is_some_and(|it| *it >= 0x80))
    }

    fn collect(&mut self, octet: u8) -> Option<Input<'_>> {
        match self.buffer.get_mut(self.len) {
            Some(place) => {
                *place = octet;
                self.len += 1;
            }
            // Noise, or a line: the next end of a line ends it.
            None => (self.overrun, self.after_zero) = (true, false),
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::MISTAKES;
    use crate::tests::on_wire;
    use crate::text::line;
    use std::string::String;
    use std::vec::Vec;

    /// Lines as they are, frames as hex, mistakes in brackets.
    fn through(octets: &[u8]) -> Vec<String> {
        let mut intake = Intake::new();
        let shown = |input: Input<'_>| match input {
            Input::Line(Ok(line)) => String::from(line),
            Input::Line(Err(mistake)) => std::format!("({})", line(MISTAKES, mistake as usize)),
            Input::Frame(frame) => frame.iter().map(|it| std::format!("{it:02x}")).collect(),
        };
        octets
            .iter()
            .filter_map(|octet| intake.push(*octet).map(shown))
            .collect()
    }

    #[test]
    fn frames_and_lines_come_as_they_like() {
        let octets = [
            b"who\r".to_vec(),
            on_wire(&[0x81, 4]),
            b"stat\x08tus\n".to_vec(),
            on_wire(&[0x81, 4]),
            on_wire(&[0x82, 13, 10]),
            b"?\r".to_vec(),
        ];
        assert_eq!(
            through(&octets.concat()),
            ["who", "8104", "status", "8104", "820d0a", "?"]
        );
    }

    #[test]
    fn a_frame_of_any_length_may_hold_ends_of_lines() {
        for len in 1..300 {
            let frame: Vec<u8> = (0..len).map(|at| [0x84, 13, 10, 8][at % 4]).collect();
            let octets = [on_wire(&frame), b"who\r".to_vec()].concat();
            let hex: String = frame.iter().map(|it| std::format!("{it:02x}")).collect();
            assert_eq!(through(&octets), [hex, String::from("who")], "{len}");
        }
    }

    #[test]
    fn long_lines_and_noise_cost_only_themselves() {
        let long = [b'x'; INPUT_MAX + 1];
        let octets = [
            &long[..],
            b"\nwho\n\0",
            &[0xff; 700],
            b"\r",
            &[0xff, b'\n', b'?', b'\n'],
        ];
        let expected = [
            "(line too long)",
            "who",
            "(line too long)",
            "(line is not UTF-8)",
            "?",
        ];
        assert_eq!(through(&octets.concat()), expected);
        let frames = [
            on_wire(&[0x81; 600]),
            b"\0\0\x05x".to_vec(),
            on_wire(&[0x81, 2]),
        ];
        assert_eq!(through(&frames.concat()), ["8102"]);
    }
}

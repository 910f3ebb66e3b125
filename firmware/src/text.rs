//! Text and decimal numbers written into a slice. Refuses `core::fmt`: its machinery would be a large part of a small
//! image.

use crate::flash::copy;

/// A text being written to the start of a slice; what does not fit is left out.
#[derive(Debug)]
pub struct Text<'b> {
    place: &'b mut [u8],
    len: usize,
    /// Something was left out.
    torn: bool,
}

impl<'b> Text<'b> {
    /// Nothing yet.
    pub fn new(place: &'b mut [u8]) -> Self {
        Self {
            place,
            len: 0,
            torn: false,
        }
    }

    /// Octets written.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Octets written, if nothing was left out.
    pub fn whole(&self) -> Option<usize> {
        (!self.torn).then_some(self.len)
    }

    /// What was written.
    pub fn into_str(self) -> &'b str {
        let written = self.place.get(..self.len).unwrap_or(&[]);
        core::str::from_utf8(written).unwrap_or("")
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// A character, if all of it fits.
    pub fn char(&mut self, char: char) -> &mut Self {
        self.str(char.encode_utf8(&mut [0; 4]))
    }

    /// A text, if all of it fits.
    pub fn str(&mut self, text: &str) -> &mut Self {
        self.octets(text.as_bytes())
    }

    /// Octets of a text.
    fn octets(&mut self, octets: &[u8]) -> &mut Self {
        let room = self.place.get_mut(self.len..);
        match room.and_then(|room| copy(room, octets)) {
            Some(octets) => self.len += octets.len(),
            None => self.torn = true,
        }
        self
    }

    /// A decimal number.
    pub fn number(&mut self, value: impl Into<u64>) -> &mut Self {
        self.octets(whole(&digits(value.into())))
    }

    /// A number of millionths, thousandths, ... with `decimals` digits after the point, of which trailing zeros beyond
    /// `least` are left out.
    pub fn fixed(&mut self, value: i32, decimals: usize, least: usize) -> &mut Self {
        if value < 0 {
            self.char('-');
        }
        let digits = digits(value.unsigned_abs().into());
        let point = DIGITS.saturating_sub(decimals);
        let Some((before, mut after)) = digits.split_at_checked(point) else {
            return self;
        };
        while let Some((b'0', rest)) = after.split_last()
            && after.len() > least
        {
            after = rest;
        }
        self.octets(whole(before)).char('.').octets(after)
    }
}

/// Digits of the longest number.
const DIGITS: usize = 20;

/// All digits of a number, zeros in front.
fn digits(mut value: u64) -> [u8; DIGITS] {
    let mut digits = [b'0'; DIGITS];
    for digit in digits.iter_mut().rev() {
        *digit += (value % 10) as u8;
        value /= 10;
    }
    digits
}

/// The digits without zeros in front, but one at least.
fn whole(mut digits: &[u8]) -> &[u8] {
    while let Some((b'0', rest @ [_, ..])) = digits.split_first() {
        digits = rest;
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl Fn(&mut Text<'_>)) -> std::string::String {
        let mut place = [0; 24];
        let mut text = Text::new(&mut place);
        write(&mut text);
        let len = text.len();
        std::string::String::from_utf8(place[..len].to_vec()).expect("only texts were written")
    }

    #[test]
    fn numbers_are_decimal() {
        assert_eq!(
            written(|text| _ = text.number(0u32).char(' ').number(u64::MAX)),
            "0 18446744073709551615"
        );
        assert_eq!(written(|text| _ = text.fixed(-1500, 3, 3)), "-1.500");
        assert_eq!(
            written(|text| _ = text.fixed(593_293_235, 7, 1)),
            "59.3293235"
        );
        assert_eq!(written(|text| _ = text.fixed(-5, 7, 1)), "-0.0000005");
        assert_eq!(written(|text| _ = text.fixed(180_000_000, 7, 1)), "18.0");
        assert_eq!(
            written(|text| _ = text.fixed(i32::MIN, 7, 1)),
            "-214.7483648"
        );
    }

    #[test]
    fn what_does_not_fit_is_left_out_whole() {
        assert_eq!(
            written(|text| _ = text.str("twenty-two octets long").str("\u{20ac}").char('.')),
            "twenty-two octets long."
        );
    }
}

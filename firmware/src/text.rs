//! Text and decimal numbers written into a slice, and read. Refuses `core::fmt`: its machinery would be a large part of a
//! small image.

use crate::flash::copy;

/// Ends a text among texts: UTF-8 has no such octet.
const END: u8 = 0xff;

/// A text being written to a slice; what does not fit is left out.
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
        Self::after(place, 0)
    }

    /// The first `len` octets of the place are somebody else's.
    pub(crate) fn after(place: &'b mut [u8], len: usize) -> Self {
        Self {
            place,
            len,
            torn: false,
        }
    }

    /// Octets written.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The octets up to the end of the text, if nothing was left out.
    #[inline(never)]
    pub fn whole(self) -> Option<&'b mut [u8]> {
        let Self { place, len, torn } = self;
        place.get_mut(..len).filter(|_| !torn)
    }

    /// The text, if nothing was left out; empty otherwise.
    pub(crate) fn into_str(self) -> &'b str {
        let octets = self.whole().unwrap_or_default();
        core::str::from_utf8(octets).unwrap_or_default()
    }

    /// One octet.
    pub(crate) fn octet(&mut self, octet: u8) -> &mut Self {
        self.octets(&[octet])
    }

    /// A text, if all of it fits.
    pub fn str(&mut self, text: &str) -> &mut Self {
        self.octets(text.as_bytes())
    }

    /// Octets of a text, if all of them fit.
    #[inline(never)]
    pub(crate) fn octets(&mut self, octets: &[u8]) -> &mut Self {
        let room = self.place.get_mut(self.len..);
        match room.and_then(|room| copy(room, octets)) {
            Some(octets) => self.len += octets.len(),
            None => self.torn = true,
        }
        self
    }

    /// One of several texts, as `Texts` finds it.
    pub fn item(&mut self, text: &str) -> &mut Self {
        self.str(text).end()
    }

    /// Ends one of several texts.
    pub fn end(&mut self) -> &mut Self {
        self.octet(END)
    }

    /// A decimal number.
    pub fn number(&mut self, value: u32) -> &mut Self {
        self.octets(whole(&digits(value)))
    }

    /// A number of millionths, thousandths, ... with `places` digits after the point, of which trailing zeros beyond
    /// the first are left out.
    #[inline(never)]
    pub fn fixed(&mut self, value: i32, places: usize) -> &mut Self {
        if value < 0 {
            self.str("-");
        }
        let digits = digits(value.unsigned_abs());
        let Some((before, mut after)) = digits.split_at_checked(DIGITS.saturating_sub(places))
        else {
            return self;
        };
        while let [_, .., b'0'] = after
            && let Some((_, rest)) = after.split_last()
        {
            after = rest;
        }
        self.octets(whole(before)).str(".").octets(after)
    }
}

/// Digits of the longest number.
const DIGITS: usize = 10;

/// All digits of a number, zeros in front.
fn digits(mut value: u32) -> [u8; DIGITS] {
    let mut digits = [b'0'; DIGITS];
    for digit in digits.iter_mut().rev() {
        *digit += (value % 10) as u8;
        value /= 10;
    }
    digits
}

/// The digits without zeros in front, but one at least.
fn whole(mut digits: &[u8]) -> &[u8] {
    while let [b'0', rest @ ..] = digits
        && !rest.is_empty()
    {
        digits = rest;
    }
    digits
}

/// A decimal number in units of the digit `places` after the point; digits beyond are cut off.
pub(crate) fn decimal(text: &str, mut places: u32) -> Option<i32> {
    let (sign, digits) = match text.as_bytes() {
        [b'-', rest @ ..] => (-1, rest),
        digits => (1, digits),
    };
    if !digits.last()?.is_ascii_digit() || !digits.first()?.is_ascii_digit() {
        return None;
    }
    let push = |value: i32, digit: u8| {
        let fits = value < i32::MAX / 10;
        fits.then(|| 10 * value + i32::from(digit))
    };
    let (mut value, mut after_point) = (0, false);
    for octet in digits {
        let digit = octet.wrapping_sub(b'0');
        if *octet == b'.' && !after_point {
            after_point = true;
        } else if digit > 9 {
            return None;
        } else if !after_point || places > 0 {
            value = push(value, digit)?;
            places -= u32::from(after_point);
        }
    }
    for _ in 0..places {
        value = push(value, 0)?;
    }
    Some(sign * value)
}

/// What stands before the first `at`, an ASCII character, and what after it; all and nothing if there is none.
#[inline(never)]
pub(crate) fn cut(text: &str, at: u8) -> (&str, &str) {
    let end = text.bytes().position(|octet| octet == at);
    let Some((before, after)) = end.and_then(|end| text.split_at_checked(end)) else {
        return (text, "");
    };
    (before, after.get(1..).unwrap_or(""))
}

/// The line at this place in a table of lines.
pub(crate) fn line(mut table: &str, at: usize) -> &str {
    for _ in 0..at {
        (_, table) = cut(table, b'\n');
    }
    cut(table, b'\n').0
}

/// Texts one after the other, as [`Text::item`] writes them; empty ones after the last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Texts<'a>(pub(crate) &'a [u8]);

impl<'a> Texts<'a> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[inline(never)]
    pub(crate) fn next(&mut self) -> &'a str {
        let mut len = 0;
        while let Some(octet) = self.0.get(len)
            && *octet != END
        {
            len += 1;
        }
        let (text, rest) = self.0.split_at_checked(len).unwrap_or_default();
        self.0 = rest.get(1..).unwrap_or_default();
        core::str::from_utf8(text).unwrap_or_default()
    }
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
            written(|text| _ = text.number(0).str(" ").number(u32::MAX)),
            "0 4294967295"
        );
        for (value, places, shown) in [
            (-1500, 3, "-1.5"),
            (593_293_235, 7, "59.3293235"),
            (-5, 7, "-0.0000005"),
            (180_000_000, 7, "18.0"),
            (-2_147_483_639, 7, "-214.7483639"),
        ] {
            assert_eq!(written(|text| _ = text.fixed(value, places)), shown);
            assert_eq!(decimal(shown, places as u32), Some(value));
        }
        assert_eq!(written(|text| _ = text.fixed(i32::MIN, 7)), "-214.7483648");
        for text in ["", "-", ".5", "5.", "1.2.3", "1e3", "+1", "99999999999"] {
            assert_eq!(decimal(text, 0), None, "{text}");
        }
    }

    #[test]
    fn what_does_not_fit_is_left_out_whole() {
        assert_eq!(
            written(|text| _ = text.str("twenty-two octets long").str("\u{20ac}").str(".")),
            "twenty-two octets long."
        );
    }

    #[test]
    fn texts_are_found_as_they_were_written() {
        let mut place = [0; 24];
        let mut text = Text::after(&mut place, 4);
        text.item("one").item("").number(7).end();
        let octets = text.whole().expect("fits");
        let mut texts = Texts(&octets[4..]);
        assert_eq!([texts.next(), texts.next(), texts.next()], ["one", "", "7"]);
        assert!(texts.is_empty() && texts.next().is_empty());
        assert_eq!(cut("jid/resource/", b'/'), ("jid", "resource/"));
        assert_eq!(cut("jid", b'/'), ("jid", ""));
    }
}

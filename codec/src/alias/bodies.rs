//! Bodies of recent messages, in case a reply quotes them (XEP-0461 with XEP-0428). Refuses to search in them: a
//! quotation is the start of a body, or none.

use super::shelf::{Entry, Shelf, ShelfMut, State};
use crate::row::put;

/// Boards, which are built without feature `large`, keep none: nothing is quoted on their links.
pub const ARE_KEPT: bool = cfg!(feature = "large");

/// Bodies the other end may have taken in meanwhile that this one does not know of.
const MARGIN: u32 = 64;

/// Keeps the start of a body, as much as fits; each packet has its place, so that both ends keep alike.
pub fn keep(shelf: &mut ShelfMut<'_>, entry: Entry<'_>, body: &str) {
    let view = shelf.view();
    if let Some(slot) = entry.packet.checked_rem(u32::from(view.slots())) {
        let cut = body.floor_char_boundary(view.slot_octets());
        let contents = body.as_bytes().get(..cut).unwrap_or(&[]);
        shelf.put(slot as u16, &Entry { contents, ..entry });
    }
}

/// The body packet `number` carried.
pub fn get(shelf: Shelf<'_>, number: u32) -> Option<&str> {
    let slots = u32::from(shelf.slots());
    let slot = number.checked_rem(slots)? as u16;
    let octets = shelf.get(slot).filter(|_| shelf.packet(slot) == number)?;
    core::str::from_utf8(octets).ok()
}

/// Is `text` the body packet `number` carried, and has the other end surely still got it? `latest` is the latest packet
/// of its direction.
pub fn is(shelf: Shelf<'_>, latest: u32, number: u32, text: &str) -> bool {
    let slot = number.checked_rem(u32::from(shelf.slots()));
    let known = slot.is_some_and(|slot| shelf.state(slot as u16) == State::Known);
    known && is_held(shelf, latest, number) && get(shelf, number) == Some(text)
}

fn is_held(shelf: Shelf<'_>, latest: u32, number: u32) -> bool {
    latest.saturating_sub(number) + MARGIN < u32::from(shelf.slots())
}

/// The latest packet whose body starts with `quoted` and which the other end surely still has; `latest` is the
/// latest packet of its direction.
pub fn find(shelf: Shelf<'_>, latest: u32, quoted: &Quoted<'_>) -> Option<u32> {
    (0..shelf.slots())
        .filter(|slot| shelf.state(*slot) == State::Known)
        .map(|slot| shelf.packet(slot))
        .filter(|number| is_held(shelf, latest, *number))
        .filter(|number| get(shelf, *number).is_some_and(|body| quoted.starts(body)))
        .max()
}

/// The quotation a text begins with: lines that begin with `> `.
#[derive(Clone, Copy, Debug)]
pub struct Quoted<'a> {
    lines: &'a str,
    /// Octets of what is quoted, without the marks.
    pub len: usize,
    /// What follows the quotation.
    pub rest: &'a str,
}

/// Shortest quotation worth the trouble, octets.
const LEN_MIN: usize = 4;

impl<'a> Quoted<'a> {
    /// Finds the quotation, if the text begins with one and something follows it.
    pub fn of(text: &'a str) -> Option<Self> {
        let mut rest = text.as_bytes();
        let mut len = 0;
        while let Some(line) = rest.strip_prefix(MARK) {
            let end = line.iter().position(|octet| *octet == b'\n')?;
            // With the line end before it, if there is one.
            len += end + usize::from(rest.len() < text.len());
            rest = line.get(end + 1..)?;
        }
        let (lines, rest) = text.split_at_checked(text.len() - rest.len())?;
        (len >= LEN_MIN).then_some(Self { lines, len, rest })
    }

    fn starts(&self, body: &str) -> bool {
        let Some(quoted) = body.get(..self.len) else {
            return false;
        };
        let mut rest = Some(self.lines.as_bytes());
        for line in lines(quoted) {
            for part in [MARK, line, b"\n"] {
                rest = rest.and_then(|rest| rest.strip_prefix(part));
            }
        }
        rest == Some(&[])
    }
}

/// Before each quoted line.
const MARK: &[u8] = b"> ";

fn lines(text: &str) -> impl Iterator<Item = &[u8]> {
    text.as_bytes().split(|octet| *octet == b'\n')
}

/// Writes the quotation of `quoted` to `out`; returns its length, or None if it does not fit.
pub fn write(quoted: &str, out: &mut [u8]) -> Option<usize> {
    let mut len = 0;
    for line in lines(quoted) {
        for part in [MARK, line, b"\n"] {
            put(out.get_mut(len..)?, part).then_some(())?;
            len += part.len();
        }
    }
    Some(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotations_are_written_as_they_were_read() {
        let text = "> one line\n> and another\nan answer";
        let quoted = Quoted::of(text).expect("a quotation");
        let body = "one line\nand another, cut";
        assert!(quoted.starts(body));
        assert!(!quoted.starts("one line"));
        let crlf = Quoted::of("> one line\r\nan answer").expect("a quotation");
        assert!(crlf.starts("one line\r") && !crlf.starts("one line\n"));
        let mut out = [0; 64];
        let len = write(&body[..quoted.len], &mut out).expect("fits");
        assert_eq!(
            [&out[..len], quoted.rest.as_bytes()].concat(),
            text.as_bytes()
        );
        for text in [
            "",
            "> ",
            "> a\nb",
            "no > quotation\n",
            "> no line end",
            ">no space\nx",
        ] {
            assert!(Quoted::of(text).is_none(), "{text}");
        }
    }
}

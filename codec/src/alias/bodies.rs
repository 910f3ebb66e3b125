//! Bodies of recent messages, in case a reply quotes them (XEP-0461 with XEP-0428). Refuses to search in them: a
//! quotation is the start of a body, or none.

use super::shelf::{Entry, Shelf, ShelfMut, State};

/// Bodies the other end may have taken in meanwhile that this one does not know of.
const MARGIN: u32 = 64;

/// Keeps the start of a body, as much as fits; each packet has its place, so that both ends keep alike.
pub fn keep(shelf: &mut ShelfMut<'_>, state: State, number: u32, body: &str) {
    let view = shelf.view();
    let slots = u32::from(view.slots());
    if slots == 0 {
        return;
    }
    let cut = body.floor_char_boundary(view.slot_octets());
    let entry = Entry {
        state,
        note: 0,
        packet: number,
        hash: 0,
        contents: &body.as_bytes()[..cut],
    };
    shelf.put((number % slots) as u16, entry);
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
        let mut end = 0;
        let mut len = 0;
        while let Some(line) = text[end..].strip_prefix("> ") {
            let (line, _) = line.split_once('\n')?;
            len += line.len() + usize::from(end > 0);
            end += line.len() + 3;
        }
        (len >= LEN_MIN).then(|| Self {
            lines: &text[..end],
            len,
            rest: &text[end..],
        })
    }

    fn starts(&self, body: &str) -> bool {
        let mut rest = body;
        for (at, line) in self.lines.lines().enumerate() {
            let line = line.strip_prefix("> ").unwrap_or(line);
            let after = if at > 0 {
                rest.strip_prefix('\n')
            } else {
                Some(rest)
            };
            match after.and_then(|after| after.strip_prefix(line)) {
                Some(after) => rest = after,
                None => return false,
            }
        }
        true
    }
}

/// Writes the quotation of `quoted` to `out`; returns its length, or None if it does not fit.
pub fn write(quoted: &str, out: &mut [u8]) -> Option<usize> {
    let mut len = 0;
    for line in quoted.split('\n') {
        for part in ["> ", line, "\n"] {
            out.get_mut(len..len + part.len())?
                .copy_from_slice(part.as_bytes());
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

//! Answers and news as lines for a person, CR LF after each. Refuses control characters in what others wrote: a message
//! must not move the cursor.

use super::{COUNTERS, Counts, Reply};
use crate::text::{Text, line};

const END: &str = "\r\n";

/// Writes an answer or news; returns its length.
pub(super) fn write(reply: &Reply<'_>, out: &mut [u8]) -> usize {
    let mut text = Text::new(out);
    let (mut numbers, mut texts) = (reply.numbers.iter(), reply.texts.iter());
    for octet in reply.line().bytes() {
        if matches!(octet, b'#' | b'%' | b'&')
            && let Some(number) = numbers.next()
            && octet == b'#'
        {
            text.number(*number);
        } else if matches!(octet, b'@' | b'%' | b'&') {
            plain(&mut text, texts.next().unwrap_or(&""));
        } else {
            text.octet(octet);
        }
    }
    if let Some(counts) = reply.counts {
        write_counts(&mut text, counts);
    }
    text.str(END).len()
}

/// A text of others. Control characters of ASCII become blanks, and those above it, which UTF-8 begins with C2, something that
/// can be seen.
fn plain(text: &mut Text<'_>, from: &str) {
    let mut before = 0;
    for octet in from.bytes() {
        text.octet(match octet {
            0x80..0xa0 if before == 0xc2 => octet | 0x20,
            0..0x20 | 0x7f => b' ',
            octet => octet,
        });
        before = octet;
    }
}

fn write_counts(text: &mut Text<'_>, counts: &Counts) {
    let mut separator = END;
    for (at, count) in counts.counters.iter().enumerate() {
        if *count > 0 {
            let what = line(COUNTERS, at);
            text.str(separator).number(*count).str(" ").str(what);
            separator = ", ";
        }
    }
    if let Some(at) = counts.position {
        text.str(END).str("position ").fixed(at.lat_e7, 7);
        text.str(" ").fixed(at.lon_e7, 7);
    }
}

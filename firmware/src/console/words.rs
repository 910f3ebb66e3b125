//! Answers and news as lines for a person, CR LF after each. Refuses control characters in what others wrote: a message
//! must not move the cursor.

use super::{COUNTERS, HELP, Reply, Status};
use crate::endpoint::{Event, INBOX_MAX, OUTBOX_MAX};
use crate::text::Text;

const END: &str = "\r\n";

/// Writes a piece of an answer; returns its length.
pub(super) fn reply(reply: &Reply<'_>, out: &mut [u8]) -> usize {
    let mut text = Text::new(out);
    match reply {
        Reply::Done => text.str("ok"),
        Reply::Queued(order) => text.str("queued ").number(*order),
        Reply::Refused(error) => text.str("! ").str(error.text()),
        Reply::Mistake(mistake) => text.str("? ").str(mistake.text()),
        Reply::Message(message) => {
            text.str(message.from).str(": ");
            for char in message.body.chars() {
                text.char(if char.is_control() { ' ' } else { char });
            }
            &mut text
        }
        Reply::InboxEnd => text.str("end of inbox"),
        Reply::Contact { jid, online } => text.str(jid).str(if *online { " online" } else { " -" }),
        Reply::ContactsEnd => text.str("end of contacts"),
        Reply::Status(state) => status(state, &mut text),
        Reply::Help => text.str(HELP),
    };
    text.str(END).len()
}

fn status<'t, 'b>(state: &Status<'_>, text: &'t mut Text<'b>) -> &'t mut Text<'b> {
    text.str(state.jid).str(" link ");
    text.str(match (state.stranger, state.up) {
        (true, _) => "of another dictionary or version",
        (false, true) => "up",
        (false, false) => "silent",
    });
    counted(text, " outbox ", state.outbox, OUTBOX_MAX);
    counted(text, " inbox ", state.inbox, INBOX_MAX);
    let mut separator = END;
    for (what, count) in COUNTERS.iter().zip(state.counters()) {
        if count > 0 {
            text.str(separator).number(count).char(' ').str(what);
            separator = ", ";
        }
    }
    if let Some(at) = state.position {
        text.str(END).str("position ").fixed(at.lat_e7, 7, 1);
        text.char(' ').fixed(at.lon_e7, 7, 1);
    }
    text
}

fn counted(text: &mut Text<'_>, what: &str, count: usize, most: usize) {
    text.str(what).number(count as u64);
    text.char('/').number(most as u64);
}

/// Writes news; returns their length.
pub(super) fn event(event: Event, out: &mut [u8]) -> usize {
    let mut text = Text::new(out);
    text.str("* ");
    match event {
        Event::Message => text.str("new message; type: inbox"),
        Event::Custody(order) => text.number(order).str(" at the gateway"),
        Event::Received(order) => text.number(order).str(" received"),
        Event::Failed(order) => text.number(order).str(" came back"),
        Event::Contact => text.str("contacts changed; type: who"),
        Event::Reboot => text.str("restarting, as base asked"),
        Event::NewKey => text.str("new key"),
        Event::Mismatch { version } => text
            .str("the gateway has another dictionary or version, ")
            .number(version),
        Event::Link { up: true } => text.str("link up"),
        Event::Link { up: false } => text.str("link silent"),
    };
    text.str(END).len()
}

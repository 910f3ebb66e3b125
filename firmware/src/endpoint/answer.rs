//! Answers to iqs: every get and set gets exactly one (RFC 6120 section 8.2.3). Refuses nothing silently.

use embedded_storage_async::nor_flash::NorFlash;
use longwire_codec::stanza::Stanza;

use super::queue::{Cause, HEAD};
use super::{Endpoint, EndpointError, Event, Position, STATUS_MAX};
use crate::compose::namespace;
use crate::console::line;
use crate::flash::RECORD_MAX;
use crate::read::field;
use crate::say::{self, COMMANDS, Form, say};

/// What is asked: the letter of the namespace, the node, or with a colon the letter of the one it is, and the form of the
/// answer.
static REQUESTS: [(&str, &str, Form); 12] = [
    ("q", "", Form::Empty),
    ("v", "", Form::Version),
    ("i", "", Form::Info),
    ("i", "read", Form::CommandInfo),
    ("i", "set", Form::CommandInfo),
    ("i", "reboot", Form::CommandInfo),
    ("j", "", Form::NoItems),
    ("j", ":c", Form::CommandItems),
    ("p", ":g", Form::Item),
    ("c", "read", Form::Readings),
    ("c", "set", Form::Fields),
    ("c", "reboot", Form::Done),
];
const NOT_FOUND: (Form, &str) = (Form::Error, "item-not-found");
const BAD_REQUEST: (Form, &str) = (Form::Error, "bad-request");

/// What somebody at base wants set.
#[derive(Default)]
struct Wish<'a> {
    status: Option<&'a str>,
    position: Option<Position>,
}

impl<F: NorFlash, L: AsRef<[u8]> + AsMut<[u8]>, S: AsRef<[u8]> + AsMut<[u8]>>
    Endpoint<'_, F, L, S>
{
    /// Answers a request.
    pub(super) fn answer(
        &mut self,
        cause: Cause,
        from: &str,
        request: Stanza<'_, '_>,
    ) -> Result<(), EndpointError> {
        let payload = request.children().next();
        let (mut form, mut text) = find(payload);
        let mut wish = Wish::default();
        if let Some(command) = payload
            && matches!(form, Form::Readings | Form::Fields | Form::Done)
        {
            let submitted = command.child(namespace("x"), "x");
            match (command.attr("action").unwrap_or("execute"), submitted) {
                ("cancel", _) => form = Form::Cancelled,
                ("execute" | "next" | "complete", Some(submitted)) if form == Form::Fields => {
                    match read(submitted) {
                        Some(read) => (form, wish) = (Form::Done, read),
                        None => (form, text) = BAD_REQUEST,
                    }
                }
                ("execute" | "next" | "complete", _) => {}
                _ => (form, text) = BAD_REQUEST,
            }
        }
        if form == Form::Item && self.settings.position().is_none() {
            (form, text) = NOT_FOUND;
        }
        let id = request.attr("id").unwrap_or_default();
        self.respond(cause, from, id, form, text)?;
        if let Some(status) = wish.status {
            self.say(status, cause)?;
        }
        if let Some(position) = wish.position {
            self.move_to(position, cause)?;
        }
        if form == Form::Done && text == "reboot" {
            self.events.push(Event::Reboot);
        }
        Ok(())
    }

    /// Answers in this form, about a command or with this condition.
    fn respond(
        &mut self,
        cause: Cause,
        to: &str,
        id: &str,
        form: Form,
        text: &str,
    ) -> Result<(), EndpointError> {
        let mut record = [0; RECORD_MAX];
        let mut out = say(&mut record, HEAD, form, to);
        out.item(id);
        let position = self.settings.position();
        match form {
            Form::Error | Form::Cancelled => _ = out.item(text),
            Form::Done if text == "set" => _ = out.item(text).item("set"),
            Form::Done => _ = out.item(text).item("restarting"),
            Form::Item => say::position(&mut out, position.unwrap_or_default()),
            Form::Readings => say::readings(&mut out, &self.readings, position),
            Form::CommandInfo | Form::CommandItems => {
                for (node, name) in COMMANDS {
                    if form == Form::CommandItems || node == text {
                        out.item(node).item(name);
                    }
                }
            }
            _ => {}
        }
        self.post(cause, form, out.whole())?;
        Ok(())
    }
}

/// The form of the answer to an iq with this in it, and the command or the condition.
fn find(payload: Option<Stanza<'_, '_>>) -> (Form, &'static str) {
    let mut found = (Form::Error, "service-unavailable");
    let Some(payload) = payload else {
        return found;
    };
    let ns = payload.name().0;
    let items = payload.child(ns, "items").unwrap_or(payload);
    let wanted = items.attr("node").unwrap_or_default();
    for (letter, node, form) in REQUESTS {
        if namespace(letter) == ns {
            let named = node.strip_prefix(':').map_or(node, namespace);
            if named == wanted {
                return (form, node);
            }
            found = NOT_FOUND;
        }
    }
    found
}

/// What the form of the command `set` says, if it makes sense.
fn read<'a>(form: Stanza<'_, 'a>) -> Option<Wish<'a>> {
    let status = field(form, "status");
    let position = field(form, "position").filter(|text| !text.is_empty());
    let position = match position {
        Some(text) => Some(line::position(text)?),
        None => None,
    };
    if status.is_some_and(|status| status.len() > STATUS_MAX) {
        return None;
    }
    Some(Wish { status, position })
}

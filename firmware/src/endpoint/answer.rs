//! Answers to iqs: every get and set gets exactly one (RFC 6120 section 8.2.3). Refuses nothing silently.

use embedded_storage_async::nor_flash::NorFlash;
use longwire_codec::stanza::Stanza;

use super::queue::Cause;
use super::{Endpoint, EndpointError, Event, Position, STATUS_MAX};
use crate::compose::namespace;
use crate::console::line;
use crate::read::field;
use crate::say::{COMMANDS, Form};

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
    #[inline(never)]
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
                // There is nothing before the form.
                ("prev", _) => (form, text) = BAD_REQUEST,
                (_, Some(submitted)) if form == Form::Fields => match read(submitted) {
                    Some(read) => (form, wish) = (Form::Done, read),
                    None => (form, text) = BAD_REQUEST,
                },
                _ => {}
            }
        }
        if form == Form::Item && self.settings.position().is_none() {
            (form, text) = NOT_FOUND;
        }
        let id = request.attr("id").unwrap_or_default();
        let named = COMMANDS.iter().find(|(node, _)| *node == text);
        let texts = [id, text, named.map_or("", |(_, name)| *name)];
        // What else there is to these is known.
        let alone = matches!(form, Form::Item | Form::CommandItems | Form::Readings);
        let texts = if alone { &texts[..1] } else { &texts };
        self.tell(cause, form, from, texts)?;
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
    for &(letter, node, form) in &REQUESTS {
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

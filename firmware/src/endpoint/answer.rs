//! Answers to iqs: every get and set gets exactly one (RFC 6120 section 8.2.3). Refuses nothing silently.

use embedded_storage_async::nor_flash::NorFlash;
use longwire_codec::stanza::Stanza;

use super::{Endpoint, EndpointError, Event, Position, STATUS_MAX};
use crate::compose::namespace;
use crate::console::line;
use crate::read::{Incoming, field};
use crate::say::{COMMANDS, Form};

/// What is asked: the letters of the namespace and of the node, and the form of the answer.
static REQUESTS: [(u8, u8, Form); 8] = [
    (b'q', NO_NODE, Form::Empty),
    (b'v', NO_NODE, Form::Version),
    (b'i', NO_NODE, Form::Info),
    (b'i', COMMAND, Form::CommandInfo),
    (b'j', NO_NODE, Form::NoItems),
    (b'j', b'c', Form::CommandItems),
    (b'p', b'g', Form::Item),
    // Each has its own.
    (b'c', COMMAND, Form::Done),
];
/// The letter of no namespace.
const NO_NODE: u8 = b' ';
/// The node is that of a command.
const COMMAND: u8 = b'*';
const NOT_FOUND: &str = "item-not-found";
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
    pub(super) fn answer(&mut self, request: &Incoming<'_, '_>) -> Result<(), EndpointError> {
        let Incoming {
            cause,
            stanza,
            from,
            id,
            ..
        } = *request;
        // An empty one asks for nothing known.
        let payload = stanza.children().next().unwrap_or(stanza);
        let (mut form, mut text, name) = find(payload);
        let mut wish = Wish::default();
        if matches!(form, Form::Readings | Form::Fields | Form::Done) {
            let submitted = payload.child(namespace(b'x'), "x");
            match (payload.attr("action"), submitted) {
                (Some("cancel"), _) => form = Form::Cancelled,
                // There is nothing before the form.
                (Some("prev"), _) => (form, text) = BAD_REQUEST,
                (_, Some(submitted)) if form == Form::Fields => match read(submitted) {
                    Some(read) => (form, wish) = (Form::Done, read),
                    None => (form, text) = BAD_REQUEST,
                },
                _ => {}
            }
        }
        if form == Form::Item && self.settings.position().is_none() {
            (form, text) = (Form::Error, NOT_FOUND);
        }
        let texts = [from, id, text, name];
        // What else there is to these is known.
        let alone = matches!(form, Form::Item | Form::CommandItems | Form::Readings);
        let texts = if alone { &texts[..2] } else { &texts };
        self.tell(cause, form, texts)?;
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

/// The form of the answer to an iq with this in it, the command or the condition, and the name of the command.
fn find(payload: Stanza<'_, '_>) -> (Form, &'static str, &'static str) {
    let ns = payload.name().0;
    let items = payload.child(ns, "items").unwrap_or(payload);
    let wanted = items.attr("node").unwrap_or_default();
    let command = COMMANDS.iter().find(|(node, ..)| *node == wanted);
    let mut condition = "service-unavailable";
    for &(letter, node, form) in &REQUESTS {
        if namespace(letter) == ns {
            condition = NOT_FOUND;
            if node != COMMAND && namespace(node) == wanted {
                return (form, "", "");
            }
            if node == COMMAND
                && let Some((node, name, answer)) = command
            {
                let form = if letter == b'c' { *answer } else { form };
                return (form, node, name);
            }
        }
    }
    (Form::Error, condition, "")
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

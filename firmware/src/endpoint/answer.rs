//! Answers to iqs: every get and set gets exactly one (RFC 6120 section 8.2.3). Refuses nothing silently.

use embedded_storage_async::nor_flash::NorFlash;
use longwire_codec::link::{PacketNumber, Priority};

use super::{Endpoint, EndpointError, Event};
use crate::compose::NS_COMMANDS;
use crate::read::{GEOLOC_NODE, Request, field};
use crate::say::{Answer, COMMANDS, Say};

impl<F: NorFlash, L: AsRef<[u8]> + AsMut<[u8]>, S: AsRef<[u8]> + AsMut<[u8]>>
    Endpoint<'_, F, L, S>
{
    /// Answers a request that packet `number` brought.
    pub(super) fn answer(
        &mut self,
        number: PacketNumber,
        to: &str,
        id: Option<&str>,
        request: Request<'_, '_>,
    ) -> Result<(), EndpointError> {
        let answer = match request {
            Request::Ping => Some(Answer::Empty),
            Request::Version => Some(Answer::Version),
            Request::DiscoInfo(None) => Some(Answer::Info),
            Request::DiscoInfo(Some(node)) if is_command(node) => Some(Answer::CommandInfo(node)),
            Request::DiscoItems(None) => Some(Answer::NoItems),
            Request::DiscoItems(Some(NS_COMMANDS)) => Some(Answer::CommandItems),
            Request::Items(GEOLOC_NODE) => self.settings.position().map(Answer::Position),
            Request::Command { node, action, form } if is_command(node) => {
                return self.run(number, to, id, node, action, form);
            }
            _ => None,
        };
        let condition = match request {
            Request::Unknown => "service-unavailable",
            _ => "item-not-found",
        };
        self.respond(number, to, id, answer.ok_or(condition))
    }

    fn respond(
        &mut self,
        number: PacketNumber,
        to: &str,
        id: Option<&str>,
        answer: Result<Answer<'_>, &str>,
    ) -> Result<(), EndpointError> {
        let say = match answer {
            Ok(answer) => Say::Result { to, id, answer },
            Err(condition) => Say::Error {
                name: "iq",
                to,
                id,
                kind: "cancel",
                condition,
            },
        };
        self.reply(Priority::Chat, Some((number, 0)), &say)
    }

    fn run(
        &mut self,
        number: PacketNumber,
        to: &str,
        id: Option<&str>,
        node: &str,
        action: &str,
        form: Option<longwire_codec::stanza::Stanza<'_, '_>>,
    ) -> Result<(), EndpointError> {
        let done = |note| Answer::Done { node, note };
        if action == "cancel" {
            return self.respond(number, to, id, Ok(Answer::Cancelled(node)));
        }
        if !matches!(action, "execute" | "next" | "complete") {
            return self.respond(number, to, id, Err("bad-request"));
        }
        match (node, form) {
            ("read", _) => {
                let readings = self.readings;
                let answer = Answer::Readings {
                    readings: &readings,
                    position: self.settings.position(),
                };
                self.respond(number, to, id, Ok(answer))
            }
            ("set", None) => self.respond(number, to, id, Ok(Answer::SetForm)),
            ("set", Some(form)) => {
                let status = field(form, "status");
                let position = field(form, "position").filter(|text| !text.is_empty());
                let parsed = position.map(crate::console::line::position);
                if parsed == Some(None)
                    || status.is_some_and(|status| status.len() > super::STATUS_MAX)
                {
                    return self.respond(number, to, id, Err("bad-request"));
                }
                self.respond(number, to, id, Ok(done("set")))?;
                if let Some(status) = status {
                    self.say(status, Some(number))?;
                }
                match parsed.flatten() {
                    Some(position) => self.move_to(position, Some(number)),
                    None => Ok(()),
                }
            }
            _ => {
                self.respond(number, to, id, Ok(done("restarting")))?;
                self.events.push(Event::Reboot);
                Ok(())
            }
        }
    }
}

fn is_command(node: &str) -> bool {
    COMMANDS.iter().any(|(known, _)| *known == node)
}

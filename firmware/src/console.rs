//! The console: octets of a second UART in, answers and news out. Refuses to touch the UART: a drive loop does, or the
//! board.

#[cfg(feature = "programs")]
mod compact;
mod input;
pub(crate) mod line;
#[cfg(not(feature = "programs"))]
mod plain;
#[cfg(test)]
mod tests;
mod words;

use embedded_storage_async::nor_flash::NorFlash;
use longwire_codec::serial::wire_len_max;

use crate::endpoint::{
    Endpoint, EndpointError, Event, INBOX_MAX, Message, OUTBOX_MAX, Position, REFUSALS,
};
use crate::flash::RECORD_MAX;
use crate::text::line;
pub use input::INPUT_MAX;
use input::{Input, Intake};
#[cfg(not(feature = "programs"))]
use plain as compact;

/// Octets that [`Console::poll_answer`] writes at most.
pub const ANSWER_MAX: usize = wire_len_max(REPLY_MAX);
/// Octets of the longest answer before framing.
const REPLY_MAX: usize = RECORD_MAX + 32;

/// What the console can be asked; the numbers are those of the requests of programs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Ask {
    /// Send a chat message.
    To,
    /// Show and clear the messages that came.
    Inbox,
    /// Who is subscribed and who is online.
    Who,
    /// Link, outbox and counters.
    Status,
    /// Set and publish the position.
    Pos,
    /// Ask for presence, as `subscribe`.
    Add,
    /// Set the status text of our presence.
    Say,
    /// The list of commands.
    Help,
    /// Agree with base on a new key.
    #[cfg(feature = "edhoc")]
    Rekey,
    /// An empty line.
    Nothing,
}

/// Words of the commands, and what follows them: `j` a JID, `t` a text, `p` a position.
static ASKS: &[(&str, Ask, &str)] = &[
    ("to", Ask::To, "jt"),
    ("inbox", Ask::Inbox, ""),
    ("who", Ask::Who, ""),
    ("status", Ask::Status, ""),
    ("pos", Ask::Pos, "p"),
    ("add", Ask::Add, "j"),
    ("say", Ask::Say, "t"),
    ("help", Ask::Help, ""),
    #[cfg(feature = "edhoc")]
    ("rekey", Ask::Rekey, ""),
    ("?", Ask::Help, ""),
    ("", Ask::Nothing, ""),
];

/// A command, with what it was given.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Command<'l> {
    ask: Ask,
    jid: &'l str,
    text: &'l str,
    /// Of somewhere on earth.
    position: Option<Position>,
}

impl Command<'_> {
    const fn new(ask: Ask) -> Self {
        Self {
            ask,
            jid: "",
            text: "",
            position: None,
        }
    }

    /// The command, if what it was given makes sense.
    ///
    /// # Errors
    /// [`Mistake`].
    fn checked(self) -> Result<Self, Mistake> {
        match self.ask {
            Ask::To | Ask::Add if !is_jid(self.jid) => Err(Mistake::NoJid),
            Ask::To if self.text.is_empty() => Err(Mistake::NoText),
            Ask::Pos if self.position.is_none() => Err(Mistake::NoPosition),
            _ => Ok(self),
        }
    }
}

fn is_jid(word: &str) -> bool {
    let word = word.as_bytes();
    let ends = [word.first(), word.last()];
    word.iter().any(|octet| matches!(octet, b'@' | b'.')) && !ends.contains(&Some(&b'@'))
}

/// Why a command was not understood.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Mistake {
    /// No such command, or not in this form.
    Unknown,
    /// `to` and `add` need a JID with an `@` or a dot in it.
    NoJid,
    /// `to` needs a text.
    NoText,
    /// `pos` needs two numbers of degrees, -90 to 90 and -180 to 180.
    NoPosition,
    /// Longer than [`INPUT_MAX`].
    TooLong,
    /// Not UTF-8.
    NotText,
}

/// What to tell the person who typed, a line for each [`Mistake`].
static MISTAKES: &str = "unknown command; try: help
whom? such as: romeo@base.example
nothing to say
position is: pos LATITUDE LONGITUDE, degrees, such as: pos 59.3 18.1
line too long
line is not UTF-8";

/// A piece of an answer, or news: which, and what fills the holes of its line.
#[derive(Clone, Copy, Debug)]
struct Reply<'r> {
    code: u8,
    numbers: [u32; 3],
    texts: [&'r str; 2],
    /// What more there is to a status.
    counts: Option<&'r Counts>,
}

/// Codes that are asked about here.
const DONE: u8 = 0;
const QUEUED: u8 = 1;
const REFUSED: u8 = 2;
const MISTAKEN: u8 = 3;
const MESSAGE: u8 = 4;
const INBOX_END: u8 = 5;
const CONTACT: u8 = 6;
const CONTACTS_END: u8 = 7;
const STATUS: u8 = 8;
const HELPED: u8 = 9;
/// Code of the first news.
const NEWS: u8 = 16;

/// News of whether the gateway is heard.
const LINK: u8 = NEWS + 6;
/// No answer at all.
const NOTHING: u8 = u8::MAX;

/// The lines of all answers, and of all news after them. Holes: `#` a number, `@` a text, `%` a text, which to programs is a
/// number, `&` one which is a boolean.
static LINES: &str = "ok
queued #
! %
? %
@: @
end of inbox
@ &
end of contacts
@ link % outbox #/16 inbox #/12
@
* new message; type: inbox
* # at the gateway
* # received
* # came back
* contacts changed; type: who
* restarting, as base asked
* link &
* new key
* the gateway has another dictionary or version, #";
const _: () = assert!(OUTBOX_MAX == 16 && INBOX_MAX == 12, "as the lines say");
/// Of the gateway: silent, heard, of no use.
static LINKS: &str = "silent
up
of another dictionary or version";

impl Reply<'_> {
    fn new(code: u8, number: u32) -> Self {
        let at = number as usize;
        let text = match code {
            REFUSED => line(REFUSALS, at),
            MISTAKEN => line(MISTAKES, at),
            LINK => line(LINKS, at),
            HELPED => HELP,
            _ => "",
        };
        Self {
            code,
            numbers: [number, 0, 0],
            texts: [text, ""],
            counts: None,
        }
    }

    fn line(&self) -> &'static str {
        // There are as many answers before the first news.
        let skipped = if self.code < NEWS {
            0
        } else {
            NEWS - HELPED - 1
        };
        line(LINES, (self.code - skipped).into())
    }
}

/// Code and number of the news.
fn news(event: Event) -> (u8, u32) {
    let (at, number) = match event {
        Event::Message => (0, 0),
        Event::Custody(order) => (1, order),
        Event::Received(order) => (2, order),
        Event::Failed(order) => (3, order),
        Event::Contact => (4, 0),
        Event::Reboot => (5, 0),
        Event::Link { up } => (6, up.into()),
        Event::NewKey => (7, 0),
        Event::Mismatch { version } => (8, version.into()),
    };
    (NEWS + at, number)
}

/// What `help` says.
#[cfg(feature = "edhoc")]
const HELP: &str =
    "to JID TEXT | inbox | who | status | pos LAT LON | add JID | say TEXT | rekey | help";
/// What `help` says.
#[cfg(not(feature = "edhoc"))]
const HELP: &str = "to JID TEXT | inbox | who | status | pos LAT LON | add JID | say TEXT | help";

/// What the counters of [`Counts`] count, a line for each. Programs know them by their place, so new ones come last.
static COUNTERS: &str = "frames sent
octets sent
frames received
octets received
malformed frames
forged frames
replayed frames
stale frames
unreadable packets
refused chats
dropped answers
radio errors
waits for the duty cycle
ms on the air this hour
ms allowed in an hour
s asleep
hellos that disagreed";

/// The counters of an endpoint, in the order of [`COUNTERS`], and where it is.
#[derive(Clone, Copy, Debug)]
struct Counts {
    counters: [u32; 17],
    position: Option<Position>,
}

impl Counts {
    fn of<F, L, S>(endpoint: &Endpoint<'_, F, L, S>) -> Self
    where
        F: NorFlash,
        L: AsRef<[u8]> + AsMut<[u8]>,
        S: AsRef<[u8]> + AsMut<[u8]>,
    {
        let (link, stats) = (endpoint.link_stats(), endpoint.stats());
        let (spent_ms, allowed_ms) = endpoint.airtime_ms();
        Self {
            counters: [
                link.frames_sent,
                link.bytes_sent,
                link.frames_received,
                link.bytes_received,
                link.malformed_frames,
                link.forged_frames,
                link.replayed_frames,
                link.stale_frames,
                stats.unreadable_packets,
                stats.refused_chats,
                stats.dropped_answers,
                stats.radio_errors,
                stats.duty_waits,
                spent_ms,
                allowed_ms,
                endpoint.asleep_s(),
                stats.mismatches,
            ],
            position: endpoint.position(),
        }
    }
}

/// A console. It answers a program in CBOR and a person in lines, as it was asked last.
///
/// Feed it with [`Self::handle_octet`] and with [`Self::handle_event`], and after each write out what
/// [`Self::poll_answer`] gives until it gives nothing.
#[derive(Debug)]
pub struct Console {
    intake: Intake,
    /// What is still to be answered: the code, and a number that goes with it: of [`MESSAGE`], how many more to show at most;
    /// of [`CONTACT`], which comes next.
    next: (u8, u32),
    /// The last request came from a program.
    compact: bool,
}

impl Default for Console {
    fn default() -> Self {
        Self {
            intake: Intake::new(),
            next: (NOTHING, 0),
            compact: false,
        }
    }
}

impl Console {
    /// Takes an octet; a command it completes is done.
    #[inline(never)]
    pub fn handle_octet<F, L, S>(&mut self, endpoint: &mut Endpoint<'_, F, L, S>, octet: u8)
    where
        F: NorFlash,
        L: AsRef<[u8]> + AsMut<[u8]>,
        S: AsRef<[u8]> + AsMut<[u8]>,
    {
        let command = match self.intake.push(octet) {
            Some(Input::Line(line)) => {
                self.compact = false;
                line.and_then(line::parse)
            }
            Some(Input::Frame(frame)) => {
                self.compact = true;
                compact::parse(frame)
            }
            None => return,
        };
        self.next = match command {
            Ok(command) => match obey(endpoint, command) {
                Ok(next) => next,
                Err(error) => (REFUSED, error.code()),
            },
            Err(mistake) => (MISTAKEN, mistake as u32),
        };
    }

    /// Writes the next piece of the answer to `out`, of at least [`ANSWER_MAX`] octets; `None` when all was said.
    #[inline(never)]
    pub fn poll_answer<F, L, S>(
        &mut self,
        endpoint: &mut Endpoint<'_, F, L, S>,
        out: &mut [u8],
    ) -> Option<usize>
    where
        F: NorFlash,
        L: AsRef<[u8]> + AsMut<[u8]>,
        S: AsRef<[u8]> + AsMut<[u8]>,
    {
        let (code, number) = core::mem::replace(&mut self.next, (NOTHING, 0));
        if code == NOTHING {
            return None;
        }
        let mut record = [0; RECORD_MAX];
        let counts;
        let mut reply = Reply::new(code, number);
        match code {
            STATUS => {
                counts = Counts::of(endpoint);
                reply.counts = Some(&counts);
                let link = match endpoint.is_stranger() {
                    true => 2,
                    false => endpoint.is_up().into(),
                };
                let (outbox, inbox) = endpoint.waiting();
                reply.numbers = [link, outbox as u32, inbox as u32];
                reply.texts = [endpoint.jid(), line(LINKS, link as usize)];
            }
            CONTACT => match endpoint.contacts().nth(number as usize) {
                Some((jid, online)) => {
                    self.next = (CONTACT, number + 1);
                    reply.numbers[0] = online.into();
                    reply.texts = [jid, if online { "online" } else { "-" }];
                }
                None => reply.code = CONTACTS_END,
            },
            MESSAGE => match next_message(endpoint, number, &mut record) {
                Ok(Some(message)) => {
                    self.next = (MESSAGE, number - 1);
                    reply.texts = [message.from, message.body];
                }
                Ok(None) => reply.code = INBOX_END,
                Err(error) => reply = Reply::new(REFUSED, error.code()),
            },
            _ => {}
        }
        Some(self.write(&reply, out))
    }

    /// Takes news, which [`Self::poll_answer`] then gives: to be called when it gives nothing.
    pub fn handle_event(&mut self, event: Event) {
        self.next = news(event);
    }

    #[inline(never)]
    fn write(&self, reply: &Reply<'_>, out: &mut [u8]) -> usize {
        if self.compact {
            compact::write(reply, out)
        } else {
            words::write(reply, out)
        }
    }
}

/// The oldest chat, after the one before it was shown and is cleared; so many are to be shown yet.
fn next_message<'m, F, L, S>(
    endpoint: &mut Endpoint<'_, F, L, S>,
    left: u32,
    record: &'m mut [u8],
) -> Result<Option<Message<'m>>, EndpointError>
where
    F: NorFlash,
    L: AsRef<[u8]> + AsMut<[u8]>,
    S: AsRef<[u8]> + AsMut<[u8]>,
{
    if left < INBOX_MAX as u32 {
        endpoint.clear_message()?;
    }
    match left {
        0 => Ok(None),
        _ => endpoint.message(record),
    }
}

/// Does what is asked; what is to be answered.
fn obey<F, L, S>(
    endpoint: &mut Endpoint<'_, F, L, S>,
    command: Command<'_>,
) -> Result<(u8, u32), EndpointError>
where
    F: NorFlash,
    L: AsRef<[u8]> + AsMut<[u8]>,
    S: AsRef<[u8]> + AsMut<[u8]>,
{
    let Command {
        ask,
        jid,
        text,
        position,
    } = command;
    match ask {
        Ask::To => return Ok((QUEUED, endpoint.chat(jid, text)?)),
        Ask::Inbox => return Ok((MESSAGE, INBOX_MAX as u32)),
        Ask::Who => return Ok((CONTACT, 0)),
        Ask::Status => return Ok((STATUS, 0)),
        Ask::Help => return Ok((HELPED, 0)),
        Ask::Nothing => return Ok((NOTHING, 0)),
        Ask::Pos => endpoint.set_position(position.unwrap_or_default())?,
        Ask::Add => endpoint.subscribe(jid)?,
        Ask::Say => endpoint.set_status(text)?,
        #[cfg(feature = "edhoc")]
        Ask::Rekey => endpoint.rekey(),
    }
    Ok((DONE, 0))
}

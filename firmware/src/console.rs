//! The console: octets of a second UART in, answers and news out. Refuses to touch the UART: a drive loop does, or the
//! board.

#[cfg(feature = "programs")]
mod compact;
mod input;
pub mod line;
#[cfg(not(feature = "programs"))]
mod plain;
#[cfg(test)]
mod tests;
mod words;

use embedded_storage_async::nor_flash::NorFlash;
use longwire_codec::link::LinkStats;
use longwire_codec::serial::wire_len_max;

use crate::compose::Position;
use crate::endpoint::{Endpoint, EndpointError, EndpointStats, Event, INBOX_MAX, Message};
use crate::flash::RECORD_MAX;
pub use input::INPUT_MAX;
use input::{Input, Intake};
#[cfg(not(feature = "programs"))]
use plain as compact;

/// Octets that [`Console::poll_answer`] and [`Console::tell`] write at most.
pub const ANSWER_MAX: usize = wire_len_max(REPLY_MAX);
/// Octets of the longest answer before framing.
const REPLY_MAX: usize = RECORD_MAX + 32;

/// What the console asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Command<'l> {
    /// `to JID TEXT`: send a chat message.
    To {
        /// Recipient.
        jid: &'l str,
        /// What to say.
        text: &'l str,
    },
    /// `inbox`: show and clear the messages that came.
    Inbox,
    /// `who`: who is subscribed and who is online.
    Who,
    /// `status`: link, outbox and counters.
    Status,
    /// `pos LAT LON`: set and publish the position.
    Pos(Position),
    /// `add JID`: ask for presence, as `subscribe`.
    Add(&'l str),
    /// `say TEXT`: set the status text of our presence.
    Say(&'l str),
    /// `rekey`: agree with base on a new key.
    #[cfg(feature = "edhoc")]
    Rekey,
    /// `help`.
    Help,
    /// An empty line.
    Nothing,
}

impl Command<'_> {
    /// The command, if what it was given makes sense.
    ///
    /// # Errors
    /// [`Mistake`].
    pub fn checked(self) -> Result<Self, Mistake> {
        match self {
            Self::To { jid, .. } | Self::Add(jid) if !is_jid(jid) => Err(Mistake::NoJid),
            Self::To { text: "", .. } => Err(Mistake::NoText),
            Self::Pos(position) if !position.is_on_earth() => Err(Mistake::NoPosition),
            _ => Ok(self),
        }
    }
}

fn is_jid(word: &str) -> bool {
    (word.contains('@') || word.contains('.')) && !word.starts_with('@') && !word.ends_with('@')
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

impl Mistake {
    /// What to tell the person who typed.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Unknown => "unknown command; try: help",
            Self::NoJid => "whom? such as: romeo@base.example",
            Self::NoText => "nothing to say",
            Self::NoPosition => {
                "position is: pos LATITUDE LONGITUDE, degrees, such as: pos 59.3 18.1"
            }
            Self::TooLong => "line too long",
            Self::NotText => "line is not UTF-8",
        }
    }
}

/// One piece of an answer.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Reply<'r> {
    /// Done.
    Done,
    /// The chat is in the outbox under this order number.
    Queued(u32),
    /// The endpoint refused.
    Refused(EndpointError),
    /// The command was not understood.
    Mistake(Mistake),
    /// A chat of the inbox.
    Message(Message<'r>),
    /// No more chats.
    InboxEnd,
    /// A contact.
    Contact {
        /// Bare JID.
        jid: &'r str,
        /// Whether it is online.
        online: bool,
    },
    /// No more contacts.
    ContactsEnd,
    /// What `status` shows.
    Status(Status<'r>),
    /// What `help` shows.
    Help,
}

/// What `help` says.
#[cfg(feature = "edhoc")]
pub const HELP: &str =
    "to JID TEXT | inbox | who | status | pos LAT LON | add JID | say TEXT | rekey | help";
/// What `help` says.
#[cfg(not(feature = "edhoc"))]
pub const HELP: &str =
    "to JID TEXT | inbox | who | status | pos LAT LON | add JID | say TEXT | help";

/// What the counters of a [`Status`] count. Programs know them by their place, so new ones come last.
static COUNTERS: [&str; 17] = [
    "frames sent",
    "octets sent",
    "frames received",
    "octets received",
    "malformed frames",
    "forged frames",
    "replayed frames",
    "stale frames",
    "unreadable packets",
    "refused chats",
    "dropped answers",
    "radio errors",
    "waits for the duty cycle",
    "ms on the air this hour",
    "ms allowed in an hour",
    "ms asleep",
    "hellos that disagreed",
];

/// The state of an endpoint at a glance.
#[derive(Clone, Copy, Debug)]
pub struct Status<'e> {
    /// Our bare JID.
    pub jid: &'e str,
    /// The gateway is heard.
    pub up: bool,
    /// The gateway is of another version, or without our dictionary.
    pub stranger: bool,
    /// Stanzas in the outbox.
    pub outbox: usize,
    /// Chats in the inbox.
    pub inbox: usize,
    /// Counters of the link.
    pub link: &'e LinkStats,
    /// Counters of the endpoint.
    pub endpoint: EndpointStats,
    /// Milliseconds on the air in the last hour, and allowed in an hour (0: no limit).
    pub airtime_ms: (u32, u32),
    /// Milliseconds that the radio slept.
    pub asleep_ms: u64,
    /// The position, if set.
    pub position: Option<Position>,
}

impl<'e> Status<'e> {
    fn of<F, L, S>(endpoint: &'e Endpoint<'_, F, L, S>) -> Self
    where
        F: NorFlash,
        L: AsRef<[u8]> + AsMut<[u8]>,
        S: AsRef<[u8]> + AsMut<[u8]>,
    {
        let (outbox, inbox) = endpoint.waiting();
        Self {
            jid: endpoint.jid(),
            up: endpoint.is_up(),
            stranger: endpoint.is_stranger(),
            outbox,
            inbox,
            link: endpoint.link_stats(),
            endpoint: endpoint.stats(),
            airtime_ms: endpoint.airtime_ms(),
            asleep_ms: endpoint.asleep_ms(),
            position: endpoint.position(),
        }
    }

    /// All counters, in the order of [`COUNTERS`].
    fn counters(&self) -> [u64; COUNTERS.len()] {
        let (link, endpoint) = (self.link, &self.endpoint);
        [
            link.frames_sent,
            link.bytes_sent,
            link.frames_received,
            link.bytes_received,
            link.malformed_frames,
            link.forged_frames,
            link.replayed_frames,
            link.stale_frames,
            endpoint.unreadable_packets.into(),
            endpoint.refused_chats.into(),
            endpoint.dropped_answers.into(),
            endpoint.radio_errors.into(),
            endpoint.duty_waits.into(),
            self.airtime_ms.0.into(),
            self.airtime_ms.1.into(),
            self.asleep_ms,
            endpoint.mismatches.into(),
        ]
    }
}

/// A console. It answers a program in CBOR and a person in lines, as it was asked last.
///
/// Feed it with [`Self::handle_octet`], then write out what [`Self::poll_answer`] gives until it gives nothing; news go
/// through [`Self::tell`].
#[derive(Debug)]
pub struct Console {
    intake: Intake,
    next: Next,
    /// The last request came from a program.
    compact: bool,
}

/// What is still to be answered.
#[derive(Clone, Copy, Debug)]
enum Next {
    Nothing,
    Reply(Reply<'static>),
    /// So many more chats; whether the oldest was shown and is to be cleared.
    Inbox(usize, bool),
    /// Contacts from the how manieth on.
    Who(usize),
    Status,
}

impl Default for Console {
    fn default() -> Self {
        Self {
            intake: Intake::new(),
            next: Next::Nothing,
            compact: false,
        }
    }
}

impl Console {
    /// Takes an octet; a command it completes is done.
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
            Ok(command) => obey(endpoint, command),
            Err(mistake) => Next::Reply(Reply::Mistake(mistake)),
        };
    }

    /// Writes the next piece of the answer to `out`, of at least [`ANSWER_MAX`] octets; `None` when all was said.
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
        let mut record = [0; RECORD_MAX];
        let next = core::mem::replace(&mut self.next, Next::Nothing);
        let reply = match next {
            Next::Nothing => return None,
            Next::Reply(reply) => reply,
            Next::Status => Reply::Status(Status::of(endpoint)),
            Next::Who(at) => match endpoint.contacts().nth(at) {
                Some((jid, online)) => {
                    self.next = Next::Who(at + 1);
                    Reply::Contact { jid, online }
                }
                None => Reply::ContactsEnd,
            },
            Next::Inbox(left, shown) => {
                let cleared = match shown {
                    true => endpoint.clear_message(),
                    false => Ok(()),
                };
                let message = match (cleared, left) {
                    (Ok(()), 1..) => endpoint.message(&mut record),
                    (cleared, _) => cleared.map(|()| None),
                };
                match message {
                    Ok(Some(message)) => {
                        self.next = Next::Inbox(left - 1, true);
                        Reply::Message(message)
                    }
                    Ok(None) => Reply::InboxEnd,
                    Err(error) => Reply::Refused(error),
                }
            }
        };
        Some(match self.compact {
            true => compact::reply(&reply, out),
            false => words::reply(&reply, out),
        })
    }

    /// Writes news to `out`, of at least [`ANSWER_MAX`] octets; returns how many were written.
    pub fn tell(&self, event: Event, out: &mut [u8]) -> usize {
        match self.compact {
            true => compact::event(event, out),
            false => words::event(event, out),
        }
    }
}

fn obey<F, L, S>(endpoint: &mut Endpoint<'_, F, L, S>, command: Command<'_>) -> Next
where
    F: NorFlash,
    L: AsRef<[u8]> + AsMut<[u8]>,
    S: AsRef<[u8]> + AsMut<[u8]>,
{
    let done = match command {
        Command::To { jid, text } => endpoint.chat(jid, text).map(Reply::Queued),
        Command::Pos(position) => endpoint.set_position(position).map(|()| Reply::Done),
        Command::Add(jid) => endpoint.subscribe(jid).map(|()| Reply::Done),
        Command::Say(text) => endpoint.set_status(text).map(|()| Reply::Done),
        #[cfg(feature = "edhoc")]
        Command::Rekey => {
            endpoint.rekey();
            Ok(Reply::Done)
        }
        Command::Help => Ok(Reply::Help),
        Command::Inbox => return Next::Inbox(INBOX_MAX, false),
        Command::Who => return Next::Who(0),
        Command::Status => return Next::Status,
        Command::Nothing => return Next::Nothing,
    };
    Next::Reply(done.unwrap_or_else(Reply::Refused))
}

//! The console: octets of a second UART in, answers and news out. Refuses to touch the UART: a drive loop does, or the
//! board.

pub mod line;
mod words;

use embedded_storage_async::nor_flash::NorFlash;
use longwire_codec::link::LinkStats;

use crate::compose::Position;
use crate::endpoint::{Endpoint, EndpointError, EndpointStats, Event, INBOX_MAX, Message};
use crate::flash::RECORD_MAX;
use line::{LINE_MAX, LineError, Lines};

/// Octets that [`Console::poll_answer`] and [`Console::tell`] write at most.
pub const ANSWER_MAX: usize = RECORD_MAX + 32;

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
    /// `help`.
    Help,
    /// An empty line.
    Nothing,
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
    Mistake(LineError),
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

/// The state of an endpoint at a glance.
#[derive(Clone, Copy, Debug)]
pub struct Status<'e> {
    /// Our bare JID.
    pub jid: &'e str,
    /// The gateway is heard.
    pub up: bool,
    /// Stanzas in the outbox.
    pub outbox: usize,
    /// Chats in the inbox.
    pub inbox: usize,
    /// Counters of the link.
    pub link: &'e LinkStats,
    /// Counters of the endpoint.
    pub endpoint: EndpointStats,
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
            outbox,
            inbox,
            link: endpoint.link_stats(),
            endpoint: endpoint.stats(),
            position: endpoint.position(),
        }
    }
}

/// A console. Feed it with [`Self::handle_octet`], then write out what [`Self::poll_answer`] gives until it gives
/// nothing; news go through [`Self::tell`].
#[derive(Debug)]
pub struct Console {
    lines: Lines<[u8; LINE_MAX]>,
    next: Next,
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
            lines: Lines::new([0; LINE_MAX]),
            next: Next::Nothing,
        }
    }
}

impl Console {
    /// Takes an octet; a command it completes is done.
    pub async fn handle_octet<F, L, S>(&mut self, endpoint: &mut Endpoint<'_, F, L, S>, octet: u8)
    where
        F: NorFlash,
        L: AsRef<[u8]> + AsMut<[u8]>,
        S: AsRef<[u8]> + AsMut<[u8]>,
    {
        let Some(line) = self.lines.push(octet) else {
            return;
        };
        self.next = match line.and_then(line::parse) {
            Ok(command) => obey(endpoint, command).await,
            Err(mistake) => Next::Reply(Reply::Mistake(mistake)),
        };
    }

    /// Writes the next piece of the answer to `out`, of at least [`ANSWER_MAX`] octets; `None` when all was said.
    pub async fn poll_answer<F, L, S>(
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
                    true => endpoint.clear_message().await,
                    false => Ok(()),
                };
                let message = match (cleared, left) {
                    (Ok(()), 1..) => endpoint.message(&mut record).await,
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
        Some(words::reply(&reply, out))
    }

    /// Writes news to `out`, of at least [`ANSWER_MAX`] octets; returns how many were written.
    pub fn tell(&self, event: Event, out: &mut [u8]) -> usize {
        words::event(event, out)
    }
}

async fn obey<F, L, S>(endpoint: &mut Endpoint<'_, F, L, S>, command: Command<'_>) -> Next
where
    F: NorFlash,
    L: AsRef<[u8]> + AsMut<[u8]>,
    S: AsRef<[u8]> + AsMut<[u8]>,
{
    let done = match command {
        Command::To { jid, text } => endpoint.chat(jid, text).await.map(Reply::Queued),
        Command::Pos(position) => endpoint.set_position(position).await.map(|()| Reply::Done),
        Command::Add(jid) => endpoint.subscribe(jid).await.map(|()| Reply::Done),
        Command::Say(text) => endpoint.set_status(text).await.map(|()| Reply::Done),
        Command::Help => Ok(Reply::Help),
        Command::Inbox => return Next::Inbox(INBOX_MAX, false),
        Command::Who => return Next::Who(0),
        Command::Status => return Next::Status,
        Command::Nothing => return Next::Nothing,
    };
    Next::Reply(done.unwrap_or_else(Reply::Refused))
}

//! The console's answers: a line in, lines out. Refuses to read a UART: the board feeds lines and takes text.

use core::fmt::{self, Write};

use embedded_storage_async::nor_flash::NorFlash;

use crate::compose::Degrees;
use crate::console::{Command, HELP, LineError, parse};
use crate::endpoint::{Endpoint, EndpointError, Event, INBOX_MAX, OUTBOX_MAX};
use crate::flash::RECORD_MAX;

/// Does what a line asks and writes the answer to `out`, CR LF after each line.
///
/// # Errors
/// Only those of `out`; what the endpoint refuses is said in words.
pub async fn obey<F, L, S, W>(
    endpoint: &mut Endpoint<'_, F, L, S>,
    line: Result<&str, LineError>,
    out: &mut W,
) -> fmt::Result
where
    F: NorFlash,
    L: AsRef<[u8]> + AsMut<[u8]>,
    S: AsRef<[u8]> + AsMut<[u8]>,
    W: Write,
{
    let command = match line.and_then(parse) {
        Ok(command) => command,
        Err(error) => return write!(out, "? {error}\r\n"),
    };
    let done = match command {
        Command::To { jid, text } => match endpoint.chat(jid, text).await {
            Ok(order) => return write!(out, "queued {order}\r\n"),
            Err(error) => Err(error),
        },
        Command::Inbox => return inbox(endpoint, out).await,
        Command::Who => return who(endpoint, out),
        Command::Status => return status(endpoint, out),
        Command::Pos(position) => endpoint.set_position(position).await,
        Command::Add(jid) => endpoint.subscribe(jid).await,
        Command::Say(text) => endpoint.set_status(text).await,
        Command::Help => return write!(out, "{HELP}\r\n"),
        Command::Nothing => return Ok(()),
    };
    match done {
        Ok(()) => write!(out, "ok\r\n"),
        Err(error) => write!(out, "! {error}\r\n"),
    }
}

/// News as a line, for a person who is watching.
///
/// # Errors
/// Those of `out`.
pub fn tell(event: Event, out: &mut impl Write) -> fmt::Result {
    match event {
        Event::Message => write!(out, "* new message; type: inbox\r\n"),
        Event::Custody(order) => write!(out, "* {order} at the gateway\r\n"),
        Event::Received(order) => write!(out, "* {order} received\r\n"),
        Event::Failed(order) => write!(out, "* {order} came back\r\n"),
        Event::Contact => write!(out, "* contacts changed; type: who\r\n"),
        Event::Reboot => write!(out, "* restarting, as base asked\r\n"),
        Event::Link { up: true } => write!(out, "* link up\r\n"),
        Event::Link { up: false } => write!(out, "* link silent\r\n"),
    }
}

/// Shows the inbox and clears what was shown.
async fn inbox<F, L, S, W>(endpoint: &mut Endpoint<'_, F, L, S>, out: &mut W) -> fmt::Result
where
    F: NorFlash,
    L: AsRef<[u8]> + AsMut<[u8]>,
    S: AsRef<[u8]> + AsMut<[u8]>,
    W: Write,
{
    let mut buffer = [0; RECORD_MAX];
    for _ in 0..INBOX_MAX {
        match endpoint.message(&mut buffer).await {
            Ok(Some(message)) => write!(out, "{}: {}\r\n", message.from, Line(message.body))?,
            Ok(None) => return write!(out, "end of inbox\r\n"),
            Err(error) => return failed(error, out),
        }
        if let Err(error) = endpoint.clear_message().await {
            return failed(error, out);
        }
    }
    write!(out, "end of inbox\r\n")
}

fn failed(error: EndpointError, out: &mut impl Write) -> fmt::Result {
    write!(out, "! {error}\r\n")
}

/// Text without control characters: a message must not move the cursor.
struct Line<'t>(&'t str);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .chars()
            .try_for_each(|char| f.write_char(if char.is_control() { ' ' } else { char }))
    }
}

fn who<F, L, S>(endpoint: &Endpoint<'_, F, L, S>, out: &mut impl Write) -> fmt::Result
where
    F: NorFlash,
    L: AsRef<[u8]> + AsMut<[u8]>,
    S: AsRef<[u8]> + AsMut<[u8]>,
{
    for (jid, online) in endpoint.contacts() {
        write!(out, "{jid} {}\r\n", if online { "online" } else { "-" })?;
    }
    write!(out, "end of contacts\r\n")
}

fn status<F, L, S>(endpoint: &Endpoint<'_, F, L, S>, out: &mut impl Write) -> fmt::Result
where
    F: NorFlash,
    L: AsRef<[u8]> + AsMut<[u8]>,
    S: AsRef<[u8]> + AsMut<[u8]>,
{
    let (outbox, inbox) = endpoint.waiting();
    let link = endpoint.link_stats();
    let up = if endpoint.is_up() { "up" } else { "silent" };
    write!(
        out,
        "{} link {up} outbox {outbox}/{OUTBOX_MAX} inbox {inbox}/{INBOX_MAX}\r\n",
        endpoint.jid()
    )?;
    write!(
        out,
        "sent {} frames {} bytes, received {} frames {} bytes, dropped {}\r\n",
        link.frames_sent,
        link.bytes_sent,
        link.frames_received,
        link.bytes_received,
        link.malformed_frames + link.forged_frames + link.replayed_frames + link.stale_frames,
    )?;
    match endpoint.position() {
        Some(at) => write!(
            out,
            "position {} {}\r\n",
            Degrees(at.lat_e7),
            Degrees(at.lon_e7)
        ),
        None => Ok(()),
    }
}

//! The console for programs: each request, answer and event one CBOR array (RFC 8949), framed as on a modem. Refuses what
//! README.md does not describe in CDDL.

use longwire_codec::serial;
use minicbor::encode::write::{Cursor, EndOfSlice};
use minicbor::{Decoder, Encoder, decode, encode};

use super::{Command, HELP, Mistake, REPLY_MAX, Reply, Status};
use crate::compose::Position;
use crate::endpoint::{EndpointError, Event};
use crate::flash::StoreError;

type Written = Result<(), encode::Error<EndOfSlice>>;
type Writer<'b> = Encoder<Cursor<&'b mut [u8]>>;

/// Reads a request.
///
/// # Errors
/// [`Mistake`].
pub(super) fn parse(frame: &[u8]) -> Result<Command<'_>, Mistake> {
    match request(frame) {
        Ok(Some(command)) => command.checked(),
        Ok(None) => Err(Mistake::Unknown),
        Err(_) => Err(Mistake::NotText),
    }
}

fn request(frame: &[u8]) -> Result<Option<Command<'_>>, decode::Error> {
    let mut from = Decoder::new(frame);
    let len = from.array()?;
    let command = match (from.u8()?, len) {
        (0, Some(3)) => Command::To {
            jid: from.str()?,
            text: from.str()?,
        },
        (1, Some(1)) => Command::Inbox,
        (2, Some(1)) => Command::Who,
        (3, Some(1)) => Command::Status,
        (4, Some(3)) => Command::Pos(Position {
            lat_e7: from.i32()?,
            lon_e7: from.i32()?,
        }),
        (5, Some(2)) => Command::Add(from.str()?),
        (6, Some(2)) => Command::Say(from.str()?),
        (7, Some(1)) => Command::Help,
        #[cfg(feature = "edhoc")]
        (8, Some(1)) => Command::Rekey,
        _ => return Ok(None),
    };
    Ok((from.position() == frame.len()).then_some(command))
}

/// Writes a piece of an answer; returns its length on the wire.
pub(super) fn reply(reply: &Reply<'_>, out: &mut [u8]) -> usize {
    framed(out, |to| match reply {
        Reply::Done => head(to, 1, 0),
        Reply::Queued(order) => numbered(to, 1, *order),
        Reply::Refused(error) => numbered(to, 2, code(*error).into()),
        Reply::Mistake(mistake) => numbered(to, 3, *mistake as u32),
        Reply::Message(message) => {
            head(to, 3, 4)?;
            to.str(message.from)?.str(message.body)?;
            Ok(())
        }
        Reply::InboxEnd => head(to, 1, 5),
        Reply::Contact { jid, online } => {
            head(to, 3, 6)?;
            to.str(jid)?.bool(*online)?;
            Ok(())
        }
        Reply::ContactsEnd => head(to, 1, 7),
        Reply::Status(state) => status(state, to),
        Reply::Help => {
            head(to, 2, 9)?;
            to.str(HELP)?;
            Ok(())
        }
    })
}

/// Writes news; returns their length on the wire.
pub(super) fn event(event: Event, out: &mut [u8]) -> usize {
    framed(out, |to| match event {
        Event::Message => head(to, 1, 16),
        Event::Custody(order) => numbered(to, 17, order),
        Event::Received(order) => numbered(to, 18, order),
        Event::Failed(order) => numbered(to, 19, order),
        Event::Contact => head(to, 1, 20),
        Event::Reboot => head(to, 1, 21),
        Event::Mismatch { version } => numbered(to, 24, version.into()),
        Event::Link { up } => {
            head(to, 2, 22)?;
            to.bool(up)?;
            Ok(())
        }
        Event::NewKey => head(to, 1, 23),
    })
}

fn status(state: &Status<'_>, to: &mut Writer<'_>) -> Written {
    head(to, 7, 8)?;
    let link = match (state.stranger, state.up) {
        (true, _) => 2,
        (false, up) => u8::from(up),
    };
    to.str(state.jid)?.u8(link)?;
    to.u32(state.outbox as u32)?.u32(state.inbox as u32)?;
    let counters = state.counters();
    to.array(counters.len() as u64)?;
    for count in counters {
        to.u64(count)?;
    }
    match state.position {
        Some(at) => to.array(2)?.i32(at.lat_e7)?.i32(at.lon_e7)?,
        None => to.null()?,
    };
    Ok(())
}

fn head(to: &mut Writer<'_>, len: u64, code: u8) -> Written {
    to.array(len)?.u8(code)?;
    Ok(())
}

fn numbered(to: &mut Writer<'_>, code: u8, number: u32) -> Written {
    head(to, 2, code)?;
    to.u32(number)?;
    Ok(())
}

fn code(error: EndpointError) -> u8 {
    match error {
        EndpointError::Store(StoreError::Full) => 0,
        EndpointError::Store(_) => 1,
        EndpointError::OutboxFull => 2,
        EndpointError::TooLong => 3,
        EndpointError::Config => 4,
    }
}

/// Frames what `write` writes; nothing if it does not fit.
fn framed(out: &mut [u8], write: impl FnOnce(&mut Writer<'_>) -> Written) -> usize {
    let mut octets = [0; REPLY_MAX];
    let mut to = Encoder::new(Cursor::new(&mut octets[..]));
    let written = write(&mut to);
    let len = to.writer().position();
    let whole = octets.get(..len).filter(|_| written.is_ok());
    whole
        .and_then(|whole| serial::emit(whole, out))
        .unwrap_or(0)
}

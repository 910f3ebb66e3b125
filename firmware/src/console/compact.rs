//! The console for programs: each request, answer and event one CBOR array (RFC 8949), framed as on a modem. Refuses what
//! README.md does not describe in CDDL.

use longwire_codec::serial;
use minicbor::encode::write::{Cursor, EndOfSlice};
use minicbor::{Decoder, Encoder, decode, encode};

use super::{ASKS, Command, Counts, Mistake, REPLY_MAX, Reply};
use crate::endpoint::Position;

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
    let code = from.u8()?;
    let known = ASKS
        .iter()
        .find(|(word, ask, _)| *ask as u8 == code && !word.is_empty());
    let Some((_, ask, fields)) = known else {
        return Ok(None);
    };
    let pairs = fields.matches('p').count();
    if len != Some((1 + fields.len() + pairs) as u64) {
        return Ok(None);
    }
    let mut command = Command::new(*ask);
    for field in fields.bytes() {
        match field {
            b'j' => command.jid = from.str()?,
            b't' => command.text = from.str()?,
            _ => {
                let position = Position {
                    lat_e7: from.i32()?,
                    lon_e7: from.i32()?,
                };
                command.position = Some(position).filter(|it| it.is_on_earth());
            }
        }
    }
    Ok((from.position() == frame.len()).then_some(command))
}

/// Writes an answer or news; returns its length on the wire, 0 if it does not fit.
pub(super) fn write(reply: &Reply<'_>, out: &mut [u8]) -> usize {
    let mut octets = [0; REPLY_MAX];
    let mut to = Encoder::new(Cursor::new(&mut octets[..]));
    let written = array(reply, &mut to);
    let len = to.writer().position();
    let whole = octets.get(..len).filter(|_| written.is_ok());
    whole
        .and_then(|whole| serial::emit(whole, out))
        .unwrap_or(0)
}

fn array(reply: &Reply<'_>, to: &mut Writer<'_>) -> Written {
    let holes = reply.line().bytes();
    let holes = holes.filter(|octet| matches!(octet, b'#' | b'@' | b'%' | b'&'));
    let more = if reply.counts.is_some() { 3 } else { 1 };
    to.array(more + holes.clone().count() as u64)?
        .u8(reply.code)?;
    let (mut numbers, mut texts) = (reply.numbers.iter(), reply.texts.iter());
    for hole in holes {
        if hole == b'@' {
            to.str(texts.next().unwrap_or(&""))?;
            continue;
        }
        let number = *numbers.next().unwrap_or(&0);
        match hole {
            b'&' => to.bool(number > 0)?,
            _ => to.u32(number)?,
        };
    }
    match reply.counts {
        Some(counts) => status(counts, to),
        None => Ok(()),
    }
}

fn status(counts: &Counts, to: &mut Writer<'_>) -> Written {
    to.array(counts.counters.len() as u64)?;
    for count in counts.counters {
        to.u32(count)?;
    }
    match counts.position {
        Some(at) => to.array(2)?.i32(at.lat_e7)?.i32(at.lon_e7)?,
        None => to.null()?,
    };
    Ok(())
}

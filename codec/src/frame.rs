//! What goes on air once: the plain part of frames, read and written. Refuses keys, state and time.
//!
//! ```text
//! [station] flags counter [counter counter epoch peer-epoch] | [acknowledgement] contents | tag
//!           ---- in clear, authenticated -------------------   ---- sealed --------------
//! ```
//!
//! `station` is there on shared channels only, the second bracket in notices only. `codec/README.md` describes every byte.

mod ack;
mod bits;
mod item;

pub(crate) use ack::AckWriter;
pub use ack::{Ack, PARTIALS_MAX, Partial};
pub use bits::Bits;
pub use item::{Item, Items, Segment};

use core::fmt;

/// Version of the link protocol.
pub const VERSION: u8 = 1;

/// Bytes of the shortest header.
pub(crate) const SHORT_LEN: usize = 2;
/// Bytes a notice adds to it.
pub(crate) const NOTICE_LEN: usize = 4;

/// Why bytes are not a frame, or not the body of one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum FrameError {
    /// Ends too early.
    Short,
    /// A reserved bit is set, or a value is out of range.
    Form,
}

/// What the contents of a frame are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// One whole packet.
    Packet {
        /// Of priority bulk.
        bulk: bool,
    },
    /// One segment of a packet.
    Segment {
        /// The packet's last.
        last: bool,
        /// Of priority bulk.
        bulk: bool,
        /// Bits 4 and 3 of the packet number.
        number_high: u8,
    },
    /// Several packets or segments.
    Mixed,
    /// None of them.
    Control(Control),
}

/// What a frame without packets is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Control {
    /// Acknowledges, asks for an acknowledgement, or passes the turn.
    Plain,
    /// Carries the call sign.
    Identify,
    /// Carries the call sign, and the station leaves.
    SignOff,
    /// Carries what both ends must agree on.
    Hello,
    /// Carries a message of re-keying.
    Rekey,
}

/// The part of the header with which a frame is opened without a session: a station that restarted, or has not
/// been heard for long, is heard again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Notice {
    /// Middle and high byte of the notice counter, whose low byte is the frame's counter.
    pub counter_high: u16,
    /// Low byte of the sender's epoch.
    pub epoch: u8,
    /// Low byte of the receiver's epoch as the sender knows it.
    pub peer_epoch: u8,
}

/// The clear part of a frame.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Header {
    /// Address of the station, on shared channels.
    pub station: Option<u8>,
    /// What the contents are.
    pub kind: Kind,
    /// Another frame of the same turn follows; otherwise the turn passes.
    pub more: bool,
    /// An acknowledgement stands before the contents.
    pub ack: bool,
    /// Low byte of the counter.
    pub counter: u8,
    /// Present in a notice.
    pub notice: Option<Notice>,
}

const MORE: u8 = 1 << 5;
const ACK: u8 = 1 << 4;

impl Header {
    /// Bytes of the header.
    pub fn len(&self) -> usize {
        usize::from(self.station.is_some()) + SHORT_LEN + self.notice.map_or(0, |_| NOTICE_LEN)
    }

    /// Never: a header has at least two bytes.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Whether it is a hello, sealed so that every version can read it.
    pub(crate) fn is_hello(&self) -> bool {
        matches!(self.kind, Kind::Control(Control::Hello))
    }

    /// Reads the header of `frame`.
    ///
    /// # Errors
    /// [`FrameError::Short`] or [`FrameError::Form`].
    pub fn parse(frame: &[u8], shared: bool) -> Result<Self, FrameError> {
        let (station, rest) = if shared {
            let (station, rest) = frame.split_first().ok_or(FrameError::Short)?;
            (Some(*station), rest)
        } else {
            (None, frame)
        };
        let &[flags, counter, ref rest @ ..] = rest else {
            return Err(FrameError::Short);
        };
        let (kind, is_notice) = parse_kind(flags)?;
        let notice = match (is_notice, rest) {
            (false, _) => None,
            (true, &[middle, high, epoch, peer_epoch, ..]) => Some(Notice {
                counter_high: u16::from_le_bytes([middle, high]),
                epoch,
                peer_epoch,
            }),
            (true, _) => return Err(FrameError::Short),
        };
        Ok(Self {
            station,
            kind,
            more: flags & MORE != 0,
            ack: flags & ACK != 0,
            counter,
            notice,
        })
    }

    /// Writes the header. Gives its length, or `None` if it does not fit.
    pub fn emit(&self, frame: &mut [u8]) -> Option<usize> {
        let bit = |set: bool, bit: u8| if set { 1 << bit } else { 0 };
        let notice = self.notice.is_some();
        let kind = match self.kind {
            Kind::Packet { bulk } => bit(bulk, 3) | bit(notice, 2),
            Kind::Segment {
                last,
                bulk,
                number_high,
            } => {
                debug_assert!(!notice, "segments in notices are sent as `Mixed`");
                1 << 6 | bit(last, 3) | bit(bulk, 2) | number_high & 3
            }
            Kind::Mixed => 2 << 6 | bit(notice, 3),
            Kind::Control(control) => 3 << 6 | bit(notice, 3) | control as u8,
        };
        let flags = kind | if self.more { MORE } else { 0 } | if self.ack { ACK } else { 0 };
        let len = self.len();
        let out = frame.get_mut(..len)?;
        let mut places = out.iter_mut();
        let mut put = |byte: u8| {
            if let Some(place) = places.next() {
                *place = byte;
            }
        };
        if let Some(station) = self.station {
            put(station);
        }
        put(flags);
        put(self.counter);
        if let Some(notice) = self.notice {
            let [middle, high] = notice.counter_high.to_le_bytes();
            [middle, high, notice.epoch, notice.peer_epoch]
                .into_iter()
                .for_each(put);
        }
        Some(len)
    }
}

fn parse_kind(flags: u8) -> Result<(Kind, bool), FrameError> {
    let bit = |bit: u8| flags >> bit & 1 == 1;
    match flags >> 6 {
        0 if flags & 3 == 0 => Ok((Kind::Packet { bulk: bit(3) }, bit(2))),
        1 => Ok((
            Kind::Segment {
                last: bit(3),
                bulk: bit(2),
                number_high: flags & 3,
            },
            false,
        )),
        2 if flags & 7 == 0 => Ok((Kind::Mixed, bit(3))),
        3 => {
            let control = match flags & 7 {
                0 => Control::Plain,
                1 => Control::Identify,
                2 => Control::SignOff,
                3 => Control::Hello,
                4 => Control::Rekey,
                _ => return Err(FrameError::Form),
            };
            Ok((Kind::Control(control), bit(3)))
        }
        _ => Err(FrameError::Form),
    }
}

/// A frame with its body in clear, to be printed the way tcpdump would: `DATA ctr=7 num=5 41B ack=5+1101 more`.
#[derive(Clone, Copy, Debug)]
pub struct Plain<'a> {
    /// The header.
    pub header: Header,
    /// Acknowledgement and contents, opened.
    pub body: &'a [u8],
}

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = &self.header;
        let name = match header.kind {
            Kind::Control(Control::Plain) if header.ack => "ACK",
            Kind::Control(Control::Plain) => "POLL",
            Kind::Control(Control::Identify) => "ID",
            Kind::Control(Control::SignOff) => "BYE",
            Kind::Control(Control::Hello) => "HELLO",
            Kind::Control(Control::Rekey) => "REKEY",
            _ => "DATA",
        };
        write!(f, "{name}")?;
        if let Some(station) = header.station {
            write!(f, " station={station}")?;
        }
        write!(f, " ctr={}", header.counter)?;
        if let Some(notice) = header.notice {
            write!(
                f,
                " epoch={} peer-epoch={}",
                notice.epoch, notice.peer_epoch
            )?;
        }
        let mut rest = self.body;
        if header.ack {
            match Ack::parse(self.body) {
                Ok((ack, after)) => {
                    write!(f, " {ack}")?;
                    rest = after;
                }
                Err(_) => return write!(f, " bad-ack"),
            }
        }
        for item in Items::new(header.kind, rest) {
            match item {
                Ok(item) => write!(f, " {item}")?,
                Err(_) => write!(f, " bad-item")?,
            }
        }
        f.write_str(if header.more { " more" } else { " over" })
    }
}

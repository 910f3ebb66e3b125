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

use crate::row::put;

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
        let station = frame.first().copied().filter(|_| shared);
        let rest = frame.get(usize::from(shared)..).unwrap_or(&[]);
        let &[flags, counter, ref rest @ ..] = rest else {
            return Err(FrameError::Short);
        };
        let kind = parse_kind(flags).ok_or(FrameError::Form)?;
        let mut notice = None;
        if flags & kind.notice() != 0 {
            let &[middle, high, epoch, peer_epoch, ..] = rest else {
                return Err(FrameError::Short);
            };
            notice = Some(Notice {
                counter_high: u16::from_le_bytes([middle, high]),
                epoch,
                peer_epoch,
            });
        }
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
        let bit = |set: bool, bit: u8| if set { bit } else { 0 };
        let kind = match self.kind {
            Kind::Packet { bulk } => bit(bulk, 1 << 3),
            Kind::Segment {
                last,
                bulk,
                number_high,
            } => 1 << 6 | bit(last, 1 << 3) | bit(bulk, 1 << 2) | number_high & 3,
            Kind::Mixed => 2 << 6,
            Kind::Control(control) => 3 << 6 | control as u8,
        };
        let (mut notice, mut place) = (0, [0; 4]);
        if let Some(it) = self.notice {
            let [middle, high] = it.counter_high.to_le_bytes();
            place = [middle, high, it.epoch, it.peer_epoch];
            notice = self.kind.notice();
            debug_assert!(notice > 0, "segments in notices are sent as `Mixed`");
        }
        let flags = kind | notice | bit(self.more, MORE) | bit(self.ack, ACK);
        let [middle, high, epoch, peer] = place;
        let station = self.station.unwrap_or(0);
        let all = [station, flags, self.counter, middle, high, epoch, peer];
        let len = self.len();
        let from = usize::from(self.station.is_none());
        put(frame, all.get(from..from + len)?).then_some(len)
    }
}

impl Kind {
    /// The flag of a notice; segments that stand alone have none.
    fn notice(&self) -> u8 {
        match self {
            Self::Packet { .. } => 1 << 2,
            Self::Segment { .. } => 0,
            Self::Mixed | Self::Control(_) => 1 << 3,
        }
    }
}

fn parse_kind(flags: u8) -> Option<Kind> {
    let bit = |bit: u8| flags >> bit & 1 == 1;
    Some(match flags >> 6 {
        0 if flags & 3 == 0 => Kind::Packet { bulk: bit(3) },
        1 => Kind::Segment {
            last: bit(3),
            bulk: bit(2),
            number_high: flags & 3,
        },
        2 if flags & 7 == 0 => Kind::Mixed,
        3 => Kind::Control(match flags & 7 {
            0 => Control::Plain,
            1 => Control::Identify,
            2 => Control::SignOff,
            3 => Control::Hello,
            4 => Control::Rekey,
            _ => return None,
        }),
        _ => return None,
    })
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

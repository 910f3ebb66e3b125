//! Which packets and segments go into a frame. Refuses to write them.

use super::parts;
use crate::frame::{Item, Piece};
use crate::link::outgoing::{Due, Outgoing};
use crate::link::{Link, LinkConfig, SEGMENTS_MAX};

/// Most packets and segments in one frame.
const ITEMS_MAX: usize = 24;

/// What goes into one frame.
#[derive(Default)]
pub(super) struct Load {
    pub(super) items: [Option<Due>; ITEMS_MAX],
    pub(super) count: usize,
    /// Bytes after the acknowledgement.
    pub(super) len: usize,
    /// Bytes of the items if another follows.
    closed: usize,
}

impl Load {
    fn has(&self, due: &Due) -> bool {
        self.items
            .iter()
            .flatten()
            .any(|item| item.number == due.number)
    }

    fn last_number(&self) -> Option<u8> {
        let last = self
            .count
            .checked_sub(1)
            .and_then(|last| self.items.get(last).copied().flatten());
        last.map(|due| due.number.get().to_le_bytes()[0])
    }

    fn push(&mut self, due: Due, item: &Item<'_>, len: usize) {
        self.closed += item.head_len(self.last_number(), false) + item.bytes.len();
        self.len = len;
        if let Some(place) = self.items.get_mut(self.count) {
            *place = Some(due);
            self.count += 1;
        }
    }
}

impl LinkConfig {
    /// Whether one segment fits the short form, which tells 8 packets and 32 segments apart.
    pub(super) fn is_compact(&self, due: &Due) -> bool {
        due.segment
            .is_some_and(|it| self.window <= 8 && !it.again && it.index < 32)
    }
}

pub(super) fn piece(due: &Due) -> Piece {
    match due.segment {
        None => Piece::Whole,
        Some(it) => Piece::Segment {
            index: it.index,
            last: it.index + 1 == it.count,
            unit: it.again.then_some(it.unit),
        },
    }
}

pub(super) fn item<'b>(outgoing: &Outgoing, out: &'b [u8], due: &Due) -> Item<'b> {
    let bytes = outgoing.bytes(out, due.number);
    let bytes = match due.segment {
        None => bytes,
        Some(it) => {
            let unit = usize::from(it.unit).max(1);
            bytes.chunks(unit).nth(it.index.into()).unwrap_or(&[])
        }
    };
    Item {
        number: due.number.get().to_le_bytes()[0],
        number_bits: 8,
        bulk: due.bulk,
        piece: piece(due),
        bytes,
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Link<B> {
    /// Chooses packets and segments for a frame, most urgent first.
    pub(super) fn load(&mut self, notice: bool, ack_len: usize) -> Load {
        // Contents of the frame, without and with an acknowledgement.
        let most = self.contents_len(notice);
        let room = most.saturating_sub(ack_len);
        let mut load = Load::default();
        while load.count < ITEMS_MAX {
            let (out, ..) = parts(&mut self.storage, self.config.out_len, 0);
            let first = load.count == 0;
            let small = |due: &Due| due.segment.is_none() && load.closed + 1 + due.len <= room;
            let wanted = |due: &Due| {
                !load.has(due)
                    && (small(due)
                        || first && !notice && fits(&self.config, &self.outgoing, due, most))
            };
            let Some(due) = self.outgoing.due(out, &wanted) else {
                break;
            };
            if first && due.segment.is_none() && due.len + 1 > room {
                // What fits a frame without acknowledgement goes whole in the next one.
                if due.len < most || !self.cut(&due, most, 0) {
                    break;
                }
                continue;
            }
            let item = item(&self.outgoing, out, &due);
            let head = match first {
                true if due.segment.is_none() || self.config.is_compact(&due) => 1,
                true => item.head_len(None, true),
                false => load.closed + item.head_len(load.last_number(), true),
            };
            let len = head + item.bytes.len();
            if len <= room {
                load.push(due, &item, len);
                continue;
            }
            // Either only the acknowledgement is in the way, or the channel shrank since this packet was cut.
            let shrunk = first && due.segment.is_some() && len > most;
            if !shrunk || !self.cut(&due, most, 2) {
                break;
            }
        }
        load
    }

    fn cut(&mut self, due: &Due, most: usize, extra: usize) -> bool {
        let unit = cut_unit(&self.config, most, due.len, extra);
        unit.is_some_and(|unit| self.outgoing.cut(due.number, due.len, unit))
    }
}

/// Whether a packet can go in frames with `room` bytes for contents, whole or in pieces.
pub(super) fn fits(config: &LinkConfig, outgoing: &Outgoing, due: &Due, room: usize) -> bool {
    match due.segment {
        None if due.len < room => true,
        None => outgoing.can_cut(due.bulk) && cut_unit(config, room, due.len, 0).is_some(),
        Some(it) => {
            let head = if config.is_compact(due) {
                1
            } else {
                4 + if it.again { 2 } else { 0 }
            };
            usize::from(it.unit) + head <= room || cut_unit(config, room, due.len, 2).is_some()
        }
    }
}

/// Forms of a segment's head where a frame has `room` bytes for contents: the longest segment, and how many there may be.
fn forms(config: &LinkConfig, room: usize, extra: usize) -> [(usize, usize); 3] {
    let compact = if config.window <= 8 && extra == 0 {
        32
    } else {
        0
    };
    let unit = |head: usize| room.saturating_sub(head + extra);
    [(unit(1), compact), (unit(3), 32), (unit(4), SEGMENTS_MAX)]
}

/// How long the segments of a packet of `len` bytes are. `extra`: bytes more in each head.
fn cut_unit(config: &LinkConfig, room: usize, len: usize, extra: usize) -> Option<usize> {
    let fits = |&(unit, most): &(usize, usize)| unit > 0 && len.div_ceil(unit) <= most;
    forms(config, room, extra)
        .into_iter()
        .find(fits)
        .map(|(unit, _)| unit)
}

/// The longest packet that can be cut.
pub(super) fn cut_len_max(config: &LinkConfig, room: usize) -> usize {
    forms(config, room, 0)
        .into_iter()
        .map(|(unit, most)| unit * most)
        .max()
        .unwrap_or(0)
}

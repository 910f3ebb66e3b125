//! Which packets and segments go into a frame. Refuses to choose among them: it says what fits, and writes it.

use core::mem::swap;

use super::Draft;
use crate::frame::{Item, Kind, Segment};
use crate::link::stats::count;
use crate::link::{Link, LinkConfig, SEGMENTS_MAX};

/// Forms of a segment's head: its bytes, and how many segments it tells apart. The first also tells only 8 packets
/// apart, and stands alone in a frame.
const FORMS: [(usize, usize); 3] = [(1, 32), (3, 32), (4, SEGMENTS_MAX)];
/// Bytes more in the head of a segment of a packet that was cut anew.
const ANEW_LEN: usize = 2;

/// The room in a frame.
#[derive(Clone, Copy)]
pub(in crate::link) struct Space {
    /// Bytes of contents in a frame without acknowledgement.
    most: usize,
    /// Bytes free in this one.
    room: usize,
    /// Segments may go: first in a frame, and not in a notice.
    segments: bool,
    /// The shortest head of a segment will do.
    compact: bool,
}

impl Space {
    pub(super) fn new(config: &LinkConfig, most: usize, notice: bool) -> Self {
        Self {
            most,
            room: most,
            segments: !notice,
            compact: config.window <= 8,
        }
    }

    /// Whether something can go into such frames, whole or in pieces.
    pub(in crate::link) fn takes(&self, item: &Item<'_>, whole_len: usize, can_cut: bool) -> bool {
        match item.segment {
            None if whole_len < self.room => true,
            _ if !self.segments => false,
            None => whole_len < self.most || can_cut && self.unit(whole_len, 0) > 0,
            Some(_) => self.alone_len(item) <= self.most || self.unit(whole_len, ANEW_LEN) > 0,
        }
    }

    /// Whether a segment goes with the shortest head.
    fn is_compact(&self, segment: &Segment) -> bool {
        self.compact && segment.unit == 0 && segment.index < 32
    }

    /// Bytes of an item that has the frame for itself.
    fn alone_len(&self, item: &Item<'_>) -> usize {
        match &item.segment {
            Some(segment) if !self.is_compact(segment) => item.len(None, true),
            _ => 1 + item.bytes.len(),
        }
    }

    /// How long the segments of a packet are. `extra`: bytes more in each head. 0 if there were too many.
    fn unit(&self, len: usize, extra: usize) -> usize {
        let long = usize::from(!self.compact || extra > 0);
        for (head, count) in FORMS.iter().skip(long) {
            let unit = self.most.saturating_sub(head + extra);
            if len <= unit * count {
                return unit;
            }
        }
        0
    }

    /// The longest packet that can be cut.
    pub(super) fn cut_len_max(&self) -> usize {
        let mut most = 0;
        for (head, count) in FORMS.iter().skip(usize::from(!self.compact)) {
            most = most.max(self.most.saturating_sub(*head) * count);
        }
        most
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Link<B> {
    /// Puts packets and segments into the frame, most urgent first. False if none fits.
    pub(super) fn load(&mut self, draft: &mut Draft<'_>) -> bool {
        let notice = draft.header.notice.is_some();
        let mut space = self.space(notice);
        let (room, start) = (draft.room(), draft.len);
        space.room = room;
        let mark = self.session.mark(notice);
        let out = self.storage.as_ref();
        // An item is written when the next is chosen: the last has a shorter head, the only one the shortest.
        let (mut one, mut other) = (Item::NONE, Item::NONE);
        let (mut item, mut before) = (&mut one, &mut other);
        let (mut any, mut after, mut closed) = (false, None, 0);
        let mut repeated = false;
        while let Some(number) = self.outgoing.pick(out, &space, item) {
            let len = if any {
                closed + item.len(Some(before.number), true)
            } else {
                space.alone_len(item)
            };
            if len > room {
                // What fits a frame without acknowledgement goes in the next one; what fits none is cut, or cut anew if
                // the channel shrank since.
                let extra = item.segment.map_or(0, |_| ANEW_LEN);
                let unit = space.unit(self.outgoing.len(number), extra);
                if !any && len > space.most && self.outgoing.cut(number, unit) {
                    continue;
                }
                break;
            }
            if any {
                draft.add(before, after, false);
                after = Some(before.number);
            }
            closed = draft.len - start + item.len(after, false);
            (space.room, space.segments) = (room.saturating_sub(closed), false);
            repeated |= self.outgoing.sent(number, item, mark);
            swap(&mut item, &mut before);
            any = true;
        }
        count(&mut self.stats.frames_repeated, u32::from(repeated));
        if !any {
            return false;
        }
        let item = before;
        match item.segment {
            None if after.is_none() => {
                draft.header.kind = Kind::Packet { bulk: item.bulk };
                draft.put(&[item.number]);
                draft.put(item.bytes);
            }
            Some(segment) if after.is_none() && space.is_compact(&segment) => {
                draft.header.kind = Kind::Segment {
                    last: segment.last,
                    bulk: item.bulk,
                    number_high: item.number >> 3 & 3,
                };
                draft.put(&[item.number << 5 | segment.index as u8]);
                draft.put(item.bytes);
            }
            _ => {
                draft.header.kind = Kind::Mixed;
                draft.add(item, after, true);
            }
        }
        true
    }
}

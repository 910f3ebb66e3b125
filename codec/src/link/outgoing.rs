//! Packets on their way out: what waits, what was sent, what the peer holds. Refuses to decide when to send.

mod cut;

use cut::Cuts;

use super::number::Numbers;
use super::pool::Pool;
use super::transmit::Space;
use super::{Event, PacketNumber, Priority, WINDOW_MAX};
use crate::frame::{Ack, Item};

/// What is known of a packet: bits, so that a question about several is one mask. None: nothing is under way, or it is
/// confirmed and reported.
type Marks = u16;

/// Granted in an earlier run or before a reset; its bytes are gone.
const WANTED: Marks = 1;
/// Can be sent.
const READY: Marks = 1 << 1;
/// Withdrawn: the peer gets an empty packet.
const VOID: Marks = 1 << 2;
/// And that is reported.
const TOLD: Marks = 1 << 3;
/// The peer has it. To be reported.
const CONFIRMED: Marks = 1 << 4;
/// The peer knows that it was withdrawn. To be reported.
const WITHDRAWN: Marks = 1 << 5;
/// To be sent, or sent again.
const DUE: Marks = 1 << 6;
/// The peer has it, not durably.
const RECEIVED: Marks = 1 << 7;
/// To be withdrawn as soon as it is certain that no copy can be accepted any more.
const CANCELLED: Marks = 1 << 8;
/// A copy may have been sent in an earlier session.
const UNSURE: Marks = 1 << 9;

#[derive(Clone, Copy, Debug)]
struct Slot {
    /// One above the counter of the last frame that carried any of it in this session; 0: none did.
    sent: u32,
    marks: Marks,
    priority: Priority,
}

const EMPTY: Slot = Slot {
    sent: 0,
    marks: 0,
    priority: Priority::Bulk,
};

impl Slot {
    fn is(&self, any_of: Marks) -> bool {
        self.marks & any_of != 0
    }

    fn mark(&mut self, mark: Marks, on: bool) {
        self.marks &= !mark;
        if on {
            self.marks |= mark;
        }
    }
}

/// The sending half of a link.
#[repr(C)]
#[derive(Debug)]
pub(super) struct Outgoing {
    /// Lowest number not reported to the application.
    tail: PacketNumber,
    /// Lowest number the peer has not confirmed.
    base: PacketNumber,
    next: PacketNumber,
    granted: Option<(PacketNumber, Priority)>,
    slots: [Slot; WINDOW_MAX as usize],
    pool: Pool,
    cuts: Cuts,
}

impl Outgoing {
    // Made where it is to stay: a copy would lie on the stack of a board.
    #[inline(always)]
    pub(super) fn new(first: PacketNumber, next: PacketNumber, room: usize) -> Self {
        let slots = [EMPTY; WINDOW_MAX as usize];
        let (cuts, pool) = (Cuts::new(), Pool::new(0, room));
        let mut this = Self {
            tail: first,
            base: first,
            next,
            granted: None,
            slots,
            pool,
            cuts,
        };
        for number in this.outstanding() {
            this.slot(number).marks = WANTED | UNSURE;
        }
        this
    }

    fn slot(&mut self, number: PacketNumber) -> &mut Slot {
        &mut self.slots[number.slot()]
    }

    fn at(&self, number: PacketNumber) -> &Slot {
        &self.slots[number.slot()]
    }

    fn outstanding(&self) -> Numbers {
        Numbers(self.base, self.next)
    }

    fn is_outstanding(&self, number: PacketNumber) -> bool {
        self.base <= number && number < self.next
    }

    pub(super) fn base(&self) -> PacketNumber {
        self.base
    }

    pub(super) fn next(&self) -> PacketNumber {
        self.next
    }

    /// How many numbers are under way.
    pub(super) fn span(&self) -> u32 {
        self.next.get() - self.base.get()
    }

    /// Whether there is a number to give out.
    pub(super) fn has_number(&self, window: u8) -> bool {
        self.span() < u32::from(window) && self.next.get() - self.tail.get() < WINDOW_MAX
    }

    /// The lowest number that waits to be encoded again.
    pub(super) fn wanted(&self) -> Option<PacketNumber> {
        let mut numbers = self.outstanding();
        numbers.find(|n| self.at(*n).marks & (WANTED | CANCELLED) == WANTED)
    }

    pub(super) fn free(&self) -> usize {
        self.pool.free()
    }

    /// Free bytes to write a packet into.
    pub(super) fn grant<'b>(
        &mut self,
        bytes: &'b mut [u8],
        number: PacketNumber,
        priority: Priority,
    ) -> &'b mut [u8] {
        self.granted = Some((number, priority));
        self.pool.tail(bytes)
    }

    /// Whether a packet that lost its bytes can be encoded again under this number.
    pub(super) fn is_wanted(&self, number: PacketNumber) -> bool {
        self.is_outstanding(number) && self.at(number).is(WANTED)
    }

    pub(super) fn commit(&mut self, len: usize) {
        let Some((number, priority)) = self.granted.take() else {
            return;
        };
        if len == 0 || !self.pool.push(number, len) {
            return;
        }
        let mut unsure = 0;
        if number == self.next {
            self.next = number.plus(1);
        } else {
            unsure = self.at(number).marks & UNSURE;
        }
        *self.slot(number) = Slot {
            sent: 0,
            marks: READY | DUE | unsure,
            priority,
        };
    }

    /// Marks a packet to be withdrawn. See [`super::Link::cancel`].
    pub(super) fn cancel(&mut self, bytes: &mut [u8], number: PacketNumber) -> bool {
        if !self.is_outstanding(number) || !self.at(number).is(WANTED | READY) {
            return false;
        }
        let slot = self.slot(number);
        slot.mark(CANCELLED, true);
        if slot.sent == 0 && !slot.is(UNSURE) {
            self.replace(bytes, number, VOID | DUE);
        } else {
            slot.mark(DUE, false);
        }
        true
    }

    /// The packet's bytes are of no use any more.
    fn replace(&mut self, bytes: &mut [u8], number: PacketNumber, marks: Marks) {
        self.pool.remove(bytes, number);
        self.cuts.remove(number);
        let slot = self.slot(number);
        (slot.sent, slot.marks) = (0, marks);
    }

    /// A new session: the peer lost what the packets refer to.
    pub(super) fn reset(&mut self, bytes: &mut [u8]) {
        self.granted = None;
        for number in self.outstanding() {
            let slot = self.slot(number);
            slot.mark(RECEIVED, false);
            slot.mark(UNSURE, true);
            if slot.is(READY) {
                slot.mark(READY | DUE, false);
                slot.mark(WANTED, true);
            }
            if slot.is(VOID) {
                slot.mark(DUE, true);
            }
            let marks = slot.marks;
            self.replace(bytes, number, marks);
        }
    }

    /// What the peer holds. Of our counters those below `heard` reached it or are lost; on a half-duplex channel what was
    /// sent and is not held is lost in any case. Gives how many packets
    /// were delivered, and how many withdrawn.
    pub(super) fn acknowledged(
        &mut self,
        bytes: &mut [u8],
        ack: &Ack,
        heard: u32,
        half_duplex: bool,
    ) -> (u32, u32) {
        let (mut delivered, mut abandoned) = (0, 0);
        let base = self.base.resolve(ack.base.into(), 7, 63);
        let Some(base) = base.filter(|base| self.base <= *base && *base <= self.next) else {
            return (0, 0);
        };
        for number in self.outstanding() {
            let ahead = number.get().wrapping_sub(base.get()) as usize;
            let slot = self.slot(number);
            if number < base || ack.accepted.has(ahead.wrapping_sub(1)) {
                let mut marks = slot.marks & (CONFIRMED | WITHDRAWN);
                if slot.is(VOID) {
                    abandoned += 1;
                    marks = if slot.is(TOLD) { 0 } else { WITHDRAWN };
                } else if slot.is(WANTED | READY) {
                    delivered += 1;
                    marks = CONFIRMED;
                }
                self.replace(bytes, number, marks);
                continue;
            }
            let received = ack.received.has(ahead);
            let lost = slot.sent <= heard;
            slot.mark(RECEIVED, received);
            if slot.is(CANCELLED) {
                if lost && !received {
                    self.replace(bytes, number, VOID | DUE);
                }
            } else if slot.is(READY | VOID) && (lost || half_duplex) {
                slot.mark(DUE, !received);
            }
            if received {
                // All of it is there: others may go in pieces.
                self.cuts.remove(number);
            }
        }
        for cut in self.cuts.all() {
            cut.note(ack);
            if half_duplex || self.slots[cut.number.slot()].sent <= heard {
                cut.doubt();
            }
        }
        while self.base < self.next && !self.at(self.base).is(WANTED | READY | VOID) {
            self.base = self.base.plus(1);
        }
        (delivered, abandoned)
    }

    /// The next fate to report.
    pub(super) fn poll(&mut self) -> Option<Event> {
        let mut event = None;
        for number in Numbers(self.tail, self.next) {
            let slot = self.slot(number);
            if slot.is(CONFIRMED) {
                event = Some(Event::Delivered(number));
            } else if slot.is(WITHDRAWN) || slot.marks & (VOID | TOLD) == VOID {
                event = Some(Event::Abandoned(number));
            } else {
                continue;
            }
            slot.mark(CONFIRMED | WITHDRAWN, false);
            slot.mark(TOLD, slot.is(VOID));
            break;
        }
        while self.tail < self.base && !self.at(self.tail).is(CONFIRMED | WITHDRAWN) {
            self.tail = self.tail.plus(1);
        }
        event
    }

    fn any(&self, marks: Marks) -> bool {
        self.outstanding().any(|n| self.at(n).is(marks))
    }

    /// Whether anything waits to be sent.
    pub(super) fn has_due(&self) -> bool {
        self.any(DUE)
    }

    /// Whether the peer has something still to confirm.
    pub(super) fn is_unconfirmed(&self) -> bool {
        self.any(VOID | READY | CANCELLED)
    }

    /// Whether a withdrawn packet's fate depends on an acknowledgement.
    pub(super) fn has_doubt(&self) -> bool {
        self.any(CANCELLED)
    }

    /// Bytes that wait at this priority and above.
    pub(super) fn due_len(&self, priority: Priority) -> usize {
        let mut len = 0;
        for number in self.outstanding() {
            let slot = self.at(number);
            if slot.is(DUE) && slot.priority <= priority {
                let done = self.cuts.get(number).map_or(0, |cut| cut.done_len());
                len += self.pool.len(number).saturating_sub(done);
            }
        }
        len
    }

    /// Bytes the peer is not known to hold.
    pub(super) fn unheld_len(&self) -> usize {
        let mut len = 0;
        for number in self.outstanding() {
            if self.at(number).marks & (READY | RECEIVED) == READY {
                len += self.pool.len(number);
            }
        }
        len
    }

    /// What to send next of that for which there is space: its number, and in `best` the piece of it. What was sent
    /// before goes first, the oldest first, since the rest waits for it at the far end; then what is most urgent. Bulk
    /// goes after all else.
    pub(super) fn pick<'b>(
        &self,
        bytes: &'b [u8],
        space: &Space,
        best: &mut Item<'b>,
    ) -> Option<PacketNumber> {
        let (mut picked, mut best_rank) = (None, u8::MAX);
        let free = self.cuts.free();
        for number in self.outstanding() {
            let slot = self.at(number);
            let bulk = slot.priority == Priority::Bulk;
            let order = if slot.sent > 0 {
                0
            } else {
                1 + slot.priority as u8
            };
            let rank = u8::from(bulk) << 4 | order;
            if !slot.is(DUE) || rank >= best_rank {
                continue;
            }
            let whole = self.pool.get(bytes, number);
            let (mut segment, mut part) = (None, whole);
            if let Some(cut) = self.cuts.get(number) {
                let Some(index) = cut.first_due() else {
                    continue;
                };
                let (one, bytes) = cut.segment(index, whole);
                (segment, part) = (Some(one), bytes);
            }
            let item = Item {
                number: number.low(),
                number_bits: 8,
                bulk,
                segment,
                bytes: part,
            };
            // Bulk leaves places for what is more urgent.
            let can_cut = free > if bulk { 2 } else { 0 };
            if space.takes(&item, whole.len(), can_cut) {
                (picked, best_rank, *best) = (Some(number), rank, item);
            }
        }
        picked
    }

    /// See [`Cuts::cut`].
    pub(super) fn cut(&mut self, number: PacketNumber, unit: usize) -> bool {
        unit > 0 && self.cuts.cut(number, self.pool.len(number), unit)
    }

    /// Bytes of a packet.
    pub(super) fn len(&self, number: PacketNumber) -> usize {
        self.pool.len(number)
    }

    /// Records that a frame carried this. True if any of it was sent before.
    pub(super) fn sent(&mut self, number: PacketNumber, item: &Item<'_>, counter: u32) -> bool {
        let (mut more, mut again) = (false, self.at(number).sent > 0);
        if let (Some(segment), Some(cut)) = (item.segment, self.cuts.get_mut(number)) {
            (more, again) = cut.sent(segment.index);
        }
        let slot = self.slot(number);
        slot.sent = counter + 1;
        slot.mark(DUE, more);
        again
    }

    /// No answer came: what was sent may be lost, send it again when the time comes.
    pub(super) fn doubt(&mut self) {
        for number in self.outstanding() {
            let slot = self.slot(number);
            if slot.is(READY | VOID) && !slot.is(RECEIVED | CANCELLED) {
                slot.mark(DUE, true);
            }
        }
        self.cuts.all().for_each(|cut| cut.doubt());
    }
}

//! Packets on their way out: what waits, what was sent, what the peer holds. Refuses to decide when to send.

mod cut;

use cut::Cuts;
pub(super) use cut::Segment;

use super::pool::Pool;
use super::{Event, PacketNumber, Priority, WINDOW_MAX};
use crate::frame::Ack;

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum State {
    /// Nothing, or confirmed and reported.
    #[default]
    Empty,
    /// Granted in an earlier run or before a reset; its bytes are gone.
    Wanted,
    /// Can be sent.
    Ready,
    /// Withdrawn: the peer gets an empty packet. Reported or not.
    Void { reported: bool },
    /// The peer has it. To be reported.
    Confirmed,
    /// The peer knows that it was withdrawn. To be reported.
    Withdrawn,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    state: State,
    priority: Priority,
    /// One above the counter of the last frame that carried any of it in this session; 0: none did.
    sent: u64,
    /// To be sent, or sent again.
    due: bool,
    /// The peer has it, not durably.
    received: bool,
    /// To be withdrawn as soon as it is certain that no copy can be accepted any more.
    cancelled: bool,
    /// A copy may have been sent in an earlier session.
    unsure: bool,
}

const EMPTY: Slot = Slot {
    state: State::Empty,
    priority: Priority::Bulk,
    sent: 0,
    due: false,
    received: false,
    cancelled: false,
    unsure: false,
};

/// Something to put into a frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Due {
    pub(super) number: PacketNumber,
    pub(super) bulk: bool,
    pub(super) len: usize,
    /// Which part of it, if it goes in pieces.
    pub(super) segment: Option<Segment>,
}

/// The sending half of a link.
#[derive(Debug)]
pub(super) struct Outgoing {
    /// Lowest number not reported to the application.
    tail: PacketNumber,
    /// Lowest number the peer has not confirmed.
    base: PacketNumber,
    next: PacketNumber,
    slots: [Slot; WINDOW_MAX as usize],
    cuts: Cuts,
    pool: Pool,
    granted: Option<(PacketNumber, Priority)>,
}

impl Outgoing {
    // Made where it is to stay: a copy would lie on the stack of a board.
    #[inline(always)]
    pub(super) fn new(first: PacketNumber, next: PacketNumber) -> Self {
        let slots = [EMPTY; WINDOW_MAX as usize];
        let (cuts, pool) = (Cuts::new(), Pool::new());
        let mut this = Self {
            tail: first,
            base: first,
            next,
            slots,
            cuts,
            pool,
            granted: None,
        };
        for number in this.outstanding() {
            *this.slot(number) = Slot {
                state: State::Wanted,
                unsure: true,
                ..EMPTY
            };
        }
        this
    }

    fn slot(&mut self, number: PacketNumber) -> &mut Slot {
        // The index is below the length.
        &mut self.slots[(number.get() % WINDOW_MAX) as usize]
    }

    fn at(&self, number: PacketNumber) -> &Slot {
        // The index is below the length.
        &self.slots[(number.get() % WINDOW_MAX) as usize]
    }

    fn outstanding(&self) -> impl Iterator<Item = PacketNumber> + use<> {
        (self.base.get()..self.next.get()).map(PacketNumber::new)
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
        self.outstanding()
            .find(|n| self.at(*n).state == State::Wanted && !self.at(*n).cancelled)
    }

    pub(super) fn free(&self, bytes: &[u8]) -> usize {
        self.pool.free(bytes)
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
        (self.base..self.next).contains(&number) && self.at(number).state == State::Wanted
    }

    pub(super) fn commit(&mut self, bytes: &[u8], len: usize) -> bool {
        let Some((number, priority)) = self.granted.take() else {
            return false;
        };
        if len == 0 || !self.pool.push(bytes, number, len) {
            return false;
        }
        let unsure = if number == self.next {
            false
        } else {
            self.at(number).unsure
        };
        if number == self.next {
            self.next = number.plus(1);
        }
        *self.slot(number) = Slot {
            state: State::Ready,
            priority,
            due: true,
            unsure,
            ..EMPTY
        };
        true
    }

    /// Marks a packet to be withdrawn. See [`super::Link::cancel`].
    pub(super) fn cancel(&mut self, bytes: &mut [u8], number: PacketNumber) -> bool {
        if !(self.base..self.next).contains(&number) {
            return false;
        }
        match self.at(number).state {
            State::Empty | State::Confirmed | State::Withdrawn | State::Void { .. } => {
                return false;
            }
            State::Wanted | State::Ready => self.slot(number).cancelled = true,
        }
        let slot = self.slot(number);
        if slot.sent == 0 && !slot.unsure {
            self.void(bytes, number);
        } else {
            slot.due = false;
        }
        true
    }

    fn void(&mut self, bytes: &mut [u8], number: PacketNumber) {
        self.forget_bytes(bytes, number);
        let priority = self.at(number).priority;
        *self.slot(number) = Slot {
            state: State::Void { reported: false },
            priority,
            due: true,
            ..EMPTY
        };
    }

    fn forget_bytes(&mut self, bytes: &mut [u8], number: PacketNumber) {
        self.pool.remove(bytes, number);
        self.cuts.remove(number);
    }

    /// A new session: the peer lost what the packets refer to.
    pub(super) fn reset(&mut self) {
        self.pool.clear();
        self.cuts = Cuts::new();
        self.granted = None;
        for number in self.outstanding() {
            let slot = self.slot(number);
            (slot.sent, slot.received) = (0, false);
            slot.unsure = true;
            match slot.state {
                State::Ready => (slot.state, slot.due) = (State::Wanted, false),
                State::Void { .. } => slot.due = true,
                _ => {}
            }
        }
    }

    /// What the peer holds. Of our counters those below `heard` reached it or are lost; on a half-duplex channel what was
    /// sent and is not held is lost in any case. Gives how many packets
    /// were delivered, and how many withdrawn.
    pub(super) fn acknowledged(
        &mut self,
        bytes: &mut [u8],
        ack: &Ack,
        heard: u64,
        half_duplex: bool,
    ) -> (u32, u32) {
        let (mut delivered, mut abandoned) = (0, 0);
        let Some(base) = self.base.resolve(ack.base.into(), 7, 63) else {
            return (0, 0);
        };
        if base < self.base || base > self.next {
            return (0, 0);
        }
        for number in self.outstanding() {
            let bit = |bits: u64, from: PacketNumber| match number.distance_from(from) {
                Some(n) if n < 64 => bits >> n & 1 == 1,
                _ => false,
            };
            if number < base || bit(ack.accepted, base.plus(1)) {
                match self.confirm(bytes, number) {
                    Some(true) => abandoned += 1,
                    Some(false) => delivered += 1,
                    None => {}
                }
                continue;
            }
            let received = bit(ack.received, base);
            let slot = self.slot(number);
            let lost = slot.sent <= heard;
            slot.received = received;
            if received {
                // All of it is there: others may go in pieces.
                self.cuts.remove(number);
            }
            let slot = self.slot(number);
            let withdrawable = matches!(slot.state, State::Ready | State::Wanted) && slot.cancelled;
            if withdrawable && lost && !received {
                self.void(bytes, number);
            } else if !withdrawable && slot.state != State::Wanted && (lost || half_duplex) {
                slot.due = !received;
            }
        }
        let slots = &self.slots;
        self.cuts.acknowledged(ack, |n| {
            half_duplex || slots[(n.get() % WINDOW_MAX) as usize].sent <= heard
        });
        while self.base < self.next
            && matches!(
                self.at(self.base).state,
                State::Confirmed | State::Withdrawn | State::Empty
            )
        {
            self.base = self.base.plus(1);
        }
        (delivered, abandoned)
    }

    /// The peer holds this packet durably. `Some(true)` if it was withdrawn before.
    fn confirm(&mut self, bytes: &mut [u8], number: PacketNumber) -> Option<bool> {
        let state = self.at(number).state;
        self.forget_bytes(bytes, number);
        match state {
            State::Empty | State::Confirmed | State::Withdrawn => None,
            State::Void { reported } => {
                let state = if reported {
                    State::Empty
                } else {
                    State::Withdrawn
                };
                *self.slot(number) = Slot { state, ..EMPTY };
                Some(true)
            }
            State::Wanted | State::Ready => {
                *self.slot(number) = Slot {
                    state: State::Confirmed,
                    ..EMPTY
                };
                Some(false)
            }
        }
    }

    /// The next fate to report.
    pub(super) fn poll(&mut self) -> Option<Event> {
        let mut event = None;
        for number in (self.tail.get()..self.next.get()).map(PacketNumber::new) {
            let slot = self.slot(number);
            match slot.state {
                State::Confirmed => {
                    *slot = EMPTY;
                    event = Some(Event::Delivered(number));
                }
                State::Withdrawn => {
                    *slot = EMPTY;
                    event = Some(Event::Abandoned(number));
                }
                State::Void { reported: false } => {
                    slot.state = State::Void { reported: true };
                    event = Some(Event::Abandoned(number));
                }
                _ => continue,
            }
            break;
        }
        while self.tail < self.base && self.at(self.tail).state == State::Empty {
            self.tail = self.tail.plus(1);
        }
        event
    }

    /// Whether anything waits to be sent.
    pub(super) fn has_due(&self) -> bool {
        self.outstanding().any(|n| self.at(n).due)
    }

    /// Whether the peer has something still to confirm.
    pub(super) fn is_unconfirmed(&self) -> bool {
        self.outstanding().any(|n| {
            let slot = self.at(n);
            matches!(slot.state, State::Void { .. }) || slot.state == State::Ready || slot.cancelled
        })
    }

    /// Whether a withdrawn packet's fate depends on an acknowledgement.
    pub(super) fn has_doubt(&self) -> bool {
        self.outstanding().any(|n| self.at(n).cancelled)
    }

    /// Bytes that wait at this priority and above.
    pub(super) fn due_len(&self, bytes: &[u8], priority: Priority) -> usize {
        let due = self
            .outstanding()
            .filter(|n| self.at(*n).due && self.at(*n).priority <= priority);
        due.map(|n| self.remaining(bytes, n)).sum()
    }

    /// Bytes the peer is not known to hold.
    pub(super) fn unheld_len(&self, bytes: &[u8]) -> usize {
        let unheld = |n: &PacketNumber| self.at(*n).state == State::Ready && !self.at(*n).received;
        self.outstanding()
            .filter(unheld)
            .map(|n| self.pool.get(bytes, n).map_or(0, <[u8]>::len))
            .sum()
    }

    fn remaining(&self, bytes: &[u8], number: PacketNumber) -> usize {
        let len = self.pool.get(bytes, number).map_or(0, <[u8]>::len);
        let done = self
            .cuts
            .get(number)
            .map_or(0, |cut| cut.done() * usize::from(cut.unit));
        len.saturating_sub(done)
    }

    /// What to send next of that for which `wanted` holds. What was sent before goes first, the oldest first, since the
    /// rest waits for it at the far end; then what is most urgent. Bulk goes after all else.
    pub(super) fn due(&self, bytes: &[u8], wanted: &dyn Fn(&Due) -> bool) -> Option<Due> {
        let due = self
            .outstanding()
            .filter(|n| self.at(*n).due)
            .filter_map(|number| {
                let slot = self.at(number);
                let len = self.pool.get(bytes, number).map_or(0, <[u8]>::len);
                let segment = match self.cuts.get(number) {
                    Some(cut) => Some(cut.first_due()?),
                    None => None,
                };
                let bulk = slot.priority == Priority::Bulk;
                let due = Due {
                    number,
                    bulk,
                    len,
                    segment,
                };
                let again = slot.sent > 0;
                let priority = if again {
                    Priority::Urgent
                } else {
                    slot.priority
                };
                wanted(&due).then_some(((bulk, !again, priority, number), due))
            });
        due.min_by_key(|(order, _)| *order).map(|(_, due)| due)
    }

    pub(super) fn bytes<'b>(&self, bytes: &'b [u8], number: PacketNumber) -> &'b [u8] {
        self.pool.get(bytes, number).unwrap_or(&[])
    }

    /// Whether another packet can go in pieces. Bulk leaves places for what is more urgent.
    pub(super) fn can_cut(&self, bulk: bool) -> bool {
        self.cuts.free() > if bulk { 2 } else { 0 }
    }

    /// See [`Cuts::cut`].
    pub(super) fn cut(&mut self, number: PacketNumber, len: usize, unit: usize) -> bool {
        self.cuts.cut(number, len, unit)
    }

    /// Records that a frame carried this. True if any of it was sent before.
    pub(super) fn sent(&mut self, due: &Due, counter: u64) -> bool {
        let slot = self.slot(due.number);
        let mut again = slot.sent > 0;
        slot.sent = counter + 1;
        slot.due = false;
        if let Some(segment) = due.segment {
            (self.slot(due.number).due, again) = self.cuts.sent(due.number, segment.index);
        }
        again
    }

    /// No answer came: what was sent may be lost, send it again when the time comes.
    pub(super) fn doubt(&mut self) {
        for number in self.outstanding() {
            let slot = self.slot(number);
            if matches!(slot.state, State::Ready | State::Void { .. })
                && !slot.received
                && !slot.cancelled
            {
                slot.due = true;
            }
        }
        self.cuts.doubt();
    }
}

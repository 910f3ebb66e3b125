//! A station that listens to a group. Refuses to wait: it says what is missing, when to ask is the caller's decision.

use crate::link::{PacketNumber, Side};
use crate::seal::Seal;

use super::accepted::GroupAccepted;
use super::slots::{ROW_HEAD_LEN, Slots, State};
use super::{FIRST, GROUP_HEADER_LEN, GROUP_REQUEST_MAX, LAST, NUMBER_LEN, header, nonce};
use super::{GroupConfig, GroupError};

/// How often a segment is asked for before it counts as gone.
const ASKS_MAX: u8 = 16;

/// What a receiver keeps over restarts: stored with each packet, in one transaction.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct GroupResume {
    /// The sender's latest epoch known. A newcomer is told it with the secret, give or take 255 below.
    pub epoch: u32,
    /// The first sequence number of that epoch still of interest.
    pub from: u16,
    /// Which packets were stored.
    pub accepted: GroupAccepted,
}

/// Counters of a receiver.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct GroupReceiverStats {
    /// Good frames with something new.
    pub frames_received: u64,
    /// Frames dropped: too short, or of no known form though the tag fits.
    pub malformed_frames: u64,
    /// Frames of other groups and stations.
    pub foreign_frames: u64,
    /// Frames dropped: the tag does not fit (noise, wrong key, forgery, an earlier epoch).
    pub forged_frames: u64,
    /// Frames dropped unopened: the segment is here already, or no longer waited for.
    pub replayed_frames: u64,
    /// Segments given back by parity.
    pub recovered_segments: u64,
    /// Segments that never came, given up when their place was needed or a new epoch began.
    pub expired_segments: u64,
    /// Packets accepted.
    pub packets_received: u64,
    /// Packets dropped: they were accepted before.
    pub duplicate_packets: u64,
    /// Packets dropped: longer than the caller's buffer.
    pub oversized_packets: u64,
    /// Packet numbers passed over: more than 256 behind the newest.
    pub passed_numbers: u64,
    /// Requests made.
    pub requests: u64,
}

/// A packet whose segments are all here.
#[derive(Clone, Copy)]
struct Run {
    first: u32,
    last: u32,
    number: PacketNumber,
    /// Bytes of the number.
    number_len: usize,
}

/// The receiving end of a group. `B` is the storage for the segments of the window, [`GroupConfig::storage_len`] bytes.
///
/// After each `handle_frame`: `recv` until `None`; store each packet together with `resume_with`, then `accept` it.
/// When the channel is free, and the sender not about to go on, send what `request` writes by the station's own link.
#[derive(Debug)]
pub struct GroupReceiver<B> {
    config: GroupConfig,
    seal: Seal,
    epoch: u32,
    accepted: GroupAccepted,
    /// The window: from a block's first segment to one above the highest heard.
    start: u32,
    end: u32,
    slots: Slots<B>,
    stats: GroupReceiverStats,
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> GroupReceiver<B> {
    /// A receiver that goes on where `resume` was stored; the default is a newcomer in the sender's first epochs.
    ///
    /// # Errors
    /// The configuration is out of range, or the storage too small.
    pub fn new(config: GroupConfig, resume: GroupResume, storage: B) -> Result<Self, GroupError> {
        if !config.is_sound() {
            return Err(GroupError::OutOfRange);
        }
        let slots = Slots::new(&config, storage).ok_or(GroupError::StorageTooSmall)?;
        let start = slots.block_start(resume.from.into());
        Ok(Self {
            seal: config.seal(Side::B),
            config,
            epoch: resume.epoch,
            accepted: resume.accepted,
            start,
            end: start,
            slots,
            stats: GroupReceiverStats::default(),
        })
    }

    /// Everything counted so far.
    pub const fn stats(&self) -> GroupReceiverStats {
        self.stats
    }

    /// Takes a frame from the air, whoever sent it. What is not authentic and new changes nothing but a counter.
    pub fn handle_frame(&mut self, frame: &[u8]) {
        let &[group, low, sequence_low, sequence_high, ..] = frame else {
            self.stats.malformed_frames += 1;
            return;
        };
        if group != self.config.group {
            self.stats.foreign_frames += 1;
            return;
        }
        if frame.len() > self.config.mtu.into() {
            self.stats.malformed_frames += 1;
            return;
        }
        let ahead = low.wrapping_sub(self.epoch.to_le_bytes()[0]);
        let sequence = u32::from(u16::from_le_bytes([sequence_low, sequence_high]));
        if ahead == 0 && self.is_known(sequence) {
            self.stats.replayed_frames += 1;
            return;
        }
        let opened = self.epoch.checked_add(ahead.into()).and_then(|epoch| {
            let nonce = nonce(epoch, sequence);
            let scratch = self.slots.scratch().get_mut(..frame.len())?;
            scratch.copy_from_slice(frame);
            let len = self.seal.open(&nonce, scratch, GROUP_HEADER_LEN)?;
            scratch.copy_within(GROUP_HEADER_LEN.., 0);
            Some((epoch, len - GROUP_HEADER_LEN))
        });
        let Some((epoch, len)) = opened else {
            self.stats.forged_frames += 1;
            return;
        };
        if !self.is_form(sequence, len) {
            self.stats.malformed_frames += 1;
            return;
        }
        self.stats.frames_received += 1;
        if epoch != self.epoch {
            self.give_up(self.end);
            self.slots.clear();
            (self.epoch, self.start, self.end) = (epoch, 0, 0);
        }
        self.place(sequence, len);
    }

    fn is_known(&self, sequence: u32) -> bool {
        let within = sequence < self.end;
        sequence < self.start || within && self.slots.state(sequence) != State::Missing
    }

    /// Whether the scratch room holds a segment as the sender makes them.
    fn is_form(&mut self, sequence: u32, len: usize) -> bool {
        let longest = self.config.segment_len();
        let data = self.config.data;
        if self.slots.is_data(sequence) {
            let head = self.slots.scratch()[..len].first();
            (1..=longest).contains(&len) && head.is_some_and(|head| is_head(*head, len))
        } else {
            let count = self.slots.scratch()[..len].first();
            (2 + ROW_HEAD_LEN..=1 + ROW_HEAD_LEN + longest).contains(&len)
                && count.is_some_and(|count| (1..=data).contains(count))
        }
    }

    /// Moves the window so that it ends at `end`; what falls out is given up.
    fn advance(&mut self, end: u32) {
        let low = end.saturating_sub(self.slots.count());
        let start = self.slots.block_start(low + self.slots.block() - 1);
        if start > self.start {
            self.give_up(start);
        }
        self.end = self.end.max(end).max(self.start);
    }

    /// Begins the window at `start`, at or after where it did.
    fn give_up(&mut self, start: u32) {
        let heard = self.end.max(self.start);
        for sequence in self.start..start {
            let missing = sequence >= heard || self.slots.state(sequence) == State::Missing;
            if missing && self.slots.is_data(sequence) {
                self.stats.expired_segments += 1;
            }
            if sequence < heard {
                self.slots.forget(sequence);
            }
        }
        self.start = start;
    }

    /// Keeps the segment in the scratch room.
    fn place(&mut self, sequence: u32, len: usize) {
        self.advance(sequence + 1);
        if self.slots.is_data(sequence) {
            self.slots.hold_scratch(sequence, 0, len, false);
        } else {
            let count = u32::from(self.slots.scratch()[0]);
            self.slots.hold_scratch(sequence, 1, len, true);
            let start = self.slots.block_start(sequence);
            for at in start + count..self.slots.parity_start(sequence) {
                if self.slots.state(at) == State::Missing {
                    self.slots.set_state(at, State::Void);
                }
            }
        }
        let start = self.slots.block_start(sequence);
        self.stats.recovered_segments += u64::from(self.slots.recover(start));
    }

    /// The packet that begins at `first`, if it is whole and not surfaced yet.
    fn run(&self, first: u32) -> Option<Run> {
        let is_ready = |at: u32| self.slots.is_data(at) && self.slots.state(at) == State::Held;
        if !is_ready(first) {
            return None;
        }
        let head = self.slots.segment(first);
        let flags = *head.first()?;
        if flags & FIRST == 0 {
            return None;
        }
        let number_len = usize::from(flags & NUMBER_LEN);
        let mut number = [0; 4];
        number
            .get_mut(..number_len)?
            .copy_from_slice(head.get(1..=number_len)?);
        let number = PacketNumber::new(u32::from_le_bytes(number));
        for last in first..self.end {
            if !self.slots.is_data(last) || self.slots.state(last) == State::Void {
                continue;
            }
            let flags = self.slots.segment(last).first().copied().unwrap_or(FIRST);
            if !is_ready(last) || last > first && flags & FIRST != 0 {
                return None;
            }
            if flags & LAST != 0 {
                return Some(Run {
                    first,
                    last,
                    number,
                    number_len,
                });
            }
        }
        None
    }

    fn surfaced(&mut self, run: Run) {
        for at in run.first..=run.last {
            if self.slots.is_data(at) && self.slots.state(at) == State::Held {
                self.slots.set_state(at, State::Marked);
            }
        }
    }

    /// Writes the next packet that is whole into `packet` and gives its number and length. The same one comes again
    /// until it is accepted.
    pub fn recv(&mut self, packet: &mut [u8]) -> Option<(PacketNumber, usize)> {
        for first in self.start..self.end {
            let Some(run) = self.run(first) else { continue };
            if self.accepted.contains(run.number) {
                self.stats.duplicate_packets += 1;
                self.surfaced(run);
            } else if let Some(len) = self.assemble(run, packet) {
                return Some((run.number, len));
            } else {
                self.stats.oversized_packets += 1;
                self.surfaced(run);
            }
        }
        None
    }

    fn assemble(&self, run: Run, packet: &mut [u8]) -> Option<usize> {
        let mut len = 0;
        for at in (run.first..=run.last).filter(|at| self.slots.is_data(*at)) {
            let skip = if at == run.first {
                1 + run.number_len
            } else {
                1
            };
            let part = self.slots.segment(at).get(skip..).unwrap_or(&[]);
            packet.get_mut(len..len + part.len())?.copy_from_slice(part);
            len += part.len();
        }
        Some(len)
    }

    /// What to store together with packet `number`, in one transaction.
    pub fn resume_with(&self, number: PacketNumber) -> GroupResume {
        let mut accepted = self.accepted;
        accepted.record(number);
        // Void places and parity hold up nothing.
        let open = |at: &u32| {
            let state = self.slots.state(*at);
            let whose = |first: u32| self.run(first).map(|run| run.number);
            let ours = state == State::Held && whose(*at) == Some(number);
            self.slots.is_data(*at) && matches!(state, State::Missing | State::Held) && !ours
        };
        let from = (self.start..self.end).find(open).unwrap_or(self.end);
        GroupResume {
            epoch: self.epoch,
            from: u16::try_from(from).unwrap_or(u16::MAX),
            accepted,
        }
    }

    /// The application stored packet `number` durably; it does not surface again.
    pub fn accept(&mut self, number: PacketNumber) {
        let runs = |at: &u32| self.run(*at).is_some_and(|run| run.number == number);
        let run = (self.start..self.end)
            .find(runs)
            .and_then(|at| self.run(at));
        let Some(run) = run else { return };
        self.surfaced(run);
        if !self.accepted.contains(number) {
            self.stats.packets_received += 1;
            self.stats.passed_numbers += u64::from(self.accepted.record(number));
        }
    }

    /// Whether segments are missing that can still be asked for.
    pub fn is_lacking(&self) -> bool {
        !self.config.receive_only && self.wanted().next().is_some()
    }

    /// The segments worth asking for: of each block as many as parity at hand cannot give back.
    fn wanted(&self) -> impl Iterator<Item = u32> {
        (self.start..self.end).filter(|at| {
            let state = |at: u32| self.slots.state(at);
            let block = self.slots.block_start(*at);
            let parity = self.slots.parity_start(*at)..block + self.slots.block();
            let spare = parity.filter(|at| state(*at) == State::Held).count();
            let after = (at + 1..self.slots.parity_start(*at).min(self.end))
                .filter(|at| state(*at) == State::Missing)
                .count();
            self.slots.is_data(*at)
                && state(*at) == State::Missing
                && self.slots.note(*at) < ASKS_MAX
                && after >= spare
        })
    }

    /// Writes a repair request: epoch (low byte), the first segment missing (2 bytes), a bitmap of those after it. It
    /// is to reach the sender as a packet of the station's own link, which vouches for it. `None` if nothing is
    /// missing or all of it was asked for in vain 16 times, if the station never transmits, or `out` has not 3 bytes.
    pub fn request(&mut self, out: &mut [u8]) -> Option<usize> {
        if self.config.receive_only {
            return None;
        }
        let first = self.wanted().next()?;
        let room = out.len().min(GROUP_REQUEST_MAX);
        let out = out.get_mut(..room)?;
        let (head, bitmap) = out.split_at_mut_checked(3)?;
        head.copy_from_slice(&header(self.config.group, self.epoch, first)[1..]);
        bitmap.fill(0);
        let mut len = 3;
        for at in self.wanted().skip(1) {
            let bit = (at - first - 1) as usize;
            if let Some(octet) = bitmap.get_mut(bit / 8) {
                *octet |= 1 << (bit % 8);
                len = 4 + bit / 8;
            }
        }
        let asked = |at: u32| {
            let bit = (at.wrapping_sub(first).wrapping_sub(1)) as usize;
            at == first
                || bitmap
                    .get(bit / 8)
                    .is_some_and(|octet| octet >> (bit % 8) & 1 == 1)
        };
        for at in (first..self.end).filter(|at| asked(*at)) {
            let asks = self.slots.note(at);
            self.slots.set_note(at, asks + 1);
        }
        self.stats.requests += 1;
        Some(len)
    }
}

/// Whether a data segment of `len` bytes may begin like this.
fn is_head(head: u8, len: usize) -> bool {
    let number_len = head & NUMBER_LEN;
    let reserved = head & !(FIRST | LAST | NUMBER_LEN);
    reserved == 0
        && number_len <= 4
        && (number_len == 0 || head & FIRST != 0)
        && usize::from(number_len) < len
}

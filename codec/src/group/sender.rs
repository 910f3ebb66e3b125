//! The station that speaks to a group. Refuses to decide when: it has frames as long as the caller takes them.

use core::fmt;

use crate::link::{PacketNumber, Side};
use crate::seal::Seal;

use super::slots::{Slots, State};
use super::{FIRST, GROUP_HEADER_LEN, GROUP_REQUEST_MAX, LAST, SEQUENCES, header, nonce};
use super::{GroupConfig, GroupError};

/// Counters of a sender.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct GroupSenderStats {
    /// Frames written.
    pub frames_sent: u64,
    /// Bytes of them, all included.
    pub bytes_sent: u64,
    /// Of them, frames of parity.
    pub parity_frames_sent: u64,
    /// Of them, frames sent before.
    pub frames_repeated: u64,
    /// Requests taken.
    pub requests: u64,
    /// Requests dropped: not of the known form, or of another epoch.
    pub refused_requests: u64,
    /// Segments asked for that were never sent or are no longer here.
    pub absent_segments: u64,
}

/// Why a packet was not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum GroupPushError {
    /// It needs more than half of the window.
    TooLong,
    /// Earlier packets are not sent yet: take frames first.
    Full,
    /// The epoch has no sequence numbers left: [`GroupSender::renew`].
    Exhausted,
}

impl fmt::Display for GroupPushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "packet too long for the group's window",
            Self::Full => "group has packets to send first",
            Self::Exhausted => "group epoch is used up",
        })
    }
}

impl core::error::Error for GroupPushError {}

/// The sending end of a group. `B` is the storage for the segments of the window, [`GroupConfig::storage_len`] bytes.
///
/// `push` packets, then take frames by `poll_transmit` until `None`; when nothing more is to come for a while, `flush`,
/// or without parity `repeat_last`, so that a loss at the end is noticed. Hand requests to `handle_request` as they
/// come and take frames again once all who wanted to have asked. It never waits for anybody: the window is how long a
/// segment can be asked for, so leave time for requests before more than a window of segments has gone out.
#[derive(Debug)]
pub struct GroupSender<B> {
    config: GroupConfig,
    seal: Seal,
    epoch: u32,
    /// The next sequence number to give.
    next: u32,
    /// The next to send for the first time.
    sent: u32,
    slots: Slots<B>,
    stats: GroupSenderStats,
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> GroupSender<B> {
    /// A sender in a run of its own: `epoch` is from 1 up, was never used before with this secret, and is stored first.
    ///
    /// # Errors
    /// The configuration is out of range, or the storage too small.
    pub fn new(config: GroupConfig, epoch: u32, storage: B) -> Result<Self, GroupError> {
        if !config.is_sound() || epoch == 0 {
            return Err(GroupError::OutOfRange);
        }
        Ok(Self {
            seal: config.seal(Side::A),
            slots: Slots::new(&config, storage).ok_or(GroupError::StorageTooSmall)?,
            config,
            epoch,
            next: 0,
            sent: 0,
            stats: GroupSenderStats::default(),
        })
    }

    /// Begins a later epoch, stored first. What was not sent is forgotten: push it again. False, and nothing is done,
    /// unless `epoch` is above the one in use.
    pub fn renew(&mut self, epoch: u32) -> bool {
        let later = epoch > self.epoch;
        if later {
            (self.epoch, self.next, self.sent) = (epoch, 0, 0);
            self.slots.clear();
        }
        later
    }

    /// Everything counted so far.
    pub const fn stats(&self) -> GroupSenderStats {
        self.stats
    }

    /// Takes a packet. `number` is durable and above all earlier ones: a packet pushed again, after a restart or
    /// because somebody came late, keeps its own, and receivers that have it drop it.
    ///
    /// # Errors
    /// Nothing was taken.
    pub fn push(&mut self, number: PacketNumber, packet: &[u8]) -> Result<(), GroupPushError> {
        let number = number.get().to_le_bytes();
        let number_len = (0..4).rev().find(|i| number[*i] != 0).map_or(0, |i| i + 1);
        let unit = self.config.segment_len() - 1;
        let segments = (number_len + packet.len()).div_ceil(unit).max(1);
        if segments > usize::from(self.config.window) / 2 {
            return Err(GroupPushError::TooLong);
        }
        // Where the block of the last segment ends: parity has room whenever it comes.
        let end = (0..segments).fold(self.next, |at, _| self.after(at));
        let end = self.slots.block_start(end + self.slots.block() - 1);
        if end > SEQUENCES {
            return Err(GroupPushError::Exhausted);
        }
        if end - self.slots.block_start(self.sent) > self.slots.count() {
            return Err(GroupPushError::Full);
        }
        let (mut rest, mut head) = (packet, &number[..number_len]);
        for i in 0..segments {
            let take = rest.len().min(unit - head.len());
            let (part, after) = rest.split_at(take);
            let flags = if i == 0 { FIRST | number_len as u8 } else { 0 }
                | if i + 1 == segments { LAST } else { 0 };
            self.slots.forget(self.next);
            let room = self.slots.hold(self.next, 1 + head.len() + take);
            room[0] = flags;
            room[1..=head.len()].copy_from_slice(head);
            room[1 + head.len()..].copy_from_slice(part);
            (rest, head) = (after, &[]);
            self.next += 1;
            if !self.slots.is_data(self.next) {
                self.close_block();
            }
        }
        Ok(())
    }

    /// The sequence number of data after `at`.
    fn after(&self, at: u32) -> u32 {
        let next = at + 1;
        if self.slots.is_data(next) {
            next
        } else {
            self.slots.block_start(next) + self.slots.block()
        }
    }

    /// Ends the block: what is left of its data is void, its parity can be sent.
    fn close_block(&mut self) {
        let end = self.slots.block_start(self.next) + self.slots.block();
        let data = self.slots.place(self.next).to_le_bytes()[0];
        while self.next < end {
            self.slots.forget(self.next);
            let parity = !self.slots.is_data(self.next);
            let state = if parity { State::Held } else { State::Void };
            self.slots.set_state(self.next, state);
            self.slots.set_note(self.next, data);
            self.next += 1;
        }
    }

    /// Nothing more comes for a while: sends the parity of the block begun, if the group has parity.
    pub fn flush(&mut self) {
        if self.config.parity > 0 && self.slots.place(self.next) != 0 {
            self.close_block();
        }
    }

    /// Sends the last segment again, so that whoever missed it or any before it comes to know. False if there is none.
    pub fn repeat_last(&mut self) -> bool {
        let oldest = self.oldest();
        let held = |at: &u32| self.slots.state(*at) != State::Void;
        let last = (oldest..self.sent).rev().find(held);
        if let Some(last) = last {
            self.slots.set_state(last, State::Marked);
        }
        last.is_some()
    }

    /// The oldest segment still here whose block is whole.
    fn oldest(&self) -> u32 {
        let low = self.next.saturating_sub(self.slots.count());
        self.slots.block_start(low + self.slots.block() - 1)
    }

    /// Takes a repair request, which came from a member by its own link. What it names is sent again once, however
    /// many ask before it is. False if it was refused.
    pub fn handle_request(&mut self, request: &[u8]) -> bool {
        let (head, bitmap) = match request {
            [epoch, low, high, bitmap @ ..]
                if *epoch == self.epoch.to_le_bytes()[0] && request.len() <= GROUP_REQUEST_MAX =>
            {
                (u16::from_le_bytes([*low, *high]), bitmap)
            }
            _ => {
                self.stats.refused_requests += 1;
                return false;
            }
        };
        self.stats.requests += 1;
        self.queue(head.into());
        for (i, octet) in (0u32..).zip(bitmap) {
            for bit in (0..8).filter(|bit| octet >> bit & 1 == 1) {
                self.queue(u32::from(head) + 1 + 8 * i + bit);
            }
        }
        true
    }

    fn queue(&mut self, sequence: u32) {
        if sequence >= self.sent || sequence < self.oldest() {
            self.stats.absent_segments += 1;
        } else if self.slots.state(sequence) == State::Void {
            // The asker does not know that the block ended early: parity says so.
            let parity = self.slots.parity_start(sequence);
            if parity < self.sent {
                self.slots.set_state(parity, State::Marked);
            }
        } else {
            self.slots.set_state(sequence, State::Marked);
        }
    }

    /// Whether there is nothing to send.
    pub fn is_idle(&self) -> bool {
        self.sent == self.next && self.repair().is_none()
    }

    fn repair(&self) -> Option<u32> {
        (self.oldest()..self.sent).find(|at| self.slots.state(*at) == State::Marked)
    }

    /// Writes the next frame, repairs first. Gives its length; `None` if there is none, or `frame` is shorter than the
    /// MTU. A frame never sent is to the group a lost one.
    pub fn poll_transmit(&mut self, frame: &mut [u8]) -> Option<usize> {
        if frame.len() < self.config.mtu.into() {
            return None;
        }
        let repair = self.repair();
        if let Some(sequence) = repair {
            self.slots.set_state(sequence, State::Held);
            self.stats.frames_repeated += 1;
            return self.emit(sequence, frame);
        }
        while self.sent < self.next {
            let sequence = self.sent;
            self.sent += 1;
            if self.slots.state(sequence) != State::Void {
                return self.emit(sequence, frame);
            }
        }
        None
    }

    fn emit(&mut self, sequence: u32, frame: &mut [u8]) -> Option<usize> {
        let (head, body) = frame.split_at_mut_checked(GROUP_HEADER_LEN)?;
        head.copy_from_slice(&header(self.config.group, self.epoch, sequence));
        let body_len = if self.slots.is_data(sequence) {
            let segment = self.slots.segment(sequence);
            body.get_mut(..segment.len())?.copy_from_slice(segment);
            segment.len()
        } else {
            let (count, row) = body.split_first_mut()?;
            *count = self.slots.note(sequence);
            self.stats.parity_frames_sent += 1;
            1 + self.slots.parity(sequence, row)?
        };
        let nonce = nonce(self.epoch, sequence);
        let len = GROUP_HEADER_LEN + body_len;
        let len = self.seal.seal(&nonce, frame, GROUP_HEADER_LEN, len)?;
        self.stats.frames_sent += 1;
        self.stats.bytes_sent += len as u64;
        Some(len)
    }
}

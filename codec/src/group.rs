//! Packets to a whole group in one transmission. Refuses sockets, clocks and allocation, and turns: when to send and
//! when to ask is the caller's decision, as a shared channel has it.
//!
//! One station sends, the [`GroupSender`]. Every other has a [`GroupReceiver`]; who may transmit asks for the segments
//! it misses, by [`GroupReceiver::request`], and the sender repeats them once for all who asked. Who may not lives on
//! parity: after every `data` segments come `parity` more, and any `data` of them all give back the rest.
//!
//! A segment has one sequence number and never changes, so its frame, however often it is sent, is always the same:
//! the nonce is the sender's epoch and the sequence number, and none seals two texts. Packets surface as they become
//! complete, each once, in no promised order; what a receiver has no longer room to wait for is counted and given up.
//!
//! All members share one secret: any of them could speak as the sender. Give each group its own secret, and no group
//! the secret of a link.

mod accepted;
mod field;
mod receiver;
mod sender;
mod slots;

pub use accepted::GroupAccepted;
pub use receiver::{GroupReceiver, GroupReceiverStats, GroupResume};
pub use sender::{GroupPushError, GroupSender, GroupSenderStats};

use crate::link::{MTU_MAX, Side};
use crate::seal::{Nonce, Purpose, Seal, Secret};

use field::ROWS_MAX;
use slots::{ROW_HEAD_LEN, SLOT_HEAD_LEN};

/// Bytes of a group frame in clear: group, epoch, sequence number.
pub const GROUP_HEADER_LEN: usize = 4;
/// Longest repair request in bytes.
pub const GROUP_REQUEST_MAX: usize = 3 + 32;
/// Segments of one epoch; then the sender needs another.
const SEQUENCES: u32 = 1 << 16;
/// First byte of a data segment: it begins a packet.
const FIRST: u8 = 0x80;
/// It ends a packet.
const LAST: u8 = 0x40;
/// Bytes of the packet's number that follow.
const NUMBER_LEN: u8 = 0x07;

/// What all members of a group agree on beforehand.
#[derive(Clone, Debug)]
pub struct GroupConfig {
    /// Address of the group among the stations of the channel.
    pub group: u8,
    /// The group's own secret.
    pub secret: Secret,
    /// Bytes of the tag: 4, 6, 8, 10, 12, 14 or 16.
    pub tag_len: u8,
    /// Nothing hidden, everything authenticated (profile `amateur`).
    pub clear: bool,
    /// Longest frame in bytes, at most 2048.
    pub mtu: u16,
    /// Data segments of a block, at least 1; with `parity` at most 32.
    pub data: u8,
    /// Parity segments of a block; 0 if every member can ask for repair.
    pub parity: u8,
    /// Segments each end keeps, at least two blocks, at most 256. No packet is longer than half of them.
    pub window: u16,
    /// This receiver never transmits: it makes no requests. The sender ignores it.
    pub receive_only: bool,
}

impl GroupConfig {
    /// A group whose members can all ask for repair: 8-byte tag, sealed, no parity, a window of 64.
    pub const fn new(group: u8, secret: Secret, mtu: u16) -> Self {
        Self {
            group,
            secret,
            tag_len: 8,
            clear: false,
            mtu,
            data: 8,
            parity: 0,
            window: 64,
            receive_only: false,
        }
    }

    /// Bytes of storage an end needs.
    pub const fn storage_len(&self) -> usize {
        self.window as usize * (SLOT_HEAD_LEN + ROW_HEAD_LEN + self.segment_len())
            + self.mtu as usize
    }

    /// Longest data segment in bytes, its head included. A parity segment is 3 bytes longer and fits a frame too.
    const fn segment_len(&self) -> usize {
        let parity_head = if self.parity > 0 { 1 + ROW_HEAD_LEN } else { 0 };
        (self.mtu as usize).saturating_sub(GROUP_HEADER_LEN + self.tag_len as usize + parity_head)
    }

    fn is_sound(&self) -> bool {
        let block = u16::from(self.data) + u16::from(self.parity);
        Seal::is_tag_len(self.tag_len)
            && self.data > 0
            && usize::from(block) <= ROWS_MAX
            && (2 * block..=256).contains(&self.window)
            && self.mtu <= MTU_MAX
            && self.segment_len() > 1 + size_of::<u32>()
    }

    fn seal(&self, side: Side) -> Seal {
        Seal::new(&self.secret, Purpose::Group, side, self.tag_len, self.clear)
    }
}

/// Why an end of a group cannot be made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum GroupError {
    /// Tag length, MTU, block or window out of range.
    OutOfRange,
    /// The storage is shorter than [`GroupConfig::storage_len`].
    StorageTooSmall,
}

impl core::fmt::Display for GroupError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::OutOfRange => "group configuration out of range",
            Self::StorageTooSmall => "storage of the group too small",
        })
    }
}

impl core::error::Error for GroupError {}

/// The nonce of a segment.
fn nonce(epoch: u32, sequence: u32) -> Nonce {
    Nonce {
        sender_epoch: epoch,
        receiver_epoch: 0,
        counter: sequence,
    }
}

/// The header of a frame.
fn header(group: u8, epoch: u32, sequence: u32) -> [u8; GROUP_HEADER_LEN] {
    let [low, high, ..] = sequence.to_le_bytes();
    [group, epoch.to_le_bytes()[0], low, high]
}

#[cfg(test)]
mod tests;

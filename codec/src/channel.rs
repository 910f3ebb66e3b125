//! What the link must know of the channel under it. Refuses to drive a modem.

use crate::link::{MTU_MAX, MTU_MIN};

/// A modem and the air behind it, as numbers. They may change while the link runs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Channel {
    /// Longest frame in bytes, 14 to 2048.
    pub mtu: u16,
    /// Bits per second on the air.
    pub bit_rate: u32,
    /// Receive to transmit and back, in milliseconds: key-up to first bit heard at the far end.
    pub turnaround_ms: u32,
    /// Preamble and tail of each frame, in milliseconds.
    pub preamble_ms: u32,
    /// Delay of the interleaver, one way, in milliseconds.
    pub interleaver_ms: u32,
    /// Both ends can send at once.
    pub full_duplex: bool,
    /// The modem itself repeats what is lost, in order (ARQ modems, TCP): custody mode.
    pub reliable: bool,
    /// More than two stations: every frame starts with the address of the station that is not the base.
    pub station: Option<u8>,
}

impl Channel {
    /// A half-duplex radio channel between two stations.
    pub const fn radio(mtu: u16, bit_rate: u32, turnaround_ms: u32) -> Self {
        Self {
            mtu,
            bit_rate,
            turnaround_ms,
            preamble_ms: 0,
            interleaver_ms: 0,
            full_duplex: false,
            reliable: false,
            station: None,
        }
    }

    /// A reliable modem or connection: only custody is confirmed.
    pub const fn custody(mtu: u16, bit_rate: u32) -> Self {
        Self {
            full_duplex: true,
            reliable: true,
            ..Self::radio(mtu, bit_rate, 0)
        }
    }

    /// Milliseconds a frame of `len` bytes, 2^16 at most, occupies the air.
    pub fn airtime_ms(&self, len: usize) -> u64 {
        self.frame_ms(len).into()
    }

    /// The same, as a link reckons.
    #[inline(never)]
    pub(crate) fn frame_ms(&self, len: usize) -> u32 {
        let bits = len.min(1 << 16) as u32 * 8;
        let rest = (bits * 1000).div_ceil(self.bit_rate.max(1));
        self.preamble_ms.saturating_add(rest)
    }

    /// From now on frames are no longer than a link's, and no delay is above an hour, so that sums are numbers too.
    #[inline(never)]
    pub(crate) fn bound(&mut self) {
        const MOST_MS: u32 = 60 * 60 * 1000;
        self.mtu = self.mtu.clamp(MTU_MIN, MTU_MAX);
        self.turnaround_ms = self.turnaround_ms.min(MOST_MS);
        self.preamble_ms = self.preamble_ms.min(MOST_MS);
        self.interleaver_ms = self.interleaver_ms.min(MOST_MS);
    }

    /// From the end of a frame to the start of the answer at the earliest, both as seen by one end.
    pub(crate) fn gap_ms(&self) -> u32 {
        2 * (self.turnaround_ms + self.interleaver_ms) + self.preamble_ms
    }

    /// Time after which a turn should give the peer a chance, when nothing else is configured.
    pub(crate) fn turn_ms(&self) -> u32 {
        let overhead = self.gap_ms() + self.preamble_ms + self.frame_ms(14);
        (20 * overhead)
            .max(8 * self.frame_ms(self.mtu.into()))
            .clamp(2_000, 127_000)
    }
}

//! Counters. Refuses rates and averages: readers take differences.

/// Everything sent, received and dropped since the link was made.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct LinkStats {
    /// Frames handed to the modem.
    pub frames_sent: u64,
    /// Bytes of them, all included.
    pub bytes_sent: u64,
    /// Of them, frames without a packet: acknowledgements, probes, notices.
    pub control_frames_sent: u64,
    /// Frames that carried something sent before.
    pub frames_repeated: u64,
    /// Packets confirmed by the peer.
    pub packets_delivered: u64,
    /// Packets cancelled and confirmed void.
    pub packets_abandoned: u64,
    /// Good frames received.
    pub frames_received: u64,
    /// Bytes of them.
    pub bytes_received: u64,
    /// Packets handed to the application.
    pub packets_received: u64,
    /// Frames dropped: too short or not of a known form.
    pub malformed_frames: u64,
    /// Frames dropped: the tag does not fit (noise, wrong key, forgery).
    pub forged_frames: u64,
    /// Frames dropped: counter seen before, or so late that it counts as lost.
    pub replayed_frames: u64,
    /// Frames dropped: from an earlier run of the peer.
    pub stale_frames: u64,
    /// Frames for another station.
    pub foreign_frames: u64,
    /// Pieces dropped: the packet was accepted already.
    pub duplicate_pieces: u64,
    /// Pieces dropped: no room to keep them.
    pub unstored_pieces: u64,
    /// Times the answer did not come.
    pub reply_timeouts: u64,
    /// Times the peer's turn ended in silence.
    pub silent_turns: u64,
}

/// Counts. A function of its own: counters have 64 bits, registers of a board 32.
#[inline(never)]
pub(super) fn count(counter: &mut u64, more: u32) {
    *counter += u64::from(more);
}

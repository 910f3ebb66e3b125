//! Counters. Refuses rates and averages: readers take differences, which wrap around as the counters do.

/// Everything sent, received and dropped since the link was made.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct LinkStats {
    /// Frames handed to the modem.
    pub frames_sent: u32,
    /// Bytes of them, all included.
    pub bytes_sent: u32,
    /// Of them, frames without a packet: acknowledgements, probes, notices.
    pub control_frames_sent: u32,
    /// Frames that carried something sent before.
    pub frames_repeated: u32,
    /// Packets confirmed by the peer.
    pub packets_delivered: u32,
    /// Packets cancelled and confirmed void.
    pub packets_abandoned: u32,
    /// Good frames received.
    pub frames_received: u32,
    /// Bytes of them.
    pub bytes_received: u32,
    /// Packets handed to the application.
    pub packets_received: u32,
    /// Frames dropped: too short or not of a known form.
    pub malformed_frames: u32,
    /// Frames dropped: the tag does not fit (noise, wrong key, forgery).
    pub forged_frames: u32,
    /// Frames dropped: counter seen before, or so late that it counts as lost.
    pub replayed_frames: u32,
    /// Frames dropped: from an earlier run of the peer.
    pub stale_frames: u32,
    /// Frames for another station.
    pub foreign_frames: u32,
    /// Pieces dropped: the packet was accepted already.
    pub duplicate_pieces: u32,
    /// Pieces dropped: no room to keep them.
    pub unstored_pieces: u32,
    /// Times the answer did not come.
    pub reply_timeouts: u32,
    /// Times the peer's turn ended in silence.
    pub silent_turns: u32,
}

/// Counts.
pub(super) fn count(counter: &mut u32, more: u32) {
    *counter = counter.wrapping_add(more);
}

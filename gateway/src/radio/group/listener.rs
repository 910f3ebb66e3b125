//! A station that listens. Refuses to interrupt: it asks for what it misses, and says what it has, when the speaker has
//! paused.

use longwire_codec::group::{GROUP_REQUEST_MAX, GroupAccepted, GroupConfig, GroupReceiver};
use longwire_codec::time::Instant;

use super::{GroupEndError, PACKET_MAX, Packing};
use crate::gateway::{Gateway, GatewayError};

/// Frames without one of the group after which its speaker has paused.
const PAUSE_FRAMES: u64 = 2;
/// Frames after which it says what it has, if nothing more comes: what is said meanwhile is confirmed with it.
const CONFIRM_FRAMES: u64 = 48;
/// Frames between two stations that would speak at the same time, by their addresses.
const SPREAD_FRAMES: u64 = 3;
/// Addresses told apart by it.
const SPREAD: u64 = 16;
/// Frames after which it asks again; doubled each time.
const ASK_FRAMES: u64 = 16;
/// Frames for which the room waits for a missing message, so that it hears all in order.
const GAP_FRAMES: u64 = 384;
/// Longest pause between two requests, doublings.
const ASK_DOUBLINGS: u32 = 2;

/// See the module.
#[derive(Debug)]
pub(super) struct Listener {
    group: usize,
    receiver: GroupReceiver<Vec<u8>>,
    /// What is stored.
    accepted: GroupAccepted,
    frame_ms: u64,
    /// Frames it waits longer than others.
    spread: u64,
    /// When it speaks.
    report_at: Option<Instant>,
    /// When the room waits no longer for a missing message.
    gap_until: Option<Instant>,
    /// Requests since something came.
    asked: u32,
    packet: Vec<u8>,
}

impl Listener {
    pub(super) fn new(
        group: usize,
        agreement: GroupConfig,
        frame_ms: u64,
        station: u8,
        gateway: &Gateway,
    ) -> Result<Self, GroupEndError> {
        let name = &gateway.groups()[group].rules.name;
        let resume = gateway
            .store()
            .group_resume(name)
            .map_err(GatewayError::from)?;
        let storage = vec![0; agreement.storage_len()];
        let receiver = GroupReceiver::new(agreement, resume, storage);
        Ok(Self {
            group,
            receiver: receiver.map_err(GroupEndError::Group)?,
            accepted: resume.accepted,
            frame_ms,
            spread: u64::from(station) % SPREAD * SPREAD_FRAMES,
            report_at: None,
            gap_until: None,
            asked: 0,
            packet: vec![0; PACKET_MAX],
        })
    }

    /// `true` if the frame opens, or was here before.
    pub(super) fn handle_frame(&mut self, now: Instant, frame: &[u8]) -> bool {
        let before = self.receiver.stats();
        self.receiver.handle_frame(frame);
        let after = self.receiver.stats();
        let is_new = after.frames_received > before.frames_received;
        let is_old = after.replayed_frames > before.replayed_frames;
        if !is_new && !is_old {
            return false;
        }
        if is_new {
            self.asked = 0;
        }
        // A frame that comes again says that the speaker does not know what is here.
        let frames = if is_old || self.receiver.is_lacking() {
            PAUSE_FRAMES
        } else {
            CONFIRM_FRAMES
        };
        let soon = now + PAUSE_FRAMES * self.frame_ms;
        let at = now + (frames + self.spread) * self.frame_ms;
        // Further frames put it off only while they come.
        let earlier = self.report_at.map_or(at, |it| it.max(soon));
        self.report_at = Some(earlier.min(at));
        true
    }

    pub(super) fn settle(
        &mut self,
        gateway: &mut Gateway,
        coding: &Packing,
        now: Instant,
    ) -> Result<(), GatewayError> {
        let mut heard = false;
        while let Some((number, len)) = self.receiver.recv(&mut self.packet) {
            let said = coding.decode(&self.packet[..len]);
            let resume = self.receiver.resume_with(number);
            gateway
                .batch(|gateway| gateway.handle_said(self.group, number.get(), said, &resume))?;
            self.receiver.accept(number);
            self.accepted = resume.accepted;
            heard = true;
        }
        if heard || self.gap_until.is_some_and(|until| now >= until) {
            let until = self.gap_until.unwrap_or(now + GAP_FRAMES * self.frame_ms);
            let over_gaps = now >= until || !self.receiver.is_lacking();
            let waits = gateway.batch(|gateway| gateway.tell_in_order(self.group, over_gaps))?;
            self.gap_until = waits.then_some(until);
        }
        if self.report_at.is_none_or(|at| now < at) {
            return Ok(());
        }
        let mut request = [0; GROUP_REQUEST_MAX];
        let len = self.receiver.request(&mut request).unwrap_or(0);
        let accepted = self.accepted;
        gateway.batch(|gateway| gateway.report(self.group, &request[..len], &accepted))?;
        self.report_at = (len > 0).then(|| {
            let doubled = self.asked.min(ASK_DOUBLINGS);
            now + ((ASK_FRAMES * self.frame_ms) << doubled)
        });
        self.asked = self.asked.saturating_add(1);
        Ok(())
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.report_at.into_iter().chain(self.gap_until).min()
    }
}

//! The station that speaks. Refuses to wait for anybody: a member that says it lacks something is sent it again, one that
//! says nothing hears the last frame again, each time after a longer pause.

use std::collections::BTreeSet;

use longwire_codec::group::{GroupConfig, GroupPushError, GroupSender};
use longwire_codec::link::PacketNumber;
use longwire_codec::time::Instant;
use tracing::{error, info};

use super::{GroupEndError, Packing};
use crate::gateway::{Gateway, GatewayError};

/// Frames in which every member has said what it has.
const PATIENCE_FRAMES: u64 = 160;
/// Longest pause between two attempts.
const PATIENCE_MAX_MS: u64 = 3_600_000;
/// After so many attempts only members that are heard are tried for.
const ATTEMPTS_MAX: u32 = 10;

/// Octets of frames that the account of airtime waits for.
const ACCOUNT_OCTETS: u64 = 1024;

/// See the module.
#[derive(Debug)]
pub(super) struct Speaker {
    group: usize,
    sender: GroupSender<Vec<u8>>,
    /// The lowest number not pushed in this run.
    next: u32,
    /// Numbers to push again.
    again: BTreeSet<u32>,
    frame_ms: u64,
    attempts: u32,
    /// When members that said nothing are tried again.
    check_at: Option<Instant>,
    /// Octets and milliseconds not in the account yet.
    spent: (u64, u64),
    /// When something was last handed to the group, Unix ms.
    sent_ms: i64,
}

impl Speaker {
    pub(super) fn new(
        group: usize,
        agreement: GroupConfig,
        frame_ms: u64,
        gateway: &mut Gateway,
    ) -> Result<Self, GroupEndError> {
        let epoch = gateway.batch(|gateway| gateway.start_group(group))?;
        let storage = vec![0; agreement.storage_len()];
        let sender = GroupSender::new(agreement, epoch, storage).map_err(GroupEndError::Group)?;
        let of = &gateway.groups()[group];
        Ok(Self {
            group,
            sender,
            next: of.next,
            // What an earlier run did not bring to everybody.
            again: of.members.iter().flat_map(|it| of.lacking(it)).collect(),
            frame_ms,
            attempts: 0,
            check_at: None,
            spent: (0, 0),
            sent_ms: 0,
        })
    }

    pub(super) fn settle(
        &mut self,
        gateway: &mut Gateway,
        coding: &Packing,
        now: Instant,
    ) -> Result<(), GatewayError> {
        for request in std::mem::take(&mut gateway.group_mut(self.group).requests) {
            self.sender.handle_request(&request);
        }
        self.push(gateway, coding)?;
        // Small sums wait, or every frame would cost a write.
        if self.spent.0 > ACCOUNT_OCTETS {
            let (octets, airtime_ms) = std::mem::take(&mut self.spent);
            gateway.batch(|gateway| gateway.spend_on_group(self.group, octets, airtime_ms))?;
        }
        if self.sender.is_idle() {
            self.check(gateway, now);
        }
        Ok(())
    }

    /// Hands over what is new, or to go again, as far as there is room.
    fn push(&mut self, gateway: &mut Gateway, coding: &Packing) -> Result<(), GatewayError> {
        let mut pushed = false;
        while let Some(number) = self.again.first().copied().or_else(|| {
            let next = gateway.groups()[self.group].next;
            (self.next < next).then_some(self.next)
        }) {
            let said = gateway.said(self.group, number)?;
            let packet = said.and_then(|it| coding.encode(&it));
            // Nothing: it cannot be sent, and nobody shall wait for it.
            let packet = packet.unwrap_or_default();
            let place = PacketNumber::new(number);
            match self.sender.push(place, &packet) {
                Ok(()) => {}
                Err(GroupPushError::TooLong) => {
                    error!(
                        number,
                        "a message is too long for the group and is left out"
                    );
                    if self.sender.push(place, &[]).is_err() {
                        return Ok(());
                    }
                }
                Err(GroupPushError::Exhausted) if self.sender.is_idle() => {
                    let epoch = gateway.batch(|gateway| gateway.start_group(self.group))?;
                    info!(epoch, "the group begins another epoch");
                    self.sender.renew(epoch);
                    continue;
                }
                // Room comes as frames go.
                Err(_) => return Ok(()),
            }
            pushed = true;
            if !self.again.remove(&number) {
                (self.next, self.attempts) = (number + 1, 0);
            }
        }
        if pushed {
            self.sender.flush();
            self.sent_ms = gateway.clock().unix_ms();
        }
        Ok(())
    }

    /// Everything is sent. Does everybody have it?
    fn check(&mut self, gateway: &Gateway, now: Instant) {
        let of = &gateway.groups()[self.group];
        let tired = self.attempts >= ATTEMPTS_MAX;
        let tried = |peer: usize| !tired || gateway.peers()[peer].link.is_up;
        let lacking = of.members.iter().filter(|it| tried(it.peer));
        let lacking: Vec<_> = lacking.filter(|it| !of.lacking(it).is_empty()).collect();
        if lacking.is_empty() {
            self.check_at = None;
            return;
        }
        let patience_ms = (self.frame_ms * PATIENCE_FRAMES) << self.attempts.min(ATTEMPTS_MAX);
        let due = *self
            .check_at
            .get_or_insert(now + patience_ms.min(PATIENCE_MAX_MS));
        if now < due {
            return;
        }
        self.check_at = None;
        self.attempts = self.attempts.saturating_add(1);
        // Who spoke since and still lacks something cannot ask for it any more.
        let known = lacking
            .iter()
            .filter(|it| it.reported_ms > Some(self.sent_ms));
        self.again.extend(known.flat_map(|it| of.lacking(it)));
        if self.again.is_empty() && !self.sender.repeat_last() {
            self.again
                .extend(lacking.iter().flat_map(|it| of.lacking(it)));
        }
        self.sent_ms = gateway.clock().unix_ms();
    }

    pub(super) fn poll_transmit(&mut self, frame: &mut [u8]) -> Option<usize> {
        self.sender.poll_transmit(frame)
    }

    pub(super) fn handle_sent(&mut self, octets: u64, airtime_ms: u64) {
        self.spent.0 += octets;
        self.spent.1 += airtime_ms;
        // The pause begins with the last frame.
        self.check_at = None;
    }

    pub(super) fn poll_timeout(&self, clear: Option<Instant>) -> Option<Instant> {
        if self.sender.is_idle() && self.again.is_empty() {
            self.check_at
        } else {
            clear
        }
    }
}

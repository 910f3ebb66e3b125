//! One task per modem: it listens, lets the links to its peers speak in turn, and keeps their clocks. Refuses to know
//! stanzas; those pass between a [`Conversation`] and the gateway.

mod accord;
mod coding;
mod conversation;
mod group;
mod keyring;
mod settings;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use tokio::sync::{Notify, watch};
use tokio::time::sleep_until;
use tracing::{trace, warn};

use longwire_codec::time::Instant;

use crate::clock::Clock;
use crate::gateway::{Gateway, GatewayError};
use crate::modem::{AnyModem, FRAME_MAX, Modem};
pub(crate) use conversation::Conversation;
pub(crate) use group::GroupEnd;
pub(crate) use settings::ConversationError;

/// A usual answer on a shared channel, octets.
const ANSWER_LEN: usize = 48;

/// One modem and the peers behind it.
#[derive(Debug)]
pub(crate) struct Radio {
    modem: AnyModem,
    conversations: Vec<Conversation>,
    groups: Vec<GroupEnd>,
    /// Until then the channel is somebody else's, for who is in no conversation.
    clear_at: Instant,
    /// Somebody is heard.
    is_busy: bool,
    gateway: Rc<RefCell<Gateway>>,
    clock: Clock,
    wake: Rc<Notify>,
    /// Whether somebody is on the air: asked on shared channels, if the modem can tell.
    carrier: Option<watch::Receiver<bool>>,
    /// Shown in `status`: is the device there?
    is_open: Rc<Cell<bool>>,
    /// Which conversation had the air last.
    turn: usize,
    frame: Vec<u8>,
    heard: Vec<u8>,
}

/// What woke the task.
enum News {
    Heard(usize),
    Carrier(bool),
    Nothing,
    Stop,
}

impl Radio {
    pub(crate) fn new(
        modem: AnyModem,
        conversations: Vec<Conversation>,
        gateway: Rc<RefCell<Gateway>>,
        wake: Rc<Notify>,
    ) -> Self {
        let clock = gateway.borrow().clock();
        let is_shared = conversations.iter().any(Conversation::is_shared);
        let carrier = modem.carrier().filter(|_| is_shared);
        Self {
            modem,
            conversations,
            groups: Vec::new(),
            clear_at: clock.now(),
            is_busy: false,
            gateway,
            clock,
            wake,
            carrier,
            is_open: Rc::default(),
            turn: 0,
            frame: vec![0; FRAME_MAX],
            heard: vec![0; FRAME_MAX],
        }
    }

    /// Takes part in groups too.
    pub(crate) fn with_groups(self, groups: Vec<GroupEnd>) -> Self {
        Self { groups, ..self }
    }

    /// Whether the device is there, as it changes.
    pub(crate) fn is_open(&self) -> Rc<Cell<bool>> {
        self.is_open.clone()
    }

    /// Runs until `stop` says so, then signs off.
    ///
    /// Architecture invariant: nothing is transmitted before the batch that made it necessary is on disk.
    ///
    /// # Errors
    /// The database failed: going on would lose or repeat stanzas.
    pub(crate) async fn run(mut self, mut stop: watch::Receiver<bool>) -> Result<(), GatewayError> {
        loop {
            self.settle()?;
            if self.transmit().await {
                continue;
            }
            match self.listen(&mut stop).await {
                News::Heard(len) => self.take(len),
                News::Carrier(busy) => self.note_carrier(busy),
                News::Nothing => {}
                News::Stop => return self.sign_off().await,
            }
        }
    }

    fn settle(&mut self) -> Result<(), GatewayError> {
        let now = self.clock.now();
        let mut gateway = self.gateway.borrow_mut();
        for conversation in &mut self.conversations {
            conversation.settle(&mut gateway, now)?;
        }
        for group in &mut self.groups {
            group.settle(&mut gateway, now)?;
        }
        Ok(())
    }

    /// Sends one frame, if a link has one; the links take turns.
    async fn transmit(&mut self) -> bool {
        loop {
            let talking = self.talking();
            if talking.is_none() && self.broadcast().await || self.converse(talking).await {
                return true;
            }
            // Who was given the turn may have had nothing more to say: then it is for the others.
            if talking.is_none() || self.talking().is_some() {
                return false;
            }
        }
    }

    /// The conversation whose peer has the turn or is expected to answer: the others keep quiet.
    fn talking(&self) -> Option<usize> {
        self.conversations.iter().position(|it| !it.is_at_rest())
    }

    /// Sends one frame of a conversation.
    async fn converse(&mut self, talking: Option<usize>) -> bool {
        let now = self.clock.now();
        let count = self.conversations.len();
        for step in 0..count {
            let index = (self.turn + step) % count;
            if talking.is_some_and(|talking| talking != index) {
                continue;
            }
            let Some(transmit) = self.conversations[index].poll_transmit(now, &mut self.frame)
            else {
                continue;
            };
            trace!(octets = transmit.len, over = transmit.over, "frame out");
            self.emit(transmit.len).await;
            let now = self.clock.now();
            self.conversations[index].handle_sent(now, &transmit, &self.gateway);
            // A turn is not interrupted by another peer's.
            self.turn = if transmit.over { index + 1 } else { index };
            return true;
        }
        false
    }

    /// Sends one frame to a group, if one has any and the channel is free.
    async fn broadcast(&mut self) -> bool {
        if self.is_busy || self.clock.now() < self.clear_at {
            return false;
        }
        for index in 0..self.groups.len() {
            if let Some(len) = self.groups[index].poll_transmit(&mut self.frame) {
                trace!(octets = len, "frame out to a group");
                self.emit(len).await;
                self.groups[index].handle_sent(len, &self.gateway);
                return true;
            }
        }
        false
    }

    /// Puts the frame on the air.
    async fn emit(&mut self, len: usize) {
        let sent = self.modem.transmit(&self.frame[..len]).await;
        self.is_open.set(self.modem.is_open());
        if let Err(error) = sent {
            warn!(%error, "a frame was not sent");
            // To the link it is lost; without a pause a missing device would be a busy loop.
            sleep_until(self.clock.deadline(self.clock.now() + 1000)).await;
        }
    }

    async fn listen(&mut self, stop: &mut watch::Receiver<bool>) -> News {
        let deadline = {
            let gateway = self.gateway.borrow();
            let conversations = self.conversations.iter();
            let timeouts = conversations.filter_map(|it| it.poll_timeout(&gateway));
            // While a conversation goes on its own timers wake us.
            let is_free = !self.is_busy && self.talking().is_none();
            let clear = is_free.then_some(self.clear_at);
            let groups = self.groups.iter();
            let timeouts = timeouts.chain(groups.filter_map(|it| it.poll_timeout(clear)));
            timeouts.min().map(|at| self.clock.deadline(at))
        };
        let timer = async {
            match deadline {
                Some(deadline) => sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        let news = tokio::select! {
            heard = self.modem.receive(&mut self.heard) => match heard {
                Ok(len) => News::Heard(len),
                Err(error) => {
                    warn!(%error, "the modem does not receive");
                    News::Nothing
                }
            },
            busy = changed(&mut self.carrier) => News::Carrier(busy),
            () = timer => News::Nothing,
            () = self.wake.notified() => News::Nothing,
            _ = stop.wait_for(|stop| *stop) => News::Stop,
        };
        self.is_open.set(self.modem.is_open());
        let now = self.clock.now();
        for conversation in &mut self.conversations {
            conversation.handle_timeout(now);
        }
        news
    }

    fn take(&mut self, len: usize) {
        let now = self.clock.now();
        trace!(octets = len, "frame in");
        if self.carrier.is_some() {
            // With the frame the signal ended.
            self.note_carrier(false);
        }
        let mut known = false;
        for conversation in &mut self.conversations {
            if conversation.handle_frame(now, &mut self.heard[..len]) {
                known = true;
                self.gateway.borrow_mut().handle_heard(conversation.peer());
            }
        }
        for group in &mut self.groups {
            if group.handle_frame(now, &self.heard[..len]) {
                known = true;
                // Its speaker may go on.
                for conversation in &mut self.conversations {
                    conversation.defer(now + group.pause_ms());
                }
            }
        }
        if !known {
            // Others are talking: whoever was spoken to answers next.
            let channel = self.modem.channel();
            let answer_ms = u64::from(channel.turnaround_ms) + channel.airtime_ms(ANSWER_LEN);
            self.clear_at = now + answer_ms;
            for conversation in self.conversations.iter_mut().filter(|it| it.is_shared()) {
                conversation.defer(now + answer_ms);
            }
        }
    }

    fn note_carrier(&mut self, busy: bool) {
        let now = self.clock.now();
        self.is_busy = busy;
        for conversation in &mut self.conversations {
            conversation.handle_carrier(now, busy);
        }
    }

    /// Call signs go out once more where the law wants it.
    async fn sign_off(&mut self) -> Result<(), GatewayError> {
        let now = self.clock.now();
        for conversation in &mut self.conversations {
            conversation.close(now);
        }
        // What groups have not sent they send after the next start.
        self.groups.clear();
        // A few frames at most: call sign and acknowledgement of each link.
        for _ in 0..2 * self.conversations.len() {
            if !self.transmit().await {
                break;
            }
        }
        self.settle()
    }
}

/// Waits until somebody begins or ceases to be heard.
async fn changed(carrier: &mut Option<watch::Receiver<bool>>) -> bool {
    if let Some(carrier) = carrier
        && carrier.changed().await.is_ok()
    {
        return *carrier.borrow_and_update();
    }
    std::future::pending().await
}

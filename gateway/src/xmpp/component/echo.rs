//! Knows when the server has read what was written. XEP-0114 has no acknowledgements, but servers route a stanza that
//! a component sends to itself straight back: its return proves that everything written before was read. Refuses to
//! insist: a server that does not play along is taken at its TCP acknowledgement, that is at once.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::xml::{Element, NS_CLIENT};

const NS_PING: &str = "urn:xmpp:ping";
const ID_PREFIX: &str = "longwire-echo-";
/// How long the first echo of a connection may take before the server counts as one that has none.
const FIRST_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a server that does echo may take before the connection counts as dead.
const LATER_TIMEOUT: Duration = Duration::from_secs(60);
/// Silence after which the connection is tested.
const IDLE: Duration = Duration::from_secs(120);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Habit {
    Unknown,
    Echoes,
    Silent,
}

#[derive(Debug)]
pub(super) struct Echo {
    habit: Habit,
    /// Of the ids on this connection.
    prefix: String,
    /// Written, not proven to be read: number of the request that will prove it, and whom to tell.
    pending: VecDeque<(u64, oneshot::Sender<bool>)>,
    /// Number of the next request.
    next: u64,
    /// The request under way and when it was written.
    asked: Option<(u64, Instant)>,
    /// When the server last proved to be alive.
    alive: Instant,
}

impl Echo {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            habit: Habit::Unknown,
            prefix: format!("{ID_PREFIX}{:x}-", getrandom::u64().unwrap_or_default()),
            pending: VecDeque::new(),
            next: 1,
            asked: None,
            alive: now,
        }
    }

    /// Is this an echo, of this or another connection? Gives domain and id.
    pub(super) fn of(element: &Element) -> Option<(&str, &str)> {
        let (from, id) = (element.attr("from")?, element.attr("id")?);
        let back = element.attr("to") == Some(from) && element.name == "iq";
        (back && id.starts_with(ID_PREFIX)).then_some((from, id))
    }

    /// A stanza was written.
    pub(super) fn written(&mut self, done: oneshot::Sender<bool>) {
        match self.habit {
            Habit::Silent => {
                let _ = done.send(true);
            }
            _ => self.pending.push_back((self.next, done)),
        }
    }

    /// The request with this id came back.
    pub(super) fn heard(&mut self, id: &str, now: Instant) {
        // One of an earlier connection proves nothing.
        let Some(number) = id
            .strip_prefix(self.prefix.as_str())
            .and_then(|it| it.parse().ok())
        else {
            return;
        };
        self.habit = Habit::Echoes;
        self.alive = now;
        self.asked = self.asked.filter(|(asked, _)| *asked > number);
        self.settle(number);
    }

    fn settle(&mut self, number: u64) {
        while self
            .pending
            .front()
            .is_some_and(|(waits, _)| *waits <= number)
        {
            if let Some((_, done)) = self.pending.pop_front() {
                let _ = done.send(true);
            }
        }
    }

    /// The request to write now, if any.
    pub(super) fn request(&mut self, own: &str, now: Instant) -> Option<Element> {
        let wanted = !self.pending.is_empty() || now >= self.alive + IDLE;
        if self.asked.is_some() || self.habit == Habit::Silent || !wanted {
            return None;
        }
        let number = self.next;
        self.next += 1;
        self.asked = Some((number, now));
        let request = Element::new(NS_CLIENT, "iq")
            .with_attr("type", "get")
            .with_attr("id", format!("{}{number}", self.prefix))
            .with_attr("from", own)
            .with_attr("to", own)
            .with_child(Element::new(NS_PING, "ping"));
        Some(request)
    }

    /// When to call [`Self::expired`].
    pub(super) fn deadline(&self) -> Instant {
        match (self.asked, self.habit) {
            (Some((_, at)), Habit::Unknown) => at + FIRST_TIMEOUT,
            (Some((_, at)), _) => at + LATER_TIMEOUT,
            (None, Habit::Silent) => self.alive + Duration::from_secs(24 * 3600),
            (None, _) => self.alive + IDLE,
        }
    }

    /// The deadline passed. `false` if the connection is dead.
    pub(super) fn expired(&mut self, now: Instant) -> bool {
        match (self.asked, self.habit) {
            (Some(_), Habit::Echoes) => return false,
            (Some(_), _) => {
                self.habit = Habit::Silent;
                self.asked = None;
                self.settle(u64::MAX);
                self.alive = now;
            }
            (None, Habit::Silent) => self.alive = now,
            // `request` asks next.
            (None, _) => {}
        }
        true
    }
}

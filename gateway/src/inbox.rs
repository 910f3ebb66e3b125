//! Stanzas waiting for attachments, and the tasks that hand them over one by one. Refuses to lose order: the next one
//! goes when the last one was taken.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::sleep;

use crate::gateway::Gateway;
use crate::router::{Delivery, Service};
use crate::xml::Element;

/// Pause after an attachment could not take a stanza; it doubles up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// Stanzas taken in a row before the store hears of it: so many can be handed over twice after a crash.
const TAKEN_MAX: usize = 16;

/// The queues by service.
#[derive(Debug, Default)]
pub struct Inbox {
    queues: HashMap<Service, Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<(u64, Element)>,
    /// Taken, and not yet gone from the store.
    taken: Vec<u64>,
    news: Rc<Notify>,
}

impl Inbox {
    /// Adds a stanza; a key of 0 is one that is not durable.
    pub fn push(&mut self, service: &Service, key: u64, stanza: Element) {
        let queue = self.queues.entry(service.clone()).or_default();
        queue.waiting.push_back((key, stanza));
        queue.news.notify_one();
    }

    /// Takes out the stanza that was handed over; the keys taken since, once enough came together or nothing waits.
    pub fn pop(&mut self, service: &Service, key: u64) -> Vec<u64> {
        let Some(queue) = self.queues.get_mut(service) else {
            return Vec::new();
        };
        if queue.waiting.front().is_some_and(|(it, _)| *it == key) {
            queue.waiting.pop_front();
        }
        if key > 0 {
            queue.taken.push(key);
        }
        if queue.taken.len() >= TAKEN_MAX || queue.waiting.is_empty() {
            std::mem::take(&mut queue.taken)
        } else {
            Vec::new()
        }
    }

    /// How many stanzas wait, by service.
    pub fn waiting(&self) -> impl Iterator<Item = (&Service, usize)> {
        self.queues
            .iter()
            .map(|(service, queue)| (service, queue.waiting.len()))
    }

    pub(crate) fn front(&mut self, service: &Service) -> Result<(u64, Element), Rc<Notify>> {
        let queue = self.queues.entry(service.clone()).or_default();
        queue
            .waiting
            .front()
            .cloned()
            .ok_or_else(|| queue.news.clone())
    }
}

/// Hands stanzas to one attachment until it goes away.
pub(crate) async fn deliver(
    gateway: Rc<RefCell<Gateway>>,
    service: Service,
    deliveries: mpsc::Sender<Delivery>,
) {
    let mut pause = PAUSE_MIN;
    loop {
        let front = gateway.borrow_mut().inbox.front(&service);
        let (key, stanza) = match front {
            Ok(front) => front,
            Err(news) => {
                tokio::select! {
                    () = news.notified() => continue,
                    () = deliveries.closed() => return,
                }
            }
        };
        let (done, taken) = oneshot::channel();
        let delivery = Delivery { stanza, key, done };
        if deliveries.send(delivery).await.is_err() {
            return;
        }
        if taken.await == Ok(true) {
            gateway.borrow_mut().handle_taken(&service, key);
            pause = PAUSE_MIN;
        } else {
            sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }
}

/// Name of a service in the store.
pub(crate) fn name(service: &Service) -> String {
    match service {
        Service::Hosted(domain) => format!("h:{domain}"),
        Service::Component(domain) => format!("c:{domain}"),
    }
}

/// The inverse of [`name`].
pub(crate) fn service(name: &str) -> Service {
    match name.strip_prefix("c:") {
        Some(domain) => Service::Component(domain.into()),
        None => Service::Hosted(name.strip_prefix("h:").unwrap_or(name).into()),
    }
}

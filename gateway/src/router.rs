//! Where stanzas change hands: attachments (component streams, hosted domains) submit what their side sent and
//! receive what is for their side. Refuses to decide anything: routes, policy and custody are [`crate::gateway`]'s.

use thiserror::Error;
use tokio::sync::{mpsc, oneshot};

use crate::xml::Element;

/// Submissions that may wait for the gateway before [`Router::submit`] itself waits.
const SUBMISSIONS_MAX: usize = 256;
/// Deliveries an attachment may leave unread.
const DELIVERIES_MAX: usize = 64;

/// Which side a stanza came in from.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Origin {
    /// The component stream of this domain: a server sent it to a user of the domain.
    Component(String),
    /// A client or room of this hosted domain.
    Hosted(String),
    /// The control socket (`longwire send`).
    Control,
}

/// What an attachment takes care of.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Service {
    /// Stanzas to users of this domain, hosted here.
    Hosted(String),
    /// Stanzas from users of this domain, to be written to the server this gateway is a component of.
    Component(String),
}

impl Service {
    /// The domain.
    pub fn domain(&self) -> &str {
        match self {
            Self::Hosted(domain) | Self::Component(domain) => domain,
        }
    }
}

/// A stanza for an attachment. It stays in durable custody until `done` says `true`.
#[derive(Debug)]
pub struct Delivery {
    /// The stanza, in namespace `jabber:client`, with `from` and `to`.
    pub stanza: Element,
    /// Names this delivery across restarts, never reused; an attachment with a durable store of its own knows
    /// a repeat by it. Zero for answers of the gateway itself, which are not durable.
    pub key: u64,
    /// `true` once written to the server, handed to a client or kept for one; `false`, or dropped: try again later.
    pub done: oneshot::Sender<bool>,
}

/// Why a stanza was not taken. Nothing is stored, no error stanza will come: the attachment must not acknowledge it.
///
/// Everything that is wrong with the stanza's destination, size or kind comes back as an error stanza instead.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum Refused {
    /// The gateway is shutting down.
    #[error("the gateway is stopping")]
    Stopping,
    /// The database does not take it: disk full, or worse.
    #[error("the outbox cannot be written")]
    Storage,
    /// No valid `from` or `to`, or no stanza at all.
    #[error("not a stanza with valid from and to")]
    Malformed,
}

/// A stanza on its way in.
#[derive(Debug)]
pub struct Submission {
    /// As submitted.
    pub stanza: Element,
    /// As submitted.
    pub origin: Origin,
    /// What [`Router::submit`] resolves to.
    pub reply: oneshot::Sender<Result<(), Refused>>,
}

/// An attachment saying what it serves.
#[derive(Debug)]
pub struct Attachment {
    /// What it serves.
    pub service: Service,
    /// Where its stanzas go.
    pub deliveries: mpsc::Sender<Delivery>,
}

/// The gateway's ends of a [`Router`]'s channels; tests of an attachment hold them in its place.
#[derive(Debug)]
pub struct Inlets {
    /// Stanzas from attachments, in order.
    pub submissions: mpsc::Receiver<Submission>,
    /// Attachments as they register.
    pub attachments: mpsc::UnboundedReceiver<Attachment>,
}

/// A handle on the gateway for attachments; cheap to clone.
#[derive(Clone, Debug)]
pub struct Router {
    submissions: mpsc::Sender<Submission>,
    attachments: mpsc::UnboundedSender<Attachment>,
}

impl Router {
    /// A handle, and what the gateway listens on.
    pub fn new() -> (Self, Inlets) {
        let (submissions, submitted) = mpsc::channel(SUBMISSIONS_MAX);
        let (attachments, attached) = mpsc::unbounded_channel();
        let inlets = Inlets {
            submissions: submitted,
            attachments: attached,
        };
        let router = Self {
            submissions,
            attachments,
        };
        (router, inlets)
    }

    /// Hands a stanza over. Resolves when it is in durable custody, answered, or dropped by policy: only then may
    /// the sender be told that it was handled (XEP-0198).
    ///
    /// Stanzas of one attachment are taken in the order of the calls.
    ///
    /// # Errors
    /// [`Refused`]; nothing is kept then.
    pub async fn submit(&self, stanza: Element, origin: Origin) -> Result<(), Refused> {
        let (reply, taken) = oneshot::channel();
        let submission = Submission {
            stanza,
            origin,
            reply,
        };
        self.submissions
            .send(submission)
            .await
            .map_err(|_| Refused::Stopping)?;
        taken.await.map_err(|_| Refused::Stopping)?
    }

    /// Registers an attachment; stanzas that waited for it follow at once. A second registration for the same
    /// service replaces the first; dropping the receiver ends it, and stanzas wait again.
    pub fn attach(&self, service: Service) -> mpsc::Receiver<Delivery> {
        let (deliveries, receiver) = mpsc::channel(DELIVERIES_MAX);
        // Where the gateway is gone the receiver ends at once, which is what the attachment must see.
        let _ = self.attachments.send(Attachment {
            service,
            deliveries,
        });
        receiver
    }
}

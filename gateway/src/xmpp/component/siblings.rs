//! The component domains on one server. Prosody gives each connection the stanzas of its domain; ejabberd gives the
//! stanzas of all domains of a listener to any of its connections, so what comes in on one may be for another.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;

type Ears = HashMap<String, mpsc::UnboundedSender<String>>;

/// Domains that may come in on each other's connections; cheap to clone.
#[derive(Clone, Debug)]
pub struct Siblings {
    domains: Arc<[String]>,
    ears: Arc<Mutex<Ears>>,
}

impl Siblings {
    /// All domains that this gateway has on one server.
    pub fn new(domains: impl IntoIterator<Item = String>) -> Self {
        Self {
            domains: domains.into_iter().collect(),
            ears: Arc::default(),
        }
    }

    pub(super) fn contains(&self, domain: &str) -> bool {
        self.domains.iter().any(|it| it == domain)
    }

    /// Echoes for `domain` go to `ear` from now on, whatever connection they come in on.
    pub(super) fn listen(&self, domain: &str, ear: mpsc::UnboundedSender<String>) {
        self.ears().insert(domain.into(), ear);
    }

    /// An echo came in.
    pub(super) fn tell(&self, domain: &str, id: &str) {
        if let Some(ear) = self.ears().get(domain) {
            // A connection that has just ended no longer listens.
            let _ = ear.send(id.into());
        }
    }

    fn ears(&self) -> MutexGuard<'_, Ears> {
        // Held for single map calls that do not panic.
        self.ears.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

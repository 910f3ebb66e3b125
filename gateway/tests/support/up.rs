//! A running gateway whose hosted domain the test listens at, in virtual time. Refuses to configure it.

use std::time::Duration;

use longwire::clock::Clock;
use longwire::config::Config;
use longwire::router::{Origin, Router, Service};
use longwire::run::Running;
use longwire::store::Store;
use longwire::xml::Element;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// A gateway until it is dropped: then it is cut off, and its store keeps what was durable.
pub(crate) struct Up {
    pub(crate) running: Running,
    router: Router,
    pub(crate) domain: String,
    heard: mpsc::UnboundedReceiver<Element>,
}

impl Up {
    /// Starts it, and takes what arrives for `domain`.
    pub(crate) fn start(config: Config, store: Store, domain: &str) -> Self {
        let running = Running::start(config, store, Clock::starting_at(0)).expect("it runs");
        let router = running.router();
        let mut deliveries = router.attach(Service::Hosted(domain.into()));
        let (hears, heard) = mpsc::unbounded_channel();
        tokio::task::spawn_local(async move {
            while let Some(delivery) = deliveries.recv().await {
                let _ = hears.send(delivery.stanza);
                let _ = delivery.done.send(true);
            }
        });
        Self {
            running,
            router,
            domain: domain.into(),
            heard,
        }
    }

    /// Hands in a stanza from a user of the domain; its namespace, `jabber:client`, is left out.
    pub(crate) async fn send(&self, xml: &str) {
        let stanza = Element::parse(xml.replacen(' ', " xmlns='jabber:client' ", 1)).expect("XML");
        let origin = Origin::Hosted(self.domain.clone());
        self.router.submit(stanza, origin).await.expect("custody");
    }

    /// The next stanza for the domain, if one comes in time.
    pub(crate) async fn next(&mut self, within: Duration) -> Option<Element> {
        timeout(within, self.heard.recv()).await.ok().flatten()
    }
}

/// What a message says.
pub(crate) fn body(stanza: &Element) -> String {
    let body = stanza.child("jabber:client", "body");
    body.map(Element::text).unwrap_or_default()
}

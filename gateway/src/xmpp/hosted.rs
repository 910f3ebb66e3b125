//! A domain that this gateway is itself the XMPP server of: accounts, rosters, presence, archive, all answered here.
//! Refuses airtime to everything that the domain can answer, and unencrypted logins altogether.

pub mod accounts;
mod ack;
mod domain;
mod sasl;
mod scram;
mod session;
pub mod store;
mod stream;
pub mod tls;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tracing::{debug, info, warn};

use crate::router::{Delivery, Origin, Refused, Router, Service};
use crate::xml::{Element, Limits};

use domain::Domain;
use store::{Store, StoreError};
use tls::TlsError;

/// Client connections of one domain at a time.
const CONNECTIONS_MAX: usize = 1000;
/// How long clients have to come back after a restart before contacts are told that they are gone.
const RECOVER_AFTER: Duration = Duration::from_secs(90);
/// Pause after the system refused to give a connection, typically for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// A domain to host.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The domain.
    pub domain: String,
    /// Addresses for clients that use STARTTLS.
    pub listen: Vec<SocketAddr>,
    /// Addresses for clients that use TLS from the first octet (XEP-0368).
    pub listen_tls: Vec<SocketAddr>,
    /// PEM certificate chain.
    pub certificate: PathBuf,
    /// PEM private key.
    pub private_key: PathBuf,
    /// Make the two if they are missing.
    pub make_certificate: bool,
    /// Stanzas kept for one account while it is away.
    pub offline_max: u32,
    /// How long a broken client stream can be resumed.
    pub resume_timeout: Duration,
    /// Name in answers to XEP-0092.
    pub software: String,
    /// The gateway's SQLite file.
    pub database: PathBuf,
    /// Bounds on stanzas from clients.
    pub limits: Limits,
}

/// Why a domain cannot be hosted.
#[derive(Debug, Error)]
pub enum HostedError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address} for {domain}: {error}; is another server running there?")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The domain.
        domain: String,
        /// What went wrong.
        error: std::io::Error,
    },
    /// No certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// No database.
    #[error("database: {0}")]
    Store(#[from] StoreError),
    /// No randomness.
    #[error("the operating system gives no random numbers")]
    Random,
}

/// What all connections of a domain share.
#[derive(Clone)]
struct Host {
    settings: Settings,
    router: Router,
    tls: TlsAcceptor,
    domain: Arc<Mutex<Domain>>,
    /// Of this process, see [`scram::decoy`].
    secret: [u8; 32],
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host")
            .field("domain", &self.settings.domain)
            .finish_non_exhaustive()
    }
}

impl Host {
    fn domain(&self) -> MutexGuard<'_, Domain> {
        // Nothing panics while it holds the lock; if it did, the state is still that of whole calls and of SQLite.
        self.domain
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Hands stanzas over in order; done when all are in custody.
    async fn submit(&self, stanzas: Vec<Element>) -> Result<(), Refused> {
        for stanza in stanzas {
            let origin = Origin::Hosted(self.settings.domain.clone());
            match self.router.submit(stanza, origin).await {
                Err(Refused::Malformed) => debug!("a stanza without valid addresses was dropped"),
                other => other?,
            }
        }
        Ok(())
    }
}

/// A hosted domain that is running. It stops when this is dropped.
#[derive(Debug)]
pub struct Hosted {
    addresses: Vec<SocketAddr>,
    addresses_tls: Vec<SocketAddr>,
    domain: Arc<Mutex<Domain>>,
    _tasks: JoinSet<()>,
}

impl Hosted {
    /// Where clients can connect with STARTTLS.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Where clients can connect with direct TLS.
    pub fn addresses_tls(&self) -> &[SocketAddr] {
        &self.addresses_tls
    }

    /// How many clients are logged in.
    pub fn session_count(&self) -> usize {
        let domain = self
            .domain
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        domain.session_count()
    }

    /// Tells clients that the server stops, so that they come back by themselves.
    pub fn shut_down(&self) {
        let mut domain = self
            .domain
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        domain.close_all("system-shutdown");
    }
}

/// Hosts a domain: listens, and takes what the gateway has for it.
///
/// # Errors
/// [`HostedError`] in words for the operator.
pub async fn start(settings: Settings, router: Router) -> Result<Hosted, HostedError> {
    let store = Store::open(&settings.database)?;
    start_with(settings, router, store).await
}

/// The same with a database that is already open.
///
/// # Errors
/// As [`start`].
pub async fn start_with(
    settings: Settings,
    router: Router,
    store: Store,
) -> Result<Hosted, HostedError> {
    if settings.make_certificate {
        tls::make(
            &settings.domain,
            &settings.certificate,
            &settings.private_key,
        )?;
    }
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|_| HostedError::Random)?;
    let domain = Domain::new(
        &settings.domain,
        &settings.software,
        settings.offline_max,
        store,
    );
    let host = Host {
        tls: tls::acceptor(&settings.certificate, &settings.private_key)?,
        domain: Arc::new(Mutex::new(domain)),
        router,
        secret,
        settings,
    };
    let mut tasks = JoinSet::new();
    let mut bound = [Vec::new(), Vec::new()];
    let connections = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    for (direct, addresses) in [
        (false, &host.settings.listen),
        (true, &host.settings.listen_tls),
    ] {
        for address in addresses {
            let listener = listen(*address, &host.settings.domain).await?;
            bound[usize::from(direct)].push(listener.local_addr().unwrap_or(*address));
            tasks.spawn(accept(host.clone(), listener, direct, connections.clone()));
        }
    }
    let deliveries = host
        .router
        .attach(Service::Hosted(host.settings.domain.clone()));
    let (replies, outgoing) = mpsc::unbounded_channel();
    tasks.spawn(recover(host.clone(), replies.clone()));
    tasks.spawn(deliver(host.clone(), deliveries, replies));
    tasks.spawn(reply(host.clone(), outgoing));
    info!(domain = host.settings.domain, ?bound, "hosting");
    let [addresses, addresses_tls] = bound;
    Ok(Hosted {
        addresses,
        addresses_tls,
        domain: host.domain,
        _tasks: tasks,
    })
}

async fn listen(address: SocketAddr, domain: &str) -> Result<TcpListener, HostedError> {
    TcpListener::bind(address)
        .await
        .map_err(|error| HostedError::Listen {
            address,
            domain: domain.into(),
            error,
        })
}

async fn accept(host: Host, listener: TcpListener, direct: bool, connections: Arc<Semaphore>) {
    let mut streams = JoinSet::new();
    loop {
        let Ok(permit) = connections.clone().acquire_owned().await else {
            return;
        };
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, peer)) => {
                    let host = host.clone();
                    streams.spawn(async move {
                        stream::serve(host, socket, peer, direct).await;
                        drop(permit);
                    });
                }
                Err(error) => {
                    warn!("a client connection could not be taken: {error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = streams.join_next() => {}
        }
    }
}

/// Gateway to domain. A delivery is done when what it changed is on disk.
async fn deliver(
    host: Host,
    mut deliveries: mpsc::Receiver<Delivery>,
    replies: mpsc::UnboundedSender<Element>,
) {
    while let Some(Delivery { stanza, key, done }) = deliveries.recv().await {
        let taken = host.domain().gateway_sent(stanza, key);
        match taken {
            Ok(remote) => {
                for stanza in remote {
                    let _ = replies.send(stanza);
                }
                let _ = done.send(true);
            }
            Err(error) => {
                warn!(
                    domain = host.settings.domain,
                    "a stanza could not be stored: {error}"
                );
                let _ = done.send(false);
            }
        }
    }
}

/// Contacts learn who did not come back, once clients had the time to.
async fn recover(host: Host, replies: mpsc::UnboundedSender<Element>) {
    tokio::time::sleep(RECOVER_AFTER).await;
    let gone = host.domain().recover();
    match gone {
        Ok(gone) => gone.into_iter().for_each(|stanza| {
            let _ = replies.send(stanza);
        }),
        Err(error) => warn!(
            domain = host.settings.domain,
            "departures could not be stored: {error}"
        ),
    }
}

/// What the domain answers on its own, apart so that deliveries never wait for it.
async fn reply(host: Host, mut outgoing: mpsc::UnboundedReceiver<Element>) {
    while let Some(stanza) = outgoing.recv().await {
        if let Err(refused) = host.submit(vec![stanza]).await {
            warn!(
                domain = host.settings.domain,
                "an answer was not taken: {refused}"
            );
        }
    }
}

#[cfg(test)]
mod tests;

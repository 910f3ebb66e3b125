//! Wires configuration, attachments, gateway and radios together. Refuses decisions: every task here only moves what
//! another room decides about.
//!
//! ```text
//!  component, hosted ──Router──▶ take ──▶ ┌─────────┐ ◀──▶ radio (one task per modem)
//!  component, hosted ◀─deliver (one task ─│ Gateway │ ◀─── timer
//!                       per service)      └─────────┘ ◀──▶ control socket
//! ```
//!
//! Everything runs on one thread: the gateway is borrowed for one step at a time and never across an `await`.

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use longwire_codec::channel::Channel;
use thiserror::Error;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet, LocalSet};
use tracing::{error, info};

use crate::capture::Capture;
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::control;
use crate::dictionaries::{DictionaryError, Shelf};
use crate::gateway::{Gateway, GatewayError};
use crate::inbox;
use crate::modem::url::UrlError;
use crate::modem::{AnyModem, Modem};
use crate::radio::{Conversation, ConversationError, GroupEnd, Radio};
use crate::router::{Inlets, Router, Service};
use crate::status::Board;
use crate::store::{self, Store, StoreError};
use crate::xmpp::attach::Attachments;

/// Submissions taken in one batch.
const BATCH_MAX: usize = 64;
/// How long radios may take to sign off.
const SIGN_OFF_MAX: Duration = Duration::from_secs(20);

/// Why a gateway does not run, or stopped.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunError {
    /// The folder for the database or a key cannot be made.
    #[error("cannot make the folder {path}: {source}")]
    Folder {
        /// The folder.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database, later.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// A peer's dictionary.
    #[error(transparent)]
    Dictionary(#[from] DictionaryError),
    /// The files that stanzas are to be written down in.
    #[error("cannot write what crosses to {path}: {source}")]
    Capture {
        /// Their folder.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A modem's URL.
    #[error("modem `{modem}`: {source}")]
    Modem {
        /// Its name.
        modem: String,
        /// What is wrong.
        source: UrlError,
    },
    /// A peer's settings.
    #[error("{0}")]
    Peer(String),
    /// A component's secret, a certificate, an address in use.
    #[error("{0}")]
    Attachment(String),
}

impl From<ConversationError> for RunError {
    fn from(error: ConversationError) -> Self {
        Self::Peer(error.to_string())
    }
}

/// Runs a gateway until `shutdown` resolves, or the database fails.
///
/// # Errors
/// [`RunError`].
pub async fn run(config: Config, shutdown: impl Future<Output = ()>) -> Result<(), RunError> {
    LocalSet::new()
        .run_until(async {
            make_folder(&config)?;
            let store = Store::open(&config.gateway.database)?;
            let mut running = Running::start(config, store, Clock::system())?;
            running.attach().await?;
            running.open_control()?;
            info!("ready");
            tokio::select! {
                () = shutdown => running.stop().await,
                failed = running.failed() => failed,
            }
        })
        .await
}

fn make_folder(config: &Config) -> Result<(), RunError> {
    let folders = [&config.gateway.database, &config.gateway.control_socket];
    for folder in folders.into_iter().filter_map(|path| path.parent()) {
        store::private_folder(folder).map_err(|source| RunError::Folder {
            path: folder.display().to_string(),
            source,
        })?;
    }
    Ok(())
}

/// A gateway at work. Dropping it is a kill: every task ends where it stands, and what is durable is in the store.
#[derive(Debug)]
pub struct Running {
    config: Rc<Config>,
    router: Router,
    gateway: Rc<RefCell<Gateway>>,
    board: Rc<RefCell<Board>>,
    tasks: JoinSet<()>,
    radios: JoinSet<Result<(), GatewayError>>,
    attachments: Option<Attachments>,
    shelf: Shelf,
    stop: watch::Sender<bool>,
}

impl Running {
    /// Starts gateway and radios on the current [`LocalSet`]; attachments are the caller's, through
    /// [`Self::router`], or those of the configuration by [`Self::attach`].
    ///
    /// # Errors
    /// [`RunError`].
    pub fn start(config: Config, store: Store, clock: Clock) -> Result<Self, RunError> {
        let gateway = Rc::new(RefCell::new(Gateway::new(&config, store, clock)?));
        let (router, inlets) = Router::new();
        let board = Rc::new(RefCell::new(Board::new(&config, clock)));
        let (stop, stopping) = watch::channel(false);
        let mut running = Self {
            config: Rc::new(config),
            router,
            gateway,
            board,
            tasks: JoinSet::new(),
            radios: JoinSet::new(),
            attachments: None,
            shelf: Shelf::default(),
            stop,
        };
        let timer = keep_time(running.gateway.clone());
        running.tasks.spawn_local(timer);
        let taking = take(running.gateway.clone(), inlets);
        running.tasks.spawn_local(taking);
        for modem in &running.config.clone().modems {
            running.start_radio(modem, stopping.clone())?;
        }
        Ok(running)
    }

    /// Where stanzas are submitted and services registered.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// The gateway itself, for reports and tests.
    pub fn gateway(&self) -> Rc<RefCell<Gateway>> {
        self.gateway.clone()
    }

    /// What [`Self::attach`] started.
    pub fn attachments(&self) -> Option<&Attachments> {
        self.attachments.as_ref()
    }

    /// Connects the components and opens the hosted domains of the configuration.
    ///
    /// # Errors
    /// [`RunError::Attachment`].
    pub async fn attach(&mut self) -> Result<(), RunError> {
        let attachments = Attachments::start(&self.config, &self.router).await;
        let attachments = attachments.map_err(|error| RunError::Attachment(error.to_string()))?;
        for (domain, state) in &attachments.components {
            self.board.borrow_mut().watch(domain, state.clone());
        }
        self.attachments = Some(attachments);
        Ok(())
    }

    /// Opens the control socket.
    ///
    /// # Errors
    /// [`RunError::Attachment`].
    pub fn open_control(&mut self) -> Result<(), RunError> {
        let path = &self.config.gateway.control_socket;
        let listener = control::listen(path).map_err(|error| {
            RunError::Attachment(format!(
                "cannot open the control socket {}: {error}",
                path.display()
            ))
        })?;
        let desk = control::Desk {
            gateway: self.gateway.clone(),
            board: self.board.clone(),
            router: self.router.clone(),
        };
        self.tasks.spawn_local(control::serve(listener, desk));
        Ok(())
    }

    /// Resolves when a radio failed for good; never otherwise.
    pub async fn failed(&mut self) -> Result<(), RunError> {
        while let Some(ended) = self.radios.join_next().await {
            match ended {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return Err(error.into()),
                Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
            }
        }
        std::future::pending().await
    }

    /// Signs off and ends.
    ///
    /// # Errors
    /// [`RunError`]: the database failed at the last moment.
    pub async fn stop(mut self) -> Result<(), RunError> {
        info!("stopping");
        if let Some(attachments) = &self.attachments {
            attachments.shut_down();
        }
        self.stop.send_replace(true);
        let radios = async {
            while let Some(ended) = self.radios.join_next().await {
                if let Ok(Err(error)) = ended {
                    return Err(error.into());
                }
            }
            Ok(())
        };
        // Radios that are still transmitting then are cut off; to the far end that is a lost frame.
        let signed_off = tokio::time::timeout(SIGN_OFF_MAX, radios).await;
        let _ = std::fs::remove_file(&self.config.gateway.control_socket);
        signed_off.unwrap_or(Ok(()))
    }

    fn start_radio(
        &mut self,
        modem: &config::Modem,
        stop: watch::Receiver<bool>,
    ) -> Result<(), RunError> {
        let opened =
            AnyModem::open(&modem.url, modem.channel()).map_err(|source| RunError::Modem {
                modem: modem.name.clone(),
                source,
            })?;
        let config = self.config.clone();
        let peers: Vec<usize> = (0..config.peers.len())
            .filter(|peer| config.peers[*peer].modem == modem.name)
            .collect();
        if peers.is_empty() {
            return Ok(());
        }
        let groups: Vec<usize> = (0..config.groups.len())
            .filter(|group| config.groups[*group].modem == modem.name)
            .collect();
        let shared = modem.shared || peers.len() > 1 || !groups.is_empty();
        let mut conversations = Vec::new();
        let mut gateway = self.gateway.borrow_mut();
        // One batch for all, or a thousand stations would take a thousand writes to start.
        let states = gateway.batch(|gateway| {
            let states = peers.iter().map(|peer| gateway.start_link(*peer));
            states.collect::<Result<Vec<_>, _>>()
        })?;
        for (peer, state) in peers.into_iter().zip(states) {
            let rules = &config.peers[peer];
            let channel = Channel {
                station: shared.then(|| modem.station.max(rules.station)),
                ..opened.channel()
            };
            let offered = self.shelf.offer(rules)?;
            let capture = open_capture(&config, &rules.name)?;
            let conversation =
                Conversation::new(peer, &config, channel, state, &mut gateway, offered)?;
            conversations.push(conversation.with_capture(capture));
        }
        let groups = groups.into_iter().map(|group| {
            let known = self.shelf.built_in(config.groups[group].text_model);
            let end = GroupEnd::new(
                group,
                opened.channel(),
                modem.station,
                &known.dictionary,
                &mut gateway,
            );
            end.map_err(|error| {
                RunError::Peer(format!("group `{}`: {error}", config.groups[group].name))
            })
        });
        let groups = groups.collect::<Result<Vec<_>, _>>()?;
        let wake = gateway.peers()[conversations[0].peer()].wake.clone();
        drop(gateway);
        let radio = Radio::new(opened, conversations, self.gateway.clone(), wake);
        let radio = radio.with_groups(groups);
        self.board
            .borrow_mut()
            .watch_modem(&modem.name, radio.is_open());
        self.radios.spawn_local(radio.run(stop));
        Ok(())
    }
}

fn open_capture(config: &Config, peer: &str) -> Result<Option<Capture>, RunError> {
    let folder = &config.gateway.capture;
    if folder.as_os_str().is_empty() {
        return Ok(None);
    }
    let opened = Capture::open(folder, peer).map_err(|source| RunError::Capture {
        path: folder.display().to_string(),
        source,
    })?;
    Ok(Some(opened))
}

/// Takes what attachments submit, and gives each of them a task that delivers to it.
async fn take(gateway: Rc<RefCell<Gateway>>, mut inlets: Inlets) {
    let mut delivering: HashMap<Service, Deliverer> = HashMap::new();
    let mut submissions = Vec::with_capacity(BATCH_MAX);
    loop {
        tokio::select! {
            biased;
            Some(attachment) = inlets.attachments.recv() => {
                let task = inbox::deliver(gateway.clone(), attachment.service.clone(), attachment.deliveries);
                let task = Deliverer(tokio::task::spawn_local(task));
                delivering.insert(attachment.service, task);
            }
            count = inlets.submissions.recv_many(&mut submissions, BATCH_MAX) => {
                if count == 0 {
                    return;
                }
                gateway.borrow_mut().handle_submissions(std::mem::take(&mut submissions));
            }
        }
    }
}

/// Ends its task when a newer registration replaces it, or the gateway ends.
struct Deliverer(JoinHandle<()>);

impl Drop for Deliverer {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Wakes the gateway when something expires.
async fn keep_time(gateway: Rc<RefCell<Gateway>>) {
    let (clock, timer) = {
        let gateway = gateway.borrow();
        (gateway.clock(), gateway.timer.clone())
    };
    loop {
        let next = gateway.borrow().next_deadline();
        let due = async {
            match next {
                Some(at) => tokio::time::sleep_until(clock.deadline_unix(at)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => {}
            () = timer.notified() => continue,
        }
        let handled = gateway.borrow_mut().handle_timeout();
        if let Err(error) = handled {
            error!(%error, "cannot expire stanzas");
            tokio::time::sleep(Duration::from_secs(10)).await;
        }
    }
}

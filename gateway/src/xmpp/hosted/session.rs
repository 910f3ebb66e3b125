//! A bound client from login to its end: stanzas both ways, acknowledgements, and life after a broken connection
//! (XEP-0198). Refuses to count a stanza as handled before it is in durable custody.

mod carry;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tracing::{debug, warn};

use super::Host;
use super::ack::{Ack, NS_SM};
use super::domain::{Out, SessionId};
use super::stream::{Connection, stream_error};
use crate::xml::{Element, NS_CLIENT};

use carry::Ended;

/// Stanzas remembered for a client that does not confirm or is not connected.
const UNACKED_MAX: usize = 5_000;
/// How long saying goodbye may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// A new connection for a session whose old one broke.
#[derive(Debug)]
pub(super) struct Resumption {
    pub(super) connection: Connection,
    /// Stanzas the client says it has.
    pub(super) h: u32,
    /// The token it gave.
    pub(super) token: String,
}

/// Which client this is.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) host: Host,
    pub(super) id: SessionId,
    pub(super) account: String,
    pub(super) out: mpsc::UnboundedReceiver<Out>,
    pub(super) waiting: Arc<AtomicUsize>,
    ack: Mutex<Ack>,
    /// Under which the session can be resumed, and where the new connection comes in.
    token: Option<String>,
    resumed: mpsc::Receiver<Resumption>,
    resume: mpsc::Sender<Resumption>,
}

impl Session {
    pub(super) fn new(
        host: Host,
        id: SessionId,
        account: String,
        out: mpsc::UnboundedReceiver<Out>,
        waiting: Arc<AtomicUsize>,
    ) -> Self {
        let (resume, resumed) = mpsc::channel(1);
        Self {
            host,
            id,
            account,
            out,
            waiting,
            ack: Mutex::default(),
            token: None,
            resumed,
            resume,
        }
    }

    fn ack(&self) -> MutexGuard<'_, Ack> {
        // Held for single calls that do not panic.
        self.ack
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Serves the client until it leaves for good.
    pub(super) async fn run(mut self, mut connection: Connection) {
        loop {
            let ended = carry::carry(&mut self, &mut connection).await;
            let next = match ended {
                Ended::Resumed(resumption) => Some(resumption),
                Ended::Broken if self.token.is_some() => {
                    drop(connection);
                    self.wait().await
                }
                Ended::Broken => None,
                Ended::Left => {
                    connection.close("</stream:stream>").await;
                    None
                }
                Ended::Error(condition) => {
                    connection.close(&stream_error(condition)).await;
                    None
                }
            };
            match next {
                Some(resumption) => match self.resume(resumption).await {
                    Some(again) => connection = again,
                    None => break,
                },
                None => break,
            }
        }
        self.end().await;
    }

    /// Lives on without a connection for a while.
    async fn wait(&mut self) -> Option<Resumption> {
        debug!(
            account = self.account,
            "a client's connection broke; it may resume"
        );
        let limit = self.host.settings.resume_timeout;
        timeout(limit, async {
            loop {
                tokio::select! {
                    resumption = self.resumed.recv() => return resumption,
                    out = self.out.recv() => match out? {
                        Out::Stanza { stanza, kept } => {
                            self.waiting.fetch_sub(1, Ordering::Relaxed);
                            self.ack().sent(stanza, kept);
                            if self.ack().unacked().len() > UNACKED_MAX {
                                return None;
                            }
                        }
                        Out::Close(_) => return None,
                    },
                }
            }
        })
        .await
        .ok()
        .flatten()
    }

    /// Goes on with a new connection: says what was handled, repeats what the client does not have.
    async fn resume(&mut self, resumption: Resumption) -> Option<Connection> {
        let Resumption {
            mut connection,
            h,
            token,
        } = resumption;
        let released = self.ack().confirm(h);
        let Ok(rows) = released else {
            let _ = connection.write(&stream_error("undefined-condition")).await;
            return None;
        };
        self.release(&rows);
        let mut text = {
            let ack = self.ack();
            let resumed = Element::new(NS_SM, "resumed")
                .with_attr("h", ack.handled.to_string())
                .with_attr("previd", token);
            let mut text = resumed.to_xml(NS_CLIENT);
            ack.unacked()
                .iter()
                .for_each(|it| text.push_str(&it.stanza.to_xml(NS_CLIENT)));
            text
        };
        if !self.ack().unacked().is_empty() {
            text.push_str(&Element::new(NS_SM, "r").to_xml(NS_CLIENT));
        }
        // A failure shows again at the next write.
        let _ = connection.write(&text).await;
        debug!(account = self.account, "a client resumed its stream");
        Some(connection)
    }

    /// Ends the custody of these rows.
    fn release(&self, rows: &[i64]) {
        if rows.is_empty() {
            return;
        }
        if let Err(error) = self.host.domain().released(self.id, rows) {
            warn!("delivered stanzas could not be removed and will come again: {error}");
        }
    }

    /// The client is gone.
    async fn end(mut self) {
        let mut unread = self.ack().give_up();
        self.out.close();
        while let Some(out) = self.out.recv().await {
            if let Out::Stanza { stanza, .. } = out {
                unread.push(stanza);
            }
        }
        let ended = self.host.domain().unbind(self.id, &unread);
        match ended {
            Ok(remote) => {
                if let Err(refused) = self.host.submit(remote).await {
                    debug!("what a client left behind was not taken: {refused}");
                }
            }
            Err(error) => warn!("the end of a session could not be stored: {error}"),
        }
    }
}

impl Connection {
    /// Writes text at once.
    pub(super) async fn write(&mut self, text: &str) -> std::io::Result<()> {
        self.writer.write_all(text.as_bytes()).await?;
        self.writer.flush().await
    }

    /// Writes the last words and closes, so that the client is not left to guess.
    async fn close(&mut self, text: &str) {
        let closing = async {
            self.write(text).await?;
            self.writer.shutdown().await
        };
        // A client that is gone does not hear them.
        let _ = timeout(CLOSE_TIMEOUT, closing).await;
    }
}

//! A client's stream up to the bound resource: header, STARTTLS, SASL, bind or resume (RFC 6120 sections 4 to 7).
//! Refuses passwords and stanzas before TLS, and clients that take too long.

mod features;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use base64::Engine as _;
use jid::{BareJid, Jid};
use tokio::io::{AsyncRead, AsyncWrite, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tracing::{debug, info};

use super::Host;
use super::ack::NS_SM;
use super::sasl::{NS_SASL, Sasl, Step};
use super::session::{Resumption, Session};
use crate::xml::{
    Element, Header, NS_CLIENT, NS_STANZA_ERROR, NS_STREAM, NS_STREAM_ERROR, StreamError,
    StreamEvent, StreamReader, escape_attr,
};
use crate::xmpp::stanza::{self, ErrorKind};

use features::{NS_BIND, NS_TLS, features};

/// From connection to bound resource, pauses of a person who types a password included.
const NEGOTIATION_TIMEOUT: Duration = Duration::from_secs(120);
const TLS_TIMEOUT: Duration = Duration::from_secs(30);
/// Failed logins on one connection.
const FAILURES_MAX: u32 = 5;
/// Pause after a failed login, against guessing.
const FAILURE_PAUSE: Duration = Duration::from_millis(500);

/// A connection, encrypted or not.
pub(super) trait Io: AsyncRead + AsyncWrite + Send + Sync + Unpin + std::fmt::Debug {}
impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin + std::fmt::Debug> Io for T {}

pub(super) type Reader = StreamReader<ReadHalf<Box<dyn Io>>>;
pub(super) type Writer = WriteHalf<Box<dyn Io>>;

/// Both halves of a client's connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) reader: Reader,
    pub(super) writer: Writer,
}

impl Connection {
    fn new(io: Box<dyn Io>, host: &Host) -> Self {
        let (input, writer) = tokio::io::split(io);
        let reader = StreamReader::new(input, host.settings.limits);
        Self { reader, writer }
    }
}

/// A stream error and the end of the stream.
pub(super) fn stream_error(condition: &str) -> String {
    let error =
        Element::new(NS_STREAM, "error").with_child(Element::new(NS_STREAM_ERROR, condition));
    format!("{}</stream:stream>", error.to_xml(NS_CLIENT))
}

/// Why a stream ended before a resource was bound.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("the connection ended")]
    Gone,
    #[error("{0}")]
    Stream(&'static str),
    #[error("TLS: {0}")]
    Tls(std::io::Error),
    #[error("took too long")]
    Timeout,
}

impl From<std::io::Error> for Refusal {
    fn from(_: std::io::Error) -> Self {
        Self::Gone
    }
}

impl From<StreamError> for Refusal {
    fn from(error: StreamError) -> Self {
        match error {
            StreamError::Io(_) => Self::Gone,
            StreamError::Xml(error) => Self::Stream(error.condition()),
        }
    }
}

/// Serves one connection from its first octet to its last.
pub(super) async fn serve(host: Host, socket: TcpStream, peer: SocketAddr, direct: bool) {
    let _ = socket.set_nodelay(true);
    let mut negotiation = Negotiation {
        host,
        tls: false,
        account: None,
        opened: false,
    };
    let agreed = timeout(NEGOTIATION_TIMEOUT, negotiation.run(socket, direct)).await;
    match agreed {
        Ok(Ok(Some((session, connection)))) => {
            info!(%peer, account = session.account, "client logged in");
            session.run(connection).await;
        }
        Ok(Ok(None)) => {}
        Ok(Err(refusal)) => debug!(%peer, "client stream ended: {refusal}"),
        Err(_) => debug!(%peer, "client stream ended: {}", Refusal::Timeout),
    }
}

struct Negotiation {
    host: Host,
    tls: bool,
    account: Option<BareJid>,
    /// Our stream header was sent, so an error can follow it.
    opened: bool,
}

type Agreed = Option<(Session, Connection)>;

impl Negotiation {
    /// A session, or nothing if the client left or its connection went to a session of old.
    async fn run(&mut self, socket: TcpStream, direct: bool) -> Result<Agreed, Refusal> {
        let io: Box<dyn Io> = match direct {
            true => self.encrypt(Box::new(socket)).await?,
            false => Box::new(socket),
        };
        let mut connection = Some(Connection::new(io, &self.host));
        let agreed = self.negotiate(&mut connection).await;
        if let (Err(Refusal::Stream(condition)), Some(connection)) = (&agreed, &mut connection) {
            if !self.opened {
                connection.write(&self.header()).await?;
            }
            connection.write(&stream_error(condition)).await?;
        }
        agreed
    }

    async fn encrypt(&mut self, io: Box<dyn Io>) -> Result<Box<dyn Io>, Refusal> {
        let accepted = timeout(TLS_TIMEOUT, self.host.tls.accept(io)).await;
        let stream = accepted
            .map_err(|_| Refusal::Timeout)?
            .map_err(Refusal::Tls)?;
        self.tls = true;
        Ok(Box::new(stream))
    }

    async fn negotiate(&mut self, place: &mut Option<Connection>) -> Result<Agreed, Refusal> {
        let domain = self.host.settings.domain.clone();
        let mut sasl = Sasl::new(&domain, self.host.secret, self.tls);
        let mut failures = 0;
        loop {
            let Some(connection) = place.as_mut() else {
                return Ok(None);
            };
            let element = match connection.reader.next().await? {
                None => return Err(Refusal::Gone),
                Some(StreamEvent::Close) => {
                    connection.write("</stream:stream>").await?;
                    return Ok(None);
                }
                Some(StreamEvent::Open(header)) => {
                    self.open(connection, &header).await?;
                    continue;
                }
                Some(StreamEvent::Element(element)) => element,
            };
            match (element.ns.as_str(), element.name.as_str()) {
                (NS_TLS, "starttls") if !self.tls => {
                    self.start_tls(place).await?;
                    sasl = Sasl::new(&domain, self.host.secret, true);
                }
                (NS_SASL, _) if self.tls && self.account.is_none() => {
                    let step = sasl.take(&element, &self.host.domain().store);
                    let step = step.map_err(|_| Refusal::Stream("internal-server-error"))?;
                    if self.authenticate(connection, step).await? {
                        continue;
                    }
                    failures += 1;
                    if failures >= FAILURES_MAX {
                        return Err(Refusal::Stream("policy-violation"));
                    }
                }
                (NS_SM, "resume") if self.account.is_some() => self.resume(place, &element).await?,
                (NS_CLIENT, "iq") if self.account.is_some() => {
                    if let Some(session) = self.bind(connection, &element).await? {
                        return Ok(place.take().map(|connection| (session, connection)));
                    }
                }
                _ => return Err(Refusal::Stream("not-authorized")),
            }
        }
    }

    /// Answers the client's stream header with ours and the features.
    async fn open(&mut self, connection: &mut Connection, header: &Header) -> Result<(), Refusal> {
        let to = header.element.attr("to").and_then(|to| Jid::new(to).ok());
        let text = self.header();
        self.opened = true;
        connection.write(&text).await?;
        if header.context.default_ns != NS_CLIENT {
            return Err(Refusal::Stream("invalid-namespace"));
        }
        if to.is_some_and(|to| to.domain().as_str() != self.host.settings.domain) {
            return Err(Refusal::Stream("host-unknown"));
        }
        let features = features(self.tls, self.account.is_some(), &self.host.settings.limits);
        connection.write(&features.to_xml(NS_CLIENT)).await?;
        Ok(())
    }

    fn header(&self) -> String {
        let mut random = [0; 12];
        // An id that can be guessed is no harm under TLS with SCRAM.
        let _ = getrandom::fill(&mut random);
        format!(
            "<?xml version='1.0'?><stream:stream xmlns='{NS_CLIENT}' xmlns:stream='{NS_STREAM}' id='{}' from='{}' version='1.0' xml:lang='en'>",
            base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(random),
            escape_attr(&self.host.settings.domain)
        )
    }

    async fn start_tls(&mut self, place: &mut Option<Connection>) -> Result<(), Refusal> {
        let Some(mut connection) = place.take() else {
            return Err(Refusal::Gone);
        };
        connection
            .write(&Element::new(NS_TLS, "proceed").to_xml(NS_CLIENT))
            .await?;
        let input = connection
            .reader
            .into_inner()
            .ok_or(Refusal::Stream("policy-violation"))?;
        let io = self.encrypt(input.unsplit(connection.writer)).await?;
        self.opened = false;
        *place = Some(Connection::new(io, &self.host));
        Ok(())
    }

    /// Sends a step of SASL. `false` if it was a failure.
    async fn authenticate(
        &mut self,
        connection: &mut Connection,
        step: Step,
    ) -> Result<bool, Refusal> {
        let (reply, good) = match step {
            Step::Challenge(reply) => (reply, true),
            Step::Success(reply, account) => {
                self.account = Some(account);
                self.opened = false;
                connection.reader.restart();
                (reply, true)
            }
            Step::Failure(reply) => {
                sleep(FAILURE_PAUSE).await;
                (reply, false)
            }
        };
        connection.write(&reply.to_xml(NS_CLIENT)).await?;
        Ok(good)
    }

    /// Hands the connection to the session it wants back; otherwise the client may bind anew.
    async fn resume(
        &mut self,
        place: &mut Option<Connection>,
        element: &Element,
    ) -> Result<(), Refusal> {
        let token = element.attr("previd").unwrap_or_default().to_owned();
        let h = element.attr("h").and_then(|h| h.parse().ok());
        let account = self
            .account
            .as_ref()
            .map(|it| it.as_str())
            .unwrap_or_default();
        let waiting = self.host.domain().resumption(&token, account);
        let (Some(h), Some(waiting)) = (h, waiting) else {
            if let Some(connection) = place {
                let reason = Element::new(NS_STANZA_ERROR, "item-not-found");
                let failed = Element::new(NS_SM, "failed").with_child(reason);
                connection.write(&failed.to_xml(NS_CLIENT)).await?;
            }
            return Ok(());
        };
        if let Some(connection) = place.take() {
            let resumption = Resumption {
                connection,
                h,
                token,
            };
            // The session may end this very moment; the client comes back.
            let _ = waiting.send(resumption).await;
        }
        Ok(())
    }

    async fn bind(
        &mut self,
        connection: &mut Connection,
        iq: &Element,
    ) -> Result<Option<Session>, Refusal> {
        let Some(account) = &self.account else {
            return Ok(None);
        };
        let bind = iq
            .child(NS_BIND, "bind")
            .filter(|_| iq.attr("type") == Some("set"));
        let Some(bind) = bind else {
            return Err(Refusal::Stream("not-authorized"));
        };
        let asked = bind
            .child(NS_BIND, "resource")
            .map(Element::text)
            .filter(|it| !it.is_empty());
        let resource = asked.unwrap_or_else(fresh_resource);
        let full = account.with_resource_str(&resource);
        let Ok(full) = full else {
            let error = stanza::error(iq, ErrorKind::Modify, "bad-request", "");
            if let Some(error) = error {
                connection.write(&error.to_xml(NS_CLIENT)).await?;
            }
            return Ok(None);
        };
        let account = account.to_string();
        let (sender, out) = mpsc::unbounded_channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let bound =
            self.host
                .domain()
                .bind(&account, full.resource().as_str(), sender, waiting.clone());
        let (bound, remote) = bound.map_err(|_| Refusal::Stream("internal-server-error"))?;
        self.host
            .submit(remote)
            .await
            .map_err(|_| Refusal::Stream("system-shutdown"))?;
        let jid = Element::new(NS_BIND, "jid").with_text(&bound.full);
        let mut reply =
            stanza::result(iq).with_child(Element::new(NS_BIND, "bind").with_child(jid));
        reply.remove_attr("from");
        let session = Session::new(self.host.clone(), bound.id, account, out, waiting);
        connection.write(&reply.to_xml(NS_CLIENT)).await?;
        Ok(Some(session))
    }
}

fn fresh_resource() -> String {
    let mut random = [0; 6];
    // Two clients under one name would be a conflict, which they survive.
    let _ = getrandom::fill(&mut random);
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(random)
}

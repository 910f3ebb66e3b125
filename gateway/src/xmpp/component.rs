//! A domain as an external component of an XMPP server (XEP-0114), one connection for each domain, kept up whatever
//! the radio does. Refuses stanzas from a domain that is not its own and routes back into it: both loop.

mod echo;
mod error;
mod siblings;

use std::time::Duration;

use sha1::{Digest, Sha1};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tracing::{debug, info, warn};

use crate::router::{Delivery, Origin, Router, Service};
use crate::xml::{
    Element, Header, Limits, NS_CLIENT, NS_STREAM, StreamEvent, StreamReader, escape_attr,
};
use crate::xmpp::stanza;

pub use error::ComponentError;
pub use siblings::Siblings;

use echo::Echo;

const NS_COMPONENT: &str = "jabber:component:accept";
/// How long connecting and the handshake may take together.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(20);
/// How long what the server already sent is still read after a write failed.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);
/// First pause after a lost connection.
const RECONNECT_MIN: Duration = Duration::from_secs(1);

/// One domain on one server.
#[derive(Clone)]
pub struct Settings {
    /// `host:port` of the server's component listener.
    pub server: String,
    /// The domain to be there.
    pub domain: String,
    /// Secret shared with the server.
    pub secret: String,
    /// Longest pause between attempts.
    pub reconnect_max: Duration,
    /// Bounds on stanzas the server sends.
    pub limits: Limits,
    /// All domains this gateway has on the server, this one included.
    pub siblings: Siblings,
}

/// What the connection is doing, for `status`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum State {
    /// On the way.
    Connecting,
    /// The server accepted the handshake.
    Connected,
    /// Not connected, with the reason in words for an operator.
    Waiting(String),
}

/// Keeps the component connected until the gateway stops; reports to `state`.
pub async fn run(settings: Settings, router: Router, state: watch::Sender<State>) {
    let mut deliveries = router.attach(Service::Component(settings.domain.clone()));
    let mut pause = RECONNECT_MIN;
    while !deliveries.is_closed() || !deliveries.is_empty() {
        state.send_replace(State::Connecting);
        let ended = match timeout(HANDSHAKE_TIMEOUT, connect(&settings)).await {
            Err(_) => ComponentError::Timeout,
            Ok(Err(error)) => error,
            Ok(Ok((reader, writer))) => {
                info!(
                    domain = settings.domain,
                    server = settings.server,
                    "component connected"
                );
                state.send_replace(State::Connected);
                pause = RECONNECT_MIN;
                match converse(&settings, &router, &mut deliveries, reader, writer).await {
                    Ok(()) => break,
                    Err(error) => error,
                }
            }
        };
        let reason = ended.advice(&settings);
        warn!(domain = settings.domain, "component: {reason}");
        state.send_replace(State::Waiting(reason));
        sleep(jittered(pause)).await;
        pause = (pause * 2).min(settings.reconnect_max.max(RECONNECT_MIN));
    }
}

/// Connects once to see whether the server accepts domain and secret.
///
/// # Errors
/// [`ComponentError`]; [`ComponentError::advice`] says what to do about it.
pub async fn probe(settings: &Settings) -> Result<(), ComponentError> {
    let connected = timeout(HANDSHAKE_TIMEOUT, connect(settings)).await;
    match connected.map_err(|_| ComponentError::Timeout)? {
        // The running gateway holds the connection: the secret was right.
        Err(ComponentError::Refused { condition, .. }) if condition == "conflict" => Ok(()),
        other => other.map(drop),
    }
}

type Reader = StreamReader<OwnedReadHalf>;

async fn connect(settings: &Settings) -> Result<(Reader, OwnedWriteHalf), ComponentError> {
    let socket = TcpStream::connect(&settings.server)
        .await
        .map_err(ComponentError::Connect)?;
    socket.set_nodelay(true).map_err(ComponentError::Connect)?;
    let (input, mut output) = socket.into_split();
    let mut reader = StreamReader::new(input, settings.limits);
    let header = format!(
        "<?xml version='1.0'?><stream:stream xmlns='{NS_COMPONENT}' xmlns:stream='{NS_STREAM}' to='{}'>",
        escape_attr(&settings.domain)
    );
    output.write_all(header.as_bytes()).await?;
    let Some(StreamEvent::Open(Header { element, context })) = reader.next().await? else {
        return Err(ComponentError::Protocol("no stream header"));
    };
    if context.default_ns == NS_CLIENT {
        return Err(ComponentError::Protocol("a client stream"));
    }
    let id = element.attr("id").unwrap_or_default();
    let handshake = Element::new(NS_COMPONENT, "handshake").with_text(digest(id, &settings.secret));
    output.write_all(own(&handshake).as_bytes()).await?;
    match reader.next().await? {
        Some(StreamEvent::Element(reply)) if reply.name == "handshake" => Ok((reader, output)),
        Some(StreamEvent::Element(reply)) if reply.is(NS_STREAM, "error") => {
            Err(ComponentError::refused(&reply))
        }
        // Some servers only hang up on a wrong secret.
        Some(StreamEvent::Close) | None => Err(ComponentError::Refused {
            condition: "not-authorized".into(),
            text: String::new(),
        }),
        Some(_) => Err(ComponentError::Protocol("no answer to the handshake")),
    }
}

/// Lower-case hex SHA-1 of stream id and secret (XEP-0114 section 3).
fn digest(id: &str, secret: &str) -> String {
    let hash = Sha1::new().chain_update(id).chain_update(secret).finalize();
    hash.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// A top-level element of the component namespace, which needs no declaration there.
fn own(element: &Element) -> String {
    let mut element = element.clone();
    element.ns = NS_CLIENT.into();
    element.to_xml(NS_COMPONENT)
}

/// Carries stanzas both ways until the connection breaks. `Ok` when the gateway stops.
async fn converse(
    settings: &Settings,
    router: &Router,
    deliveries: &mut mpsc::Receiver<Delivery>,
    reader: Reader,
    writer: OwnedWriteHalf,
) -> Result<(), ComponentError> {
    let (ear, echoes) = mpsc::unbounded_channel();
    settings.siblings.listen(&settings.domain, ear);
    let mut inbound = std::pin::pin!(inbound(settings, router, reader));
    tokio::select! {
        error = &mut inbound => Err(error),
        ended = outbound(settings, deliveries, writer, echoes) => {
            // What the server wrote before the break is still to be taken.
            let _ = timeout(DRAIN_TIMEOUT, inbound).await;
            ended
        }
    }
}

/// Server to router, one at a time and in order.
async fn inbound(settings: &Settings, router: &Router, mut reader: Reader) -> ComponentError {
    loop {
        let element = match reader.next().await {
            Ok(Some(StreamEvent::Element(element))) => element,
            Ok(Some(StreamEvent::Close) | None) => return ComponentError::Closed,
            Ok(Some(StreamEvent::Open(_))) => {
                return ComponentError::Protocol("a second stream header");
            }
            Err(error) => return error.into(),
        };
        if element.is(NS_STREAM, "error") {
            return ComponentError::refused(&element);
        }
        if let Some((domain, id)) = Echo::of(&element) {
            settings.siblings.tell(domain, id);
            continue;
        }
        let domain = match check_inbound(&element, settings) {
            Ok(domain) => domain,
            Err(reason) => {
                let domain = &settings.domain;
                debug!(domain, reason, "component: stanza from the server dropped");
                continue;
            }
        };
        if let Err(refused) = router.submit(element, Origin::Component(domain)).await {
            warn!(
                domain = settings.domain,
                "component: stanza not taken: {refused}"
            );
        }
    }
}

/// The domain a stanza from the server is for.
fn check_inbound(element: &Element, settings: &Settings) -> Result<String, &'static str> {
    if !stanza::is_stanza(element) {
        return Err("not a stanza");
    }
    let (from, to) = (
        stanza::domain(element, "from"),
        stanza::domain(element, "to"),
    );
    match (from, to) {
        (None, _) | (_, None) => Err("no valid from and to"),
        (Some(from), _) if settings.siblings.contains(&from) => {
            Err("from a component of this gateway: a loop")
        }
        (_, Some(to)) if settings.siblings.contains(&to) => Ok(to),
        _ => Err("for another domain"),
    }
}

/// Router to server. A delivery is done when the server has provably read it, see [`Echo`].
async fn outbound(
    settings: &Settings,
    deliveries: &mut mpsc::Receiver<Delivery>,
    mut writer: OwnedWriteHalf,
    mut echoes: mpsc::UnboundedReceiver<String>,
) -> Result<(), ComponentError> {
    let mut echo = Echo::new(Instant::now());
    loop {
        tokio::select! {
            delivery = deliveries.recv() => {
                let Some(Delivery { stanza, done, .. }) = delivery else {
                    writer.write_all(b"</stream:stream>").await?;
                    return Ok(());
                };
                match check_outbound(&stanza, &settings.domain) {
                    Ok(()) => {
                        writer.write_all(stanza.to_xml(NS_COMPONENT).as_bytes()).await?;
                        echo.written(done);
                    }
                    Err(reason) => {
                        warn!(domain = settings.domain, reason, "component: stanza for the server dropped");
                        let _ = done.send(true);
                    }
                }
            }
            // The other end is with the siblings until the next connection.
            Some(id) = echoes.recv() => echo.heard(&id, Instant::now()),
            () = sleep_until(echo.deadline()) => {
                if !echo.expired(Instant::now()) {
                    return Err(ComponentError::Silent);
                }
            }
        }
        if let Some(request) = echo.request(&settings.domain, Instant::now()) {
            writer
                .write_all(request.to_xml(NS_COMPONENT).as_bytes())
                .await?;
        }
    }
}

fn check_outbound(element: &Element, own: &str) -> Result<(), &'static str> {
    if !stanza::is_stanza(element) {
        return Err("not a stanza");
    }
    let (from, to) = (
        stanza::domain(element, "from"),
        stanza::domain(element, "to"),
    );
    match (from, to) {
        (None, _) | (_, None) => Err("no valid from and to"),
        (Some(from), _) if from != own => {
            Err("not from this domain: the server would close the stream")
        }
        (_, Some(to)) if to == own => Err("for this component itself: a loop"),
        _ => Ok(()),
    }
}

/// A pause of 75 to 125 %, so that components of one server do not come back in step.
fn jittered(pause: Duration) -> Duration {
    let random = getrandom::u32().unwrap_or(1 << 31);
    pause.mul_f64(0.75 + f64::from(random) / f64::from(u32::MAX) / 2.0)
}

#[cfg(test)]
mod tests;

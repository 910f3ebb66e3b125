//! A small XMPP client that logs in as any other would: STARTTLS, SASL PLAIN inside TLS, bind, over a socket.
//! Refuses to be more than the demo's actors need.

use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};

use super::pinned;
use crate::xml::{Element, Limits, NS_CLIENT, NS_STREAM, StreamError, StreamEvent, StreamReader};

const NS_TLS: &str = "urn:ietf:params:xml:ns:xmpp-tls";
const NS_SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
const NS_BIND: &str = "urn:ietf:params:xml:ns:xmpp-bind";

/// Why an actor is not on stage.
#[derive(Debug, Error)]
pub(super) enum ClientError {
    /// The connection failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The server's stream is broken.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// TLS failed.
    #[error(transparent)]
    Tls(#[from] tokio_rustls::rustls::Error),
    /// The server said something else than expected.
    #[error("expected {expected}, got {got}")]
    Unexpected {
        /// What the protocol calls for.
        expected: &'static str,
        /// What came.
        got: String,
    },
}

/// Who logs in where.
#[derive(Clone, Debug)]
pub(super) struct Login {
    /// Where the server listens.
    pub(super) address: SocketAddr,
    /// Local part.
    pub(super) user: String,
    /// Domain.
    pub(super) domain: String,
    /// Resource to bind.
    pub(super) resource: String,
    /// Password.
    pub(super) password: String,
    /// The server's certificate.
    pub(super) certificate: CertificateDer<'static>,
}

/// A session after binding.
#[derive(Debug)]
pub(super) struct Client {
    reader: StreamReader<ReadHalf<TlsStream<TcpStream>>>,
    writer: WriteHalf<TlsStream<TcpStream>>,
}

impl Client {
    /// Connects, authenticates and binds.
    ///
    /// # Errors
    /// [`ClientError`].
    pub(super) async fn login(login: &Login) -> Result<Self, ClientError> {
        let tls = secure(login).await?;
        let (input, writer) = tokio::io::split(tls);
        let reader = StreamReader::new(input, Limits::default());
        let mut client = Self { reader, writer };
        client.open(&login.domain).await?;
        let plain = BASE64.encode(format!("\0{}\0{}", login.user, login.password));
        let auth = Element::new(NS_SASL, "auth")
            .with_attr("mechanism", "PLAIN")
            .with_text(plain);
        client.send(&auth).await?;
        expect("<success/>", client.next().await?, |it| {
            it.is(NS_SASL, "success")
        })?;
        client.reader.restart();
        client.open(&login.domain).await?;
        let resource = Element::new(NS_BIND, "resource").with_text(&login.resource);
        let bind = Element::new(NS_CLIENT, "iq")
            .with_attr("type", "set")
            .with_attr("id", "bind")
            .with_child(Element::new(NS_BIND, "bind").with_child(resource));
        client.send(&bind).await?;
        expect("a bound resource", client.next().await?, |it| {
            it.attr("type") == Some("result") && it.child(NS_BIND, "bind").is_some()
        })?;
        Ok(client)
    }

    async fn send(&mut self, element: &Element) -> Result<(), ClientError> {
        send(&mut self.writer, element).await
    }

    async fn next(&mut self) -> Result<Option<Element>, ClientError> {
        next(&mut self.reader).await
    }

    /// Two halves, so that one can wait while the other speaks.
    pub(super) fn split(self) -> (ClientReader, ClientWriter) {
        (ClientReader(self.reader), ClientWriter(self.writer))
    }

    async fn open(&mut self, domain: &str) -> Result<Element, ClientError> {
        open(&mut self.reader, &mut self.writer, domain).await
    }
}

/// What comes from the server.
#[derive(Debug)]
pub(super) struct ClientReader(StreamReader<ReadHalf<TlsStream<TcpStream>>>);

impl ClientReader {
    /// The next stanza; `None` when the server closed the stream. Cancel safe.
    ///
    /// # Errors
    /// The stream is broken.
    pub(super) async fn next(&mut self) -> Result<Option<Element>, ClientError> {
        next(&mut self.0).await
    }
}

/// What goes to the server.
#[derive(Debug)]
pub(super) struct ClientWriter(WriteHalf<TlsStream<TcpStream>>);

impl ClientWriter {
    /// Sends one stanza.
    ///
    /// # Errors
    /// The connection is gone.
    pub(super) async fn send(&mut self, stanza: &Element) -> Result<(), ClientError> {
        send(&mut self.0, stanza).await
    }
}

/// From a plain connection to TLS (RFC 6120 section 5).
async fn secure(login: &Login) -> Result<TlsStream<TcpStream>, ClientError> {
    let stream = TcpStream::connect(login.address).await?;
    stream.set_nodelay(true)?;
    let (input, mut output) = stream.into_split();
    let mut reader = StreamReader::new(input, Limits::default());
    open(&mut reader, &mut output, &login.domain).await?;
    let starttls = Element::new(NS_TLS, "starttls").to_xml(NS_CLIENT);
    output.write_all(starttls.as_bytes()).await?;
    expect("<proceed/>", next(&mut reader).await?, |it| {
        it.is(NS_TLS, "proceed")
    })?;
    let early = || unexpected("silence before TLS", "octets in the clear");
    let input = reader.into_inner().ok_or_else(early)?;
    let stream = input.reunite(output).map_err(std::io::Error::other)?;
    let name = ServerName::try_from(login.domain.clone()).map_err(std::io::Error::other)?;
    let connector = pinned::connector(login.certificate.clone())?;
    Ok(connector.connect(name, stream).await?)
}

/// Opens a stream and reads the features.
async fn open<R, W>(
    reader: &mut StreamReader<R>,
    writer: &mut W,
    domain: &str,
) -> Result<Element, ClientError>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let header = format!(
        "<?xml version='1.0'?><stream:stream xmlns='{NS_CLIENT}' xmlns:stream='{NS_STREAM}' to='{domain}' version='1.0'>"
    );
    writer.write_all(header.as_bytes()).await?;
    writer.flush().await?;
    loop {
        match reader.next().await? {
            Some(StreamEvent::Open(_)) => {}
            Some(StreamEvent::Element(element)) => {
                return expect("stream features", Some(element), |it| {
                    it.is(NS_STREAM, "features")
                });
            }
            Some(StreamEvent::Close) | None => {
                return Err(unexpected("stream features", "the end of the stream"));
            }
        }
    }
}

async fn send<W: AsyncWrite + Unpin>(writer: &mut W, element: &Element) -> Result<(), ClientError> {
    writer
        .write_all(element.to_xml(NS_CLIENT).as_bytes())
        .await?;
    Ok(writer.flush().await?)
}

async fn next<R: AsyncRead + Unpin>(
    reader: &mut StreamReader<R>,
) -> Result<Option<Element>, ClientError> {
    match reader.next().await? {
        Some(StreamEvent::Element(element)) => Ok(Some(element)),
        Some(StreamEvent::Open(_)) => Err(unexpected("a stanza", "a stream header")),
        Some(StreamEvent::Close) | None => Ok(None),
    }
}

fn expect(
    expected: &'static str,
    got: Option<Element>,
    fits: impl Fn(&Element) -> bool,
) -> Result<Element, ClientError> {
    match got {
        Some(element) if fits(&element) => Ok(element),
        Some(element) => Err(unexpected(expected, &element.to_xml(NS_CLIENT))),
        None => Err(unexpected(expected, "the end of the stream")),
    }
}

fn unexpected(expected: &'static str, got: &str) -> ClientError {
    ClientError::Unexpected {
        expected,
        got: got.to_owned(),
    }
}

//! A client as small as one can be.

use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::super::stream::Io;
use crate::xml::{Element, Limits, NS_STREAM, StreamEvent, StreamReader};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(10);

/// A connection on which text is exchanged.
pub(super) struct Raw {
    io: Box<dyn Io>,
}

impl Raw {
    pub(super) async fn connect(address: SocketAddr) -> Self {
        Self {
            io: Box::new(TcpStream::connect(address).await.unwrap()),
        }
    }

    pub(super) async fn encrypt(self, certificate: &Path, domain: &str) -> Self {
        let mut roots = RootCertStore::empty();
        let pem = std::fs::read(certificate).unwrap();
        roots
            .add(CertificateDer::from_pem_slice(&pem).unwrap())
            .unwrap();
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(domain.to_owned()).unwrap();
        let stream = TlsConnector::from(Arc::new(config))
            .connect(name, self.io)
            .await
            .unwrap();
        Self {
            io: Box::new(stream),
        }
    }

    /// Sends text and gives what comes back, up to a complete stanza or the end.
    pub(super) async fn say(&mut self, text: &str) -> String {
        self.io.write_all(text.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        loop {
            let mut chunk = [0; 4096];
            let read = timeout(PATIENCE, self.io.read(&mut chunk)).await.unwrap();
            let len = read.unwrap_or(0);
            answer.extend_from_slice(&chunk[..len]);
            let text = String::from_utf8_lossy(&answer).into_owned();
            let complete = [
                "</stream:features>",
                "</failure>",
                "</challenge>",
                "<proceed",
                "<success",
                "</stream:stream>",
            ];
            if len == 0 || complete.iter().any(|it| text.contains(it)) {
                return text;
            }
        }
    }

    pub(super) async fn open(&mut self, domain: &str) -> String {
        self.say(&header(domain)).await
    }

    pub(super) async fn plain(&mut self, user: &str, password: &str) -> String {
        let text =
            base64::engine::general_purpose::STANDARD.encode(format!("\0{user}\0{password}"));
        let auth = format!(
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{text}</auth>"
        );
        self.say(&auth).await
    }
}

/// With what Gajim sends before a declaration: white space.
fn header(domain: &str) -> String {
    format!(
        " \n<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='{NS_STREAM}' to='{domain}' version='1.0'>"
    )
}

/// A client with a resource.
pub(super) struct Client {
    reader: StreamReader<ReadHalf<Box<dyn Io>>>,
    writer: WriteHalf<Box<dyn Io>>,
    pub(super) jid: String,
}

impl Client {
    /// Logged in up to the stream features that offer a resource.
    pub(super) async fn authenticated(
        address: SocketAddr,
        certificate: &Path,
        user: &str,
        domain: &str,
    ) -> Self {
        let mut raw = Raw::connect(address).await;
        raw.open(domain).await;
        assert!(
            raw.say("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
                .await
                .contains("proceed")
        );
        let mut raw = raw.encrypt(certificate, domain).await;
        raw.open(domain).await;
        assert!(raw.plain(user, "secret").await.contains("success"));
        let (input, writer) = tokio::io::split(raw.io);
        let reader = StreamReader::new(input, Limits::default());
        let mut client = Self {
            reader,
            writer,
            jid: String::new(),
        };
        client.send(&header(domain)).await;
        assert!(matches!(
            client.reader.next().await.unwrap(),
            Some(StreamEvent::Open(_))
        ));
        client.named("features").await;
        client
    }

    pub(super) async fn login(
        address: SocketAddr,
        certificate: &Path,
        user: &str,
        domain: &str,
    ) -> Self {
        let mut client = Self::authenticated(address, certificate, user, domain).await;
        client
            .send("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
            .await;
        let bound = client.named("iq").await;
        client.jid = bound
            .children()
            .next()
            .unwrap()
            .children()
            .next()
            .unwrap()
            .text();
        client
    }

    pub(super) async fn send(&mut self, xml: &str) {
        self.writer.write_all(xml.as_bytes()).await.unwrap();
        self.writer.flush().await.unwrap();
    }

    pub(super) async fn element(&mut self) -> Element {
        match timeout(PATIENCE, self.reader.next())
            .await
            .unwrap()
            .unwrap()
        {
            Some(StreamEvent::Element(element)) => element,
            other => panic!("{other:?}"),
        }
    }

    /// The next element of this name.
    pub(super) async fn named(&mut self, name: &str) -> Element {
        loop {
            let element = self.element().await;
            if element.name == name {
                return element;
            }
        }
    }

    /// Does the server close the stream in turn, and then the connection?
    pub(super) async fn closed(&mut self) -> bool {
        let close = timeout(PATIENCE, self.reader.next()).await.unwrap();
        let end = timeout(PATIENCE, self.reader.next()).await.unwrap();
        matches!((close, end), (Ok(Some(StreamEvent::Close)), Ok(None)))
    }
}

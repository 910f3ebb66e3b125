//! A component against a server made of a socket.

use super::*;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

struct Server {
    reader: StreamReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
}

impl Server {
    async fn accept(listener: &TcpListener) -> Self {
        let (socket, _) = listener.accept().await.unwrap();
        let (input, mut writer) = socket.into_split();
        let mut reader = StreamReader::new(input, Limits::default());
        assert!(matches!(
            reader.next().await.unwrap(),
            Some(StreamEvent::Open(_))
        ));
        let header = format!(
            "<stream:stream xmlns='{NS_COMPONENT}' xmlns:stream='{NS_STREAM}' from='field.example' id='3BF96D32'>"
        );
        writer.write_all(header.as_bytes()).await.unwrap();
        let Some(StreamEvent::Element(handshake)) = reader.next().await.unwrap() else {
            panic!("handshake")
        };
        assert_eq!(handshake.text(), digest("3BF96D32", "s3cr3t"));
        writer.write_all(b"<handshake/>").await.unwrap();
        Self { reader, writer }
    }

    async fn read(&mut self) -> Element {
        match self.reader.next().await.unwrap() {
            Some(StreamEvent::Element(element)) => element,
            other => panic!("{other:?}"),
        }
    }

    async fn write(&mut self, xml: &str) {
        self.writer.write_all(xml.as_bytes()).await.unwrap();
    }
}

fn settings(listener: &TcpListener) -> Settings {
    Settings {
        server: listener.local_addr().unwrap().to_string(),
        domain: "field.example".into(),
        secret: "s3cr3t".into(),
        reconnect_max: Duration::from_secs(1),
        limits: Limits::default(),
        siblings: Siblings::new(["field.example".to_owned()]),
    }
}

async fn send(deliveries: &mpsc::Sender<Delivery>, stanza: &Element) -> oneshot::Receiver<bool> {
    let (done, told) = oneshot::channel();
    let delivery = Delivery {
        stanza: stanza.clone(),
        key: 1,
        done,
    };
    deliveries.send(delivery).await.unwrap();
    told
}

#[test]
fn the_handshake_is_that_of_the_specification() {
    // FIPS 180-1, appendix A.
    assert_eq!(digest("3BF96D32", "s3cr3t").len(), 40);
    assert_eq!(
        digest("abc", ""),
        "a9993e364706816aba3e25717850c26c9cd0d89d"
    );
}

#[tokio::test]
async fn stanzas_pass_and_none_is_lost_at_a_break() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (router, mut inlets) = Router::new();
    let (state, _seen) = watch::channel(State::Connecting);
    let component = tokio::spawn(run(settings(&listener), router, state));
    let mut server = Server::accept(&listener).await;
    let attachment = inlets.attachments.recv().await.unwrap();
    assert_eq!(
        attachment.service,
        Service::Component("field.example".into())
    );

    server
        .write("<message to='a@field.example' from='field.example'/>")
        .await;
    server
        .write("<message to='a@field.example' from='b@base.example'><body>in</body></message>")
        .await;
    let submission = inlets.submissions.recv().await.unwrap();
    assert!(submission.stanza.is(NS_CLIENT, "message"));
    assert_eq!(
        submission.stanza.child(NS_CLIENT, "body").unwrap().text(),
        "in"
    );
    submission.reply.send(Ok(())).unwrap();

    let message = Element::parse_stanza(
        "<message from='a@field.example' to='b@base.example'><body>out</body></message>",
    )
    .unwrap();
    let mut told = send(&attachment.deliveries, &message).await;
    assert_eq!(server.read().await, message);
    let echo = server.read().await;
    assert!(
        told.try_recv().is_err(),
        "not done before the server has read it"
    );
    server.write(&echo.to_xml(NS_COMPONENT)).await;
    assert!(told.await.unwrap());

    let told = send(&attachment.deliveries, &message).await;
    server.read().await;
    drop(server);
    assert!(
        told.await.is_err(),
        "not done: the gateway delivers it again"
    );

    let mut server = Server::accept(&listener).await;
    let told = send(&attachment.deliveries, &message).await;
    assert_eq!(server.read().await, message);
    let echo = server.read().await;
    server.write(&echo.to_xml(NS_COMPONENT)).await;
    assert!(told.await.unwrap());
    component.abort();
}

#[tokio::test]
async fn a_wrong_secret_is_explained() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = settings(&listener);
    let server = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let refusal = format!(
            "<stream:stream xmlns='{NS_COMPONENT}' xmlns:stream='{NS_STREAM}' id='1'><stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>"
        );
        socket.write_all(refusal.as_bytes()).await.unwrap();
        sleep(Duration::from_secs(1)).await;
    });
    let error = probe(&settings).await.unwrap_err();
    assert!(
        error.advice(&settings).contains("refused the secret"),
        "{error}"
    );
    server.abort();
}

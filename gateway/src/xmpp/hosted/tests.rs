//! Two hosted domains with a router in between, and clients on real sockets with TLS.

mod client;

use std::collections::HashMap;

use super::*;
use crate::router::Inlets;
use crate::xml::NS_CLIENT;
use crate::xmpp::stanza;
use client::{Client, Raw};

/// Joins attachments by the domain of `to`, as a radio without delay would.
async fn join(mut inlets: Inlets) {
    let mut attached = HashMap::new();
    loop {
        tokio::select! {
            Some(it) = inlets.attachments.recv() => {
                attached.insert(it.service.domain().to_owned(), it.deliveries);
            }
            Some(it) = inlets.submissions.recv() => {
                let to = stanza::domain(&it.stanza, "to").unwrap();
                let (done, _) = tokio::sync::oneshot::channel();
                let delivery = Delivery { stanza: it.stanza, key: 0, done };
                attached[&to].send(delivery).await.unwrap();
                let _ = it.reply.send(Ok(()));
            }
            else => return,
        }
    }
}

/// `base.example` with alice and `field.example` with carol, both with password `secret`.
struct Sites {
    base: Hosted,
    field: Hosted,
    folder: tempfile::TempDir,
}

impl Sites {
    async fn new() -> Self {
        let (router, inlets) = Router::new();
        tokio::spawn(join(inlets));
        let folder = tempfile::tempdir().unwrap();
        let base = host(&folder, "base.example", "alice", &router).await;
        let field = host(&folder, "field.example", "carol", &router).await;
        Self {
            base,
            field,
            folder,
        }
    }

    async fn alice(&self) -> Client {
        let certificate = self.folder.path().join("base.example.crt");
        Client::login(
            self.base.addresses()[0],
            &certificate,
            "alice",
            "base.example",
        )
        .await
    }

    async fn carol(&self) -> Client {
        let certificate = self.folder.path().join("field.example.crt");
        Client::login(
            self.field.addresses()[0],
            &certificate,
            "carol",
            "field.example",
        )
        .await
    }
}

async fn host(folder: &tempfile::TempDir, domain: &str, user: &str, router: &Router) -> Hosted {
    let store = Store::in_memory().unwrap();
    accounts::create(&store, &format!("{user}@{domain}"), "secret").unwrap();
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let settings = Settings {
        domain: domain.into(),
        listen: vec![loopback],
        listen_tls: vec![loopback],
        certificate: folder.path().join(format!("{domain}.crt")),
        private_key: folder.path().join(format!("{domain}.key")),
        make_certificate: true,
        offline_max: 100,
        resume_timeout: Duration::from_secs(60),
        software: "longwire".into(),
        database: PathBuf::new(),
        limits: Limits::default(),
    };
    start_with(settings, router.clone(), store).await.unwrap()
}

fn message(to: &str, body: &str) -> String {
    format!("<message to='{to}' type='chat'><body>{body}</body></message>")
}

#[tokio::test]
async fn two_sites_talk() {
    let sites = Sites::new().await;
    let (mut alice, mut carol) = (sites.alice().await, sites.carol().await);
    assert_eq!(
        (sites.base.session_count(), sites.field.session_count()),
        (1, 1)
    );
    alice.send("<presence/>").await;
    carol.send("<presence/>").await;
    carol.element().await;
    for n in 0..20 {
        alice
            .send(&message("carol@field.example", &n.to_string()))
            .await;
    }
    for n in 0..20 {
        let received = carol.named("message").await;
        assert_eq!(
            received.child(NS_CLIENT, "body").unwrap().text(),
            n.to_string()
        );
        assert_eq!(received.attr("from"), Some(alice.jid.as_str()));
    }
    alice.send("<message to='@' id='m'/>").await;
    let error = alice.named("message").await;
    assert!(error.to_xml("").contains("jid-malformed"));
    alice.send("</stream:stream>").await;
    assert!(alice.closed().await);
}

#[tokio::test]
async fn a_broken_stream_resumes_without_loss() {
    let sites = Sites::new().await;
    let (mut alice, mut carol) = (sites.alice().await, sites.carol().await);
    carol
        .send("<presence/><enable xmlns='urn:xmpp:sm:3' resume='true'/>")
        .await;
    let enabled = carol.named("enabled").await;
    let token = enabled.attr("id").unwrap().to_owned();
    alice.send(&message("carol@field.example", "one")).await;
    assert!(carol.named("message").await.to_xml("").contains("one"));
    carol.send(&message("alice@base.example", "counted")).await;
    carol.send("<r xmlns='urn:xmpp:sm:3'/>").await;
    assert_eq!(carol.named("a").await.attr("h"), Some("1"));
    drop(carol);
    alice.send(&message("carol@field.example", "two")).await;
    alice
        .send("<iq type='get' id='p' to='base.example'><ping xmlns='urn:xmpp:ping'/></iq>")
        .await;
    alice.named("iq").await;

    let certificate = sites.folder.path().join("field.example.crt");
    let mut carol = Client::authenticated(
        sites.field.addresses()[0],
        &certificate,
        "carol",
        "field.example",
    )
    .await;
    carol
        .send(&format!(
            "<resume xmlns='urn:xmpp:sm:3' previd='{token}' h='0'/>"
        ))
        .await;
    assert_eq!(carol.named("resumed").await.attr("h"), Some("1"));
    let repeated = [carol.named("message").await, carol.named("message").await];
    let bodies = repeated.map(|it| it.child(NS_CLIENT, "body").unwrap().text());
    assert_eq!(bodies, ["one", "two"]);
    // Nobody else's token works.
    let certificate = sites.folder.path().join("base.example.crt");
    let mut thief = Client::authenticated(
        sites.base.addresses()[0],
        &certificate,
        "alice",
        "base.example",
    )
    .await;
    thief
        .send(&format!(
            "<resume xmlns='urn:xmpp:sm:3' previd='{token}' h='0'/>"
        ))
        .await;
    thief.named("failed").await;
}

#[tokio::test]
async fn direct_tls_takes_plain() {
    let sites = Sites::new().await;
    let certificate = sites.folder.path().join("base.example.crt");
    let mut raw = Raw::connect(sites.base.addresses_tls()[0])
        .await
        .encrypt(&certificate, "base.example")
        .await;
    let features = raw.open("base.example").await;
    assert!(
        features.contains("PLAIN") && !features.contains("starttls") && !features.contains("PLUS")
    );
    assert!(raw.plain("alice", "wrong").await.contains("not-authorized"));
    assert!(
        raw.plain("nobody", "secret")
            .await
            .contains("not-authorized")
    );
    assert!(raw.plain("alice", "secret").await.contains("success"));
}

#[tokio::test]
async fn what_must_be_refused_is_refused_in_words() {
    let sites = Sites::new().await;
    for (sent, condition) in [
        (
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGEAYg==</auth>",
            "not-authorized",
        ),
        ("<message to='a@b'/>", "not-authorized"),
        ("<a><!-- x --></a>", "restricted-xml"),
        (
            "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><iq/>",
            "policy-violation",
        ),
        ("text", "not-well-formed"),
    ] {
        let mut raw = Raw::connect(sites.base.addresses()[0]).await;
        let features = raw.open("base.example").await;
        assert!(features.contains("starttls") && !features.contains("mechanism"));
        let answer = raw.say(sent).await;
        // After <proceed/> nobody listens for an error in the clear.
        let cut = sent.starts_with("<starttls") && answer.is_empty() | answer.contains("proceed");
        assert!(answer.contains(condition) || cut, "{sent}: {answer}");
    }
    let mut raw = Raw::connect(sites.base.addresses()[0]).await;
    assert!(raw.open("elsewhere.example").await.contains("host-unknown"));
}

//! Two gateways and the air between them, in virtual time: every stanza arrives once, in order, whatever the air and
//! the power supply do.

#[path = "support/up.rs"]
mod up;

use std::path::{Path, PathBuf};
use std::time::Duration;

use longwire::config::Config;
use longwire::keys::Key;
use longwire::store::Store;
use longwire::xml::Element;
use tokio::task::LocalSet;

use up::{Up, body};

/// One end: its files outlive its process.
struct Site {
    folder: PathBuf,
    config: Config,
    domain: &'static str,
}

const ROMEO: &str = "romeo@ship.example/deck";
const JULIET: &str = "juliet@shore.example";
const ENDS: [&str; 2] = ["ship.example", "shore.example"];

impl Site {
    fn new(folder: &Path, index: usize, air: &str, extra: &str) -> Self {
        let key_file = folder.join("key");
        if !key_file.exists() {
            Key([7; 32]).store(&key_file).unwrap();
        }
        let (domain, far) = (ENDS[index], ENDS[1 - index]);
        let text = format!(
            "[[hosted]]\ndomain = '{domain}'\n\
             [[modem]]\nname = 'hf'\nurl = 'air:{air}'\nstation = {index}\n\
             [[peer]]\nname = 'far'\nmodem = 'hf'\nstation = {}\nkey-file = '{}'\n\
             domains = ['{far}']\ntext-model = '128k'\nchat-states = 'carry'\n{extra}",
            1 - index,
            key_file.display()
        );
        Self {
            folder: folder.join(domain),
            config: Config::parse(&text, Path::new("pair.toml")).unwrap(),
            domain,
        }
    }

    fn start(&self) -> Up {
        let store = Store::open(&self.folder.with_extension("db")).unwrap();
        Up::start(self.config.clone(), store, self.domain)
    }
}

const DAY: Duration = Duration::from_secs(24 * 3600);

impl Up {
    async fn hear(&mut self) -> Element {
        self.next(DAY).await.expect("nothing within a day")
    }

    async fn is_quiet(&mut self) -> bool {
        self.next(DAY).await.is_none()
    }
}

fn chat(from: &str, to: &str, id: &str, text: &str) -> String {
    format!("<message from='{from}' to='{to}' id='{id}' type='chat'><body>{text}</body></message>")
}

#[tokio::test(start_paused = true)]
async fn a_conversation_with_receipts_over_a_poor_link() {
    let folder = tempfile::tempdir().unwrap();
    let air = "talk?rate=300&turnaround=500&loss=0.2&burst=2&seed=3";
    let (a, b) = (
        Site::new(folder.path(), 0, air, ""),
        Site::new(folder.path(), 1, air, ""),
    );
    let talk = async {
        let (mut a, mut b) = (a.start(), b.start());
        a.send(
            "<message from='romeo@ship.example/deck' to='juliet@shore.example' id='rj-1' type='chat'>\
             <body>Is the pier lit tonight?</body><request xmlns='urn:xmpp:receipts'/></message>",
        )
        .await;
        let question = b.hear().await;
        assert_eq!(body(&question), "Is the pier lit tonight?");
        assert_eq!(question.attr("from"), Some("romeo@ship.example/deck"));
        let id = question.attr("id").unwrap();
        b.send(&format!(
            "<message from='juliet@shore.example/b' to='romeo@ship.example/deck' id='x9'>\
             <received xmlns='urn:xmpp:receipts' id='{id}'/></message>"
        ))
        .await;
        let receipt = a.hear().await;
        let received = receipt.child("urn:xmpp:receipts", "received").unwrap();
        assert_eq!(
            received.attr("id"),
            Some("rj-1"),
            "the sender knows its own id"
        );
        assert!(a.is_quiet().await && b.is_quiet().await);
    };
    LocalSet::new().run_until(talk).await;
}

#[tokio::test(start_paused = true)]
async fn an_iq_finds_its_way_back_under_its_own_id() {
    let folder = tempfile::tempdir().unwrap();
    let air = "iq?rate=1200&turnaround=100";
    let (a, b) = (
        Site::new(folder.path(), 0, air, ""),
        Site::new(folder.path(), 1, air, ""),
    );
    let talk = async {
        let (mut a, mut b) = (a.start(), b.start());
        a.send(
            "<iq from='romeo@ship.example/deck' to='juliet@shore.example/b' id='q1' type='get'>\
             <query xmlns='jabber:iq:last'/></iq>",
        )
        .await;
        let asked = b.hear().await;
        let id = asked.attr("id").unwrap();
        b.send(&format!(
            "<iq from='juliet@shore.example/b' to='romeo@ship.example/deck' id='{id}' type='result'>\
             <query xmlns='jabber:iq:last' seconds='3'/></iq>"
        ))
        .await;
        let reply = a.hear().await;
        assert_eq!(
            (reply.attr("id"), reply.attr("type")),
            (Some("q1"), Some("result"))
        );
    };
    LocalSet::new().run_until(talk).await;
}

#[tokio::test(start_paused = true)]
async fn ids_are_known_after_both_ends_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let air = "ids?rate=1200&turnaround=100";
    let sites = [
        Site::new(folder.path(), 0, air, ""),
        Site::new(folder.path(), 1, air, ""),
    ];
    let talk = async {
        let (a, mut b) = (sites[0].start(), sites[1].start());
        a.send(&chat(
            ROMEO,
            "juliet@shore.example/b",
            "before",
            "still there?",
        ))
        .await;
        a.send(&format!(
            "<iq from='{ROMEO}' to='juliet@shore.example/b' id='q1' type='get'>\
             <query xmlns='jabber:iq:last'/></iq>"
        ))
        .await;
        let message = b.hear().await.attr("id").unwrap().to_owned();
        let request = b.hear().await.attr("id").unwrap().to_owned();
        tokio::time::sleep(Duration::from_secs(60)).await;
        drop((a, b));

        let (mut a, b) = (sites[0].start(), sites[1].start());
        b.send(&format!(
            "<message from='juliet@shore.example/b' to='{ROMEO}' id='r'>\
             <received xmlns='urn:xmpp:receipts' id='{message}'/></message>"
        ))
        .await;
        b.send(&format!(
            "<iq from='juliet@shore.example/b' to='{ROMEO}' id='{request}' type='result'>\
             <query xmlns='jabber:iq:last' seconds='3'/></iq>"
        ))
        .await;
        let receipt = a.hear().await;
        let received = receipt.child("urn:xmpp:receipts", "received").unwrap();
        assert_eq!(received.attr("id"), Some("before"));
        assert_eq!(a.hear().await.attr("id"), Some("q1"));
    };
    LocalSet::new().run_until(talk).await;
}

#[tokio::test(start_paused = true)]
async fn killed_ends_lose_nothing_and_repeat_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let air = "kill?rate=1200&turnaround=100&loss=0.1&burst=2&seed=5";
    let sites = [
        Site::new(folder.path(), 0, air, ""),
        Site::new(folder.path(), 1, air, ""),
    ];
    let rounds = 12;
    let talk = async {
        let mut heard = Vec::new();
        for round in 0..rounds {
            let (a, mut b) = (sites[0].start(), sites[1].start());
            for line in 0..5 {
                let text = format!("line {}", round * 5 + line);
                a.send(&chat(
                    "romeo@ship.example/deck",
                    "juliet@shore.example",
                    &text,
                    &text,
                ))
                .await;
            }
            // Some rounds end in the middle of a frame, some after everything is said.
            let life = Duration::from_millis(300 + 700 * round);
            while let Some(stanza) = b.next(life).await {
                heard.push(body(&stanza));
            }
        }
        let (a, mut b) = (sites[0].start(), sites[1].start());
        while let Some(stanza) = b.next(Duration::from_secs(3600)).await {
            heard.push(body(&stanza));
        }
        let all: Vec<String> = (0..rounds * 5).map(|line| format!("line {line}")).collect();
        assert_eq!(heard, all);
        let gateway = a.running.gateway();
        assert!(gateway.borrow().peers()[0].outbox.is_empty());
    };
    LocalSet::new().run_until(talk).await;
}

#[tokio::test(start_paused = true)]
async fn what_expires_comes_back_as_an_error_and_never_arrives() {
    let folder = tempfile::tempdir().unwrap();
    let air = "expire?rate=300";
    let extra = "[peer.expiry]\nchat = '1h'\n";
    let site = Site::new(folder.path(), 0, air, extra);
    let far = Site::new(folder.path(), 1, air, extra);
    let talk = async {
        let mut a = site.start();
        for id in 0..20 {
            let id = format!("m{id}");
            a.send(&chat(ROMEO, JULIET, &id, "anybody there?")).await;
        }
        let mut errors = Vec::new();
        let mut note = |error: &Element| {
            assert_eq!(error.attr("type"), Some("error"));
            errors.push(error.attr("id").unwrap_or_default().to_owned());
        };
        // What was never on the air is known not to have arrived.
        while let Some(error) = a.next(Duration::from_secs(7200)).await {
            note(&error);
        }
        // Of the rest only the far end can say so.
        let mut b = far.start();
        a.send(&chat(ROMEO, JULIET, "now", "now?")).await;
        assert_eq!(body(&b.hear().await), "now?");
        while let Some(error) = a.next(Duration::from_secs(7200)).await {
            note(&error);
        }
        errors.sort();
        let mut all: Vec<String> = (0..20).map(|id| format!("m{id}")).collect();
        all.sort();
        assert_eq!(errors, all);
        assert!(b.is_quiet().await);
    };
    LocalSet::new().run_until(talk).await;
}

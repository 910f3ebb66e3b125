//! Real servers, real clients, real gateway processes. Refuses simulated peers: those are elsewhere.

use std::time::Duration;

use tests::probe::Probe;
use tests::process::peers_skipped;
use tests::relay;
use tests::server::{PASSWORD, Server, Site, Software};
use tests::slixmpp::{Client, Login};

/// How many checks the probe has.
const CHECKS: usize = 35;
/// Prosody 0.12 sends no `unavailable` on an inbound `unsubscribe`, on one server or on two.
const PROSODY_OMITS: &[&str] = &["unsubscribe"];

/// Two servers that only know each other as components.
fn two_servers(ship: Software, shore: Software) -> (Server, Server) {
    let ship = ship.start(&Site {
        domain: "ship.example",
        accounts: &["romeo"],
        peers: &["shore.example"],
    });
    let shore = shore.start(&Site {
        domain: "shore.example",
        accounts: &["juliet"],
        peers: &["ship.example"],
    });
    (ship, shore)
}

/// The baseline: what the servers themselves let through.
fn probe_through_relay(ship: Software, shore: Software, excused: &[&str]) {
    if peers_skipped() {
        return;
    }
    let (ship, shore) = two_servers(ship, shore);
    let _relay = relay::start(&ship, &shore);
    let probe = Probe {
        a: ship.account("romeo"),
        b: shore.account("juliet"),
        patience: Duration::from_secs(10),
        only: &[],
    };
    probe
        .run(&ship.folder().join("probe.log"))
        .assert_passed(CHECKS, excused);
}

#[test]
fn relay_between_two_prosodys() {
    probe_through_relay(Software::Prosody, Software::Prosody, PROSODY_OMITS);
}

#[test]
fn relay_between_prosody_and_ejabberd() {
    probe_through_relay(Software::Prosody, Software::Ejabberd, &[]);
}

/// The driver itself: what Romeo sends, Juliet receives, on one server.
#[test]
fn two_driven_clients_on_one_server() {
    if peers_skipped() {
        return;
    }
    let site = Site {
        domain: "verona.example",
        accounts: &["romeo", "juliet"],
        peers: &[],
    };
    let server = Software::Prosody.start(&site);
    let login = |local: &str| Login {
        jid: format!("{local}@{}", server.domain),
        password: PASSWORD.to_owned(),
        port: server.c2s,
        tls: "start",
    };
    let limit = Duration::from_secs(20);
    let mut romeo = Client::login(&login("romeo"), limit).expect("romeo logs in");
    let mut juliet = Client::login(&login("juliet"), limit).expect("juliet logs in");
    romeo.send(&format!(
        "<message xmlns='jabber:client' to='{}' id='balcony-1'><body>O, speak again</body></message>",
        juliet.jid
    ));
    juliet.receive(&["balcony-1", "O, speak again", &romeo.jid], limit);
    let wrong = Login {
        password: "montague".to_owned(),
        ..login("romeo")
    };
    assert!(
        Client::login(&wrong, limit).is_err(),
        "a wrong password was accepted"
    );
    romeo.logout();
    juliet.logout();
}

//! What servers and clients do without any gateway: the measure for everything else, and a test of the harness.

use std::time::Duration;

use tests::process::peers_skipped;
use tests::profanity::Profanity;
use tests::relay;
use tests::server::{Site, Software};
use tests::slixmpp::{Client, Login};

use crate::{PROSODY_OMITS, login, probe, two_servers};

fn probe_through_relay(ship: Software, shore: Software, excused: &[&str]) {
    if peers_skipped() {
        return;
    }
    let (ship, shore) = two_servers(ship, shore);
    let _relay = relay::start(&ship, &shore);
    probe(&ship, &shore, Duration::from_secs(10), excused);
}

#[test]
fn relay_between_two_prosodys() {
    probe_through_relay(Software::Prosody, Software::Prosody, PROSODY_OMITS);
}

#[test]
fn relay_between_prosody_and_ejabberd() {
    probe_through_relay(Software::Prosody, Software::Ejabberd, &[]);
}

/// The drivers themselves: what Romeo sends, Juliet receives, on one server.
#[test]
fn driven_clients_on_one_server() {
    if peers_skipped() {
        return;
    }
    let accounts = &["romeo", "juliet", "nurse"];
    let server = Software::Prosody.start(&Site {
        domain: "verona.example",
        accounts,
        peers: &[],
    });
    let limit = Duration::from_secs(20);
    let mut romeo = Client::login(&login(&server, "romeo"), limit).expect("romeo logs in");
    let mut juliet = Client::login(&login(&server, "juliet"), limit).expect("juliet logs in");
    romeo.send(&format!(
        "<message xmlns='jabber:client' to='{}' id='balcony-1'><body>O, speak again</body></message>",
        juliet.jid
    ));
    juliet.receive(&["balcony-1", "O, speak again", &romeo.jid], limit);
    juliet.send("<presence xmlns='jabber:client'/>");
    let nurse = Profanity::login(&login(&server, "nurse"), limit);
    nurse.enter("/msg juliet@verona.example Madam!");
    juliet.receive(&["Madam!"], limit);
    juliet.send(
        "<message xmlns='jabber:client' type='chat' to='nurse@verona.example'><body>Anon!</body></message>",
    );
    nurse.wait_for("Anon!", limit);
    let wrong = Login {
        password: "montague".to_owned(),
        ..login(&server, "romeo")
    };
    assert!(
        Client::login(&wrong, limit).is_err(),
        "a wrong password was accepted"
    );
    romeo.logout();
    juliet.logout();
}

//! What goes wrong at sea: sudden death of both gateways, a secret mistyped. Nothing that was taken is lost.

use std::time::Duration;

use tests::process::peers_skipped;
use tests::pty::{Line, Pair};
use tests::server::{SECRET, Software};
use tests::slixmpp::Client;

use crate::joined::{Gateways, chat, serial};
use crate::{login, two_servers};

/// Custody: what a gateway took survives its sudden death, and arrives once.
#[test]
fn a_killed_gateway_loses_nothing() {
    if peers_skipped() {
        return;
    }
    let (ship, shore) = two_servers(Software::Prosody, Software::Prosody);
    let line = Line::clean(1200, Duration::from_millis(50));
    let pair = Pair::start(line);
    let mut gateways = Gateways::start(&ship, &shore, &serial(&pair, line));
    let limit = Duration::from_secs(90);
    let mut romeo = Client::login(&login(&ship, "romeo"), limit).expect("romeo logs in");
    let mut juliet = Client::login(&login(&shore, "juliet"), limit).expect("juliet logs in");
    romeo.send(&chat(&juliet.jid, "first", "Number 0 of ten"));
    juliet.receive(&["Number 0 of ten"], limit);
    for number in 1..10 {
        romeo.send(&chat(
            &juliet.jid,
            &format!("n{number}"),
            &format!("Number {number} of ten"),
        ));
    }
    juliet.receive(&["Number 2 of ten"], limit);
    gateways.ship.kill();
    gateways.shore.kill();
    gateways.shore.restart();
    gateways.ship.restart();
    for number in [1, 3, 4, 5, 6, 7, 8, 9] {
        juliet.receive(&[&format!("Number {number} of ten")], limit);
    }
    let again = juliet.rest(Duration::from_secs(5));
    assert!(
        again.iter().all(|xml| !xml.contains("of ten")),
        "came twice: {again:#?}"
    );
}

/// A component secret that the server refuses is said plainly by `check`, and costs no stanza.
#[test]
fn a_wrong_component_secret_is_named_and_loses_nothing() {
    if peers_skipped() {
        return;
    }
    let (ship, shore) = two_servers(Software::Prosody, Software::Prosody);
    let line = Line::clean(9600, Duration::from_millis(50));
    let pair = Pair::start(line);
    let mut gateways = Gateways::start(&ship, &shore, &serial(&pair, line));
    gateways.shore.stop();
    gateways
        .shore
        .edit(|text| text.replace(SECRET, "semiphore"));
    gateways.shore.restart();
    let check = gateways
        .shore
        .command(&["check"])
        .output()
        .expect("longwire starts");
    let said = String::from_utf8_lossy(&check.stdout).into_owned();
    assert_eq!(check.status.code(), Some(5), "{said}");
    assert!(
        said.lines()
            .any(|line| line.contains("FAIL") && line.contains("secret")),
        "{said}"
    );
    let limit = Duration::from_secs(60);
    let mut romeo = Client::login(&login(&ship, "romeo"), limit).expect("romeo logs in");
    let mut juliet = Client::login(&login(&shore, "juliet"), limit).expect("juliet logs in");
    romeo.send(&chat(&juliet.jid, "b1", "Who is there?"));
    let early = juliet.rest(Duration::from_secs(3));
    assert!(
        early.is_empty(),
        "through a refused component came {early:#?}"
    );
    gateways.shore.stop();
    gateways
        .shore
        .edit(|text| text.replace("semiphore", SECRET));
    gateways.shore.restart();
    juliet.receive(&["Who is there?"], limit);
}

//! What goes wrong at sea: sudden death of both gateways, a secret mistyped. Nothing that was taken is lost.

use std::time::Duration;

use tests::process::peers_skipped;
use tests::pty::{Line, Pair};
use tests::server::{SECRET, Software};
use tests::slixmpp::Client;

use crate::joined::{Gateways, chat, serial};
use crate::{login, two_servers};

/// Custody: what a gateway took survives its sudden death and arrives.
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
    let mut first = vec![juliet.receive(&["Number 2 of ten"], limit)];
    gateways.ship.kill();
    gateways.shore.kill();
    gateways.shore.restart();
    gateways.ship.restart();
    for number in [1, 3, 4, 5, 6, 7, 8, 9] {
        first.push(juliet.receive(&[&format!("Number {number} of ten")], limit));
    }
    // What the server had read when the gateway died, before that could be noted, comes again: XEP-0114 knows
    // no acknowledgement. It then carries the id it had before, by which clients know it.
    let again = juliet.rest(Duration::from_secs(5));
    for xml in again.iter().filter(|xml| xml.contains("of ten")) {
        let id = attribute(xml, "id");
        assert!(
            first.iter().any(|xml| attribute(xml, "id") == id),
            "came twice as two: {xml}"
        );
    }
}

/// The value of the first attribute with this name.
fn attribute<'a>(xml: &'a str, name: &str) -> &'a str {
    let rest = xml
        .split(&format!(" {name}=\""))
        .nth(1)
        .expect("the attribute is there");
    rest.split('"').next().unwrap_or_default()
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
    let check = gateways
        .shore
        .command(&["check"])
        .output()
        .expect("longwire starts");
    let said = String::from_utf8_lossy(&check.stdout).into_owned();
    assert_eq!(check.status.code(), Some(5), "{said}");
    assert!(
        said.contains("FAIL component") && said.contains("secret"),
        "{said}"
    );
    gateways.shore.restart();
    let limit = Duration::from_secs(60);
    let mut romeo = Client::login(&login(&ship, "romeo"), limit).expect("romeo logs in");
    let mut juliet = Client::login(&login(&shore, "juliet"), limit).expect("juliet logs in");
    romeo.send(&chat(&juliet.jid, "b1", "Who is there?"));
    let early = juliet.rest(Duration::from_secs(3));
    let through = early.iter().any(|xml| xml.contains("Who is there?"));
    assert!(!through, "through a refused component came {early:#?}");
    gateways.shore.stop();
    gateways
        .shore
        .edit(|text| text.replace("semiphore", SECRET));
    gateways.shore.restart();
    juliet.receive(&["Who is there?"], limit);
}

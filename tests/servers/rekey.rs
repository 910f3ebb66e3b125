//! New keys while Romeo and Juliet talk through two servers and two gateway processes, over an air that loses frames.

use std::time::{Duration, Instant};

use serde_json::Value;
use tests::gateways::Gateway;
use tests::process::peers_skipped;
use tests::pty::{Line, Pair};
use tests::server::Software;
use tests::slixmpp::Client;

use crate::joined::{Gateways, chat, serial};
use crate::{login, two_servers};

const LIMIT: Duration = Duration::from_secs(90);

/// Asks for a new key, waits for it, and returns its fingerprint.
fn rekey(gateway: &Gateway) -> String {
    // A key that is not confirmed yet would fulfil the wish.
    await_status(gateway, |status| !status.contains("a new one is"));
    let output = gateway
        .command(&["rekey", "far", "--wait", "--json"])
        .output()
        .expect("longwire starts");
    assert!(output.status.success(), "{output:?}");
    let said: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(said["key"]["state"], "settled", "{said}");
    said["key"]["fingerprint"]
        .as_str()
        .expect("a fingerprint")
        .to_owned()
}

/// Returns once `longwire status` says what is wanted.
pub(crate) fn await_status(gateway: &Gateway, wanted: impl Fn(&str) -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !wanted(&gateway.status()) {
        assert!(Instant::now() < deadline, "{}", gateway.status());
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Both ends ask in turn, mid-sentence, and one is killed in between: every message comes once.
#[test]
fn new_keys_lose_and_repeat_nothing() {
    if peers_skipped() {
        return;
    }
    let (ship, shore) = two_servers(Software::Prosody, Software::Prosody);
    let line = Line {
        loss_percent: 5,
        seed: 11,
        ..Line::clean(2400, Duration::from_millis(50))
    };
    let pair = Pair::start(line);
    let mut gateways = Gateways::start(&ship, &shore, &serial(&pair, line));
    let mut romeo = Client::login(&login(&ship, "romeo"), LIMIT).expect("romeo logs in");
    let mut juliet = Client::login(&login(&shore, "juliet"), LIMIT).expect("juliet logs in");
    let mut fingerprints = vec![];
    for round in 0..3 {
        for number in 0..4 {
            let text = format!("Number {round}.{number} of twelve");
            romeo.send(&chat(&juliet.jid, &format!("n{round}{number}"), &text));
            let text = format!("Echo {round}.{number} of twelve");
            juliet.send(&chat(&romeo.jid, &format!("e{round}{number}"), &text));
        }
        let asks = [&gateways.ship, &gateways.shore][round % 2];
        fingerprints.push(rekey(asks));
        for number in 0..4 {
            juliet.receive(&[&format!("Number {round}.{number} of twelve")], LIMIT);
            romeo.receive(&[&format!("Echo {round}.{number} of twelve")], LIMIT);
        }
        if round == 1 {
            gateways.shore.kill();
            gateways.shore.restart();
            // What the server has for a component before that goes back to its sender.
            let connected = |status: &str| status.matches(" connected").count() == 2;
            await_status(&gateways.shore, connected);
        }
    }
    let is_settled = |status: &str| !status.contains("a new one is");
    await_status(&gateways.ship, is_settled);
    await_status(&gateways.shore, is_settled);
    let end = fingerprints.last().expect("three").clone();
    for gateway in [&gateways.ship, &gateways.shore] {
        let status = gateway.status();
        assert!(status.contains(&format!("key {end}")), "{end}: {status}");
        let check = gateway.command(&["check"]).output().expect("starts");
        let said = String::from_utf8_lossy(&check.stdout).into_owned();
        assert!(said.contains("key replaced over the air"), "{said}");
    }
    fingerprints.dedup();
    assert_eq!(fingerprints.len(), 3, "{fingerprints:?}");
    for client in [&mut romeo, &mut juliet] {
        let rest = client.rest(Duration::from_secs(3));
        assert!(
            !rest.iter().any(|xml| xml.contains("of twelve")),
            "twice: {rest:?}"
        );
    }
}

//! Real servers, real clients, real gateway processes. Refuses simulated peers: those are elsewhere.

use std::time::Duration;

use tests::probe::Probe;
use tests::server::{PASSWORD, Server, Site, Software};
use tests::slixmpp::Login;

#[path = "servers/baseline.rs"]
mod baseline;
#[path = "servers/faults.rs"]
mod faults;
#[path = "servers/group.rs"]
mod group;
#[path = "servers/joined.rs"]
mod joined;
#[path = "servers/rekey.rs"]
mod rekey;
#[path = "servers/tnc.rs"]
mod tnc;

/// How many checks the probe has.
const CHECKS: usize = 35;
/// Prosody 0.12 sends no `unavailable` on an inbound `unsubscribe`, on one server or on two.
const PROSODY_OMITS: &[&str] = &["unsubscribe"];

/// Two servers that only know each other as components: Romeo's at sea, Juliet's ashore.
fn two_servers(ship: Software, shore: Software) -> (Server, Server) {
    let site = |domain, accounts, peers| Site {
        domain,
        accounts,
        peers,
    };
    (
        ship.start(&site("ship.example", &["romeo"], &["shore.example"])),
        shore.start(&site("shore.example", &["juliet"], &["ship.example"])),
    )
}

fn login(server: &Server, local: &str) -> Login {
    Login {
        jid: format!("{local}@{}", server.domain),
        password: PASSWORD.to_owned(),
        port: server.c2s,
        tls: "start",
    }
}

/// Runs all checks between Romeo and Juliet; those in `excused` may fail.
fn probe(ship: &Server, shore: &Server, patience: Duration, excused: &[&str]) {
    let probe = Probe {
        a: ship.account("romeo"),
        b: shore.account("juliet"),
        patience,
        only: &[],
    };
    probe
        .run(&ship.folder().join("probe.log"))
        .assert_passed(CHECKS, excused);
}

//! Two real servers joined by two gateways: the probe must find what it finds through a plain relay.

use std::time::Duration;

use tempfile::TempDir;
use tests::gateways::{Attachment, Gateway, Radio};
use tests::process::peers_skipped;
use tests::profanity::Profanity;
use tests::pty::{Line, Pair};
use tests::server::{PASSWORD, Server, Software};
use tests::slixmpp::{Client, Login};

use crate::{PROSODY_OMITS, login, probe, two_servers};

/// Two gateways, one on each server.
pub(crate) struct Gateways {
    pub(crate) ship: Gateway,
    pub(crate) shore: Gateway,
}

impl Gateways {
    pub(crate) fn start(ship: &Server, shore: &Server, radios: &[Radio; 2]) -> Self {
        Self {
            ship: Gateway::start(1, Attachment::Component(ship), &shore.domain, &radios[0]),
            shore: Gateway::start(0, Attachment::Component(shore), &ship.domain, &radios[1]),
        }
    }
}

/// Serial modems on both ends of a line.
pub(crate) fn serial(pair: &Pair, line: Line) -> [Radio; 2] {
    pair.ports.clone().map(|port| Radio {
        url: format!("serial:{}?baud={}", port.display(), line.bit_rate),
        bit_rate: line.bit_rate * 8 / 10,
        turnaround_ms: line.turnaround.as_millis() as u32,
    })
}

/// Simulated air that both processes reach through a socket.
pub(crate) fn air(
    folder: &TempDir,
    bit_rate: u32,
    turnaround_ms: u32,
    weather: &str,
) -> [Radio; 2] {
    let url = format!(
        "air:{}?seed=7{weather}",
        folder.path().join("air.sock").display()
    );
    [0, 1].map(|_| Radio {
        url: url.clone(),
        bit_rate,
        turnaround_ms,
    })
}

fn probe_over_serial(ship: Software, shore: Software, excused: &[&str]) {
    if peers_skipped() {
        return;
    }
    let (ship, shore) = two_servers(ship, shore);
    let line = Line::clean(19_200, Duration::from_millis(30));
    let pair = Pair::start(line);
    let _gateways = Gateways::start(&ship, &shore, &serial(&pair, line));
    probe(&ship, &shore, Duration::from_secs(30), excused);
    println!("bytes on the line: {:?}", pair.carried());
}

#[test]
fn two_prosodys_over_serial_modems() {
    probe_over_serial(Software::Prosody, Software::Prosody, PROSODY_OMITS);
}

#[test]
fn prosody_and_ejabberd_over_serial_modems() {
    probe_over_serial(Software::Prosody, Software::Ejabberd, &[]);
}

#[test]
fn two_prosodys_over_simulated_air_with_loss() {
    if peers_skipped() {
        return;
    }
    let (ship, shore) = two_servers(Software::Prosody, Software::Prosody);
    let folder = TempDir::with_prefix("longwire-air-").expect("temporary folder");
    let _gateways = Gateways::start(
        &ship,
        &shore,
        &air(&folder, 19_200, 20, "&loss=0.05&burst=2"),
    );
    probe(&ship, &shore, Duration::from_secs(30), PROSODY_OMITS);
}

/// The rate people have: a message with its receipt, and one back.
#[test]
fn a_chat_at_300_bits_per_second() {
    if peers_skipped() {
        return;
    }
    let (ship, shore) = two_servers(Software::Prosody, Software::Prosody);
    let line = Line::clean(300, Duration::from_millis(500));
    let pair = Pair::start(line);
    let _gateways = Gateways::start(&ship, &shore, &serial(&pair, line));
    let limit = Duration::from_secs(90);
    let mut romeo = Client::login(&login(&ship, "romeo"), limit).expect("romeo logs in");
    let mut juliet = Client::login(&login(&shore, "juliet"), limit).expect("juliet logs in");
    romeo.send(&chat(
        &juliet.jid,
        "b1",
        "O, wilt thou leave me so unsatisfied?",
    ));
    juliet.receive(
        &[
            "O, wilt thou leave me so unsatisfied?",
            "urn:xmpp:receipts",
            &romeo.jid,
        ],
        limit,
    );
    romeo.receive(&["urn:xmpp:receipts", "id=\"b1\""], limit);
    juliet.send(&chat(
        &romeo.jid,
        "b2",
        "What satisfaction canst thou have to-night?",
    ));
    romeo.receive(&["What satisfaction canst thou have to-night?"], limit);
    juliet.receive(&["urn:xmpp:receipts", "id=\"b2\""], limit);
    println!("bytes on the line: {:?}", pair.carried());
}

/// What gateway/examples shows is what works.
#[test]
fn the_documented_samples_join_two_prosodys() {
    if peers_skipped() {
        return;
    }
    let (ship, shore) = two_servers(Software::Prosody, Software::Prosody);
    // Ten bits on the line for eight on the air: the samples' 300 bit/s.
    let pair = Pair::start(Line::clean(375, Duration::from_millis(600)));
    let _ship = Gateway::start_sample("ship", &ship, &pair.ports[0]);
    let _shore = Gateway::start_sample("shore", &shore, &pair.ports[1]);
    let limit = Duration::from_secs(120);
    let mut romeo = Client::login(&login(&ship, "romeo"), limit).expect("romeo logs in");
    let mut juliet = Client::login(&login(&shore, "juliet"), limit).expect("juliet logs in");
    romeo.send(&chat(
        &juliet.jid,
        "s1",
        "By a name I know not how to tell thee who I am",
    ));
    juliet.receive(&["By a name I know not how", &romeo.jid], limit);
    romeo.receive(&["urn:xmpp:receipts", "id=\"s1\""], limit);
    juliet.send(&chat(&romeo.jid, "s2", "How camest thou hither?"));
    romeo.receive(&["How camest thou hither?"], limit);
}

/// A message with a receipt request.
pub(crate) fn chat(to: &str, id: &str, body: &str) -> String {
    format!(
        "<message xmlns='jabber:client' to='{to}' type='chat' id='{id}'><body>{body}</body>\
         <request xmlns='urn:xmpp:receipts'/></message>"
    )
}

/// A site with a server, and one with nothing but a gateway.
#[test]
fn prosody_and_a_hosted_domain() {
    if peers_skipped() {
        return;
    }
    let (ship, _) = two_servers(Software::Prosody, Software::Prosody);
    let line = Line::clean(9600, Duration::from_millis(50));
    let pair = Pair::start(line);
    let radios = serial(&pair, line);
    let _ship = Gateway::start(1, Attachment::Component(&ship), "shore.example", &radios[0]);
    let port = tests::ports::free();
    let shore = Gateway::start(
        0,
        Attachment::Hosted("shore.example", port),
        "ship.example",
        &radios[1],
    );
    shore.add_account("juliet@shore.example", PASSWORD);
    let limit = Duration::from_secs(60);
    let hosted = Login {
        jid: "juliet@shore.example".to_owned(),
        password: PASSWORD.to_owned(),
        port,
        tls: "start",
    };
    let mut juliet = Client::login(&hosted, limit).expect("juliet logs in at the gateway");
    juliet.send("<presence xmlns='jabber:client'/>");
    let mut romeo = Client::login(&login(&ship, "romeo"), limit).expect("romeo logs in");
    romeo.send("<presence xmlns='jabber:client'/>");
    romeo.send(&chat("juliet@shore.example", "b1", "It is my lady"));
    juliet.receive(&["It is my lady"], limit);
    juliet.send(&chat(&romeo.jid, "b2", "Ay me!"));
    romeo.receive(&["Ay me!"], limit);
    shore.add_account("nurse@shore.example", PASSWORD);
    let nurse = Profanity::login(
        &Login {
            jid: "nurse@shore.example".to_owned(),
            ..hosted
        },
        limit,
    );
    nurse.enter("/msg romeo@ship.example Madam!");
    romeo.receive(&["Madam!", "nurse@shore.example"], limit);
    romeo.send(&chat("nurse@shore.example", "b3", "Anon, sweet nurse"));
    nurse.wait_for("Anon, sweet nurse", limit);
}

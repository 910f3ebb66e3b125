//! The room of a group with real clients: one at a server that has its domain as a component, one at a gateway that is
//! the server.

use std::time::Duration;

use tempfile::TempDir;
use tests::gateways::{Attachment, Gateway};
use tests::ports;
use tests::process::peers_skipped;
use tests::server::{PASSWORD, Site, Software};
use tests::slixmpp::{Client, Login};

use crate::joined::air;
use crate::login;
use crate::rekey::await_status;

const ROOM: &str = "all@fleet.example";

/// Adds the group to a gateway, and the room's domain to its component if it is one.
fn join(gateway: &mut Gateway, role: &str) {
    gateway.stop();
    gateway.edit(|text| {
        let text = text.replacen("domains = [\"", "domains = [\"fleet.example\", \"", 1);
        let text = if text.contains("[[component]]") {
            text
        } else {
            text.replacen("\"fleet.example\", ", "", 1)
        };
        format!(
            "{text}\n[[group]]\nname = \"fleet\"\nmodem = \"hf\"\nstation = 200\nkey-file = \"peer.key\"\n\
             room = \"{ROOM}\"\n{role}\n"
        )
    });
    gateway.restart();
}

fn enter(client: &mut Client, nick: &str, limit: Duration) {
    client.send(&format!(
        "<presence xmlns='jabber:client' to='{ROOM}/{nick}'><x xmlns='http://jabber.org/protocol/muc'/></presence>"
    ));
    client.receive(
        &["presence", &format!("{ROOM}/{nick}"), "code=\"110\""],
        limit,
    );
}

fn say(client: &mut Client, id: &str, text: &str) {
    client.send(&format!(
        "<message xmlns='jabber:client' to='{ROOM}' type='groupchat' id='{id}'><body>{text}</body></message>"
    ));
}

#[test]
fn a_server_and_a_gateway_share_a_room() {
    if peers_skipped() {
        return;
    }
    let ship = Software::Prosody.start(&Site {
        domain: "ship.example",
        accounts: &["romeo"],
        peers: &["shore.example", "fleet.example"],
    });
    let folder = TempDir::with_prefix("longwire-air-").expect("temporary folder");
    let radios = air(&folder, 9600, 20, "&loss=0.1");
    let mut member = Gateway::start(1, Attachment::Component(&ship), "shore.example", &radios[0]);
    let port = ports::free();
    let hosted = Attachment::Hosted("shore.example", port);
    let mut speaker = Gateway::start(0, hosted, "ship.example", &radios[1]);
    join(&mut member, "speaker = \"far\"");
    join(&mut speaker, "members = [\"far\"]");
    speaker.add_account("juliet@shore.example", PASSWORD);
    let limit = Duration::from_secs(60);
    let at_gateway = Login {
        jid: "juliet@shore.example".to_owned(),
        password: PASSWORD.to_owned(),
        port,
        tls: "start",
    };
    let mut juliet = Client::login(&at_gateway, limit).expect("juliet logs in at the gateway");
    let mut romeo = Client::login(&login(&ship, "romeo"), limit).expect("romeo logs in");
    enter(&mut juliet, "juliet", limit);
    enter(&mut romeo, "romeo", limit);
    for round in 0..3 {
        let (ask, answer) = (
            format!("Who is there? {round}"),
            format!("It is I. {round}"),
        );
        say(&mut juliet, &format!("j{round}"), &ask);
        let from_juliet = format!("{ROOM}/juliet");
        for client in [&mut juliet, &mut romeo] {
            client.receive(
                &[&ask, &from_juliet, &format!("id=\"j{round}\""), "groupchat"],
                limit,
            );
        }
        say(&mut romeo, &format!("r{round}"), &answer);
        let from_romeo = format!("{ROOM}/romeo");
        for client in [&mut juliet, &mut romeo] {
            client.receive(
                &[
                    &answer,
                    &from_romeo,
                    &format!("id=\"r{round}\""),
                    "groupchat",
                ],
                limit,
            );
        }
    }
    await_status(&speaker, |status| status.contains("has everything"));
    let status = speaker.status();
    println!("{status}{}", member.status());
    assert!(status.contains("all@fleet.example, 6 messages"), "{status}");
}

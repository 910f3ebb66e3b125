//! Two gateways and Dire Wolf, as on VHF: KISS over TCP, AFSK of 1200 bit/s, real sound without a sound card.

use std::time::Duration;

use tests::gateways::{Attachment, Gateway, Radio};
use tests::ports;
use tests::process::peers_skipped;
use tests::server::PASSWORD;
use tests::slixmpp::{Client, Login};
use tests::tnc::Tncs;

use crate::joined::chat;

const DOMAINS: [&str; 2] = ["shore.example", "ship.example"];
const BIT_RATE: u32 = 1200;

#[test]
fn a_chat_over_dire_wolf() {
    if peers_skipped() {
        return;
    }
    if !Tncs::are_installed() {
        eprintln!("direwolf is not installed (`apt-get install direwolf`): left out");
        return;
    }
    let tncs = Tncs::start(BIT_RATE);
    let listens = [ports::free(), ports::free()];
    let gateways = [0, 1].map(|end: usize| {
        let url = format!(
            "kiss+tcp://127.0.0.1:{}?ax25={}&txdelay=200&txtail=50&persistence=255&slottime=20",
            tncs.ports[end],
            ["N0A>N0B", "N0B>N0A"][end]
        );
        let radio = Radio {
            url,
            bit_rate: BIT_RATE,
            turnaround_ms: 300,
        };
        let attachment = Attachment::Hosted(DOMAINS[end], listens[end]);
        Gateway::start(end as u8, attachment, DOMAINS[1 - end], &radio)
    });
    let limit = Duration::from_secs(90);
    let login = |end: usize, name: &str| {
        let jid = format!("{name}@{}", DOMAINS[end]);
        gateways[end].add_account(&jid, PASSWORD);
        let login = Login {
            jid,
            password: PASSWORD.to_owned(),
            port: listens[end],
            tls: "start",
        };
        let mut client = Client::login(&login, limit).expect("logs in at the gateway");
        client.send("<presence xmlns='jabber:client'/>");
        client
    };
    let (mut juliet, mut romeo) = (login(0, "juliet"), login(1, "romeo"));
    for round in 0..3 {
        let ask = format!("Art thou not Romeo and a Montague? {round}");
        juliet.send(&chat(&romeo.jid, &format!("j{round}"), &ask));
        romeo.receive(&[&ask, "urn:xmpp:receipts"], limit);
        juliet.receive(&["urn:xmpp:receipts", &format!("id=\"j{round}\"")], limit);
        let answer = format!("Neither, fair saint, if either thee dislike. {round}");
        romeo.send(&chat(&juliet.jid, &format!("r{round}"), &answer));
        juliet.receive(&[&answer], limit);
        romeo.receive(&["urn:xmpp:receipts", &format!("id=\"r{round}\"")], limit);
    }
    let played = tncs.played();
    println!("on the air: {played:?}\n{}", gateways[0].status());
    assert!(played.iter().all(|it| !it.is_zero()), "it went by sound");
}

//! What a client does with its own server must not reach the air.

use std::time::Duration;

use serde_json::Value;
use tests::gateways::{Attachment, Gateway, Radio};
use tests::process::peers_skipped;
use tests::server::PASSWORD;
use tests::slixmpp::{Client, Login};

const LIMIT: Duration = Duration::from_secs(60);

/// Login, roster, disco, ping and archive queries of a hosted client.
#[test]
fn what_stays_at_home_costs_no_air() {
    if peers_skipped() {
        return;
    }
    let folder = tempfile::tempdir().expect("temporary folder");
    let radio = Radio {
        url: format!("air:{}?seed=1", folder.path().join("air.sock").display()),
        bit_rate: 300,
        turnaround_ms: 500,
    };
    let port = tests::ports::free();
    let home = Attachment::Hosted("base.example", port);
    let gateway = Gateway::start(0, home, "field.example", &radio);
    gateway.add_account("juliet@base.example", PASSWORD);
    let login = Login {
        jid: "juliet@base.example".to_owned(),
        password: PASSWORD.to_owned(),
        port,
        tls: "start",
    };
    let mut juliet = Client::login(&login, LIMIT).expect("juliet logs in");
    juliet.send("<presence xmlns='jabber:client'/>");
    let queries = [
        ("", "<query xmlns='jabber:iq:roster'/>"),
        (
            "to='base.example'",
            "<query xmlns='http://jabber.org/protocol/disco#info'/>",
        ),
        (
            "to='base.example'",
            "<query xmlns='http://jabber.org/protocol/disco#items'/>",
        ),
        ("to='base.example'", "<ping xmlns='urn:xmpp:ping'/>"),
    ];
    for (number, (to, query)) in queries.iter().enumerate() {
        juliet.send(&format!(
            "<iq xmlns='jabber:client' type='get' id='q-{number}' {to}>{query}</iq>"
        ));
        juliet.receive(&[&format!("q-{number}"), "result"], LIMIT);
    }
    juliet.send(
        "<iq xmlns='jabber:client' type='set' id='q-mam'><query xmlns='urn:xmpp:mam:2'/></iq>",
    );
    juliet.receive(&["q-mam", "result"], LIMIT);
    juliet.logout();
    let output = gateway
        .command(&["--json", "status"])
        .output()
        .expect("longwire starts");
    let status: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(status["peers"][0]["air-bytes"], 0, "{status:#}");
    assert_eq!(status["modems"][0]["airtime-today-ms"], 0, "{status:#}");
}

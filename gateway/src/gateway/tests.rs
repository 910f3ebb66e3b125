//! The gateway without sockets or radios: what comes out for what goes in.

use std::path::Path;

use super::*;

const CONFIG: &str = "[[component]]\ndomains = ['shore.example', 'rooms.shore.example']\nsecret = 's'\n\
    [[hosted]]\ndomain = 'ship.example'\n[[modem]]\nname = 'hf'\nurl = 'air:x'\n\
    [[peer]]\nname = 'shore'\nmodem = 'hf'\nstation = 1\nkey-file = 'k'\n\
    domains = ['shore.example', 'rooms.shore.example']\niq-timeout = '60s'\n";

fn gateway() -> Gateway {
    let config = Config::parse(CONFIG, Path::new("test.toml")).unwrap();
    Gateway::new(
        &config,
        Store::in_memory().unwrap(),
        Clock::starting_at(1_000_000),
    )
    .unwrap()
}

fn stanza(text: &str) -> Element {
    Element::parse(text.replacen(' ', " xmlns='jabber:client' ", 1)).unwrap()
}

fn submit(gateway: &mut Gateway, text: &str) {
    gateway.batch(|it| it.submit(stanza(text))).unwrap();
}

fn receive(gateway: &mut Gateway, text: &str) {
    gateway
        .batch(|it| it.handle_packet(0, Some(stanza(text))))
        .unwrap();
}

/// What waits for the hosted domain, taken.
fn delivered(gateway: &mut Gateway) -> Vec<Element> {
    let service = Service::Hosted("ship.example".into());
    let mut stanzas = Vec::new();
    while let Ok((key, stanza)) = gateway.inbox.front(&service) {
        gateway.handle_taken(&service, key);
        stanzas.push(stanza);
    }
    stanzas
}

/// What is queued, granted and delivered.
fn sent(gateway: &mut Gateway) -> Vec<Element> {
    let mut stanzas = Vec::new();
    while let Some(granted) = gateway.next_stanza(0).unwrap() {
        let number = stanzas.len() as u32;
        gateway.handle_grant(0, &granted, number).unwrap();
        gateway.handle_delivered(0, number).unwrap();
        stanzas.push(granted.stanza);
    }
    stanzas
}

fn drops(gateway: &Gateway) -> Vec<(&'static str, u64)> {
    gateway
        .dropped()
        .map(|(reason, _, count)| (reason.name(), count))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn presence_goes_once_and_again_when_asked_for() {
    let mut gateway = gateway();
    let available = "<presence from='romeo@ship.example/deck' to='juliet@shore.example'/>";
    submit(&mut gateway, available);
    submit(&mut gateway, available);
    assert_eq!(sent(&mut gateway).len(), 1);
    assert_eq!(drops(&gateway), [("unchanged-presence", 1)]);
    let probe = "<presence from='juliet@shore.example' to='romeo@ship.example' type='probe'/>";
    receive(&mut gateway, probe);
    submit(&mut gateway, available);
    assert_eq!(sent(&mut gateway).len(), 1);
    submit(
        &mut gateway,
        "<presence from='romeo@ship.example/deck' to='juliet@shore.example'><show>dnd</show></presence>",
    );
    assert_eq!(sent(&mut gateway).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn probes_are_answered_from_what_is_held() {
    let mut gateway = gateway();
    let probe = "<presence from='romeo@ship.example' to='juliet@shore.example' type='probe'/>";
    submit(&mut gateway, probe);
    assert_eq!(sent(&mut gateway).len(), 1, "nothing is held yet");
    let there = "<presence from='juliet@shore.example/balcony' to='romeo@ship.example'><show>away</show></presence>";
    receive(&mut gateway, there);
    assert_eq!(delivered(&mut gateway), [stanza(there)]);
    submit(&mut gateway, probe);
    assert_eq!(delivered(&mut gateway), [stanza(there)]);
    receive(
        &mut gateway,
        "<presence from='juliet@shore.example/balcony' to='romeo@ship.example' type='unavailable'/>",
    );
    delivered(&mut gateway);
    submit(&mut gateway, probe);
    let gone = delivered(&mut gateway);
    assert_eq!((gone.len(), gone[0].attr("type")), (1, Some("unavailable")));
    assert_eq!(gone[0].attr("from"), Some("juliet@shore.example"));
    assert!(sent(&mut gateway).is_empty());
}

#[tokio::test(start_paused = true)]
async fn pings_are_answered_for_who_is_there_while_the_link_is_up() {
    let mut gateway = gateway();
    let ping = |to: &str| {
        format!(
            "<iq from='romeo@ship.example/deck' to='{to}' type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>"
        )
    };
    submit(&mut gateway, &ping("shore.example"));
    assert_eq!(
        sent(&mut gateway).len(),
        1,
        "down: it goes, and may come back as an error"
    );
    gateway.handle_up(0, true);
    submit(&mut gateway, &ping("shore.example"));
    assert_eq!(delivered(&mut gateway)[0].attr("type"), Some("result"));
    submit(&mut gateway, &ping("juliet@shore.example/balcony"));
    assert_eq!(sent(&mut gateway).len(), 1, "nothing known of her");
    receive(
        &mut gateway,
        "<presence from='juliet@shore.example/balcony' to='romeo@ship.example'/>",
    );
    delivered(&mut gateway);
    submit(&mut gateway, &ping("juliet@shore.example/balcony"));
    assert_eq!(delivered(&mut gateway)[0].attr("id"), Some("p"));
}

#[tokio::test(start_paused = true)]
async fn a_version_crosses_once() {
    let mut gateway = gateway();
    let ask = |id: &str| {
        format!(
            "<iq from='romeo@ship.example/deck' to='juliet@shore.example/b' type='get' id='{id}'>\
            <query xmlns='jabber:iq:version'/></iq>"
        )
    };
    submit(&mut gateway, &ask("v1"));
    assert_eq!(sent(&mut gateway).len(), 1);
    let reply = "<iq from='juliet@shore.example/b' to='romeo@ship.example/deck' type='result' id='v1'>\
        <query xmlns='jabber:iq:version'><name>Gajim</name></query></iq>";
    receive(&mut gateway, reply);
    assert_eq!(delivered(&mut gateway), [stanza(reply)]);
    submit(&mut gateway, &ask("v2"));
    let answer = delivered(&mut gateway).remove(0);
    assert_eq!(
        (answer.attr("id"), answer.attr("to")),
        (Some("v2"), Some("romeo@ship.example/deck"))
    );
    assert_eq!(
        answer
            .child("jabber:iq:version", "query")
            .map(|it| it.children().count()),
        Some(1)
    );
    assert!(sent(&mut gateway).is_empty());
    receive(&mut gateway, reply);
    assert_eq!(drops(&gateway), [("late-reply", 1)]);
}

#[tokio::test(start_paused = true)]
async fn requests_time_out_and_late_replies_are_dropped() {
    let mut gateway = gateway();
    submit(
        &mut gateway,
        "<iq from='romeo@ship.example/deck' to='juliet@shore.example/b' type='get' id='t1'>\
        <query xmlns='jabber:iq:last'/></iq>",
    );
    assert_eq!(sent(&mut gateway).len(), 1);
    assert_eq!(gateway.next_deadline(), Some(1_060_000));
    tokio::time::advance(std::time::Duration::from_secs(60)).await;
    gateway.handle_timeout().unwrap();
    let error = delivered(&mut gateway).remove(0);
    assert_eq!(
        (error.attr("type"), error.attr("id")),
        (Some("error"), Some("t1"))
    );
    receive(
        &mut gateway,
        "<iq from='juliet@shore.example/b' to='romeo@ship.example/deck' type='result' id='t1'/>",
    );
    assert!(delivered(&mut gateway).is_empty());
    assert_eq!(gateway.next_deadline(), None);
}

#[tokio::test(start_paused = true)]
async fn messages_expire_into_errors_once_nobody_can_deliver_them() {
    let mut gateway = gateway();
    let message = "<message from='romeo@ship.example/deck' to='juliet@shore.example' id='m1'><body>x</body></message>";
    submit(&mut gateway, message);
    submit(&mut gateway, &message.replace("m1", "m2"));
    let granted = gateway.next_stanza(0).unwrap().unwrap();
    gateway.batch(|it| it.handle_grant(0, &granted, 0)).unwrap();
    tokio::time::advance(std::time::Duration::from_secs(8 * 24 * 3600)).await;
    gateway.handle_timeout().unwrap();
    let errors = delivered(&mut gateway);
    assert_eq!((errors.len(), errors[0].attr("id")), (1, Some("m2")));
    assert_eq!(gateway.withdrawals(0), [0]);
    gateway.batch(|it| it.handle_abandoned(0, 0)).unwrap();
    assert_eq!(delivered(&mut gateway)[0].attr("id"), Some("m1"));
    assert!(gateway.peers()[0].outbox.is_empty());
}

#[tokio::test(start_paused = true)]
async fn strangers_and_unknown_domains_get_nowhere() {
    let mut gateway = gateway();
    receive(
        &mut gateway,
        "<message from='eve@evil.example' to='romeo@ship.example'><body>x</body></message>",
    );
    assert!(delivered(&mut gateway).is_empty());
    assert_eq!(drops(&gateway), [("spoofed", 1)]);
    submit(
        &mut gateway,
        "<message from='romeo@ship.example/deck' to='x@nowhere.example' id='n'><body>x</body></message>",
    );
    let error = delivered(&mut gateway).remove(0);
    assert_eq!(
        (error.attr("from"), error.attr("id")),
        (Some("x@nowhere.example"), Some("n"))
    );
    receive(
        &mut gateway,
        "<message from='juliet@shore.example' to='x@shore.example' id='l'><body>x</body></message>",
    );
    assert_eq!(
        sent(&mut gateway)[0].attr("type"),
        Some("error"),
        "no way back to where it came from"
    );
    let nothing = gateway.batch(|it| it.submit(Element::new("jabber:client", "message")));
    assert!(matches!(nothing, Err(GatewayError::Malformed)));
}

#[tokio::test(start_paused = true)]
async fn a_restart_finds_inbox_and_outbox() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config::parse(CONFIG, Path::new("test.toml")).unwrap();
    let open = || {
        let store = Store::open(&folder.path().join("db")).unwrap();
        Gateway::new(&config, store, Clock::starting_at(1_000_000)).unwrap()
    };
    let mut gateway = open();
    submit(
        &mut gateway,
        "<message from='romeo@ship.example' to='j@shore.example' id='o'><body>x</body></message>",
    );
    receive(
        &mut gateway,
        "<message from='j@shore.example' to='romeo@ship.example' id='i'><body>x</body></message>",
    );
    drop(gateway);
    let mut gateway = open();
    assert_eq!(delivered(&mut gateway)[0].attr("id"), Some("i"));
    assert_eq!(sent(&mut gateway)[0].attr("id"), Some("o"));
    drop(gateway);
    let mut gateway = open();
    assert!(delivered(&mut gateway).is_empty() && sent(&mut gateway).is_empty());
}

#[tokio::test(start_paused = true)]
async fn only_members_speak_in_a_room_and_only_as_somebody_in_it() {
    let text = format!(
        "{CONFIG}[[peer]]\nname = 'buoy'\nmodem = 'hf'\nstation = 2\nkey-file = 'k'\n\
         [[group]]\nname = 'all'\nmodem = 'hf'\nstation = 9\nkey-file = 'g'\n\
         room = 'all@fleet.example'\nmembers = ['shore']\n"
    );
    let config = Config::parse(&text, Path::new("test.toml")).unwrap();
    let clock = Clock::starting_at(1_000_000);
    let mut gateway = Gateway::new(&config, Store::in_memory().unwrap(), clock).unwrap();
    gateway.start_group(0).unwrap();
    let mut hear = |peer, from: &str, inside: &str| {
        let text = format!(
            "<message from='{from}' to='all@fleet.example' type='groupchat' id='1'>{inside}</message>"
        );
        let heard = gateway.batch(|it| it.handle_packet(peer, Some(stanza(&text))));
        heard.unwrap();
        (gateway.groups()[0].next, drops(&gateway))
    };
    let body = "<body>x</body>";
    assert_eq!(hear(0, "all@fleet.example/juliet", body), (1, vec![]));
    let report = "<report xmlns='urn:longwire:group:0'>nonsense!</report>";
    assert_eq!(hear(0, "all@fleet.example", report), (1, vec![]));
    let spoofed = |count| (1, vec![("spoofed", count)]);
    assert_eq!(hear(0, "juliet@shore.example/x", body), spoofed(1));
    assert_eq!(
        hear(1, "all@fleet.example/juliet", body),
        (1, vec![("spoofed", 1), ("spoofed", 1)])
    );
}

//! The firmware in an emulated Cortex-M4, over a slow radio line, at a real gateway that is a component of a real
//! Prosody, with a slixmpp user at the other end. Refuses to call the firmware's library: its own crate tests that.

#[path = "firmware/crowd.rs"]
mod crowd;
#[path = "firmware/ways.rs"]
mod ways;

use std::path::Path;
use std::time::Duration;

use longwire_codec::provision::Provision;
use tests::gateways::{Gateway, Radio};
use tests::process::{peers_skipped, require};
use tests::pty;
use tests::qemu::{Board, Modem, check_vectors};
use tests::server::{PASSWORD, Server, Site, Software};
use tests::slixmpp::{Client, Login};

const LIMIT: Duration = Duration::from_secs(60);

/// A base with a server, a user and a gateway; a board on the other end of the line.
struct Scene {
    gateway: Gateway,
    board: Board,
    romeo: Client,
    _server: Server,
    _line: pty::Pair,
}

fn scene(line: pty::Line) -> Scene {
    scene_on(Modem::Transparent, line)
}

/// The same with modems of this kind at both ends of the line.
fn scene_on(modem: Modem, line: pty::Line) -> Scene {
    let server = server();
    let (bit_rate, turnaround) = (line.bit_rate, line.turnaround);
    let line = pty::Pair::start(line);
    let mut radio = radio(&line.ports[0], bit_rate, turnaround);
    if modem == Modem::Kiss {
        radio.url = format!("kiss+{}&txdelay=20", radio.url);
    }
    let boards = ["buoy@field.example"];
    let (gateway, images) = Gateway::start_for_boards(&server, "field.example", &boards, &radio);
    let board = Board::start_on(modem, &images[0], &line.ports[1]);
    let romeo = romeo(&server);
    Scene {
        gateway,
        board,
        romeo,
        _server: server,
        _line: line,
    }
}

/// The server of the base.
fn server() -> Server {
    require("qemu-system-arm", "qemu-system-arm");
    Software::Prosody.start(&Site {
        domain: "base.example",
        accounts: &["romeo"],
        peers: &["field.example"],
    })
}

/// The gateway's modem at the serial port `port`.
fn radio(port: &Path, bit_rate: u32, turnaround: Duration) -> Radio {
    Radio {
        url: format!("serial:{}?baud=9600", port.display()),
        // The line carries ten bits for each octet.
        bit_rate: bit_rate * 8 / 10,
        turnaround_ms: u32::try_from(turnaround.as_millis()).expect("short"),
    }
}

/// Romeo, online.
fn romeo(server: &Server) -> Client {
    let login = Login {
        jid: "romeo@base.example".to_owned(),
        password: PASSWORD.to_owned(),
        port: server.c2s,
        tls: "start",
    };
    let mut romeo = Client::login(&login, 2 * LIMIT).expect("romeo logs in");
    // Only who asked for the roster is told of subscriptions (RFC 6121 section 3.1.6).
    romeo.send(
        "<iq xmlns='jabber:client' type='get' id='ro-1'><query xmlns='jabber:iq:roster'/></iq>",
    );
    romeo.receive(&["ro-1", "result"], LIMIT);
    romeo.send("<presence xmlns='jabber:client'/>");
    romeo
}

/// Texts and stanzas give the same bits on a Cortex-M4 as on the host (`tests/vectors.rs`).
#[test]
fn frozen_packets_are_the_same_on_a_cortex_m() {
    if peers_skipped() {
        return;
    }
    require("qemu-system-arm", "qemu-system-arm");
    assert_eq!(
        check_vectors(),
        Some(0),
        "the number of the row that differs"
    );
}

/// Romeo subscribes, both talk with receipts, Romeo reads position and sensors, and sets what all contacts then see.
#[test]
fn a_user_of_the_base_meets_a_board() {
    if peers_skipped() {
        return;
    }
    let mut scene = scene(pty::Line {
        loss_percent: 5,
        seed: 3,
        ..pty::Line::clean(1200, Duration::from_millis(100))
    });
    let Scene { board, romeo, .. } = &mut scene;
    romeo.send("<presence xmlns='jabber:client' to='buoy@field.example' type='subscribe'/>");
    romeo.receive(&["<presence", "buoy@field.example", "subscribed"], LIMIT);
    board.type_line("to romeo@base.example wind 12 knots");
    board.hear("queued", LIMIT);
    let said = romeo.receive(&["wind 12 knots", "urn:xmpp:receipts"], LIMIT);
    let id = attribute(&said, "id");
    romeo.send(&receipt("buoy@field.example", id));
    board.hear(" received", LIMIT);
    romeo.send(
        "<message xmlns='jabber:client' to='buoy@field.example' type='chat' id='r-1'><body>stay there</body>\
         <request xmlns='urn:xmpp:receipts'/></message>",
    );
    romeo.receive(&["urn:xmpp:receipts", "received", "r-1"], LIMIT);
    board.type_line("inbox");
    board.hear("stay there", LIMIT);
    board.type_line("pos 59.3293 18.0686");
    board.hear("ok", LIMIT);
    romeo.receive(
        &["http://jabber.org/protocol/geoloc", "59.3293", "18.0686"],
        LIMIT,
    );
    romeo.send(
        "<iq xmlns='jabber:client' to='buoy@field.example' type='set' id='c-1'>\
         <command xmlns='http://jabber.org/protocol/commands' node='read' action='execute'/></iq>",
    );
    let form = romeo.receive(&["c-1", "completed", "59.3293"], LIMIT);
    for part in [
        "temperature, Cel",
        "xs:decimal",
        "21.5",
        "boolean",
        "list-single",
        "flashing",
        "painted in May",
    ] {
        assert!(form.contains(part), "{part} in {form}");
    }
    // The host's clock, to the century.
    assert!(form.contains("fixed") && form.contains(">20"), "{form}");
    romeo.send(
        "<iq xmlns='jabber:client' to='buoy@field.example' type='set' id='c-2'>\
         <command xmlns='http://jabber.org/protocol/commands' node='set' action='complete'>\
         <x xmlns='jabber:x:data' type='submit'><field var='status'><value>at anchor</value></field>\
         <field var='position'><value>59.4 18.2</value></field></x></command></iq>",
    );
    romeo.receive(&["c-2", "completed"], LIMIT);
    romeo.receive(&["<presence", "buoy@field.example", "at anchor"], LIMIT);
    romeo.receive(
        &["http://jabber.org/protocol/geoloc", "59.4", "18.2"],
        LIMIT,
    );
}

/// Power cuts at the board and kills of the gateway at moments a seed picks: nothing acknowledged is lost, nothing comes
/// twice. A component stream has no acknowledgements (XEP-0114), so Romeo speaks in the rounds without a kill.
#[test]
fn power_cuts_and_kills_lose_nothing() {
    if peers_skipped() {
        return;
    }
    let mut scene = scene(pty::Line {
        loss_percent: 3,
        seed: 5,
        ..pty::Line::clean(4800, Duration::from_millis(20))
    });
    let Scene {
        gateway,
        board,
        romeo,
        ..
    } = &mut scene;
    for round in 0..8u64 {
        board.type_line(&format!("to romeo@base.example from the board {round}."));
        board.hear("queued", LIMIT);
        if round % 2 == 0 {
            await_component(romeo, round);
            romeo.send(&format!(
                "<message xmlns='jabber:client' to='buoy@field.example' type='chat' id='m-{round}'>\
                 <body>from base {round}.</body><request xmlns='urn:xmpp:receipts'/></message>"
            ));
        }
        // A different moment of the exchange each time: that is the point, so it is a time and not an event.
        std::thread::sleep(Duration::from_millis(37 + round * 211 % 900));
        if round % 2 == 0 {
            board.power_off();
            board.power_on();
        } else {
            gateway.kill();
            gateway.restart();
        }
    }
    for round in 0..8 {
        romeo.receive(&[&format!("from the board {round}.")], LIMIT);
    }
    for round in (0..8).step_by(2) {
        romeo.receive(&["received", &format!("m-{round}")], LIMIT);
    }
    board.type_line("inbox");
    let inbox = board.hear("end of inbox", LIMIT);
    for round in (0..8).step_by(2) {
        assert_eq!(
            inbox.matches(&format!("from base {round}.")).count(),
            1,
            "{inbox}"
        );
    }
    let rest = romeo.rest(Duration::from_secs(3));
    assert!(
        !rest.iter().any(|xml| xml.contains("from the board")),
        "twice: {rest:?}"
    );
}

/// The operator wishes a new key, or who is at the board: it comes over the air while both talk, outlives a power cut and a kill, and nothing of
/// the old one stays on the flash but in the image.
#[test]
fn a_board_gets_a_new_key_over_the_air() {
    if peers_skipped() {
        return;
    }
    let mut scene = scene(pty::Line {
        loss_percent: 5,
        seed: 5,
        ..pty::Line::clean(4800, Duration::from_millis(50))
    });
    let Scene {
        gateway,
        board,
        romeo,
        ..
    } = &mut scene;
    let image = board.flash();
    let first = Provision::parse(&image).expect("an image").key;
    for round in 0..3 {
        let from_board = format!("from the board {round}.");
        board.type_line(&format!("to romeo@base.example {from_board}"));
        if round == 2 {
            board.type_line("rekey");
        } else {
            let output = gateway
                .command(&["rekey", "buoy", "--wait", "--json"])
                .output()
                .expect("longwire starts");
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(
                output.status.success() && said.contains("settled"),
                "{said} {output:?}"
            );
        }
        board.hear("new key", LIMIT);
        romeo.receive(&[&from_board], LIMIT);
        match round {
            0 => {
                board.power_off();
                board.power_on();
            }
            1 => {
                gateway.kill();
                gateway.restart();
                await_component(romeo, round);
            }
            _ => {}
        }
        let id = format!("k-{round}");
        romeo.send(&format!(
            "<message xmlns='jabber:client' to='buoy@field.example' type='chat' id='{id}'><body>well?</body>\
             <request xmlns='urn:xmpp:receipts'/></message>"
        ));
        romeo.receive(&["received", &id], LIMIT);
    }
    let records = &board.flash()[4096..];
    assert!(
        !records.windows(32).any(|found| found == first),
        "the first key lies among the records"
    );
}

/// Returns once the gateway answers for its domain.
fn await_component(romeo: &mut Client, round: u64) {
    for attempt in 0..100 {
        let id = format!("up-{round}-{attempt}");
        romeo.send(&format!(
            "<iq xmlns='jabber:client' to='field.example' type='get' id='{id}'><ping xmlns='urn:xmpp:ping'/></iq>"
        ));
        if !romeo
            .receive(&[&id], LIMIT)
            .contains("remote-server-timeout")
        {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("the component did not connect again");
}

/// What a user answers to a message with this id.
fn receipt(to: &str, id: &str) -> String {
    format!(
        "<message xmlns='jabber:client' to='{to}' type='chat'>\
         <received xmlns='urn:xmpp:receipts' id='{id}'/></message>"
    )
}

/// The value of an attribute of the root.
fn attribute<'x>(xml: &'x str, name: &str) -> &'x str {
    let start = xml
        .split_once(&format!(" {name}="))
        .expect("the attribute is there")
        .1;
    let quote = start.chars().next().expect("a value");
    start[1..].split(quote).next().expect("a value ends")
}

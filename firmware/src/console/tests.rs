//! Lines and CBOR are the same language: what a person can ask a program can, and both are told the same.

use std::format;
use std::string::String;
use std::vec::Vec;

use longwire_codec::serial::open;
use minicbor::data::Type;
use minicbor::encode::write::Cursor;
use minicbor::{Decoder, Encoder};

use super::*;
use crate::endpoint::tests::run;
use crate::ram_flash::RamFlash;
use crate::tests::base::{Base, Board, board};
use crate::tests::on_wire;

/// What is asked, and some mistakes.
const LINES: &[&str] = &[
    "status",
    "to romeo@base.example wind 12 knots",
    "pos 59.3293235 -18.0685808",
    "add juliet@base.example",
    "say on watch",
    "say",
    "who",
    "inbox",
    "inbox",
    "rekey",
    "help",
    "to romeo hello",
    "to romeo@base.example",
    "add nobody",
    "status",
];

/// The request that a line has as its twin; each command must have one.
fn twin(command: &Command<'_>) -> Vec<u8> {
    let mut octets = [0; INPUT_MAX];
    let mut to = Encoder::new(Cursor::new(&mut octets[..]));
    let Command {
        jid,
        text,
        position,
        ..
    } = *command;
    let Position { lat_e7, lon_e7 } = position.unwrap_or_default();
    let written = match command.ask {
        Ask::To => to.encode((0, jid, text)),
        Ask::Inbox => to.encode([1]),
        Ask::Who => to.encode([2]),
        Ask::Status => to.encode([3]),
        Ask::Pos => to.encode((4, lat_e7, lon_e7)),
        Ask::Add => to.encode((5, jid)),
        Ask::Say => to.encode((6, text)),
        Ask::Help => to.encode([7]),
        Ask::Rekey => to.encode([8]),
        Ask::Nothing => panic!("nothing is not asked"),
    };
    written.expect("short");
    let len = to.writer().position();
    octets[..len].to_vec()
}

/// The command of a line, before it is checked.
fn command(line: &str) -> Command<'_> {
    line::parse(line).unwrap_or_else(|_| {
        let (word, rest) = line.split_once(' ').expect("mistakes here have a word");
        let (jid, text) = rest.split_once(' ').unwrap_or((rest, ""));
        let ask = match word {
            "to" => Ask::To,
            _ => Ask::Add,
        };
        Command {
            jid,
            text,
            ..Command::new(ask)
        }
    })
}

/// Everything the console says to these octets, a piece each.
fn answers(console: &mut Console, board: &mut Board<'_>, octets: &[u8]) -> Vec<Vec<u8>> {
    let mut pieces = Vec::new();
    let mut out = [0; ANSWER_MAX];
    for octet in octets {
        console.handle_octet(board, *octet);
        while let Some(len) = console.poll_answer(board, &mut out) {
            pieces.push(out[..len].to_vec());
        }
    }
    pieces
}

/// A session at a board with two chats in its inbox, and all events told at the end.
fn session(requests: impl Iterator<Item = Vec<u8>>) -> Vec<Vec<u8>> {
    let mut flash = RamFlash::new();
    let (mut board, mut base) = (board(&mut flash), Base::new());
    base.say("chat|m1|how is the water?");
    base.say("chat|m2|two\nlines");
    run(&mut board, &mut base, &mut 0, 60_000, 0);
    let mut console = Console::default();
    let mut said = Vec::new();
    for request in requests {
        said.extend(answers(&mut console, &mut board, &request));
    }
    let mut out = [0; ANSWER_MAX];
    for event in [
        Event::Message,
        Event::Custody(1),
        Event::Received(2),
        Event::Failed(3),
        Event::Contact,
        Event::Reboot,
        Event::Link { up: true },
        Event::Link { up: false },
        Event::NewKey,
        Event::Mismatch { version: 9 },
    ] {
        console.handle_event(event);
        let len = console.poll_answer(&mut board, &mut out).expect("news");
        said.push(out[..len].to_vec());
    }
    said
}

/// The line that a program could print for what it was told: written from README.md, not from the code.
fn as_line(wire: &[u8]) -> String {
    let mut wire = wire[1..wire.len() - 1].to_vec();
    let frame = open(&mut wire).expect("a frame");
    let mut from = Decoder::new(frame);
    let len = from.array().expect("an array").expect("of known length");
    let code = from.u8().expect("a code");
    let line = match (code, len) {
        (0, 1) => "ok".into(),
        (1, 2) => format!("queued {}", from.u32().expect("order")),
        (3, 2) => {
            let mistakes = [
                "unknown command; try: help",
                "whom? such as: romeo@base.example",
                "nothing to say",
            ];
            format!("? {}", mistakes[from.u8().expect("which") as usize])
        }
        (4, 3) => {
            let (jid, text) = (from.str().expect("JID"), from.str().expect("text"));
            format!("{jid}: {}", text.replace('\n', " "))
        }
        (5, 1) => "end of inbox".into(),
        (6, 3) => {
            let jid = from.str().expect("JID");
            format!(
                "{jid} {}",
                if from.bool().expect("online") {
                    "online"
                } else {
                    "-"
                }
            )
        }
        (7, 1) => "end of contacts".into(),
        (8, 7) => status_line(&mut from),
        (9, 2) => from.str().expect("help").into(),
        (16, 1) => "* new message; type: inbox".into(),
        (17, 2) => format!("* {} at the gateway", from.u32().expect("order")),
        (18, 2) => format!("* {} received", from.u32().expect("order")),
        (19, 2) => format!("* {} came back", from.u32().expect("order")),
        (20, 1) => "* contacts changed; type: who".into(),
        (21, 1) => "* restarting, as base asked".into(),
        (24, 2) => format!(
            "* the gateway has another dictionary or version, {}",
            from.u8().expect("version")
        ),
        (22, 2) if from.bool().expect("up") => "* link up".into(),
        (22, 2) => "* link silent".into(),
        (23, 1) => "* new key".into(),
        other => panic!("{other:?} is not in the book"),
    };
    assert_eq!(from.position(), frame.len(), "{line}");
    line + "\r\n"
}

fn status_line(from: &mut Decoder<'_>) -> String {
    const COUNTERS: &[&str] = &[
        "frames sent",
        "octets sent",
        "frames received",
        "octets received",
        "malformed frames",
        "forged frames",
        "replayed frames",
        "stale frames",
        "unreadable packets",
        "refused chats",
        "dropped answers",
        "radio errors",
        "waits for the duty cycle",
        "ms on the air this hour",
        "ms allowed in an hour",
        "s asleep",
        "hellos that disagreed",
    ];
    let jid = from.str().expect("JID");
    let links = ["silent", "up", "of another dictionary or version"];
    let up = links[from.u8().expect("link") as usize];
    let (outbox, inbox) = (from.u32().expect("outbox"), from.u32().expect("inbox"));
    let mut line = format!("{jid} link {up} outbox {outbox}/16 inbox {inbox}/12\r\n");
    let len = from.array().expect("counters").expect("of known length");
    assert_eq!(len as usize, COUNTERS.len());
    let counts = COUNTERS
        .iter()
        .map(|what| (what, from.u64().expect("a counter")));
    let counts = counts.filter(|(_, count)| *count > 0);
    let counts: Vec<String> = counts
        .map(|(what, count)| format!("{count} {what}"))
        .collect();
    line += &counts.join(", ");
    if from.datatype().expect("position") == Type::Null {
        from.null().expect("null");
        return line;
    }
    from.array().expect("position");
    let mut degrees = || {
        let e7 = from.i32().expect("degrees");
        let text = format!("{}.{:07}", e7.abs() / 10_000_000, e7.abs() % 10_000_000);
        format!("{}{text}", if e7 < 0 { "-" } else { "" })
    };
    format!("{line}\r\nposition {} {}", degrees(), degrees())
}

#[test]
fn every_line_has_its_twin() {
    for line in LINES {
        let command = command(line);
        assert_eq!(compact::parse(&twin(&command)), command.checked(), "{line}");
    }
    assert_eq!(compact::parse(&[0x81, 24, 99]), Err(Mistake::Unknown));
    assert_eq!(
        compact::parse(&[0x82, 3, 0]),
        Err(Mistake::Unknown),
        "too much"
    );
    assert_eq!(
        compact::parse(&[0x81, 3, 0]),
        Err(Mistake::Unknown),
        "too much"
    );
    assert_eq!(
        compact::parse(&[0x83, 0, 0x61]),
        Err(Mistake::NotText),
        "torn"
    );
    let position = Some(Position {
        lat_e7: i32::MIN,
        lon_e7: 0,
    });
    let far = twin(&Command {
        position,
        ..Command::new(Ask::Pos)
    });
    assert_eq!(compact::parse(&far), Err(Mistake::NoPosition));
}

#[test]
fn a_program_is_told_what_a_person_is_told() {
    let typed = LINES.iter().map(|line| format!("{line}\r\n").into_bytes());
    let sent = LINES.iter().map(|line| on_wire(&twin(&command(line))));
    let lines = session(typed).into_iter();
    let lines: Vec<_> = lines
        .map(|line| String::from_utf8(line).expect("text"))
        .collect();
    let frames: Vec<_> = session(sent).iter().map(|frame| as_line(frame)).collect();
    assert_eq!(lines, frames);
    assert_eq!(lines.len(), 28, "{lines:?}");
}

#[test]
fn who_asks_last_decides_how_news_are_told() {
    let mut flash = RamFlash::new();
    let mut board = board(&mut flash);
    let mut console = Console::default();
    let told = |console: &mut Console, board: &mut Board<'_>| {
        console.handle_event(Event::Message);
        let mut out = [0; ANSWER_MAX];
        let len = console.poll_answer(board, &mut out).expect("news");
        out[..len].to_vec()
    };
    assert!(told(&mut console, &mut board).starts_with(b"* new"));
    answers(&mut console, &mut board, &on_wire(&[0x81, 3]));
    assert_eq!(told(&mut console, &mut board), on_wire(&[0x81, 16]));
    answers(&mut console, &mut board, b"?\r");
    assert!(told(&mut console, &mut board).starts_with(b"* new"));
}

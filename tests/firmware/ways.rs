//! Other ways to speak with the same board: a program at its console, a KISS TNC at its radio UART. Refuses to say again
//! what lines and transparent modems were tried on.

use std::time::{Duration, Instant};

use minicbor::Decoder;
use tests::process::peers_skipped;
use tests::pty::Line;
use tests::qemu::{Board, Modem};

use super::{LIMIT, Scene, attribute, receipt, scene, scene_on};

/// Sends a request and returns the arrays that answer it, news left out, up to one that begins with a code of `last`.
fn ask(board: &mut Board, request: &[u8], last: &[u8]) -> Vec<Vec<u8>> {
    board.send_frame(request);
    let mut answers = Vec::new();
    loop {
        let frame = board.hear_frame(LIMIT);
        let code = code(&frame);
        if code < 16 {
            answers.push(frame);
        }
        if last.contains(&code) {
            return answers;
        }
    }
}

/// The code that a frame of the console begins with.
fn code(frame: &[u8]) -> u8 {
    let mut from = Decoder::new(frame);
    from.array().expect("an array").expect("of known length");
    from.u8().expect("a code")
}

/// Waits for this news.
fn await_news(board: &mut Board, news: &[u8]) {
    let deadline = Instant::now() + LIMIT;
    while board.hear_frame(LIMIT) != news {
        assert!(Instant::now() < deadline, "no news {news:?}");
    }
}

fn cbor(value: impl minicbor::Encode<()>) -> Vec<u8> {
    minicbor::to_vec(value).expect("memory is enough")
}

/// Send, inbox, status, position, as `firmware/README.md` has them in CDDL.
#[test]
fn a_program_at_the_console_speaks_cbor() {
    if peers_skipped() {
        return;
    }
    let mut scene = scene(Line::clean(4800, Duration::from_millis(50)));
    let Scene { board, romeo, .. } = &mut scene;
    romeo.send("<presence xmlns='jabber:client' to='buoy@field.example' type='subscribe'/>");
    romeo.receive(&["<presence", "buoy@field.example", "subscribed"], LIMIT);
    let queued = ask(
        board,
        &cbor((0, "romeo@base.example", "wind 12 knots")),
        &[1],
    );
    let (_, order): (u8, u32) = minicbor::decode(&queued[0]).expect("an order");
    await_news(board, &cbor((17, order)));
    romeo.receive(&["wind 12 knots", "urn:xmpp:receipts"], LIMIT);
    romeo.send(
        "<message xmlns='jabber:client' to='buoy@field.example' type='chat' id='r-1'><body>stay there</body></message>",
    );
    await_news(board, &cbor([16]));
    let inbox = ask(board, &cbor([1]), &[5]);
    let (_, from, body): (u8, &str, &str) = minicbor::decode(&inbox[0]).expect("a chat");
    assert!(from.starts_with("romeo@base.example/"), "{from}");
    assert_eq!((body, inbox.len()), ("stay there", 2));
    let done = ask(board, &cbor((4, 593_293_000, 180_686_000)), &[0, 2, 3]);
    assert_eq!(done, [cbor([0])]);
    romeo.receive(
        &["http://jabber.org/protocol/geoloc", "59.3293", "18.0686"],
        LIMIT,
    );
    let status = ask(board, &cbor([3]), &[8]);
    let mut from = Decoder::new(&status[0]);
    from.array().expect("an array");
    assert_eq!(from.u8().expect("a code"), 8);
    assert_eq!(from.str().expect("a JID"), "buoy@field.example");
    assert_eq!(from.u8().expect("a state"), 1, "the link is up");
    let mistake = ask(board, &cbor((5, "nobody")), &[3]);
    assert_eq!(mistake, [cbor((3, 1))]);
}

/// The gateway's KISS modem and the board's, each with settings for its TNC.
#[test]
fn a_board_with_a_kiss_tnc_talks_with_receipts() {
    if peers_skipped() {
        return;
    }
    let mut scene = scene_on(
        Modem::Kiss,
        Line {
            loss_percent: 5,
            seed: 7,
            ..Line::clean(4800, Duration::from_millis(50))
        },
    );
    let Scene { board, romeo, .. } = &mut scene;
    board.type_line("to romeo@base.example over a TNC");
    board.hear("queued", LIMIT);
    let said = romeo.receive(&["over a TNC", "urn:xmpp:receipts"], LIMIT);
    let id = attribute(&said, "id");
    romeo.send(&receipt("buoy@field.example", id));
    board.hear(" received", LIMIT);
    // Long, so that some of its sealed octets are ones that KISS escapes.
    let long = "a long way round the cape ".repeat(8);
    romeo.send(&format!(
        "<message xmlns='jabber:client' to='buoy@field.example' type='chat' id='r-1'><body>{long}</body>\
         <request xmlns='urn:xmpp:receipts'/></message>"
    ));
    romeo.receive(&["urn:xmpp:receipts", "received", "r-1"], LIMIT);
    board.type_line("inbox");
    board.hear(long.trim_end(), LIMIT);
}

//! What a board does when the world is against it: noise, forgeries, replays, strangers, spoilt and full flash. Always
//! the same: it counts, it goes on or says why not, and it does not fill the air.

use std::format;
use std::string::String;
use std::vec::Vec;

use longwire_codec::link::{Agreement, LinkConfig, Offer};
use longwire_codec::provision::Provision;

use super::*;
use crate::console::{ANSWER_MAX, Console};
use crate::endpoint::{INBOX_MAX, OUTBOX_MAX};
use crate::flash::StoreError;
use crate::tests::base::{board_of, dictionary, try_board};

const HOUR_MS: u64 = 3_600_000;

/// Frames that base sent to a board that answered, and the board's state after that.
fn recorded(board: &mut Board<'_>, base: &mut Base, clock: &mut u64) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    for round in 0..6 {
        base.say(&format!("chat|m{round}|round {round}"));
        base.tap = Some(Vec::new());
        run(board, base, clock, 30_000, 0);
        frames.extend(base.tap.take().unwrap_or_default());
    }
    frames
}

fn inbox(board: &mut Board<'_>) -> Vec<String> {
    let mut bodies = Vec::new();
    let mut buffer = [0; RECORD_MAX];
    while let Some(message) = board.message(&mut buffer).expect("flash is fine") {
        bodies.push(message.body.to_string());
        board.clear_message().expect("flash is fine");
    }
    bodies
}

#[test]
fn noise_forgeries_and_replays_change_nothing() {
    let mut flash = RamFlash::new();
    let (mut board, mut base, mut clock) = (board(&mut flash), Base::new(), 0);
    let frames = recorded(&mut board, &mut base, &mut clock);
    assert!(frames.len() >= 6);
    assert_eq!(inbox(&mut board).len(), 6);
    let before = *board.link_stats();
    let mut dice = Dice::new(11);
    let mut frame = [0; 256];
    for round in 0..20_000 {
        let mut bytes = match dice.below(4) {
            0 => (0..dice.below(200))
                .map(|_| dice.below(256) as u8)
                .collect(),
            _ => frames[dice.below(frames.len())].clone(),
        };
        if round % 2 == 0 && !bytes.is_empty() {
            let at = dice.below(bytes.len());
            bytes[at] ^= 1 << dice.below(8);
        }
        let now = Instant::from_millis(clock);
        board.handle_frame(now, &mut bytes).expect("flash is fine");
        // What it wants to say to all that is said to the wind.
        if board
            .poll_transmit(now, &mut frame)
            .expect("flash is fine")
            .is_some()
        {
            board.handle_sent(now);
        }
    }
    let after = *board.link_stats();
    assert_eq!(after.frames_received, before.frames_received);
    assert!(
        after.forged_frames > 1000 && after.replayed_frames > 1000,
        "{after:?}"
    );
    assert!(after.frames_sent - before.frames_sent < 10, "{after:?}");
    assert_eq!(inbox(&mut board), [""; 0]);
    base.say("chat|m9|still there?");
    run(&mut board, &mut base, &mut clock, 600_000, 0);
    assert_eq!(inbox(&mut board), ["still there?"]);
}

#[test]
fn a_stranger_with_another_key_is_not_answered_for_ever() {
    let mut flash = RamFlash::new();
    let stranger = Provision {
        key: [9; 32],
        ..PROVISION
    };
    let (mut base, mut clock) = (Base::new(), 0);
    {
        let mut board = board_of(&mut flash, &stranger);
        base.say("chat|m1|for the right one");
        board
            .chat("romeo@base.example", "who are you?")
            .expect("room");
        run(&mut board, &mut base, &mut clock, HOUR_MS, 0);
        let stats = *board.link_stats();
        assert!(!board.is_up() && stats.forged_frames > 0, "{stats:?}");
        // Both ends probe, ever more rarely, and neither answers the other.
        assert!(stats.frames_sent < 60, "{stats:?}");
        assert_eq!(board.waiting(), (1, 0));
    }
    // The right image in its place: what waited goes out.
    let mut board = board(&mut flash);
    run(&mut board, &mut base, &mut clock, HOUR_MS, 0);
    assert_eq!(inbox(&mut board), ["for the right one"]);
    assert!(board.is_idle() && base.heard.iter().any(|said| said.contains("who are you?")));
}

#[test]
fn a_gateway_of_another_version_or_dictionary_is_told_of_and_left_alone() {
    let version = longwire_codec::frame::VERSION + 1;
    let others = [
        Agreement {
            version,
            dictionaries: Offer::one(dictionary()),
            ..Agreement::default()
        },
        Agreement {
            version: version - 1,
            dictionaries: Offer::one(0xdead_beef),
            ..Agreement::default()
        },
    ];
    for agreement in others {
        let mut flash = RamFlash::new();
        let mut board = board(&mut flash);
        let mut base = Base::with(LinkConfig {
            agreement,
            hello: true,
            ..Base::config()
        });
        let mut clock = 0;
        base.link.greet();
        let events = run(&mut board, &mut base, &mut clock, HOUR_MS, 0);
        let said = Event::Mismatch {
            version: agreement.version,
        };
        assert!(events.contains(&said), "{events:?}");
        assert!(board.is_stranger() && board.stats().mismatches > 0);
        board
            .chat("romeo@base.example", "wait for it")
            .expect("room");
        base.say("chat|m1|and for this");
        run(&mut board, &mut base, &mut clock, HOUR_MS, 0);
        assert_eq!((inbox(&mut board).len(), base.heard.len()), (0, 0));
        let frames = board.link_stats().frames_sent;
        assert!(frames < 40, "{frames} frames in two hours");
        let status = typed(&mut board, "status\r");
        assert!(
            status.contains("link of another dictionary or version"),
            "{status}"
        );
        assert!(status.contains(" hellos that disagreed"), "{status}");
        // The gateway learns our dictionary: nothing was lost.
        base.link.rejoin(Agreement {
            version: version - 1,
            dictionaries: Offer::one(dictionary()),
            ..Agreement::default()
        });
        run(&mut board, &mut base, &mut clock, HOUR_MS, 0);
        assert!(!board.is_stranger());
        assert_eq!(inbox(&mut board), ["and for this"]);
        assert!(base.heard.iter().any(|said| said.contains("wait for it")));
    }
}

fn typed(board: &mut Board<'_>, octets: &str) -> String {
    let (mut console, mut out) = (Console::default(), [0; ANSWER_MAX]);
    let mut said = String::new();
    for octet in octets.bytes() {
        console.handle_octet(board, octet);
        while let Some(len) = console.poll_answer(board, &mut out) {
            said += core::str::from_utf8(&out[..len]).expect("text");
        }
    }
    said
}

#[test]
fn a_console_gone_mad_is_answered_and_recovers() {
    let mut flash = RamFlash::new();
    let mut board = board(&mut flash);
    let (mut console, mut out) = (Console::default(), [0; ANSWER_MAX]);
    let mut dice = Dice::new(5);
    let alphabet =
        b"to status say pos who inbox add help a@b.c 1.5 -7 \r\n\x00\x00\x81\x83\x84\x08\x7f\xff";
    for _ in 0..60_000 {
        let octet = match dice.below(3) {
            0 => dice.below(256) as u8,
            _ => alphabet[dice.below(alphabet.len())],
        };
        console.handle_octet(&mut board, octet);
        let mut pieces = 0;
        while let Some(len) = console.poll_answer(&mut board, &mut out) {
            assert!(len > 0 && len <= ANSWER_MAX);
            pieces += 1;
        }
        assert!(pieces <= 14);
    }
    console.handle_octet(&mut board, 0);
    let mut said = String::new();
    for octet in *b"\r\nhelp\r" {
        console.handle_octet(&mut board, octet);
        while let Some(len) = console.poll_answer(&mut board, &mut out) {
            said += core::str::from_utf8(&out[..len]).expect("text");
        }
    }
    assert!(said.ends_with("help\r\n"), "{said}");
}

#[test]
fn a_full_flash_refuses_what_is_new_and_keeps_the_link() {
    let mut flash = RamFlash::small();
    let mut board = board(&mut flash);
    let (mut base, mut clock) = (Base::new(), 0);
    // Words that no model foresees.
    let mut dice = Dice::new(3);
    let mut text = |len| -> String {
        (0..len)
            .map(|_| (b'a' + dice.below(26) as u8) as char)
            .collect()
    };
    let refusals: Vec<EndpointError> = (0..OUTBOX_MAX)
        .filter_map(|_| board.chat("romeo@base.example", &text(400)).err())
        .collect();
    let full = (EndpointError::OutboxFull, 3..OUTBOX_MAX);
    assert!(
        full.1.contains(&refusals.len()) && refusals.iter().all(|it| *it == full.0),
        "{refusals:?}"
    );
    let sent = OUTBOX_MAX - refusals.len();
    for count in 0..INBOX_MAX {
        base.say(&format!("chat|m{count}|{}", text(300)));
    }
    run(&mut board, &mut base, &mut clock, HOUR_MS, 0);
    let stats = board.stats();
    let kept = inbox(&mut board).len();
    assert!(
        stats.refused_chats > 0 && kept > 0,
        "{stats:?}, {kept} kept"
    );
    assert_eq!(kept + stats.refused_chats as usize, INBOX_MAX);
    let heard = |what: &str| base.heard.iter().filter(|said| said.contains(what)).count();
    assert_eq!(
        heard("resource-constraint") as u32 + stats.dropped_answers,
        stats.refused_chats
    );
    assert_eq!(heard(r#"name: "body""#), sent);
    // Room again.
    base.say("chat|last|and now?");
    run(&mut board, &mut base, &mut clock, HOUR_MS, 0);
    assert_eq!(inbox(&mut board), ["and now?"]);
}

/// A flash with the records of three runs, the epoch of the last, base, and the time.
fn worn() -> (RamFlash, u32, Base, u64) {
    let mut flash = RamFlash::new();
    let (mut base, mut clock) = (Base::new(), 0);
    let mut epoch = 0;
    for round in 0..3 {
        let mut board = board(&mut flash);
        base.say(&format!("chat|m{round}|text {round}"));
        board.chat("romeo@base.example", "hello").expect("room");
        run(&mut board, &mut base, &mut clock, 20_000, 0);
        epoch = board.resume.epoch();
    }
    // The last run was short: it stored its epoch and no more.
    epoch += u32::from(board(&mut flash).resume.epoch() > epoch);
    (flash, epoch, base, clock)
}

#[test]
fn no_changed_bit_of_flash_brings_a_nonce_back() {
    let (flash, epoch, ..) = worn();
    let bits = 8 * flash.used();
    let mut refused = 0;
    for bit in (0..bits).step_by(11) {
        let mut spoilt = flash.clone();
        spoilt.flip(bit);
        match try_board(&mut spoilt, &PROVISION) {
            Ok(board) => assert!(board.resume.epoch() > epoch, "bit {bit} of {bits}"),
            Err(error) => {
                assert_eq!(error, EndpointError::Store(StoreError::Broken), "bit {bit}");
                refused += 1;
            }
        }
    }
    assert!(refused < bits / 110, "{refused} of {bits}");
}

#[test]
fn a_board_on_spoilt_flash_starts_with_what_is_whole_or_says_so() {
    let mut dice = Dice::new(17);
    let (mut talked, mut refused) = (0, 0);
    for _ in 0..40 {
        let (mut spoilt, _, mut base, mut clock) = worn();
        spoilt.spoil(&mut dice);
        let Ok(mut board) = try_board(&mut spoilt, &PROVISION) else {
            refused += 1;
            continue;
        };
        base.say("chat|m9|are you well?");
        let _ = board.chat("romeo@base.example", "as well as I can");
        let ran = try_run(&mut board, &mut base, &mut clock, 600_000, 0);
        talked += u32::from(ran.is_ok() && base.heard.iter().any(|it| it.contains("as well as")));
    }
    assert!(talked > 25, "{talked} talked, {refused} refused to start");
}

//! A board agrees on new keys with its base, whatever is lost and whenever its power fails.

use core::sync::atomic::{AtomicU64, Ordering};

use crate::endpoint::tests::{run, try_run};
use crate::endpoint::{EntropySource, Event};
use crate::ram_flash::RamFlash;
use crate::tests::base::{Base, Board, PROVISION, board, seeds, try_board};

/// Never the same twice, which is all these tests need.
const COUNTER: EntropySource = |octets| {
    static DRAWN: AtomicU64 = AtomicU64::new(1);
    let drawn = DRAWN.fetch_add(1, Ordering::Relaxed);
    octets[..8].copy_from_slice(&drawn.to_be_bytes());
    true
};

fn start(flash: &mut RamFlash) -> Board<'_> {
    let mut board = board(flash);
    board.use_entropy(COUNTER);
    board
}

/// Both have one key, and it is not the first.
fn assert_agreed(board: &Board<'_>, base: &Base, what: &str) {
    assert_eq!(board.keyring.keys(), base.rekey.keys(), "{what}");
    assert_eq!(base.rekey.keys().next, None, "{what}");
    let first = base.rekey.keys().current.as_bytes() == PROVISION.key;
    assert!(!first, "{what}: still the first key");
}

#[test]
fn either_end_may_ask_and_nothing_of_an_old_key_stays_on_flash() {
    let mut flash = RamFlash::new();
    let mut base = Base::new();
    let mut clock = 0;
    let mut old = PROVISION.key.to_vec();
    for round in 0..4 {
        let mut board = start(&mut flash);
        base.say("chat|m1|how is the water?");
        if round % 2 == 0 {
            base.rekey.begin();
        } else {
            board.rekey();
        }
        let events = run(&mut board, &mut base, &mut clock, 600_000, 0);
        let count = events.iter().filter(|event| **event == Event::NewKey);
        assert_eq!(count.count(), 1, "round {round}: {events:?}");
        assert!(events.contains(&Event::Message), "round {round}");
        assert_agreed(&board, &base, "round");
        drop(board);
        assert_eq!(base.keys, round + 1);
        assert!(!flash.holds(&old), "round {round}: the old key is there");
        old = base.rekey.keys().current.as_bytes().to_vec();
        assert!(flash.holds(&old), "round {round}: the new key is not");
    }
}

#[test]
fn a_board_without_randomness_keeps_its_key_and_its_link() {
    let mut flash = RamFlash::new();
    let mut base = Base::new();
    let mut board = board(&mut flash);
    let mut clock = 0;
    board.rekey();
    base.rekey.begin();
    base.say("chat|m1|how is the water?");
    let events = run(&mut board, &mut base, &mut clock, 3_600_000, 0);
    assert!(events.contains(&Event::Message) && !events.contains(&Event::NewKey));
    assert_eq!(base.rekey.keys().current.as_bytes(), PROVISION.key);
}

/// The power fails at an octet of the flash, over the whole of a handshake and of the erasing after it.
#[test]
fn the_power_may_fail_at_any_octet_of_flash() {
    let mut flash = RamFlash::new();
    let mut whole = Base::new();
    let mut warm = start(&mut flash);
    whole.rekey.begin();
    run(&mut warm, &mut whole, &mut 0, 600_000, 0);
    drop(warm);
    let octets = flash.written;
    // Every few octets of the handshake's own records, and here and there of the erasing.
    let cuts = (0..1200).step_by(71).chain((1200..octets).step_by(3989));
    for cut in cuts {
        let what = std::format!("cut at {cut} of {octets}");
        let (mut flash, mut base, mut clock) = (RamFlash::new(), Base::new(), 0);
        base.rekey.begin();
        flash.power_until = Some(cut);
        if let Ok(mut board) = try_board(&mut flash, &PROVISION) {
            board.use_entropy(COUNTER);
            // An error is the power failing.
            let _ = try_run(&mut board, &mut base, &mut clock, 600_000, 0);
        }
        flash.power_until = None;
        let mut board = start(&mut flash);
        base.rekey.begin();
        base.say("chat|m1|are you there?");
        let events = run(&mut board, &mut base, &mut clock, 7_200_000, 5);
        assert!(events.contains(&Event::Message), "{what}");
        assert_agreed(&board, &base, &what);
        drop(board);
        assert!(!flash.holds(&PROVISION.key), "{what}: the first key");
    }
}

#[test]
fn restarts_and_loss_end_with_one_key() {
    for seed in seeds(0..6) {
        let what = std::format!("seed {seed}");
        let (mut flash, mut base, mut clock) = (RamFlash::new(), Base::new(), seed * 1000);
        for round in 0..6 {
            let mut board = start(&mut flash);
            if (round + seed) % 3 == 0 {
                board.rekey();
            } else {
                base.rekey.begin();
            }
            base.say(&std::format!("chat|m{round}|message {round}"));
            let life = 700 + (seed * 7919 + round * 3571) % 9_000;
            run(&mut board, &mut base, &mut clock, life, 4);
        }
        let mut board = start(&mut flash);
        base.rekey.begin();
        run(&mut board, &mut base, &mut clock, 3 * 3_600_000, 6);
        assert_agreed(&board, &base, &what);
    }
}

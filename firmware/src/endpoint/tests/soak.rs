//! Everything at once: loss, a board whose power fails at any octet it writes, a gateway killed and started again, now
//! and then one of another version, new keys amid the traffic. Nothing vanishes, comes twice or is misread.

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use longwire_codec::link::{Agreement, LinkConfig, Offer};

use super::*;
use crate::endpoint::EntropySource;
use crate::tests::base::{Dice, dictionary, try_board};

/// Starts of the board before the weather clears.
const LIVES: u32 = 12;
const HOUR_MS: u64 = 3_600_000;

/// Never the same twice, which is all a handshake here needs.
const COUNTER: EntropySource = |octets| {
    use core::sync::atomic::{AtomicU64, Ordering};
    static DRAWN: AtomicU64 = AtomicU64::new(1 << 32);
    let drawn = DRAWN.fetch_add(1, Ordering::Relaxed);
    octets[..8].copy_from_slice(&drawn.to_be_bytes());
    true
};

/// What was said, by whom, and what came of it.
#[derive(Default)]
struct Book {
    /// Chats in the board's custody.
    queued: Vec<String>,
    /// The power failed while one was queued: it may be there or not.
    perhaps: Vec<String>,
    from_base: Vec<String>,
    read: Vec<String>,
    /// The power failed while the last one read was forgotten.
    again: bool,
}

impl Book {
    /// A person reads what came in.
    fn read(&mut self, board: &mut Board<'_>) -> Result<(), EndpointError> {
        let mut buffer = [0; RECORD_MAX];
        while let Some(message) = board.message(&mut buffer)? {
            let body = message.body.to_string();
            if !(core::mem::take(&mut self.again) && self.read.last() == Some(&body)) {
                self.read.push(body);
            }
            self.again = true;
            board.clear_message()?;
            self.again = false;
        }
        Ok(())
    }
}

/// One run of the board: an error is its power failing.
fn live(
    flash: &mut RamFlash,
    base: &mut Base,
    clock: &mut u64,
    dice: &mut Dice,
    book: &mut Book,
) -> Result<(), EndpointError> {
    let mut board = try_board(flash, &PROVISION)?;
    board.use_entropy(COUNTER);
    book.read(&mut board)?;
    for _ in 0..1 + dice.below(4) {
        if dice.below(2) == 0 {
            let text = format!("from the board {}.", book.queued.len() + book.perhaps.len());
            match board.chat("romeo@base.example", &text) {
                Ok(_) => book.queued.push(text),
                Err(EndpointError::OutboxFull) => {}
                Err(error) => {
                    book.perhaps.push(text);
                    return Err(error);
                }
            }
        }
        if dice.below(2) == 0 {
            let count = book.from_base.len();
            let text = format!("from base {count}.");
            base.say(&format!("chat|m{count}|{text}"));
            book.from_base.push(text);
        }
        match dice.below(8) {
            0 => board.rekey(),
            1 => base.rekey.begin(),
            2 => base.restart(Base::config()),
            _ => {}
        }
        let lose = [0, 3, 5][dice.below(3)];
        try_run(&mut board, base, clock, dice.below(30_000) as u64, lose)?;
        if dice.below(2) == 0 {
            book.read(&mut board)?;
        }
    }
    Ok(())
}

/// A gateway of another version, or one that knows no dictionary of ours.
fn stranger(dice: &mut Dice) -> LinkConfig {
    let ours = Base::config();
    let version = ours.agreement.version + dice.below(2) as u8;
    let agreement = Agreement {
        version,
        dictionaries: Offer::one(0xdead_beef),
        ..ours.agreement
    };
    LinkConfig {
        agreement,
        hello: true,
        ..ours
    }
}

/// The right one again, which says so.
fn friend() -> LinkConfig {
    let ours = Base::config();
    let agreement = Agreement {
        dictionaries: Offer::one(dictionary()),
        ..ours.agreement
    };
    LinkConfig {
        agreement,
        hello: true,
        ..ours
    }
}

fn play(seed: u64) {
    let mut dice = Dice::new(seed);
    let (mut flash, mut base, mut clock) = (RamFlash::new(), Base::new(), 0);
    let mut book = Book::default();
    for _ in 0..LIVES {
        flash.power_until = (dice.below(3) > 0).then(|| flash.written + dice.below(2500));
        match dice.below(6) {
            0 => base.restart(Base::config()),
            1 => base.restart(stranger(&mut dice)),
            2 => base.restart(friend()),
            _ => {}
        }
        let _ = live(&mut flash, &mut base, &mut clock, &mut dice, &mut book);
        clock += 1 + dice.below(5_000) as u64;
    }
    flash.power_until = None;
    base.restart(friend());
    let before = base.link.stats().frames_sent;
    let mut board = board(&mut flash);
    board.use_entropy(COUNTER);
    for _ in 0..4 {
        run(&mut board, &mut base, &mut clock, HOUR_MS, 6);
        book.read(&mut board).expect("flash is fine");
    }
    check(seed, &base, &book);
    assert!(board.is_idle(), "seed {seed}: not done");
    let frames = base.link.stats().frames_sent - before + board.link_stats().frames_sent;
    assert!(frames < 600, "seed {seed}: {frames} frames at the end");
}

fn check(seed: u64, base: &Base, book: &Book) {
    assert_eq!(book.read, book.from_base, "seed {seed}: at the board");
    let heard = base.heard.join("\n");
    assert!(!heard.contains("unreadable"), "seed {seed}: {heard}");
    for text in &book.queued {
        let times = heard.matches(text.as_str()).count();
        assert_eq!(times, 1, "seed {seed}: {text} came {times} times");
    }
    for text in &book.perhaps {
        let times = heard.matches(text.as_str()).count();
        assert!(times <= 1, "seed {seed}: {text} came {times} times");
    }
    let all = base.heard.iter().filter_map(|said| {
        let (_, rest) = said.split_once("from the board ")?;
        rest.split('.').next()?.parse::<u32>().ok()
    });
    let order: Vec<u32> = all.collect();
    assert!(order.is_sorted(), "seed {seed}: {order:?}");
    let receipts = heard.matches("\"received\"").count();
    assert_eq!(receipts, book.from_base.len(), "seed {seed}: receipts");
}

#[test]
fn whatever_fails_nothing_vanishes_or_comes_twice() {
    for seed in seeds(0..12) {
        play(seed);
    }
}

fn times(base: &Base, text: &str) -> usize {
    let said = base.heard.iter();
    said.filter(|it| it.contains(text)).count()
}

/// A number given in one run of the board and confirmed in the next is not given again in a third, although that next run
/// stored nothing else.
#[test]
fn a_packet_number_is_given_once_in_three_runs() {
    let (mut flash, mut base, mut clock) = (RamFlash::new(), Base::new(), 0);
    for (text, lose) in [("one", 1), ("", 0), ("two", 0)] {
        let mut board = board(&mut flash);
        if !text.is_empty() {
            board.chat("romeo@base.example", text).expect("room");
        }
        run(&mut board, &mut base, &mut clock, HOUR_MS, lose);
    }
    for text in ["Text(\"one\")", "Text(\"two\")"] {
        assert_eq!(times(&base, text), 1, "{text}: {:?}", base.heard);
    }
}

/// The power fails at any octet that a chat writes. What the next run finds of it is shown once, and one receipt sent.
#[test]
fn a_chat_cut_off_at_any_octet_is_shown_once() {
    for cut in 0.. {
        let (mut flash, mut base, mut clock) = (RamFlash::new(), Base::new(), 0);
        drop(board(&mut flash));
        base.say("chat|m1|how is the water?");
        flash.power_until = Some(flash.written + cut);
        let mut book = Book::default();
        let whole = try_board(&mut flash, &PROVISION)
            .and_then(|mut board| try_run(&mut board, &mut base, &mut clock, 20_000, 0));
        flash.power_until = None;
        let mut board = board(&mut flash);
        for _ in 0..2 {
            book.read(&mut board).expect("flash is fine");
            run(&mut board, &mut base, &mut clock, HOUR_MS, 0);
        }
        assert_eq!(book.read, ["how is the water?"], "cut at {cut}");
        let receipts = times(&base, "\"received\"");
        assert_eq!(receipts, 1, "cut at {cut}: {:?}", base.heard);
        assert_eq!(
            times(&base, "value: \"m1\""),
            1,
            "cut at {cut}: {:?}",
            base.heard
        );
        if whole.is_ok() {
            assert!(cut > 100, "{cut}");
            break;
        }
    }
}

/// Base is killed at any moment. What it had read of the board is confirmed by a run that does not know it any more, and
/// the board does not count on it.
#[test]
fn what_base_read_before_it_was_killed_is_not_counted_on() {
    for life_ms in (0..4000).step_by(80) {
        let (mut flash, mut base, mut clock) = (RamFlash::new(), Base::new(), 0);
        let mut board = board(&mut flash);
        for round in 0..4 {
            for part in 0..2 {
                let text = format!("report {round}.{part}.");
                board.chat("romeo@base.example", &text).expect("room");
            }
            let until = [life_ms, 4000 - life_ms][round % 2];
            run(&mut board, &mut base, &mut clock, until, 0);
            base.restart(Base::config());
        }
        run(&mut board, &mut base, &mut clock, HOUR_MS, 0);
        assert_eq!(times(&base, "unreadable"), 0, "{life_ms}: {:?}", base.heard);
        assert_eq!(
            times(&base, "Text(\"report "),
            8,
            "{life_ms}: {:?}",
            base.heard
        );
    }
}

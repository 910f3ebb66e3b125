//! A board and a base on a virtual link: what base says arrives, what the board says arrives, once, whatever is lost and
//! whenever the board restarts.

mod hostile;
mod soak;

use std::string::ToString;
use std::vec::Vec;

use longwire_codec::time::Instant;

use super::{EndpointError, Event, Position, READINGS_MAX, Reading, Value, channel};
use crate::flash::RECORD_MAX;
use crate::ram_flash::RamFlash;
use crate::tests::base::{Base, Board, Dice, PROVISION, board, seeds};

/// Runs both ends until neither has anything to do, or for `until` virtual milliseconds. One frame in `lose` is lost, at
/// random from a seed that the clock makes.
pub(crate) fn run(
    board: &mut Board<'_>,
    base: &mut Base,
    clock: &mut u64,
    until: u64,
    lose: u64,
) -> Vec<Event> {
    try_run(board, base, clock, until, lose).expect("flash is fine")
}

/// The same on a flash that may fail.
pub(super) fn try_run(
    board: &mut Board<'_>,
    base: &mut Base,
    clock: &mut u64,
    until: u64,
    lose: u64,
) -> Result<Vec<Event>, EndpointError> {
    let end = *clock + until;
    let mut events = Vec::new();
    let mut frames = 0u64;
    while *clock < end {
        let now = Instant::from_millis(*clock);
        let mut frame = [0; 256];
        base.settle(now);
        base.fill(now);
        board.handle_timeout(now)?;
        base.link.handle_timeout(now);
        let transmit = base.link.poll_transmit(now, &mut frame);
        let from_board = match transmit {
            Some(_) => None,
            None => board.poll_transmit(now, &mut frame)?,
        };
        if let (Some(sent), Some(tap)) = (transmit, &mut base.tap) {
            tap.push(frame[..sent.len].to_vec());
        }
        if let Some(sent) = transmit.or(from_board) {
            frames += 1;
            *clock += channel(&PROVISION).airtime_ms(sent.len) + 100;
            let now = Instant::from_millis(*clock);
            let noise = (*clock ^ frames << 32).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
            let lost = lose > 0 && noise.is_multiple_of(lose);
            if from_board.is_some() {
                board.handle_sent(now);
                if !lost {
                    base.link.handle_frame(now, &mut frame[..sent.len]);
                }
            } else {
                base.link.handle_sent(now);
                if !lost {
                    board.handle_frame(now, &mut frame[..sent.len])?;
                }
            }
        } else {
            let board_at = board.poll_timeout().map(|(at, _)| at);
            let next = [base.poll_timeout(), board_at]
                .into_iter()
                .flatten()
                .map(Instant::as_millis);
            *clock = next.min().unwrap_or(end).max(*clock + 1).min(end);
        }
        while let Some(event) = board.poll_event() {
            events.push(event);
        }
    }
    base.settle(Instant::from_millis(*clock));
    Ok(events)
}

#[test]
fn a_chat_each_way_with_receipts() {
    let mut flash = RamFlash::new();
    let mut board = board(&mut flash);
    let mut base = Base::new();
    let mut clock = 0;
    base.say("chat|m1|how is the water?");
    let order = board
        .chat("romeo@base.example", "cold and clear")
        .expect("room");
    let events = run(&mut board, &mut base, &mut clock, 60_000, 0);
    assert!(
        events.contains(&Event::Message) && events.contains(&Event::Custody(order)),
        "{events:?}"
    );
    let mut buffer = [0; RECORD_MAX];
    let message = board
        .message(&mut buffer)
        .expect("flash is fine")
        .expect("came in");
    assert_eq!(
        (message.from, message.body),
        ("romeo@base.example/phone", "how is the water?")
    );
    assert_eq!(
        base.heard
            .iter()
            .filter(|said| said.contains("cold and clear"))
            .count(),
        1
    );
    assert_eq!(
        base.heard
            .iter()
            .filter(|said| said.contains("urn:xmpp:receipts") && said.contains("received"))
            .count(),
        1
    );
    assert!(board.is_idle());
}

#[test]
fn base_subscribes_reads_the_position_and_runs_commands() {
    let mut flash = RamFlash::new();
    let mut board = board(&mut flash);
    let mut base = Base::new();
    let mut clock = 0;
    for (name, value, unit) in [
        ("temperature", Value::Milli(-1500), "Cel"),
        ("hatch", Value::Switch(true), ""),
        ("lamp", Value::Choice("flashing"), ""),
        ("note", Value::Text("painted in May"), ""),
    ] {
        board.set_reading(Reading { name, value, unit });
    }
    board.set_time(1_767_225_600);
    base.say("subscribe|s1|");
    run(&mut board, &mut base, &mut clock, 60_000, 0);
    assert!(base.heard[0].contains("subscribed"), "{:?}", base.heard);
    let position = Position {
        lat_e7: 593_293_235,
        lon_e7: 180_685_808,
    };
    board.set_position(position).expect("room");
    base.say("items|i1|");
    base.say("command|c1|read");
    base.say("set|c2|on station");
    base.say("other|x1|");
    run(&mut board, &mut base, &mut clock, 120_000, 0);
    let heard = |text: &str| base.heard.iter().filter(|said| said.contains(text)).count();
    assert_eq!(
        heard("59.3293235"),
        3,
        "event, item and reading: {:?}",
        base.heard
    );
    let found = base.heard.iter().find(|said| said.contains("temperature"));
    let form = found.expect("the readings");
    for part in [
        "2026-01-01T00:00:00Z",
        "\"temperature, Cel\"",
        "\"xs:decimal\"",
        "\"-1.5\"",
        "\"boolean\"",
        "\"1\"",
        "\"list-single\"",
        "\"flashing\"",
        "\"painted in May\"",
    ] {
        assert!(form.contains(part), "{part} in {form}");
    }
    assert_eq!(heard("service-unavailable"), 1);
    base.say("command|c3|reboot");
    let events = run(&mut board, &mut base, &mut clock, 60_000, 0);
    assert!(events.contains(&Event::Reboot));
}

#[test]
fn restarts_and_losses_neither_lose_nor_repeat() {
    for seed in seeds(0..12) {
        let mut flash = RamFlash::new();
        let mut base = Base::new();
        let mut clock = 0;
        let mut wanted = Vec::new();
        let mut read = Vec::new();
        for round in 0..10u64 {
            let mut board = board(&mut flash);
            let text = std::format!("from the board {seed}.{round}.");
            board.chat("romeo@base.example", &text).expect("room");
            wanted.push(text);
            base.say(&std::format!("chat|m{round}|from base {round}"));
            let until = if round == 9 {
                3_600_000
            } else {
                (seed * 7919 + round * 104_729) % 9000
            };
            run(&mut board, &mut base, &mut clock, until, 3 + seed % 4);
            let mut buffer = [0; RECORD_MAX];
            while let Some(message) = board.message(&mut buffer).expect("flash is fine") {
                read.push(message.body.to_string());
                board.clear_message().expect("flash is fine");
            }
        }
        for text in &wanted {
            let times = base
                .heard
                .iter()
                .filter(|said| said.contains(text.as_str()))
                .count();
            assert_eq!(times, 1, "seed {seed}: {text}");
        }
        let expected: Vec<_> = (0..10)
            .map(|round| std::format!("from base {round}"))
            .collect();
        assert_eq!(read, expected, "seed {seed}");
        let receipts = base
            .heard
            .iter()
            .filter(|said| said.contains("received"))
            .count();
        assert_eq!(receipts, 10, "seed {seed}");
    }
}

#[test]
fn a_full_inbox_sends_the_chat_back() {
    let mut flash = RamFlash::new();
    let mut board = board(&mut flash);
    let mut base = Base::new();
    let mut clock = 0;
    for count in 0..super::INBOX_MAX + 1 {
        base.say(&std::format!("chat|m{count}|text {count}"));
    }
    run(&mut board, &mut base, &mut clock, 600_000, 0);
    assert_eq!(board.stats().refused_chats, 1);
    let refused = base
        .heard
        .iter()
        .filter(|said| said.contains("resource-constraint"))
        .count();
    assert_eq!(refused, 1);
    assert!(base.heard.iter().all(|said| said.contains("jabber:client")));
}

/// Who has a JID that no record holds, or finds no room, is told so, and the board goes on.
#[test]
fn who_cannot_be_kept_is_not_subscribed() {
    let mut flash = RamFlash::new();
    let mut board = board(&mut flash);
    let mut base = Base::new();
    let long = "x".repeat(super::JID_MAX);
    base.say(&std::format!("subscribe|s|{long}@base.example"));
    for count in 0..=super::CONTACTS_MAX {
        base.say(&std::format!("subscribe|s{count}|c{count}@base.example"));
    }
    run(&mut board, &mut base, &mut 0, 600_000, 0);
    let heard = |text: &str| base.heard.iter().filter(|said| said.contains(text)).count();
    assert_eq!(heard("\"unsubscribed\""), 2, "{:?}", base.heard);
    assert_eq!(heard("\"subscribed\""), super::CONTACTS_MAX);
    assert_eq!(board.contacts().count(), super::CONTACTS_MAX);
}

/// XEP-0050: the list, a form, a cancelled form, a completed one.
#[test]
fn commands_are_listed_filled_in_and_given_up() {
    let mut flash = RamFlash::new();
    let mut board = board(&mut flash);
    let mut base = Base::new();
    for what in [
        "list|l1|",
        "command|c1|set",
        "cancel|c2|set",
        "set|c3|on station",
        "command|c4|dance",
    ] {
        base.say(what);
    }
    run(&mut board, &mut base, &mut 0, 120_000, 0);
    let said = base.heard.join("\n");
    for (text, times) in [
        (r#"name: "jid", value: "buoy@field.example""#, 3),
        (r#"name: "sessionid", value: "set""#, 3),
        (r#""executing""#, 1),
        (r#""canceled""#, 1),
        (r#""completed""#, 1),
        ("item-not-found", 1),
    ] {
        assert_eq!(said.matches(text).count(), times, "{text}: {said}");
    }
}

/// As many readings of the kind that takes most room, with everything else a form can hold.
#[test]
fn the_longest_form_of_readings_fits() {
    let mut flash = RamFlash::new();
    let mut board = board(&mut flash);
    let mut base = Base::new();
    const NAMES: [&str; READINGS_MAX] = ["a", "b", "c", "d", "e", "f", "g", "the last sensor"];
    for name in NAMES {
        let value = Value::Milli(i32::MIN);
        let unit = "deg/s";
        board.set_reading(Reading { name, value, unit });
    }
    board.set_time(u32::MAX);
    board.set_position(Position::default()).expect("room");
    base.say("command|c1|read");
    run(&mut board, &mut base, &mut 0, 120_000, 0);
    let said = base.heard.concat();
    assert!(said.contains("the last sensor, deg/s"), "{said}");
    assert_eq!(board.stats().dropped_answers, 0);
}

/// What base sets, contacts are told at once; a restart in between tells nobody twice.
#[test]
fn what_base_sets_contacts_are_told() {
    let mut flash = RamFlash::new();
    let mut base = Base::new();
    let mut clock = 0;
    base.say("subscribe|s1|");
    run(&mut board(&mut flash), &mut base, &mut clock, 60_000, 0);
    let told = |base: &Base, text: &str| {
        let presences = base
            .heard
            .iter()
            .filter(|said| said.contains("\"presence\""));
        presences.filter(|said| said.contains(text)).count()
    };
    base.say("set|c1|on station");
    // The answer is on its way, and the power fails.
    let before = base.heard.len();
    while base.heard.len() == before {
        run(&mut board(&mut flash), &mut base, &mut clock, 700, 0);
    }
    let mut board = board(&mut flash);
    run(&mut board, &mut base, &mut clock, 120_000, 0);
    assert_eq!(told(&base, "on station"), 1, "{:?}", base.heard);
}

/// Disco, version and ping, and what is not there.
#[test]
fn base_asks_what_the_board_is() {
    let mut flash = RamFlash::new();
    let mut board = board(&mut flash);
    let mut base = Base::new();
    for (asked, answers) in [
        (
            "info|i1|",
            &["\"bot\"", "urn:xmpp:receipts", "jabber:iq:version"][..],
        ),
        (
            "info|i2|reboot",
            &["\"command-node\"", "\"Restart\"", "jabber:x:data"],
        ),
        ("info|i3|dance", &["item-not-found"]),
        ("items of|i4|", &["disco#items", "\"result\""]),
        ("version|i5|", &["\"Longwire\"", env!("CARGO_PKG_VERSION")]),
        ("ping|i6|", &["\"result\""]),
        ("items|i7|", &["item-not-found"]),
        ("nothing known|i8|", &["service-unavailable", "\"cancel\""]),
    ] {
        let before = base.heard.len();
        base.say(asked);
        run(&mut board, &mut base, &mut 0, 60_000, 0);
        let said = base.heard[before..].concat();
        for answer in answers {
            assert!(said.contains(answer), "{asked}: {said}");
        }
    }
}

/// What was said to a board with this image and is too long for any packet comes back, and holds nothing up.
#[test]
fn what_no_packet_holds_comes_back() {
    let mut flash = RamFlash::new();
    let mut board = board(&mut flash);
    let mut base = Base::new();
    let mut dice = Dice::new(29);
    let noise = (0..230).map(|_| char::from_u32(0x4e00 + dice.below(20_000) as u32));
    let noise: std::string::String = noise.flatten().collect();
    let order = board.chat("romeo@base.example", &noise).expect("room");
    board.chat("romeo@base.example", "short").expect("room");
    let events = run(&mut board, &mut base, &mut 0, 600_000, 0);
    let came_back = events.contains(&Event::Failed(order));
    let came_through = base.heard.iter().any(|said| said.contains(&noise));
    assert!(came_back != came_through, "{events:?}");
    assert!(base.heard.iter().any(|said| said.contains("short")) && board.is_idle());
}

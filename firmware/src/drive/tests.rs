//! Both loops through the same scene in virtual time: a chat each way, the console, and a restart that base asks for.

mod world;

use std::rc::Rc;
use std::string::String;
use std::vec::Vec;

use longwire_codec::kiss::{self, Ax25, Kiss};
use longwire_codec::provision::Provision;
use longwire_codec::serial::wire_len_max;

use super::blocking::{Polled, Time};
use super::{asynchronous, blocking};
use crate::endpoint::{Event, Reading, Value, channel};
use crate::radio::Radio;
use crate::radio::serial::{Tnc, Transparent, UartRadio};
use crate::ram_flash::RamFlash;
use crate::tests::base::{PROVISION, board, board_of};
use world::{Delay, Ether, Keyboard, Line, World};

/// What happens once the console has said the first word.
const SCENE: &[(&str, Act)] = &[
    ("", Act::Type("to romeo@base.example cold and clear\r\n")),
    ("* 1 at the gateway", Act::Base("chat|m1|how is the water?")),
    ("* new message", Act::Type("inbox\r\nwho\rstatus\nmumble\n")),
    ("? unknown command", Act::Base("command|c1|read")),
    ("? unknown command", Act::Base("command|c2|reboot")),
];

#[derive(Clone, Copy)]
enum Act {
    Type(&'static str),
    Base(&'static str),
    Later(u64),
    Quit,
}

/// What the board measures.
fn measure(temperature: i32) -> Reading<'static> {
    Reading {
        name: "temperature",
        value: Value::Milli(temperature),
        unit: "Cel",
    }
}

fn assert_scene(world: &World, events: &[Event]) {
    let said = world.said.borrow();
    for line in [
        "queued 1\r\n",
        "* link up\r\n",
        "romeo@base.example/phone: how is the water?\r\nend of inbox\r\n",
        "end of contacts\r\n",
        "buoy@field.example link up outbox ",
        "* restarting, as base asked\r\n",
    ] {
        assert_eq!(said.matches(line).count(), 1, "{line:?} in {said}");
    }
    let base = world.base.borrow();
    for text in ["cold and clear", "received", "temperature, Cel", "Restart"] {
        let times = base.heard.iter().filter(|said| said.contains(text)).count();
        assert_eq!(times, 1, "{text}: {:?}", base.heard);
    }
    assert!(
        events.contains(&Event::Custody(1))
            && events.contains(&Event::Reboot)
            && events.ends_with(&[Event::Custody(4)]),
        "{events:?}"
    );
    assert!(world.now.get() < 60_000, "{} ms", world.now.get());
}

#[test]
fn the_future_wakes_only_for_what_happens() {
    let world = Rc::new(World::new(SCENE));
    let mut flash = RamFlash::new();
    let mut endpoint = board(&mut flash);
    let (mut radio, mut keyboard) = (Ether(world.clone()), Keyboard(world.clone()));
    let mut events = Vec::new();
    let clock = || world.now.get();
    let (polls, ended) = world.drive(asynchronous::run(
        &mut endpoint,
        &mut radio,
        &mut keyboard,
        clock,
        Delay(world.clone()),
        |endpoint, event| match event {
            Some(event) => events.push(event),
            None => endpoint.set_reading(measure(4000)),
        },
    ));
    assert_eq!(ended, Some(Ok(())));
    assert_scene(&world, &events);
    // A wake-up for each frame and each timer, and one for each line typed.
    assert!(polls < 120, "{polls} polls");
}

/// The polled loop through the scene, on a modem of either kind.
fn poll_through(world: &Rc<World>, radio: &mut impl Radio, time: &Time<impl Fn() -> u64>) {
    let mut flash = RamFlash::new();
    let mut endpoint = board(&mut flash);
    let mut events = Vec::new();
    let mut waits = 0;
    let ended = blocking::run(
        &mut endpoint,
        radio,
        Keyboard(world.clone()),
        time,
        |until| {
            waits += 1;
            world.step(until);
        },
        |endpoint, event| match event {
            Some(event) => events.push(event),
            None => endpoint.set_reading(measure(4000)),
        },
    );
    assert_eq!(ended, Ok(()));
    assert_scene(world, &events);
    assert!(waits < 120, "{waits} times asleep");
}

#[test]
fn polled_uarts_do_the_same() {
    let world = Rc::new(World::new(SCENE));
    let time = Time::new(|| world.now.get());
    let line = Polled(Line(world.clone()));
    const LINE_MAX: usize = wire_len_max(256);
    let framing = Transparent::<LINE_MAX>::new();
    let mut radio = UartRadio::<_, _, _, LINE_MAX>::new(line, &time, channel(&PROVISION), framing);
    poll_through(&world, &mut radio, &time);
}

/// The world speaks KISS as the gateway does: with the codec's framing, addresses and settings.
#[test]
fn a_tnc_does_the_same() {
    const TNC_MAX: usize = kiss::wire_len_max(256);
    let tnc = |calls| Kiss {
        ax25: Ax25::parse(calls),
        txdelay_10ms: Some(20),
        ..Kiss::default()
    };
    let modem = Tnc::<TNC_MAX>::new(tnc("N0BASE>N0BUOY"));
    let world = Rc::new(World::with_modem(SCENE, std::boxed::Box::new(modem)));
    let time = Time::new(|| world.now.get());
    let line = Polled(Line(world.clone()));
    let framing = Tnc::<TNC_MAX>::new(tnc("N0BUOY>N0BASE"));
    let mut radio = UartRadio::<_, _, _, TNC_MAX>::new(line, &time, channel(&PROVISION), framing);
    poll_through(&world, &mut radio, &time);
}

#[test]
fn a_radio_that_fails_is_counted_and_left_to_rest() {
    let world = Rc::new(World::new(&[
        ("", Act::Type("to romeo@base.example anybody?\r\n")),
        ("* link silent", Act::Type("status\r\n")),
        ("radio errors", Act::Quit),
    ]));
    let mut flash = RamFlash::new();
    let mut endpoint = board(&mut flash);
    let (mut radio, mut keyboard) = (world::Broken, Keyboard(world.clone()));
    let clock = || world.now.get();
    let delay = Delay(world.clone());
    let (polls, _) = world.drive(asynchronous::run(
        &mut endpoint,
        &mut radio,
        &mut keyboard,
        clock,
        delay,
        |_, _| {},
    ));
    let said: String = world.said.borrow().clone();
    assert!(endpoint.stats().radio_errors > 0, "{said}");
    assert!(polls < 1_000_000);
}

/// Runs a board with this image through a script that quits; what the console said.
fn play(world: &Rc<World>, provision: &Provision<'_>) -> String {
    let mut flash = RamFlash::new();
    let mut endpoint = board_of(&mut flash, provision);
    let (mut radio, mut keyboard) = (Ether(world.clone()), Keyboard(world.clone()));
    let clock = || world.now.get();
    let delay = Delay(world.clone());
    let run = asynchronous::run(
        &mut endpoint,
        &mut radio,
        &mut keyboard,
        clock,
        delay,
        |_, _| {},
    );
    let (_, ended) = world.drive(run);
    assert_eq!(ended, None);
    world.said.borrow().clone()
}

#[test]
fn a_sleeping_board_hears_base_when_it_wakes() {
    let world = Rc::new(World::new(&[
        ("", Act::Type("to romeo@base.example going to sleep\r\n")),
        ("* 1 at the gateway", Act::Later(20_000)),
        ("", Act::Base("chat|m1|good morning")),
        ("* new message", Act::Type("inbox\r\n")),
        ("good morning", Act::Later(200_000)),
        ("", Act::Type("to romeo@base.example woken by you\r\n")),
        ("* 3 at the gateway", Act::Type("status\r\n")),
        (" s asleep", Act::Quit),
    ]));
    let provision = Provision {
        listen_every_s: 60,
        ..PROVISION
    };
    let said = play(&world, &provision);
    let (count, _) = said.split_once(" s asleep").expect("in the status");
    let asleep_s = count.rsplit(' ').next().expect("a number");
    let asleep_s: u64 = asleep_s.parse().expect("a number");
    let asleep_ms = 1000 * asleep_s;
    // It wakes about every minute, and is awake for some seconds then.
    let now = world.now.get();
    assert!(
        asleep_ms > now * 8 / 10 && asleep_ms < now,
        "{asleep_ms} of {now}: {said}"
    );
    let frames = world.sent.borrow().len();
    assert!((5..20).contains(&frames), "{frames} frames: {said}");
}

#[test]
fn a_duty_cycle_holds_back_and_loses_nothing() {
    const LINE: &str =
        "to romeo@base.example a good deal of text, of which no two parts are quite alike\r\n";
    const ROUNDS: [&str; 4] = [
        "",
        "* 14 at the gateway",
        "* 28 at the gateway",
        "* 42 at the gateway",
    ];
    let round = |cue: &'static str| std::iter::repeat_n((cue, Act::Type(LINE)), 14);
    let mut script: Vec<_> = ROUNDS.into_iter().flat_map(round).collect();
    script.push(("* 56 at the gateway", Act::Type("status\r\n")));
    script.push(("ms allowed in an hour", Act::Quit));
    let world = Rc::new(World::new(&script));
    // A thousandth of an hour is 3.6 s.
    let provision = Provision {
        duty_permille: 1,
        ..PROVISION
    };
    let said = play(&world, &provision);
    assert!(said.contains(" waits for the duty cycle, "), "{said}");
    assert!(said.contains("3600 ms allowed in an hour"), "{said}");
    let sent = world.sent.borrow();
    for (begin, _) in sent.iter() {
        let hour = *begin..begin + 3_600_000;
        let within = sent.iter().filter(|(at, _)| hour.contains(at));
        let airtime_ms: u64 = within.map(|(_, airtime)| airtime).sum();
        assert!(
            airtime_ms <= 3600,
            "{airtime_ms} ms in the hour after {begin} ms"
        );
    }
    let heard = &world.base.borrow().heard;
    assert_eq!(
        heard
            .iter()
            .filter(|said| said.contains("quite alike"))
            .count(),
        56
    );
}

//! New keys by EDHOC while traffic goes on: over poor air, with the power failing at any write, asked for by either end or
//! both. Whatever happens, the two ends understand each other and end with one key.

use longwire_codec::channel::Channel;
use longwire_codec::frame::{Control, Header, Kind};
use longwire_codec::link::Priority;
use longwire_codec::rekey::Progress;
use tests::air::{Air, Weather};
use tests::dice::seeds;
use tests::pair::{Fate, Pair};

const HOUR_MS: u64 = 3_600_000;
/// Packets of both ends together.
const PACKETS: u32 = 60;

fn pair(weather: Weather, seed: u64) -> Pair {
    let air = Air::new(Channel::radio(128, 2400, 100), weather, seed);
    Pair::new(air, |config| config.seed += seed)
}

fn load(pair: &mut Pair) {
    for id in 0..PACKETS {
        pair.send((id % 2) as usize, id, Priority::Chat, 60);
    }
}

/// Both ends have one key, the same, and all packets arrived once.
fn check(pair: &Pair, new_keys: usize, what: &str) {
    let [a, b] = &pair.stations;
    assert_eq!(a.keyring.keys, b.keyring.keys, "{what}: keys differ");
    assert_eq!(a.keyring.keys.next, None, "{what}: not settled");
    let past = a.keyring.past.len() - 1;
    assert!(past >= new_keys, "{what}: {past} new keys of {new_keys}");
    for station in &pair.stations {
        assert_eq!(station.keyring.rekey.progress(), Progress::Rest, "{what}");
        let delivered = |entry: &tests::pair::Entry| entry.fate == Fate::Delivered;
        assert!(station.outbox.iter().all(delivered), "{what}: vanished");
        assert_eq!(
            station.inbox.len(),
            PACKETS as usize / 2 + 1,
            "{what}: twice"
        );
    }
}

/// Runs until the outboxes are empty and the keys settled.
fn settle(pair: &mut Pair, what: &str) {
    assert!(pair.run(pair.now + 3 * HOUR_MS), "{what}: stuck");
    // Attempts that came to nothing begin again after minutes.
    pair.idle(pair.now + 3 * HOUR_MS);
    // Who was not answered for long says no more until there is something to say.
    for station in 0..2 {
        pair.send(station, PACKETS + station as u32, Priority::Chat, 20);
    }
    assert!(pair.run(pair.now + 3 * HOUR_MS), "{what}: stuck at the end");
    pair.idle(pair.now + HOUR_MS);
}

#[test]
fn traffic_goes_on_through_three_new_keys() {
    for seed in seeds(0..5) {
        let what = format!("seed {seed}");
        let mut pair = pair(Weather::lossy(0.2), seed);
        load(&mut pair);
        for round in 0..3 {
            pair.idle(pair.now + 5_000);
            pair.rekey(round % 2);
            pair.idle(pair.now + 60_000);
        }
        settle(&mut pair, &what);
        check(&pair, 2, &what);
    }
}

/// Bytes of whole frames, with header and tag, as sealed by the old and the new key.
#[test]
fn a_handshake_takes_ninety_bytes_and_five_frames() {
    let mut pair = pair(Weather::fair(), 1);
    // Before a new session there would be notices too.
    pair.send(0, 0, Priority::Chat, 20);
    pair.idle(60_000);
    pair.air.log = Some(Vec::new());
    pair.rekey(0);
    pair.idle(120_000);
    assert_eq!(pair.stations[0].keyring.past.len(), 2);
    assert_eq!(pair.stations[0].keyring.keys, pair.stations[1].keyring.keys);
    let frames = pair.air.log.take().expect("was asked for");
    let header = |frame: &[u8]| Header::parse(frame, false).expect("ours");
    let messages: Vec<&[u8]> = frames
        .iter()
        .map(|(_, _, frame)| &frame[..])
        .filter(|frame| header(frame).kind == Kind::Control(Control::Rekey))
        .collect();
    let body = |frame: &&[u8]| {
        let ack = if header(frame).ack { 2 } else { 0 };
        frame.len() - header(frame).len() - 8 - ack
    };
    let bodies: Vec<usize> = messages.iter().map(body).collect();
    assert_eq!(bodies, [32, 40, 18, 0]);
    assert!(bodies.iter().sum::<usize>() <= 101);
    let whole: usize = frames.iter().map(|(_, _, frame)| frame.len()).sum();
    assert_eq!((frames.len(), whole), (5, 148));
    // Silence afterwards.
    pair.idle(24 * HOUR_MS);
    assert_eq!(pair.air.frames_sent.iter().sum::<u64>(), 5 + 2);
}

#[test]
fn the_power_may_fail_around_any_write() {
    for asks in 0..2 {
        for fails in 0..2 {
            for cut in 0..4 {
                for loss in [0.0, 0.3] {
                    let what = format!("{asks} asks, {fails} fails at {cut}, loss {loss}");
                    let seed = asks as u64 * 64 + fails as u64 * 32 + u64::from(cut);
                    let mut pair = pair(Weather::lossy(loss), seed);
                    load(&mut pair);
                    pair.stations[fails].keyring.cut = Some(cut);
                    pair.idle(3_000);
                    pair.rekey(asks);
                    settle(&mut pair, &what);
                    assert_eq!(pair.stations[fails].keyring.cut, None, "{what}: no cut");
                    // Who asked and failed before it had anything to store forgot the wish.
                    check(&pair, usize::from(fails != asks || cut > 0), &what);
                }
            }
        }
    }
}

#[test]
fn the_power_may_fail_at_any_moment() {
    for seed in seeds(0..60) {
        let what = format!("seed {seed}");
        let mut pair = pair(Weather::lossy(0.25), seed);
        load(&mut pair);
        for round in 0..6 {
            pair.rekey(((seed + round) % 2) as usize);
            pair.idle(pair.now + 200 + (seed * 7919 + round * 3571) % 4_000);
            pair.restart(((seed / 2 + round) % 2) as usize);
        }
        pair.rekey(0);
        settle(&mut pair, &what);
        check(&pair, 1, &what);
    }
}

#[test]
fn both_may_ask_at_once() {
    for seed in seeds(0..10) {
        let what = format!("seed {seed}");
        let mut pair = pair(Weather::lossy(0.1), seed);
        load(&mut pair);
        pair.idle(1_000);
        pair.rekey(0);
        pair.rekey(1);
        settle(&mut pair, &what);
        check(&pair, 1, &what);
    }
}

/// What was wished for during an outage is done after it, and costs nothing while it lasts.
#[test]
fn a_silent_peer_is_waited_for() {
    let mut pair = pair(Weather::fair(), 3);
    pair.send(0, 0, Priority::Chat, 20);
    pair.idle(60_000);
    let here = pair.now;
    pair.air.weather.outages = vec![(here, here + 10 * HOUR_MS)];
    pair.rekey(0);
    pair.idle(here + HOUR_MS);
    let sent = pair.air.frames_sent[0];
    assert_eq!(pair.stations[0].keyring.rekey.progress(), Progress::Wanted);
    pair.idle(here + 10 * HOUR_MS);
    assert_eq!(pair.air.frames_sent[0], sent, "probes for a key alone");
    pair.send(1, 1, Priority::Chat, 20);
    pair.idle(here + 11 * HOUR_MS);
    assert_eq!(pair.stations[0].keyring.past.len(), 2);
    assert_eq!(pair.stations[0].keyring.keys, pair.stations[1].keyring.keys);
}

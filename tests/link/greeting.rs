//! Hellos and call signs.

use longwire_codec::channel::Channel;
use longwire_codec::link::{Agreement, Callsign, Event, Priority, Profile};
use tests::air::{Air, Weather};
use tests::pair::Pair;

const MINUTE_MS: u64 = 60_000;

fn air() -> Air {
    let mut air = Air::new(Channel::radio(128, 1200, 100), Weather::fair(), 1);
    air.log = Some(Vec::new());
    air
}

#[test]
fn hellos_that_agree_come_before_the_first_packet() {
    let mut pair = Pair::new(air(), |config| {
        config.hello = true;
        config.agreement.dictionary = 0xd1c7;
    });
    pair.send(0, 1, Priority::Chat, 30);
    assert!(pair.run(MINUTE_MS));
    for station in &pair.stations {
        assert!(
            station
                .events
                .iter()
                .any(|event| matches!(event, Event::Agreed(_))),
            "{:?}",
            station.events
        );
    }
}

#[test]
fn another_dictionary_is_reported_with_both_values_and_nothing_is_sent() {
    let side = std::cell::Cell::new(0);
    let mut pair = Pair::new(air(), |config| {
        config.hello = true;
        side.set(side.get() + 1);
        config.agreement.dictionary = side.get();
    });
    pair.send(0, 1, Priority::Chat, 30);
    pair.send(0, 2, Priority::Chat, 30);
    pair.idle(10 * MINUTE_MS);
    let is_told = |event: &Event| match event {
        Event::Mismatch { ours, theirs } => (ours.dictionary, theirs.dictionary) == (1, 2),
        _ => false,
    };
    assert!(
        pair.stations[0].events.iter().any(is_told),
        "{:?}",
        pair.stations[0].events
    );
    let agreement = Agreement {
        dictionary: 2,
        ..pair.agreement(0)
    };
    pair.rejoin(0, agreement);
    assert!(pair.run(20 * MINUTE_MS), "it goes on once they agree");
}

#[test]
fn the_call_sign_is_sent_every_ten_minutes_in_clear_and_at_sign_off() {
    let callsign = Callsign::new("OE1XYZ").expect("is one");
    let mut pair = Pair::new(air(), |config| config.profile = Profile::Amateur(callsign));
    for id in 0..180 {
        pair.send(0, id, Priority::Chat, 40);
        pair.idle(pair.now + 10_000);
    }
    let log = pair.air.log.take().expect("was asked for");
    let named = |bytes: &[u8]| bytes.windows(6).any(|window| window == b"OE1XYZ");
    for station in 0..2 {
        let mut last = 0;
        for (at, _, frame) in log.iter().filter(|(_, from, _)| *from == station) {
            assert!(
                at - last <= 10 * MINUTE_MS,
                "station {station} transmits without a name at {at}"
            );
            if named(frame) {
                last = *at;
            }
        }
        assert!(last > 0, "station {station} never named itself");
    }
    // Contents are readable.
    assert!(
        log.iter()
            .any(|(_, _, frame)| frame.len() > 40 && frame[3..7] == 7u32.to_be_bytes())
    );
    pair.air.log = Some(Vec::new());
    pair.close(0);
    pair.idle(pair.now + MINUTE_MS);
    let log = pair.air.log.take().expect("was asked for");
    assert!(
        log.iter()
            .any(|(_, from, frame)| *from == 0 && named(frame)),
        "no call sign at sign-off"
    );
    assert!(pair.stations[1].events.contains(&Event::Closed));
}

#[test]
fn a_silent_station_names_itself_once_and_no_more() {
    let callsign = Callsign::new("OE1XYZ").expect("is one");
    let mut pair = Pair::new(air(), |config| config.profile = Profile::Amateur(callsign));
    pair.send(0, 1, Priority::Chat, 40);
    pair.idle(11 * MINUTE_MS);
    let sent = pair.air.bytes_sent;
    pair.idle(24 * 60 * MINUTE_MS);
    assert_eq!(pair.air.bytes_sent, sent);
}

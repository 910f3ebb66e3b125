//! Hellos and call signs.

use longwire_codec::channel::Channel;
use longwire_codec::link::{Agreement, Callsign, Event, Offer, Priority, Profile};
use tests::air::{Air, Weather};
use tests::dice::seeds;
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
        config.agreement.dictionaries = Offer::one(0xd1c7);
    });
    pair.send(0, 1, Priority::Chat, 30);
    assert!(pair.run(MINUTE_MS));
    for station in &pair.stations {
        assert!(
            station.events.contains(&Event::Agreed(0xd1c7)),
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
        config.agreement.dictionaries = Offer::one(side.get());
    });
    pair.send(0, 1, Priority::Chat, 30);
    pair.send(0, 2, Priority::Chat, 30);
    pair.idle(10 * MINUTE_MS);
    let told = &pair.stations[0];
    assert!(told.events.contains(&Event::Mismatch), "{:?}", told.events);
    let said = [told.link.agreement(), told.link.theirs()];
    assert_eq!(said.map(|said| said.dictionaries.ids()), [&[1], &[2]]);
    let agreement = Agreement {
        dictionaries: Offer::one(2),
        ..pair.agreement(0)
    };
    pair.rejoin(0, agreement);
    assert!(pair.run(20 * MINUTE_MS), "it goes on once they agree");
}

/// The dictionaries each station settled on, in order.
fn agreed(pair: &Pair) -> [Vec<u32>; 2] {
    [0, 1].map(|station: usize| {
        let of = |event: &Event| match event {
            Event::Agreed(dictionary) => Some(*dictionary),
            _ => None,
        };
        pair.stations[station]
            .events
            .iter()
            .filter_map(of)
            .collect()
    })
}

#[test]
fn of_the_dictionaries_both_have_both_choose_the_same() {
    // Side A's favourite is 1, which B lacks; of 2 and 3 A prefers 3, B prefers 2.
    let side = std::cell::Cell::new(0);
    let mut pair = Pair::new(air(), |config| {
        config.hello = true;
        let ids: &[u32] = [&[1, 3, 2], &[4, 2, 3]][side.replace(1)];
        for id in ids {
            config.agreement.dictionaries.push(*id);
        }
    });
    pair.send(0, 1, Priority::Chat, 30);
    assert!(pair.run(MINUTE_MS));
    for station in agreed(&pair) {
        assert!(!station.is_empty() && station.iter().all(|id| *id == 3));
    }
}

#[test]
fn a_hello_goes_again_until_it_is_answered() {
    let weather = Weather {
        loss: [0.6; 2],
        burst: 1.0,
        ..Weather::fair()
    };
    for seed in seeds(0..20) {
        let side = std::cell::Cell::new(0);
        let air = Air::new(Channel::radio(128, 1200, 100), weather.clone(), seed);
        let mut pair = Pair::new(air, |config| {
            config.hello = side.replace(1) == 0;
            config.agreement.dictionaries = Offer::one(7);
        });
        pair.send(0, 1, Priority::Chat, 30);
        pair.idle(24 * 60 * MINUTE_MS);
        let [asking, asked] = agreed(&pair);
        assert!(!asking.is_empty() && !asked.is_empty(), "seed {seed}");
        let sent = pair.air.bytes_sent;
        pair.idle(pair.now + 60 * MINUTE_MS);
        assert_eq!(pair.air.bytes_sent, sent, "silent once answered");
    }
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

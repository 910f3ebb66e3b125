//! One base and many stations on one channel: everybody is heard, once, in about the time the air needs.

use longwire_codec::channel::Channel;
use tests::crowd::{Air, Crowd};
use tests::dice::Dice;

const SLOW: Channel = Channel::radio(128, 1200, 100);
const FAST: Channel = Channel::radio(128, 7680, 25);

/// Modems that report a carrier after four octets, and modems that never do.
fn airs(channel: Channel, seeds: std::ops::RangeInclusive<u64>) -> impl Iterator<Item = Air> {
    let carriers = [None, Some(channel.airtime_ms(4))];
    seeds.flat_map(move |seed| {
        carriers.map(|carrier_ms| Air {
            loss_percent: 3,
            carrier_ms,
            seed,
        })
    })
}

/// What came of a crowd that had everything to say at once.
#[derive(Debug)]
struct Outcome {
    /// Share of the time in which bytes of packets were on the air.
    goodput: f64,
    /// Share of frames that met another.
    collided: f64,
    /// The longest that a station waited for the next packet to get through, as a share of the whole time.
    longest_wait: f64,
}

/// Each station has `packets` to send to the base, and the base to each station, all at once.
fn saturated(stations: u8, packets: u32, channel: Channel, air: Air) -> Outcome {
    let mut crowd = Crowd::new(stations, channel, air);
    let mut dice = Dice::new(air.seed);
    let mut octets = 0;
    for id in 0..packets {
        for station in 1..=stations.into() {
            for from_base in [false, true] {
                let len = 20 + dice.below(40);
                octets += len;
                crowd.send(station, from_base, id, len);
            }
        }
    }
    assert!(crowd.run(24 * 3_600_000), "{air:?}: not done");
    check_once(&crowd, stations, packets);
    let took = crowd.now as f64;
    let wait = |station: usize| {
        let arrivals = crowd.ends(station)[0].got.iter().map(|(at, _)| *at);
        let mut last = 0;
        let waits = arrivals.map(|at| at - std::mem::replace(&mut last, at));
        waits.max().unwrap_or(0)
    };
    let longest = (1..=stations.into()).map(wait).max().unwrap_or(0);
    Outcome {
        goodput: (octets * 8 * 1000) as f64 / f64::from(channel.bit_rate) / took,
        collided: crowd.frames[1] as f64 / crowd.frames[0] as f64,
        longest_wait: longest as f64 / took,
    }
}

/// Every packet came, once, in order.
fn check_once(crowd: &Crowd, stations: u8, packets: u32) {
    for station in 1..=stations.into() {
        for end in crowd.ends(station) {
            let ids = end.got.iter().map(|(_, id)| *id);
            assert!(ids.eq(0..packets), "station {station}: {:?}", end.got);
        }
    }
}

#[test]
fn a_crowd_is_heard_in_about_the_time_it_needs() {
    for (name, channel) in [("1200 bit/s", SLOW), ("7680 bit/s", FAST)] {
        for stations in [3, 8, 16, 32] {
            for air in airs(channel, 1..=2) {
                let outcome = saturated(stations, 24, channel, air);
                let carrier = air.carrier_ms.is_some();
                println!(
                    "{name}, {stations} stations, carrier {carrier}, seed {}: {outcome:.2?}",
                    air.seed
                );
                let (goodput, collided) = if carrier { (0.5, 0.4) } else { (0.3, 0.4) };
                assert!(outcome.goodput > goodput, "{air:?} {outcome:?}");
                assert!(outcome.collided < collided, "{air:?} {outcome:?}");
            }
        }
    }
}

/// As long as two ends answer each other at once nobody else gets a word in: after a while they let others speak.
#[test]
fn nobody_keeps_the_channel() {
    for air in airs(FAST, 1..=3) {
        let outcome = saturated(8, 300, FAST, air);
        println!("{air:?}: {outcome:.2?}");
        assert!(outcome.longest_wait < 0.75, "{air:?} {outcome:?}");
    }
}

/// Two who wanted to speak at the same moment do not meet again and again.
#[test]
fn who_collided_does_not_collide_again() {
    let mut met = 0;
    for air in airs(SLOW, 1..=20) {
        let mut crowd = Crowd::new(
            2,
            SLOW,
            Air {
                loss_percent: 0,
                ..air
            },
        );
        for station in [1, 2] {
            crowd.send(station, false, 0, 40);
        }
        assert!(crowd.run(60_000), "{air:?}");
        met += crowd.frames[1];
    }
    println!("40 times two: {met} frames met another");
    // The first two must; of those after them less than half.
    assert!(met < 40 * 3, "{met}");
}

/// Now and then somebody has something to say: it is through in seconds.
#[test]
fn light_traffic_does_not_wait() {
    for air in airs(SLOW, 1..=2) {
        let mut crowd = Crowd::new(8, SLOW, air);
        let mut dice = Dice::new(air.seed);
        let mut sent = Vec::new();
        for id in 0..40 {
            for station in 1..=8 {
                for from_base in [false, true] {
                    sent.push((dice.below(3_600_000) as u64, station, from_base, id));
                }
            }
        }
        sent.sort_unstable();
        // Ids in the order of time: what counts is which packet of a direction it is.
        let mut delays = Vec::new();
        let mut counts = [[0u32; 9]; 2];
        let mut at = vec![[const { Vec::new() }; 2]; 9];
        for (when, station, from_base, _) in sent {
            crowd.idle(when);
            let count = &mut counts[usize::from(from_base)][station];
            crowd.send(station, from_base, *count, 30);
            *count += 1;
            at[station][usize::from(from_base)].push(when);
        }
        assert!(crowd.run(4 * 3_600_000));
        check_once(&crowd, 8, 40);
        for (station, at) in at.iter().enumerate().skip(1) {
            for (from_base, end) in crowd.ends(station).into_iter().enumerate() {
                let pairs = end.got.iter().zip(&at[from_base]);
                delays.extend(pairs.map(|((got, _), sent)| got - sent));
            }
        }
        delays.sort_unstable();
        let [half, most] = [delays.len() / 2, delays.len() * 95 / 100].map(|at| delays[at]);
        println!("{air:?}: median {half} ms, 95 of 100 within {most} ms");
        assert!(half < 1_500 && most < 10_000, "{half} {most}");
    }
}

//! Faults between two links.

use longwire_codec::channel::Channel;
use longwire_codec::link::{Event, Priority};
use longwire_codec::time::Instant;
use tests::air::{Air, Weather};
use tests::dice::{Dice, seeds};
use tests::pair::{Fate, Pair};

const HOUR_MS: u64 = 3_600_000;
const PRIORITIES: [Priority; 4] = [
    Priority::Urgent,
    Priority::Chat,
    Priority::Presence,
    Priority::Bulk,
];

fn hf() -> Channel {
    Channel::radio(128, 2400, 200)
}

/// Both stations got everything the other sent and did not withdraw, once, in order.
fn check(pair: &Pair, seed: u64) {
    for to in 0..2 {
        let (from, inbox) = (&pair.stations[1 - to].outbox, &pair.stations[to].inbox);
        let mut got: Vec<u32> = inbox.iter().map(|arrival| arrival.id).collect();
        for bulk in [false, true] {
            let is = |id: &u32| {
                from.iter()
                    .any(|e| e.id == *id && (e.priority == Priority::Bulk) == bulk)
            };
            let numbers: Vec<_> = inbox
                .iter()
                .filter(|a| is(&a.id))
                .map(|a| a.number)
                .collect();
            assert!(
                numbers.is_sorted(),
                "seed {seed}: out of order at station {to}, bulk {bulk}: {numbers:?}"
            );
        }
        got.sort_unstable();
        let mut sent: Vec<u32> = from
            .iter()
            .filter(|e| e.fate == Fate::Delivered)
            .map(|e| e.id)
            .collect();
        sent.sort_unstable();
        assert_eq!(got, sent, "seed {seed}: at station {to}");
    }
}

fn load(pair: &mut Pair, dice: &mut Dice, count: u32) {
    for id in 0..count {
        let priority = PRIORITIES[dice.below(4)];
        let len = if dice.below(20) == 0 {
            400 + dice.below(1200)
        } else {
            12 + dice.below(80)
        };
        pair.send(dice.below(2), id, priority, len);
    }
}

#[test]
fn one_packet_arrives() {
    let mut pair = Pair::new(Air::new(hf(), Weather::fair(), 1), |_| {});
    pair.send(0, 7, Priority::Chat, 30);
    assert!(pair.run(HOUR_MS));
    check(&pair, 1);
}

fn rough(loss: f64) -> Weather {
    let loss = [loss, loss];
    Weather {
        loss,
        burst: 4.0,
        spoilt: 0.02,
        doubled: 0.02,
        overtaken: 0.02,
        ..Weather::fair()
    }
}

#[test]
fn ten_thousand_packets_through_bursts_of_loss() {
    for seed in seeds(0..4) {
        let mut pair = Pair::new(Air::new(hf(), rough(0.3), seed), |_| {});
        load(&mut pair, &mut Dice::new(seed), 2500);
        assert!(pair.run(100 * HOUR_MS), "seed {seed}: not done");
        check(&pair, seed);
    }
}

#[test]
fn restarts_of_either_end_lose_and_double_nothing() {
    let mut all = 0;
    for seed in seeds(0..30) {
        let mut dice = Dice::new(seed);
        let mut pair = Pair::new(Air::new(hf(), rough(0.15), seed), |_| {});
        load(&mut pair, &mut dice, 150);
        let mut restarts = 0;
        while !pair.run(pair.now + 1000 + dice.below(60_000) as u64) {
            pair.restart(dice.below(2));
            restarts += 1;
            assert!(restarts < 1000, "seed {seed}: does not get anywhere");
        }
        all += restarts;
        check(&pair, seed);
    }
    assert!(all > 0, "too quick");
}

#[test]
fn both_ends_restart_at_once() {
    for seed in seeds(0..20) {
        let mut dice = Dice::new(seed);
        let mut pair = Pair::new(Air::new(hf(), rough(0.1), seed), |_| {});
        load(&mut pair, &mut dice, 60);
        for _ in 0..5 {
            pair.run(pair.now + dice.below(15_000) as u64);
            pair.restart(0);
            pair.restart(1);
        }
        assert!(pair.run(10 * HOUR_MS), "seed {seed}: not done");
        check(&pair, seed);
    }
}

#[test]
fn asymmetric_air() {
    for seed in seeds(0..3) {
        let loss = [[0.5, 0.02], [0.02, 0.5], [0.0, 0.7]][seed as usize % 3];
        let weather = Weather { loss, ..rough(0.0) };
        let mut pair = Pair::new(Air::new(hf(), weather, seed), |_| {});
        load(&mut pair, &mut Dice::new(seed), 300);
        assert!(pair.run(100 * HOUR_MS), "seed {seed}: not done");
        check(&pair, seed);
    }
}

#[test]
fn an_hour_of_silence_costs_few_probes_and_ends_quickly() {
    let outages = vec![(20_000, 20_000 + HOUR_MS)];
    let mut pair = Pair::new(
        Air::new(
            hf(),
            Weather {
                outages,
                ..Weather::fair()
            },
            5,
        ),
        |_| {},
    );
    load(&mut pair, &mut Dice::new(5), 400);
    pair.idle(30_000);
    let before = pair.air.bytes_sent;
    pair.idle(20_000 + HOUR_MS);
    let spent: u64 = (0..2).map(|i| pair.air.bytes_sent[i] - before[i]).sum();
    assert!(spent < 2000, "{spent} bytes into the void");
    assert!(
        pair.stations
            .iter()
            .any(|s| s.events.contains(&Event::Suspended))
    );
    let end = pair.now;
    let delivered = pair.stations[0].inbox.len() + pair.stations[1].inbox.len();
    pair.idle(end + 400_000);
    let now = pair.stations[0].inbox.len() + pair.stations[1].inbox.len();
    assert!(
        now > delivered,
        "nothing heard within 400 s of the end of the outage"
    );
    assert!(
        pair.stations
            .iter()
            .any(|s| s.events.contains(&Event::Resumed))
    );
    assert!(pair.run(3 * HOUR_MS));
    check(&pair, 5);
}

#[test]
fn outages_and_clock_jumps() {
    for seed in seeds(0..10) {
        let mut dice = Dice::new(seed);
        let outages = (0..6)
            .map(|i| (i * 900_000, i * 900_000 + dice.below(800_000) as u64))
            .collect();
        let mut pair = Pair::new(
            Air::new(
                hf(),
                Weather {
                    outages,
                    ..rough(0.1)
                },
                seed,
            ),
            |_| {},
        );
        load(&mut pair, &mut dice, 300);
        while !pair.run(pair.now + 60_000) {
            pair.jump(dice.below(2), dice.below(7_200_000) as u64);
            assert!(pair.now < 40 * HOUR_MS, "seed {seed}: not done");
        }
        check(&pair, seed);
    }
}

#[test]
fn what_is_withdrawn_never_surfaces_unless_it_was_delivered() {
    for seed in seeds(0..20) {
        let mut dice = Dice::new(seed);
        let outages = vec![(30_000, 400_000)];
        let mut pair = Pair::new(
            Air::new(
                hf(),
                Weather {
                    outages,
                    ..rough(0.2)
                },
                seed,
            ),
            |_| {},
        );
        load(&mut pair, &mut dice, 200);
        for _ in 0..40 {
            pair.idle(pair.now + dice.below(15_000) as u64);
            for id in 0..200 {
                if dice.below(8) == 0 {
                    (0..2).for_each(|station| pair.cancel(station, id));
                }
            }
            if dice.below(6) == 0 {
                pair.restart(dice.below(2));
            }
        }
        assert!(pair.run(10 * HOUR_MS), "seed {seed}: not done");
        check(&pair, seed);
    }
}

#[test]
fn every_mtu_tag_and_window() {
    let mut seed = 100;
    for (mtu, tag_len) in [
        (14, 4),
        (14, 8),
        (18, 8),
        (32, 16),
        (60, 8),
        (255, 4),
        (340, 8),
        (2048, 8),
    ] {
        for window in [1, 8, 64] {
            seed += 1;
            if mtu < 32 && window > 8 {
                continue;
            }
            let channel = Channel { mtu, ..hf() };
            let mut pair = Pair::new(Air::new(channel, rough(0.05), seed), |config| {
                (config.tag_len, config.window) = (tag_len, window);
            });
            let mut dice = Dice::new(seed);
            let most = pair.stations[0].link.packet_len_max();
            for id in 0..30 {
                let len = if dice.below(4) == 0 {
                    most.min(3000)
                } else {
                    12 + dice.below(60).min(most - 12)
                };
                pair.send(dice.below(2), id, PRIORITIES[dice.below(4)], len);
            }
            assert!(
                pair.run(5 * HOUR_MS),
                "mtu {mtu}, tag {tag_len}, window {window}: not done"
            );
            check(&pair, seed);
        }
    }
}

#[test]
fn the_mtu_may_change_under_way() {
    // In the last both ends began to ask at the moment the channel changed, each time.
    for seed in seeds(0..10).chain([1041]) {
        let mut pair = Pair::new(
            Air::new(Channel { mtu: 512, ..hf() }, rough(0.1), seed),
            |_| {},
        );
        let mut dice = Dice::new(seed);
        for id in 0..60 {
            pair.send(
                dice.below(2),
                id,
                PRIORITIES[dice.below(4)],
                100 + dice.below(1500),
            );
        }
        while !pair.run(pair.now + 5000) {
            let channel = Channel {
                mtu: 40 + dice.below(472) as u16,
                ..hf()
            };
            pair.air.channel = channel;
            for station in 0..2 {
                let now = Instant::from_millis(pair.now);
                pair.stations[station].link.handle_channel(now, channel);
                pair.drive(station);
            }
            assert!(pair.now < HOUR_MS, "seed {seed}: not done");
        }
        check(&pair, seed);
    }
}

#[test]
fn custody_on_a_reliable_modem_that_reconnects() {
    for seed in seeds(0..10) {
        let mut dice = Dice::new(seed);
        let mut pair = Pair::new(
            Air::new(Channel::custody(1000, 9600), Weather::fair(), seed),
            |_| {},
        );
        load(&mut pair, &mut dice, 300);
        for _ in 0..4 {
            pair.idle(pair.now + dice.below(8000) as u64);
            // The connection breaks, what was in it is gone.
            (0..2).for_each(|station| pair.break_connection(station));
        }
        assert!(pair.run(HOUR_MS), "seed {seed}: not done");
        check(&pair, seed);
        let repeated: u32 = pair
            .stations
            .iter()
            .map(|s| s.link.stats().frames_repeated)
            .sum();
        assert!(repeated < 80, "seed {seed}: {repeated} frames repeated");
    }
}

#[test]
fn full_duplex_with_loss() {
    for seed in seeds(0..6) {
        let channel = Channel {
            full_duplex: true,
            ..hf()
        };
        let mut pair = Pair::new(Air::new(channel, rough(0.2), seed), |_| {});
        load(&mut pair, &mut Dice::new(seed), 400);
        assert!(pair.run(10 * HOUR_MS), "seed {seed}: not done");
        check(&pair, seed);
    }
}

#[test]
fn both_start_at_once() {
    for seed in seeds(0..40) {
        let mut dice = Dice::new(seed);
        let channel = Channel::radio(256, 300, 50);
        let mut pair = Pair::new(Air::new(channel, Weather::fair(), seed), |config| {
            config.seed += seed
        });
        pair.send(0, 1, Priority::Chat, 20 + dice.below(80));
        pair.now += dice.below(1500) as u64;
        pair.send(1, 2, Priority::Chat, 20 + dice.below(80));
        assert!(pair.run(30_000), "seed {seed}: they go on colliding");
        check(&pair, seed);
    }
}

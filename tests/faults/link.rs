//! Faults between two links.

use longwire_codec::channel::Channel;
use longwire_codec::link::Priority;
use tests::air::{Air, Weather};
use tests::dice::Dice;
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

#[test]
fn everything_arrives_through_bursts_of_loss() {
    for seed in 0..4 {
        let weather = Weather {
            loss: [0.3, 0.3],
            burst: 4.0,
            spoilt: 0.02,
            doubled: 0.02,
            overtaken: 0.02,
            ..Weather::fair()
        };
        let mut pair = Pair::new(Air::new(hf(), weather, seed), |_| {});
        load(&mut pair, &mut Dice::new(seed), 2500);
        assert!(pair.run(100 * HOUR_MS), "seed {seed}: not done");
        check(&pair, seed);
        println!(
            "seed {seed}: {} s, {:?}",
            pair.now / 1000,
            pair.stations[0].link.stats()
        );
    }
}

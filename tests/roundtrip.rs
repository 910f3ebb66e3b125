//! Whatever goes in comes out: stanzas made by chance, over links that lose, delay and reorder, both ways. Refuses
//! captured traffic; the trainer's own test reads that.

#[path = "roundtrip/answers.rs"]
mod answers;
#[path = "roundtrip/chance.rs"]
mod chance;
#[path = "roundtrip/ids.rs"]
mod ids;
#[path = "roundtrip/pair.rs"]
mod pair;

use chance::stanza;
use longwire_codec::dictionary::Dictionary;
use longwire_codec::session::{Ids, Profile};
use longwire_dictionaries::{V1_128K, V1_512K, V1_HOST};
use pair::{End, Pair};
use tests::dice::{Dice, seeds};

#[test]
fn stanzas_made_by_chance_come_back_over_a_bad_link() {
    for (seed, profile) in [(1, Profile::HOST), (2, Profile::BOARD), (3, Profile::BOARD)] {
        let mut dice = Dice::new(seed);
        let mut pair = Pair::new(&V1_HOST, profile);
        for _ in 0..300 {
            let from = if dice.below(2) == 0 {
                End::Near
            } else {
                End::Far
            };
            pair.send(from, stanza(&mut dice), Ids::Preserve);
            pair.weather(&mut dice);
        }
        pair.settle();
        assert!(pair.delivered > 200, "{}", pair.delivered);
    }
}

#[test]
fn every_dictionary_carries_everything() {
    for dictionary in [&V1_128K, &V1_512K, &V1_HOST, &Dictionary::EMPTY] {
        let mut dice = Dice::new(4);
        let mut pair = Pair::new(dictionary, Profile::BOARD);
        for _ in 0..150 {
            pair.send(End::Near, stanza(&mut dice), Ids::Preserve);
            pair.settle();
        }
        assert_eq!(pair.delivered, 150);
    }
}

#[test]
fn after_a_reset_everything_still_arrives() {
    let mut dice = Dice::new(5);
    let mut pair = Pair::new(&V1_HOST, Profile::HOST);
    for round in 0..8 {
        for _ in 0..40 {
            pair.send(End::Near, stanza(&mut dice), Ids::Preserve);
            pair.weather(&mut dice);
        }
        if round % 2 == 1 {
            pair.settle();
            pair.reset();
        }
    }
    pair.settle();
}

/// The reader started again and read a packet written before the writer knew: what it remembers of it, the writer does not.
#[test]
fn what_was_read_before_the_writer_started_afresh_is_not_counted_on() {
    for seed in seeds(6..16) {
        let mut dice = Dice::new(seed);
        let mut pair = Pair::new(&V1_128K, Profile::BOARD);
        for _ in 0..1 + dice.below(4) {
            pair.send(End::Near, stanza(&mut dice), Ids::Preserve);
            pair.arrive_unheard();
        }
        pair.start_afresh(End::Near);
        for _ in 0..8 {
            pair.send(End::Near, stanza(&mut dice), Ids::Preserve);
            pair.settle();
        }
    }
}

//! A new secret by EDHOC while traffic goes on.

use longwire_codec::channel::Channel;
use longwire_codec::link::Priority;
use longwire_codec::pairing::{Identity, Initiator, Responder};
use tests::air::{Air, Weather};
use tests::pair::{Fate, Pair};

#[test]
fn traffic_goes_on_through_three_new_keys() {
    let identities = [
        Identity::generate(1, &[1; 32]),
        Identity::generate(2, &[2; 32]),
    ];
    for seed in 0..5u8 {
        let air = Air::new(
            Channel::radio(128, 2400, 100),
            Weather::lossy(0.1),
            seed.into(),
        );
        let mut pair = Pair::new(air, |_| {});
        for id in 0..300 {
            pair.send((id % 2) as usize, id, Priority::Chat, 60);
        }
        for round in 0..3 {
            pair.idle(pair.now + 5_000);
            let (a, b) = (&identities[0], &identities[1]);
            let entropy = |what: u8| [seed * 16 + round * 4 + what; 32];
            let (initiator, one) =
                Initiator::new(&entropy(1), a.clone(), b.public()).expect("begins");
            let (responder, two) =
                Responder::new(&entropy(2), b, a.public(), one.as_bytes()).expect("answers");
            let (three, ours) = initiator.handle_message_2(two.as_bytes()).expect("answers");
            pair.stations[0].link.rekey(&ours, false);
            pair.idle(pair.now + 1_000);
            let theirs = responder.handle_message_3(three.as_bytes()).expect("ends");
            pair.stations[1].link.rekey(&theirs, true);
        }
        assert!(pair.run(3_600_000), "seed {seed}: stuck");
        for station in &pair.stations {
            assert!(
                station
                    .outbox
                    .iter()
                    .all(|entry| entry.fate == Fate::Delivered)
            );
            assert_eq!(station.inbox.len(), 150);
        }
    }
}

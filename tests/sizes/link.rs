//! Frames of one link.

use longwire_codec::channel::Channel;
use longwire_codec::link::{Link, LinkConfig, Priority};
use longwire_codec::time::Instant;
use tests::air::{Air, Weather};
use tests::pair::Pair;

/// Two stations that have heard each other and are silent.
fn acquainted(tune: impl Fn(&mut LinkConfig)) -> Pair {
    let mut pair = Pair::new(
        Air::new(Channel::radio(128, 300, 200), Weather::fair(), 1),
        tune,
    );
    pair.send(0, 1_000_000, Priority::Chat, 20);
    pair.send(1, 1_000_001, Priority::Chat, 20);
    assert!(pair.run(100_000));
    pair.idle(200_000);
    pair
}

/// Frames and bytes that each station sends because of what `send` does.
fn cost(pair: &mut Pair, send: impl FnOnce(&mut Pair)) -> [(u64, u64); 2] {
    let before = (pair.air.frames_sent, pair.air.bytes_sent);
    send(pair);
    assert!(pair.run(pair.now + 3_600_000));
    pair.idle(pair.now + 100_000);
    let (frames, bytes) = (pair.air.frames_sent, pair.air.bytes_sent);
    [0, 1].map(|i| (frames[i] - before.0[i], bytes[i] - before.1[i]))
}

#[test]
fn a_packet_costs_three_bytes_and_its_tag() {
    let mut pair = acquainted(|_| {});
    let cost = cost(&mut pair, |pair| pair.send(0, 1, Priority::Chat, 14));
    // One frame of 14 + 3 + 8; an acknowledgement of 4 + 8 bytes.
    assert_eq!(cost, [(1, 25), (1, 12)]);
}

#[test]
fn a_segment_costs_three_bytes_and_its_tag() {
    let mut pair = acquainted(|config| config.window = 8);
    let cost = cost(&mut pair, |pair| pair.send(0, 1, Priority::Bulk, 300));
    // 300 bytes in segments of 117, 117 and 66.
    assert_eq!(cost, [(3, 300 + 3 * 11), (1, 12)]);
}

#[test]
fn small_packets_share_a_frame_and_an_acknowledgement() {
    let mut pair = acquainted(|_| {});
    let cost = cost(&mut pair, |pair| {
        // All four are there when the channel falls silent.
        let now = Instant::from_millis(pair.now);
        pair.stations[0].link.handle_carrier(now, true);
        (0..4).for_each(|id| pair.send(0, id, Priority::Chat, 20));
        pair.stations[0].link.handle_carrier(now, false);
        pair.drive(0);
    });
    // Two bytes of header, two for the first packet, one for each other, one tag.
    assert_eq!(cost, [(1, 4 * 20 + 4 + 3 + 8), (1, 12)]);
}

#[test]
fn an_answer_carries_the_acknowledgement() {
    let mut pair = acquainted(|_| {});
    let cost = cost(&mut pair, |pair| {
        pair.send(0, 1, Priority::Chat, 20);
        while pair.stations[1].inbox.len() == 1 {
            assert!(pair.step(u64::MAX));
        }
        pair.send(1, 2, Priority::Chat, 20);
    });
    // The answer is two bytes longer, and is acknowledged itself.
    assert_eq!(cost, [(2, 31 + 12), (1, 33)]);
}

#[test]
fn acknowledgements_with_holes_stay_within_fourteen_bytes() {
    for seed in 0..20 {
        let weather = Weather::lossy(0.2);
        let channel = Channel::radio(40, 300, 200);
        let mut pair = Pair::new(Air::new(channel, weather, seed), |config| config.window = 8);
        for id in 0..40 {
            pair.send(0, id, Priority::Chat, 24);
        }
        assert!(pair.run(36_000_000));
        let frames = pair.stations[1].link.stats();
        assert!(frames.frames_sent > 0);
        assert!(
            pair.longest_control_len <= 14,
            "{}",
            pair.longest_control_len
        );
    }
}

#[test]
fn an_idle_link_is_silent_for_a_day() {
    let mut pair = acquainted(|_| {});
    let before = pair.air.bytes_sent;
    pair.idle(pair.now + 24 * 3_600_000);
    assert_eq!(pair.air.bytes_sent, before);
}

#[test]
fn a_link_without_traffic_never_speaks() {
    let mut pair = Pair::new(
        Air::new(Channel::radio(128, 300, 200), Weather::fair(), 1),
        |_| {},
    );
    pair.idle(24 * 3_600_000);
    assert_eq!(pair.air.bytes_sent, [0, 0]);
}

#[test]
fn the_state_of_a_link_fits_a_microcontroller() {
    let len = size_of::<Link<[u8; 0]>>();
    println!("{len} bytes of state besides the packets");
    assert!(len <= 8 * 1024, "{len} bytes");
}

#[test]
fn a_packet_that_no_longer_fits_the_channel_does_not_make_noise() {
    let mut pair = acquainted(|_| {});
    let shrink = Channel {
        mtu: 16,
        ..pair.air.channel
    };
    pair.send(0, 1, Priority::Bulk, 3000);
    let now = Instant::from_millis(pair.now);
    pair.air.channel = shrink;
    pair.stations[0].link.handle_channel(now, shrink);
    pair.idle(pair.now + 600_000);
    let before = pair.air.frames_sent;
    pair.idle(pair.now + 12 * 3_600_000);
    let frames: u64 = (0..2).map(|i| pair.air.frames_sent[i] - before[i]).sum();
    assert!(frames <= 2 * 13 * 12, "{frames} frames in twelve hours");
}

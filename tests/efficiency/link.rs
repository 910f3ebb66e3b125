//! One link: chat against bits over rate plus unavoidable turnarounds, bulk against the bit rate.

use longwire_codec::channel::Channel;
use longwire_codec::link::Priority;
use tests::air::{Air, Weather};
use tests::pair::Pair;

/// A radio at 300 bit/s that takes 300 ms to key up.
fn slow(mtu: u16) -> Channel {
    Channel::radio(mtu, 300, 300)
}

/// Both ends have spoken, nobody speaks.
fn acquainted(channel: Channel, weather: Weather, seed: u64) -> Pair {
    let mut pair = Pair::new(Air::new(channel, Weather::fair(), seed), |config| {
        config.out_len = 16_384
    });
    pair.send(0, 1_000_000, Priority::Chat, 20);
    pair.send(1, 1_000_001, Priority::Chat, 20);
    assert!(pair.run(100_000));
    pair.idle(200_000);
    pair.air.weather = weather;
    pair
}

#[test]
fn a_chat_arrives_within_the_physical_minimum() {
    let mut pair = acquainted(slow(255), Weather::fair(), 1);
    for (id, len) in [14, 40, 120].into_iter().enumerate() {
        let start = pair.now;
        pair.send(0, id as u32, Priority::Chat, len);
        assert!(pair.run(start + 60_000));
        let arrival = pair.stations[1].inbox.last().expect("it arrived").at;
        // The packet's bits and one turnaround: no protocol at all.
        let least = 300 + (8 * len as u64 * 1000).div_ceil(300);
        let taken = arrival - start;
        // Sealing takes what it takes: 3 bytes of header and 8 of tag.
        let sealed = least + (8 * 11 * 1000u64).div_ceil(300);
        println!("chat of {len} bytes: {taken} ms, minimum {least} ms bare, {sealed} ms sealed");
        assert!(
            taken * 100 <= sealed * 115,
            "{len} bytes took {taken} ms, sealed minimum {sealed} ms"
        );
        pair.idle(pair.now + 100_000);
    }
}

#[test]
fn a_conversation_takes_little_more_than_its_bits() {
    let mut pair = acquainted(slow(255), Weather::fair(), 2);
    let start = pair.now;
    for id in 0..10 {
        pair.send((id % 2) as usize, id, Priority::Chat, 30);
        let inbox = ((id + 1) % 2) as usize;
        let before = pair.stations[inbox].inbox.len();
        while pair.stations[inbox].inbox.len() == before {
            assert!(pair.step(pair.now + 60_000));
        }
    }
    let taken = pair.now - start;
    let least = 10 * (300 + (8 * (30 + 11) * 1000u64).div_ceil(300));
    println!("ten chats to and fro: {taken} ms, minimum {least} ms");
    assert!(taken * 100 <= least * 115, "{taken} ms, minimum {least} ms");
}

fn goodput_permille(channel: Channel, loss: f64, seed: u64) -> u64 {
    let mut pair = acquainted(channel, Weather::lossy(loss), seed);
    let start = pair.now;
    let bytes: usize = 60_000;
    for id in 0..30 {
        pair.send(0, id, Priority::Bulk, bytes / 30);
    }
    assert!(pair.run(start + 50_000_000), "seed {seed}: not done");
    let end = pair.stations[1].inbox.last().expect("it arrived").at;
    8_000_000 * bytes as u64 / u64::from(channel.bit_rate) / (end - start)
}

#[test]
fn bulk_goodput() {
    println!("bulk goodput in per mille of the bit rate, by frame loss");
    println!("{:>24} {:>6} {:>6} {:>6}", "channel", "0 %", "1 %", "20 %");
    let hf = Channel {
        interleaver_ms: 600,
        ..Channel::radio(512, 2400, 300)
    };
    for (name, channel) in [
        ("300 bit/s, MTU 255", slow(255)),
        ("2400 bit/s, interleaved", hf),
    ] {
        let mean = |loss| {
            (0..5)
                .map(|seed| goodput_permille(channel, loss, seed))
                .sum::<u64>()
                / 5
        };
        let [clean, little, much] = [0.0, 0.01, 0.2].map(mean);
        println!("{name:>24} {clean:>6} {little:>6} {much:>6}");
        assert!(little >= 850, "{name}: {little} per mille at 1 % loss");
        assert!(much >= 600, "{name}: {much} per mille at 20 % loss");
    }
}

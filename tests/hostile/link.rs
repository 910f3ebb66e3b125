//! Frames that are noise, mutations, replays, or sealed with another key: no panic, nothing accepted.

use longwire_codec::channel::Channel;
use longwire_codec::frame::{Ack, Header, Items, Plain};
use longwire_codec::link::Callsign;
use longwire_codec::link::{Link, LinkConfig, PacketNumber, Priority, Profile, Resume, Side};
use longwire_codec::seal::Secret;
use longwire_codec::time::Instant;
use tests::dice::Dice;

const CHANNEL: Channel = Channel::radio(128, 1200, 100);

fn link(side: Side, secret: &[u8], profile: Profile) -> Link<Vec<u8>> {
    let secret = Secret::new(secret).expect("is long enough");
    let config = LinkConfig {
        out_len: 2048,
        profile,
        ..LinkConfig::new(side, secret)
    };
    let resume = Resume {
        epoch: 1,
        ..Resume::default()
    };
    Link::new(config, CHANNEL, resume, vec![0; 8192]).expect("the configuration is sound")
}

/// Frames that `from` sends to carry `count` packets, each answered by `to` if `answered`.
fn exchange(from: &mut Link<Vec<u8>>, to: &mut Link<Vec<u8>>, count: u8) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    let mut buffer = [0; 128];
    for i in 0..count {
        let now = Instant::from_millis(10_000 * (1 + u64::from(i)));
        let grant = from.grant(now, Priority::Chat).expect("the link is idle");
        grant.buffer[..20].fill(i);
        from.commit(now, 20);
        let transmit = from
            .poll_transmit(now, &mut buffer)
            .expect("a packet waits");
        from.handle_sent(now);
        frames.push(buffer[..transmit.len].to_vec());
        to.handle_frame(now, &mut buffer[..transmit.len]);
        let (number, _) = to.recv().expect("it arrived");
        to.accept(now, number);
        let now = Instant::from_millis(10_000 * (1 + u64::from(i)) + 200);
        let transmit = to
            .poll_transmit(now, &mut buffer)
            .expect("it is acknowledged");
        to.handle_sent(now);
        from.handle_frame(now, &mut buffer[..transmit.len]);
        while from.poll_event().is_some() {}
    }
    frames
}

const KEY: &[u8] = b"the right key is this one, is it";

#[test]
fn noise_and_mutations_are_dropped_and_counted() {
    let callsign = Callsign::new("OE1XYZ").expect("is one");
    for profile in [Profile::Sealed, Profile::Amateur(callsign)] {
        let mut a = link(Side::A, KEY, profile);
        let mut b = link(Side::B, KEY, profile);
        let frames = exchange(&mut a, &mut b, 12);
        let mut dice = Dice::new(7);
        let good = b.stats().frames_received;
        let now = Instant::from_millis(1_000_000);
        for _ in 0..30_000 {
            let mut frame = match dice.below(3) {
                0 => dice.bytes(140),
                _ => {
                    let mut frame = frames[dice.below(frames.len())].clone();
                    dice.mutate(&mut frame);
                    frame
                }
            };
            b.handle_frame(now, &mut frame);
            assert!(b.recv().is_none(), "accepted {frame:02x?}");
        }
        assert_eq!(b.stats().frames_received, good);
        let stats = b.stats();
        assert!(
            stats.malformed_frames > 0 && stats.forged_frames > 0 && stats.replayed_frames > 0,
            "{stats:?}"
        );
    }
}

#[test]
fn a_replay_is_refused_before_and_after_a_restart() {
    let mut a = link(Side::A, KEY, Profile::Sealed);
    let mut b = link(Side::B, KEY, Profile::Sealed);
    let frames = exchange(&mut a, &mut b, 12);
    let accepted = b.accepted();
    let now = Instant::from_millis(1_000_000);
    let good = b.stats().frames_received;
    let hear = |frame: &Vec<u8>| b.handle_frame(now, &mut frame.clone());
    frames.iter().for_each(hear);
    assert_eq!(b.stats().frames_received, good);
    // B starts anew and remembers what it accepted, or not even that.
    for accepted in [accepted, Default::default()] {
        let secret = Secret::new(KEY).expect("is long enough");
        let config = LinkConfig {
            out_len: 2048,
            ..LinkConfig::new(Side::B, secret)
        };
        let resume = Resume {
            epoch: 2,
            peer_epoch: 1,
            accepted,
            ..Resume::default()
        };
        let mut b =
            Link::new(config, CHANNEL, resume, vec![0; 8192]).expect("the configuration is sound");
        for frame in frames.iter().chain(&frames) {
            b.handle_frame(now, &mut frame.clone());
            assert!(b.recv().is_none(), "a replay surfaced");
        }
    }
}

#[test]
fn another_key_is_refused() {
    let mut a = link(Side::A, KEY, Profile::Sealed);
    let mut b = link(Side::B, KEY, Profile::Sealed);
    let frames = exchange(&mut a, &mut b, 3);
    let mut stranger = link(
        Side::B,
        b"the wrong key is this one, it is",
        Profile::Sealed,
    );
    frames.iter().for_each(|frame| {
        stranger.handle_frame(Instant::from_millis(1_000_000), &mut frame.clone())
    });
    assert_eq!(stranger.stats().frames_received, 0);
    assert!(stranger.recv().is_none());
}

#[test]
fn an_authentic_peer_gone_mad_breaks_nothing() {
    let mut dice = Dice::new(3);
    for _ in 0..100_000 {
        let bytes = dice.bytes(60);
        let _ = Ack::parse(&bytes);
        if let Ok(header) = Header::parse(&bytes, dice.below(2) == 0) {
            let body = bytes.get(header.len()..).unwrap_or(&[]);
            assert!(Items::new(header.kind, body).count() <= 60);
            let _ = format!("{}", Plain { header, body });
        }
        let _ = PacketNumber::new(dice.below(300) as u32).resolve(dice.below(256) as u32, 8, 192);
    }
}

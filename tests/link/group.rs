//! One station speaks, five listen, each losing frames of its own: repair by request, parity for those who never
//! transmit, and strangers on the air.

use longwire_codec::channel::Channel;
use longwire_codec::group::{
    GROUP_REQUEST_MAX, GroupConfig, GroupReceiver, GroupResume, GroupSender,
};
use longwire_codec::link::{PacketNumber, Priority};
use longwire_codec::seal::Secret;
use tests::air::{Air, Weather};
use tests::dice::Dice;
use tests::pair::{Pair, packet};

const MTU: usize = 128;
const RECEIVERS: usize = 5;
/// What a frame of a station's own link adds to a request: three bytes of header and the tag.
const LINK_FRAME_LEN: usize = 3 + 8;

struct Listener {
    end: GroupReceiver<Vec<u8>>,
    dice: Dice,
    got: Vec<(u32, Vec<u8>)>,
    /// Frames it lost.
    lost: usize,
}

impl Listener {
    fn hear(&mut self, frame: &[u8], loss_percent: usize) {
        if self.dice.below(100) < loss_percent {
            self.lost += 1;
            return;
        }
        self.end.handle_frame(frame);
        if self.dice.below(50) == 0 {
            self.end.handle_frame(frame);
            let mut spoilt = frame.to_vec();
            self.dice.mutate(&mut spoilt);
            self.end.handle_frame(&spoilt);
        }
        let mut buffer = [0; 1024];
        while let Some((number, len)) = self.end.recv(&mut buffer) {
            self.end.accept(number);
            self.got.push((number.get(), buffer[..len].to_vec()));
        }
    }
}

struct Group {
    sender: GroupSender<Vec<u8>>,
    listeners: Vec<Listener>,
    loss_percent: usize,
    /// Bytes on the air, whoever sent them.
    bytes: usize,
}

fn config(parity: u8, receive_only: bool) -> GroupConfig {
    // 26 bytes that are no secret at all.
    let secret = Secret::new(b"the air is for all of them").expect("is long enough");
    GroupConfig {
        parity,
        receive_only,
        ..GroupConfig::new(200, secret, MTU as u16)
    }
}

impl Group {
    fn new(config: &GroupConfig, loss_percent: usize, seed: u64) -> Self {
        let storage = || vec![0; config.storage_len()];
        let listener = |i| Listener {
            end: GroupReceiver::new(config.clone(), GroupResume::default(), storage())
                .expect("the configuration is sound"),
            dice: Dice::new(seed * 100 + i as u64 + 1),
            got: Vec::new(),
            lost: 0,
        };
        let sender = GroupSender::new(config.clone(), 1, storage());
        Self {
            sender: sender.expect("the configuration is sound"),
            listeners: (0..RECEIVERS).map(listener).collect(),
            loss_percent,
            bytes: 0,
        }
    }

    fn send(&mut self) {
        let mut frame = [0; MTU];
        while let Some(len) = self.sender.poll_transmit(&mut frame) {
            self.bytes += len;
            for listener in &mut self.listeners {
                listener.hear(&frame[..len], self.loss_percent);
            }
        }
    }

    /// Every listener asks, over air that loses requests too. True if one wanted to.
    fn ask(&mut self) -> bool {
        let mut asked = false;
        for listener in &mut self.listeners {
            let mut request = [0; GROUP_REQUEST_MAX];
            if let Some(len) = listener.end.request(&mut request) {
                asked = true;
                self.bytes += len + LINK_FRAME_LEN;
                if listener.dice.below(100) >= self.loss_percent {
                    assert!(self.sender.handle_request(&request[..len]));
                }
            }
        }
        asked
    }

    fn say(&mut self, id: u32, len: usize) {
        let mut bytes = vec![0; len];
        packet(id, 1, &mut bytes);
        let pushed = self.sender.push(PacketNumber::new(id), &bytes);
        assert_eq!(pushed, Ok(()), "packet {id}");
    }
}

fn packet_len(id: u32) -> usize {
    if id % 10 == 9 { 400 } else { 40 }
}

/// Bytes that five links take for the same packets through the same weather.
fn five_links(count: u32, loss_percent: usize, seed: u64) -> u64 {
    let one = |i: u64| {
        let channel = Channel::radio(MTU as u16, 1200, 100);
        let weather = Weather::lossy(loss_percent as f64 / 100.0);
        let mut pair = Pair::new(Air::new(channel, weather, seed * 100 + i), |_| {});
        for id in 0..count {
            pair.send(0, id, Priority::Chat, packet_len(id));
        }
        assert!(pair.run(36_000_000), "the link is done");
        pair.air.bytes_sent.iter().sum::<u64>()
    };
    (0..RECEIVERS as u64).map(one).sum()
}

#[test]
fn five_receivers_get_everything_once_for_less_than_five_links() {
    const COUNT: u32 = 200;
    for (seed, loss_percent) in [(1, 0), (2, 10), (3, 20), (4, 30)] {
        // The sender does not wait: the window is how long a segment can still be asked for.
        let window = GroupConfig {
            window: 256,
            ..config(0, false)
        };
        let mut group = Group::new(&window, loss_percent, seed);
        for id in 0..COUNT {
            group.say(id, packet_len(id));
            if id % 10 == 9 {
                group.send();
                group.ask();
            }
        }
        // To the end: the last segment goes again until nobody lacks anything.
        for _ in 0..20 {
            group.send();
            if !group.ask() {
                group.sender.repeat_last();
            }
            if group
                .listeners
                .iter()
                .all(|l| l.got.len() == COUNT as usize)
            {
                break;
            }
        }
        for listener in &mut group.listeners {
            listener.got.sort();
            assert_eq!(
                listener.got.len(),
                COUNT as usize,
                "loss {loss_percent} %: {:?}",
                listener.end.stats()
            );
            for (id, (number, bytes)) in (0..).zip(&listener.got) {
                let mut wanted = vec![0; packet_len(id)];
                packet(id, 1, &mut wanted);
                assert_eq!((*number, bytes), (id, &wanted));
            }
        }
        let links = five_links(COUNT, loss_percent, seed);
        println!(
            "loss {loss_percent} %: {} bytes, five links {links}",
            group.bytes
        );
        assert!((group.bytes as u64) < links / 2, "loss {loss_percent} %");
    }
}

#[test]
fn who_never_transmits_lives_on_parity() {
    const COUNT: u32 = 2000;
    let (mut got, mut lost) = (0, 0);
    let mut group = Group::new(&config(4, true), 10, 7);
    for id in 0..COUNT {
        group.say(id, packet_len(id));
        if id % 20 == 19 {
            group.sender.flush();
        }
        group.send();
    }
    assert!(!group.ask(), "a receive-only station never transmits");
    let frames = group.sender.stats().frames_sent;
    for listener in &group.listeners {
        assert_eq!(listener.end.stats().requests, 0);
        got += listener.got.len();
        lost += listener.lost;
    }
    let all = COUNT as usize * RECEIVERS;
    println!(
        "{got} of {all} packets, {lost} of {} frames lost",
        frames * 5
    );
    assert!(
        lost * 100 > frames as usize * RECEIVERS * 8,
        "the air was bad"
    );
    assert!(got * 100 >= all * 99, "{got} of {all}");
}

#[test]
fn strangers_and_echoes_are_refused() {
    let ours = config(2, false);
    let secret = Secret::new(b"another group's secret").expect("is long enough");
    let mut stranger = Group::new(
        &GroupConfig {
            secret,
            ..ours.clone()
        },
        0,
        1,
    );
    let mut group = Group::new(&ours, 0, 1);
    let mut dice = Dice::new(5);
    let mut heard = Vec::new();
    for id in 0..60 {
        group.say(id, 40);
        stranger.say(id, 40);
        let mut frame = [0; MTU];
        while let Some(len) = stranger.sender.poll_transmit(&mut frame) {
            group.listeners[0].hear(&frame[..len], 0);
        }
        let before = group.listeners[0].end.stats();
        assert!(
            before.forged_frames > u64::from(id),
            "a wrong key is counted"
        );
        while let Some(len) = group.sender.poll_transmit(&mut frame) {
            let mut forged = frame[..len].to_vec();
            dice.mutate(&mut forged);
            if forged != frame[..len] {
                group.listeners[0].end.handle_frame(&forged);
            }
            group.listeners[0].end.handle_frame(&dice.bytes(MTU));
            group.listeners[0].hear(&frame[..len], 0);
            heard.push(frame[..len].to_vec());
        }
    }
    assert_eq!(group.listeners[0].got.len(), 60);
    let before = group.listeners[0].end.stats();
    for frame in &heard {
        group.listeners[0].hear(frame, 0);
    }
    let after = group.listeners[0].end.stats();
    assert_eq!(
        group.listeners[0].got.len(),
        60,
        "a replay surfaces nothing"
    );
    assert_eq!(after.frames_received, before.frames_received);
    assert!(after.replayed_frames >= before.replayed_frames + heard.len() as u64);
    for _ in 0..10_000 {
        group.sender.handle_request(&dice.bytes(48));
    }
    assert!(group.sender.stats().refused_requests > 0);
    group.send();
    assert_eq!(group.listeners[0].got.len(), 60);
}

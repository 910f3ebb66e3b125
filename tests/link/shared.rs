//! One base and three stations on one channel: each pair is a link of its own, told apart by the station's address.

use longwire_codec::channel::Channel;
use longwire_codec::link::{Link, LinkConfig, Priority, Resume, Side};
use longwire_codec::seal::Secret;
use longwire_codec::time::Instant;
use tests::dice::Dice;

const STATIONS: usize = 3;

/// One end of one link, with what waits and what came.
struct End {
    link: Link<Vec<u8>>,
    waiting: usize,
    got: usize,
}

impl End {
    fn new(side: Side, station: u8) -> Self {
        let secret = Secret::new(&[station; 16]).expect("is long enough");
        let channel = Channel {
            station: Some(station),
            ..Channel::radio(128, 1200, 100)
        };
        let config = LinkConfig {
            out_len: 2048,
            seed: station.into(),
            ..LinkConfig::new(side, secret)
        };
        let resume = Resume {
            epoch: 1,
            ..Resume::default()
        };
        let link =
            Link::new(config, channel, resume, vec![0; 8192]).expect("the configuration is sound");
        Self {
            link,
            waiting: 0,
            got: 0,
        }
    }

    fn settle(&mut self, now: Instant) {
        while let Some((number, _)) = self.link.recv() {
            self.got += 1;
            self.link.accept(now, number);
        }
        while self.link.poll_event().is_some() {}
        while self.waiting > 0 {
            let Some(grant) = self.link.grant(now, Priority::Chat) else {
                break;
            };
            grant.buffer[..30].fill(7);
            self.link.commit(now, 30);
            self.waiting -= 1;
        }
    }
}

/// A radio: the base has three links behind one, a station has one.
struct Radio {
    ends: Vec<End>,
    /// Which end sends, until when, what, and whether it was spoilt.
    sending: Option<(usize, u64, u64, Vec<u8>, bool)>,
    next: usize,
}

fn step(radios: &mut [Radio], now: u64) {
    let clock = Instant::from_millis(now);
    for i in 0..radios.len() {
        if let Some((end, _, _, frame, spoilt)) =
            radios[i].sending.take_if(|sending| sending.2 <= now)
        {
            radios[i].ends[end].link.handle_sent(clock);
            let listeners = radios
                .iter_mut()
                .enumerate()
                .filter(|(j, radio)| *j != i && radio.sending.is_none());
            for (_, radio) in listeners {
                radio
                    .ends
                    .iter_mut()
                    .filter(|_| !spoilt)
                    .for_each(|end| end.link.handle_frame(clock, &frame));
            }
        }
    }
    let busy = |radios: &[Radio]| {
        radios
            .iter()
            .any(|radio| radio.sending.as_ref().is_some_and(|s| s.1 <= now))
    };
    for i in 0..radios.len() {
        // Listen before transmit: a signal that began a moment ago is not heard yet.
        let heard = busy(radios);
        let radio = &mut radios[i];
        for end in &mut radio.ends {
            end.link.handle_carrier(clock, heard);
            if end.link.poll_timeout().is_some_and(|(at, _)| at <= clock) {
                end.link.handle_timeout(clock);
            }
            end.settle(clock);
        }
        if radio.sending.is_some() {
            continue;
        }
        let count = radio.ends.len();
        let talking = (0..count).find(|end| !radio.ends[*end].link.is_at_rest());
        let order = (0..count)
            .map(|k| (radio.next + k) % count)
            .filter(|k| talking.is_none_or(|end| end == *k));
        for k in order.collect::<Vec<_>>() {
            let mut frame = [0; 128];
            if let Some(transmit) = radio.ends[k].link.poll_transmit(clock, &mut frame) {
                let air = radio.ends[k].link.channel().airtime_ms(transmit.len);
                let start = now + 100;
                radio.sending =
                    Some((k, start, start + air, frame[..transmit.len].to_vec(), false));
                radio.next = k + 1;
                break;
            }
        }
    }
    let on_air = radios
        .iter()
        .filter(|radio| radio.sending.is_some())
        .count();
    if on_air > 1 {
        for sending in radios.iter_mut().filter_map(|radio| radio.sending.as_mut()) {
            sending.4 = true;
        }
    }
}

#[test]
fn three_stations_and_a_base_share_a_channel() {
    let mut dice = Dice::new(1);
    let base = (1..=STATIONS as u8)
        .map(|station| End::new(Side::A, station))
        .collect();
    let mut radios = vec![Radio {
        ends: base,
        sending: None,
        next: 0,
    }];
    for station in 1..=STATIONS as u8 {
        radios.push(Radio {
            ends: vec![End::new(Side::B, station)],
            sending: None,
            next: 0,
        });
    }
    let mut now = 0;
    for _ in 0..20 {
        for radio in &mut radios {
            radio
                .ends
                .iter_mut()
                .for_each(|end| end.waiting += dice.below(3));
        }
        let end = now + 60_000;
        while now < end {
            step(&mut radios, now);
            now += 20;
        }
    }
    let rest = |radios: &[Radio]| {
        radios
            .iter()
            .flat_map(|r| &r.ends)
            .any(|end| end.waiting > 0 || !end.link.is_idle())
    };
    let limit = now + 3_600_000;
    while rest(&radios) {
        step(&mut radios, now);
        now += 20;
        if now >= limit {
            for radio in &radios {
                radio
                    .ends
                    .iter()
                    .for_each(|end| println!("{} {} {:?}", end.waiting, end.got, end.link.stats()));
            }
            panic!("not done");
        }
    }
    for station in 0..STATIONS {
        let (base, far) = (&radios[0].ends[station], &radios[station + 1].ends[0]);
        assert_eq!(base.link.stats().packets_delivered, far.got as u64);
        assert_eq!(far.link.stats().packets_delivered, base.got as u64);
        assert!(far.got > 0 && base.got > 0);
    }
}

//! One base and many stations on one half-duplex channel, in virtual time: what one sends all others hear, two at once
//! are heard by nobody, each listener loses frames by chance. Refuses faults of stations; those are in `pair`.

use longwire_codec::channel::Channel;
use longwire_codec::link::{Link, LinkConfig, Priority, Resume, Side};
use longwire_codec::seal::Secret;
use longwire_codec::time::Instant;

use crate::dice::Dice;

/// One end of one link, with what waits and what came.
pub struct End {
    /// Its link.
    pub link: Link<Vec<u8>>,
    /// Packets to be sent: id and length.
    waiting: Vec<(u32, usize)>,
    /// Ids received, and when.
    pub got: Vec<(u64, u32)>,
}

impl End {
    fn new(side: Side, channel: Channel, seed: u64) -> Self {
        let secret = Secret::new(&[channel.station.unwrap_or(0); 16]).expect("is long enough");
        let config = LinkConfig {
            out_len: 1024,
            seed,
            window: 8,
            ..LinkConfig::new(side, secret)
        };
        let resume = Resume {
            epoch: 1,
            ..Resume::default()
        };
        let link = Link::new(config, channel, resume, vec![0; 4096]);
        Self {
            link: link.expect("the configuration is sound"),
            waiting: Vec::new(),
            got: Vec::new(),
        }
    }

    fn settle(&mut self, now: u64) {
        let clock = Instant::from_millis(now);
        while let Some((number, packet)) = self.link.recv() {
            let id = packet[..4].try_into().expect("four bytes");
            self.got.push((now, u32::from_be_bytes(id)));
            self.link.accept(clock, number);
        }
        while self.link.poll_event().is_some() {}
        while let Some(&(id, len)) = self.waiting.first() {
            let Some(grant) = self.link.grant(clock, Priority::Chat) else {
                break;
            };
            grant.buffer[..len].fill(7);
            grant.buffer[..4].copy_from_slice(&id.to_be_bytes());
            self.link.commit(clock, len);
            self.waiting.remove(0);
        }
    }

    fn is_done(&self) -> bool {
        self.waiting.is_empty() && self.link.outstanding().0 == self.link.outstanding().1
    }
}

/// A transmission under way.
struct Sending {
    end: usize,
    start: u64,
    until: u64,
    frame: Vec<u8>,
    over: bool,
    spoilt: bool,
}

/// A radio: the base has all its links behind one, a station has one.
struct Radio {
    ends: Vec<End>,
    sending: Option<Sending>,
    /// Which link had the air last.
    turn: usize,
    /// What its modem last said of the carrier.
    hears: bool,
    /// End of its last frame.
    sent_at: u64,
}

/// What the channel is like besides [`Channel`].
#[derive(Clone, Copy, Debug)]
pub struct Air {
    /// Share of frames each listener loses, in percent.
    pub loss_percent: usize,
    /// How long a signal is on the air before modems report it; `None`: they never do.
    pub carrier_ms: Option<u64>,
    /// Where chance begins.
    pub seed: u64,
}

/// The simulation: radio 0 is the base, radio n station n.
pub struct Crowd {
    /// True time in milliseconds.
    pub now: u64,
    /// Frames sent, and how many of them met another.
    pub frames: [u64; 2],
    /// Time during which somebody sent.
    pub busy_ms: u64,
    radios: Vec<Radio>,
    channel: Channel,
    air: Air,
    dice: Dice,
    trace: bool,
}

impl Crowd {
    /// A base and `stations` stations on `channel`.
    pub fn new(stations: u8, channel: Channel, air: Air) -> Self {
        let on = |station| Channel {
            station: Some(station),
            ..channel
        };
        let radio = |ends| Radio {
            ends,
            sending: None,
            turn: 0,
            hears: false,
            sent_at: 0,
        };
        let seed = |station: u8| air.seed << 9 | u64::from(station);
        let base = |station| End::new(Side::A, on(station), seed(station) | 0x100);
        let far = |station| vec![End::new(Side::B, on(station), seed(station))];
        let mut radios = vec![radio((1..=stations).map(base).collect())];
        radios.extend((1..=stations).map(|station| radio(far(station))));
        Self {
            now: 0,
            frames: [0; 2],
            busy_ms: 0,
            radios,
            channel,
            air,
            dice: Dice::new(air.seed),
            trace: std::env::var_os("LONGWIRE_TRACE").is_some(),
        }
    }

    /// The base's end of the link to a station (from 1), and the station's.
    pub fn ends(&self, station: usize) -> [&End; 2] {
        [
            &self.radios[0].ends[station - 1],
            &self.radios[station].ends[0],
        ]
    }

    /// Puts a packet into the outbox of a station, or of the base for that station.
    pub fn send(&mut self, station: usize, from_base: bool, id: u32, len: usize) {
        let (radio, end) = if from_base {
            (0, station - 1)
        } else {
            (station, 0)
        };
        self.radios[radio].ends[end].waiting.push((id, len));
        self.drive(radio);
    }

    /// Whether everything was delivered, and its sender knows.
    pub fn is_done(&self) -> bool {
        let mut ends = self.radios.iter().flat_map(|radio| &radio.ends);
        ends.all(End::is_done)
    }

    /// Runs until all is done or `until` has come. True if it is done.
    pub fn run(&mut self, until: u64) -> bool {
        while !self.is_done() && self.step(until) {}
        self.is_done()
    }

    /// Runs on until `until`.
    pub fn idle(&mut self, until: u64) {
        while self.step(until) {}
        self.now = until;
    }

    fn clock(&self) -> Instant {
        Instant::from_millis(self.now)
    }

    /// What a radio's program does whenever something happened.
    fn drive(&mut self, radio: usize) {
        let (now, clock) = (self.now, self.clock());
        let it = &mut self.radios[radio];
        it.ends.iter_mut().for_each(|end| end.settle(now));
        if it.sending.is_some() {
            return;
        }
        let count = it.ends.len();
        let talking = (0..count).find(|end| !it.ends[*end].link.is_at_rest());
        let order = (0..count).map(|step| (it.turn + step) % count);
        let order: Vec<usize> = order
            .filter(|end| talking.is_none_or(|talking| talking == *end))
            .collect();
        let mut frame = vec![0; 2048];
        for end in order {
            let Some(transmit) = it.ends[end].link.poll_transmit(clock, &mut frame) else {
                continue;
            };
            frame.truncate(transmit.len);
            let keyed = it.sent_at == now && now > 0;
            let turnaround = if keyed { 0 } else { self.channel.turnaround_ms };
            let start = now + u64::from(turnaround);
            let until = start + self.channel.airtime_ms(transmit.len);
            it.turn = if transmit.over { end + 1 } else { end };
            return self.key_up(
                radio,
                Sending {
                    end,
                    start,
                    until,
                    frame,
                    over: transmit.over,
                    spoilt: false,
                },
            );
        }
    }

    fn key_up(&mut self, radio: usize, mut sending: Sending) {
        self.frames[0] += 1;
        let mut alone = true;
        for other in self
            .radios
            .iter_mut()
            .filter_map(|radio| radio.sending.as_mut())
        {
            if other.until > sending.start {
                alone = false;
                self.frames[1] += u64::from(!std::mem::replace(&mut other.spoilt, true));
            }
        }
        self.frames[1] += u64::from(!alone);
        sending.spoilt = !alone;
        if alone {
            self.busy_ms += sending.until - sending.start;
        }
        if self.trace {
            println!(
                "{:>8} {radio:>2} -> {} {}{}{}",
                self.now,
                sending.frame[0],
                sending.frame.len(),
                if sending.over { "" } else { " more" },
                if alone { "" } else { " COLLIDES" }
            );
        }
        self.radios[radio].sending = Some(sending);
    }

    /// When something happens next.
    fn next(&self) -> Option<u64> {
        let sending = self.radios.iter().filter_map(|it| it.sending.as_ref());
        let edges = sending.flat_map(|it| {
            let heard = self.air.carrier_ms.map(|ms| it.start + ms);
            [heard.filter(|at| *at > self.now), Some(it.until)]
        });
        let links = self.radios.iter().filter(|it| it.sending.is_none());
        let timeouts = links.flat_map(|it| &it.ends).filter_map(|end| {
            let (at, _) = end.link.poll_timeout()?;
            Some(at.as_millis())
        });
        edges.flatten().chain(timeouts).min()
    }

    /// Advances to the next thing that happens. False if nothing will, or not before `until`.
    pub fn step(&mut self, until: u64) -> bool {
        let Some(next) = self.next().filter(|next| *next <= until) else {
            return false;
        };
        self.now = self.now.max(next);
        let (now, clock) = (self.now, self.clock());
        let mut ended = Vec::new();
        for radio in 0..self.radios.len() {
            let it = &mut self.radios[radio];
            if let Some(sending) = it.sending.take_if(|sending| sending.until <= now) {
                it.sent_at = now;
                ended.push((radio, sending));
            }
        }
        self.listen();
        for (radio, sending) in &ended {
            self.deliver(*radio, sending);
        }
        for (radio, sending) in &ended {
            self.radios[*radio].ends[sending.end]
                .link
                .handle_sent(clock);
        }
        for radio in 0..self.radios.len() {
            for end in &mut self.radios[radio].ends {
                if end.link.poll_timeout().is_some_and(|(at, _)| at <= clock) {
                    end.link.handle_timeout(clock);
                }
            }
            self.drive(radio);
        }
        true
    }

    /// Tells each radio whether there is a carrier.
    fn listen(&mut self) {
        let Some(latency) = self.air.carrier_ms else {
            return;
        };
        let (now, clock) = (self.now, self.clock());
        let sending = self.radios.iter().map(|it| it.sending.as_ref());
        let on_air: Vec<bool> = sending
            .map(|it| it.is_some_and(|it| it.start + latency <= now))
            .collect();
        let senders = on_air.iter().filter(|it| **it).count();
        for (radio, it) in self.radios.iter_mut().enumerate() {
            let busy = senders > usize::from(on_air[radio]);
            if it.sending.is_none() && it.hears != busy {
                it.hears = busy;
                for end in &mut it.ends {
                    end.link.handle_carrier(clock, busy);
                }
            }
        }
    }

    fn deliver(&mut self, from: usize, sending: &Sending) {
        let clock = self.clock();
        for (radio, it) in self.radios.iter_mut().enumerate() {
            let lost = self.dice.below(100) < self.air.loss_percent;
            // Who keyed up before its end did not hear it.
            if radio == from || sending.spoilt || lost || it.sending.is_some() {
                continue;
            }
            for end in &mut it.ends {
                end.link.handle_frame(clock, &mut sending.frame.clone());
            }
        }
    }
}

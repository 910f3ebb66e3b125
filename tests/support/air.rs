//! The air between two stations in virtual time: bits take their time, stations are deaf while they speak, frames are
//! lost in bursts, spoilt, doubled and overtaken, outages come and go. Refuses clocks and chance: the seed decides all.

use longwire_codec::channel::Channel;

use crate::dice::Dice;

/// What the air does to frames.
#[derive(Clone, Debug)]
pub struct Weather {
    /// Share of frames lost, from station 0 and from station 1.
    pub loss: [f64; 2],
    /// Mean run of lost frames.
    pub burst: f64,
    /// Share of frames with a bit flipped.
    pub spoilt: f64,
    /// Share of frames heard twice.
    pub doubled: f64,
    /// Share of frames that arrive late, after some that were sent later.
    pub overtaken: f64,
    /// From when to when nothing passes, in milliseconds.
    pub outages: Vec<(u64, u64)>,
    /// Modems report a carrier.
    pub carrier: bool,
}

impl Weather {
    /// Nothing is lost.
    pub fn fair() -> Self {
        let loss = [0.0; 2];
        Self {
            loss,
            burst: 1.0,
            spoilt: 0.0,
            doubled: 0.0,
            overtaken: 0.0,
            outages: Vec::new(),
            carrier: false,
        }
    }

    /// Frames are lost one by one, both ways alike.
    pub fn lossy(loss: f64) -> Self {
        Self {
            loss: [loss; 2],
            ..Self::fair()
        }
    }
}

/// Something that happens at a station.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Happening {
    /// A frame arrives.
    Frame(Vec<u8>),
    /// The modem is done with its frame.
    Sent,
    /// The other station's signal begins or ends.
    Carrier(bool),
}

#[derive(Clone, Debug)]
struct Due {
    at: u64,
    order: u64,
    station: usize,
    /// When the frame was on the air.
    air: (u64, u64),
    what: Happening,
}

/// The medium.
#[derive(Debug)]
pub struct Air {
    /// As the stations know it.
    pub channel: Channel,
    /// May be changed at any time.
    pub weather: Weather,
    /// Bytes each station has sent.
    pub bytes_sent: [u64; 2],
    /// Frames each station has sent.
    pub frames_sent: [u64; 2],
    /// Every frame with its time and sender, if asked for.
    pub log: Option<Vec<(u64, usize, Vec<u8>)>>,
    dice: Dice,
    losing: [bool; 2],
    /// The last transmission of each station.
    on_air: [(u64, u64); 2],
    due: Vec<Due>,
    order: u64,
}

impl Air {
    /// Still air.
    pub fn new(channel: Channel, weather: Weather, seed: u64) -> Self {
        Self {
            channel,
            weather,
            bytes_sent: [0; 2],
            frames_sent: [0; 2],
            log: None,
            dice: Dice::new(seed),
            losing: [false; 2],
            on_air: [(0, 0); 2],
            due: Vec::new(),
            order: 0,
        }
    }

    fn chance(&mut self, share: f64) -> bool {
        share > 0.0 && (self.dice.below(1_000_000) as f64) < share * 1e6
    }

    fn is_lost(&mut self, from: usize) -> bool {
        let loss = self.weather.loss[from];
        let end = 1.0 / self.weather.burst;
        let begin = (loss * end / (1.0 - loss).max(1e-9)).min(1.0);
        if self.chance(if self.losing[from] { end } else { begin }) {
            self.losing[from] = !self.losing[from];
        }
        if self.weather.burst <= 1.0 {
            self.chance(loss)
        } else {
            self.losing[from]
        }
    }

    fn push(&mut self, at: u64, station: usize, air: (u64, u64), what: Happening) {
        self.order += 1;
        self.due.push(Due {
            at,
            order: self.order,
            station,
            air,
            what,
        });
    }

    /// A station begins to send. A frame right after the last needs no turnaround.
    pub fn transmit(&mut self, now: u64, from: usize, frame: &[u8]) {
        let to = 1 - from;
        let turnaround = if self.on_air[from].1 == now && now > 0 {
            0
        } else {
            self.channel.turnaround_ms.into()
        };
        let start = now + turnaround;
        let end = start + self.channel.airtime_ms(frame.len());
        self.bytes_sent[from] += frame.len() as u64;
        self.frames_sent[from] += 1;
        if let Some(log) = &mut self.log {
            log.push((now, from, frame.to_vec()));
        }
        self.on_air[from] = (now, end);
        let overlaps = |(a, b): (u64, u64), (c, d): (u64, u64)| a < d && c < b;
        let mut lost = self.is_lost(from);
        lost |= self
            .weather
            .outages
            .iter()
            .any(|&outage| overlaps(outage, (start, end)));
        if !self.channel.full_duplex {
            // Who speaks is deaf.
            lost |= overlaps(self.on_air[to], (start, end));
            let own = (now, end);
            self.due.retain(|due| {
                !(due.station == from
                    && matches!(due.what, Happening::Frame(_))
                    && overlaps(due.air, own))
            });
        }
        self.push(end, from, (0, 0), Happening::Sent);
        let arrival = end + u64::from(self.channel.interleaver_ms);
        if self.weather.carrier {
            self.push(start, to, (0, 0), Happening::Carrier(true));
            self.push(end, to, (0, 0), Happening::Carrier(false));
        }
        if lost {
            return;
        }
        let mut frame = frame.to_vec();
        if self.chance(self.weather.spoilt) {
            self.dice.mutate(&mut frame);
        }
        if self.chance(self.weather.doubled) {
            let late = self.dice.below(3000) as u64;
            self.push(
                arrival + late,
                to,
                (start, end),
                Happening::Frame(frame.clone()),
            );
        }
        let late = if self.chance(self.weather.overtaken) {
            self.dice.below(4000) as u64
        } else {
            0
        };
        self.push(arrival + late, to, (start, end), Happening::Frame(frame));
    }

    /// When something happens next.
    pub fn next(&self) -> Option<u64> {
        self.due.iter().map(|due| due.at).min()
    }

    /// What happens at `now` or before: the oldest first.
    pub fn poll(&mut self, now: u64) -> Option<(usize, Happening)> {
        let ready = self.due.iter().enumerate().filter(|(_, due)| due.at <= now);
        let (at, _) = ready.min_by_key(|(_, due)| (due.at, due.order))?;
        let due = self.due.remove(at);
        Some((due.station, due.what))
    }

    /// The modem of a station lost power: what it was sending is lost, and so is what is on its way to it.
    pub fn fail(&mut self, station: usize, now: u64) {
        self.due.retain(|due| {
            let sent = due.station != station
                && matches!(due.what, Happening::Frame(_))
                && due.air.1 > now;
            due.station != station && !sent
        });
        self.on_air[station] = (0, 0);
    }
}

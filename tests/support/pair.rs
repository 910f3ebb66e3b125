//! Two stations, the air between them, one virtual clock. Each station is an application as the link wants it: it keeps
//! its outbox, its inbox and what a link needs to resume, whatever happens to the link. Refuses to be a gateway.

use longwire_codec::link::{
    Agreement, Event, Link, LinkConfig, PacketNumber, Priority, Resume, Side,
};
use longwire_codec::seal::Secret;
use longwire_codec::time::Instant;

use crate::air::{Air, Happening};
use crate::keyring::Keyring;

/// What became of a packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fate {
    /// In the outbox, with its number once granted.
    Waits(Option<PacketNumber>),
    /// The far end has it.
    Delivered,
    /// It was withdrawn for certain.
    Abandoned,
}

/// A packet in the outbox.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Tells packets apart.
    pub id: u32,
    /// How it goes.
    pub priority: Priority,
    /// Its length in bytes, at least 12.
    pub len: usize,
    /// Since when it waits, in milliseconds.
    pub since: u64,
    /// What became of it.
    pub fate: Fate,
}

/// A packet in the inbox.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// As in [`Entry::id`].
    pub id: u32,
    /// The link's number.
    pub number: PacketNumber,
    /// When it was stored, in milliseconds.
    pub at: u64,
}

/// One end.
pub struct Station {
    /// What keeps over restarts.
    pub resume: Resume,
    /// Everything ever to be sent.
    pub outbox: Vec<Entry>,
    /// Everything received.
    pub inbox: Vec<Arrival>,
    /// News, newest last.
    pub events: Vec<Event>,
    /// Its link.
    pub link: Link<Vec<u8>>,
    /// Its keys.
    pub keyring: Keyring,
    /// The power fails now.
    failing: bool,
    config: LinkConfig,
    storage_len: usize,
    sending: bool,
    first_waiting: usize,
    /// What the station's clock is ahead of true time.
    clock_ahead: u64,
}

/// A configuration for tests: one secret, the given side.
pub fn config(side: Side) -> LinkConfig {
    // 32 bytes that are no secret at all.
    let secret = Secret::new(b"the air is full of stars tonight").expect("is long enough");
    LinkConfig {
        out_len: 8192,
        seed: side as u64,
        ..LinkConfig::new(side, secret)
    }
}

/// The bytes of packet `id`, as encoded in a run of the sender: they differ from run to run.
pub fn packet(id: u32, epoch: u32, buffer: &mut [u8]) {
    let (head, rest) = buffer.split_at_mut(8);
    head[..4].copy_from_slice(&id.to_be_bytes());
    head[4..].copy_from_slice(&epoch.to_be_bytes());
    for (i, byte) in rest.iter_mut().enumerate() {
        *byte = (i as u32)
            .wrapping_mul(31)
            .wrapping_add(id.wrapping_mul(17))
            .wrapping_add(epoch) as u8;
    }
}

fn read(bytes: &[u8]) -> u32 {
    let word = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    let (id, epoch) = (word(0), word(4));
    let mut again = vec![0; bytes.len()];
    packet(id, epoch, &mut again);
    assert_eq!(
        bytes, again,
        "packet {id} of run {epoch} is not what was sent"
    );
    id
}

impl Station {
    fn new(config: LinkConfig, air: &Air) -> Self {
        let resume = Resume {
            epoch: 1,
            ..Resume::default()
        };
        let storage_len = 3 * config.out_len + usize::from(air.channel.mtu);
        let link = Link::new(config.clone(), air.channel, resume, vec![0; storage_len]);
        Self {
            resume,
            outbox: Vec::new(),
            inbox: Vec::new(),
            events: Vec::new(),
            link: link.expect("the configuration is sound"),
            keyring: Keyring::new(config.side, config.secret.clone(), config.seed),
            failing: false,
            config,
            storage_len,
            sending: false,
            first_waiting: 0,
            clock_ahead: 0,
        }
    }

    fn by_number(&mut self, number: PacketNumber) -> Option<&mut Entry> {
        let from = self.first_waiting;
        self.outbox[from..]
            .iter_mut()
            .find(|entry| entry.fate == Fate::Waits(Some(number)))
    }

    /// Everything the application does after something happened.
    fn settle(&mut self, now: u64, clock: Instant) {
        self.failing |= !self.keyring.settle(clock, &mut self.link);
        if self.failing {
            return;
        }
        while let Some((number, bytes)) = self.link.recv() {
            let id = if bytes.is_empty() {
                None
            } else {
                Some(read(bytes))
            };
            self.resume.accepted = self.link.accepted_with(number);
            if let Some(id) = id {
                self.inbox.push(Arrival {
                    id,
                    number,
                    at: now,
                });
            }
            self.link.accept(clock, number);
        }
        while let Some(event) = self.link.poll_event() {
            self.events.push(event);
            let fate = match event {
                Event::PeerEpoch(epoch) => {
                    self.resume.peer_epoch = epoch;
                    continue;
                }
                Event::Delivered(number) => (number, Fate::Delivered),
                Event::Abandoned(number) => (number, Fate::Abandoned),
                _ => continue,
            };
            if let Some(entry) = self.by_number(fate.0) {
                entry.fate = fate.1;
            }
            self.resume.first_outstanding = self.link.outstanding().0;
        }
        while self
            .outbox
            .get(self.first_waiting)
            .is_some_and(|entry| !matches!(entry.fate, Fate::Waits(_)))
        {
            self.first_waiting += 1;
        }
        while let Some(number) = self.link.wanted() {
            let entry = self.by_number(number).map(|entry| *entry);
            let Some(entry) = entry else {
                self.link.cancel(clock, number);
                continue;
            };
            let Some(grant) = self.link.grant_again(clock, number, entry.priority) else {
                break;
            };
            if grant.buffer.len() < entry.len {
                break;
            }
            packet(entry.id, self.resume.epoch, &mut grant.buffer[..entry.len]);
            self.link.commit(clock, entry.len);
        }
        self.fill(clock);
    }

    fn fill(&mut self, clock: Instant) {
        for priority in [
            Priority::Urgent,
            Priority::Chat,
            Priority::Presence,
            Priority::Bulk,
        ] {
            let from = self.first_waiting;
            for entry in self.outbox[from..].iter_mut() {
                if entry.priority != priority || entry.fate != Fate::Waits(None) {
                    continue;
                }
                let Some(grant) = self.link.grant(clock, priority) else {
                    break;
                };
                if grant.buffer.len() < entry.len {
                    break;
                }
                packet(entry.id, self.resume.epoch, &mut grant.buffer[..entry.len]);
                entry.fate = Fate::Waits(Some(grant.number));
                self.resume.next_number = grant.number.plus(1);
                self.link.commit(clock, entry.len);
            }
        }
    }
}

/// The simulation.
pub struct Pair {
    /// True time in milliseconds.
    pub now: u64,
    /// Between the stations.
    pub air: Air,
    /// Stations 0 (side A) and 1 (side B).
    pub stations: [Station; 2],
    /// Prints every frame.
    pub trace: bool,
    /// The longest frame within a session that carried no packet.
    pub longest_control_len: usize,
    frame: Vec<u8>,
}

impl Pair {
    /// Two stations with the configuration of [`config`], as `tune` changes it.
    pub fn new(air: Air, tune: impl Fn(&mut LinkConfig)) -> Self {
        let station = |side| {
            let mut config = config(side);
            tune(&mut config);
            Station::new(config, &air)
        };
        let stations = [station(Side::A), station(Side::B)];
        let trace = std::env::var_os("LONGWIRE_TRACE").is_some();
        Self {
            now: 0,
            air,
            stations,
            trace,
            longest_control_len: 0,
            frame: vec![0; 2048],
        }
    }

    fn clock(&self, station: usize) -> Instant {
        Instant::from_millis(self.now + self.stations[station].clock_ahead)
    }

    /// Puts a packet into the outbox of a station.
    pub fn send(&mut self, station: usize, id: u32, priority: Priority, len: usize) {
        let entry = Entry {
            id,
            priority,
            len: len.max(12),
            since: self.now,
            fate: Fate::Waits(None),
        };
        self.stations[station].outbox.push(entry);
        self.drive(station);
    }

    /// Withdraws a packet.
    pub fn cancel(&mut self, station: usize, id: u32) {
        let clock = self.clock(station);
        let station_ = &mut self.stations[station];
        let Some(entry) = station_.outbox.iter_mut().find(|entry| entry.id == id) else {
            return;
        };
        match entry.fate {
            Fate::Waits(None) => entry.fate = Fate::Abandoned,
            Fate::Waits(Some(number)) => {
                station_.link.cancel(clock, number);
            }
            _ => {}
        }
        self.drive(station);
    }

    /// Power off and on again: the link is made anew from what was kept.
    pub fn restart(&mut self, station: usize) {
        self.air.fail(station, self.now);
        let s = &mut self.stations[station];
        s.resume.epoch += 1;
        s.sending = false;
        s.failing = false;
        s.config.seed += 1000;
        s.config.secret = s.keyring.keys.current.clone();
        let link = Link::new(
            s.config.clone(),
            self.air.channel,
            s.resume,
            vec![0; s.storage_len],
        );
        s.link = link.expect("the configuration is sound");
        s.keyring.restart(&mut s.link);
        self.drive(station);
    }

    /// The connection under a reliable modem breaks and comes back: what was in it is gone.
    pub fn break_connection(&mut self, station: usize) {
        self.air.fail(station, self.now);
        let (channel, clock) = (self.air.channel, self.clock(station));
        let s = &mut self.stations[station];
        if std::mem::take(&mut s.sending) {
            s.link.handle_sent(clock);
        }
        s.link.handle_channel(clock, channel);
        self.drive(station);
    }

    /// What a station says in its hello.
    pub fn agreement(&self, station: usize) -> Agreement {
        self.stations[station].config.agreement
    }

    /// A station that found a mismatch changes its mind.
    pub fn rejoin(&mut self, station: usize, agreement: Agreement) {
        self.stations[station].link.rejoin(agreement);
        self.drive(station);
    }

    /// A station wants a new key.
    pub fn rekey(&mut self, station: usize) {
        self.stations[station].keyring.rekey.begin();
        self.drive(station);
    }

    /// A station signs off.
    pub fn close(&mut self, station: usize) {
        let clock = self.clock(station);
        self.stations[station].link.close(clock);
        self.drive(station);
    }

    /// Sets a station's clock forward. Backward a link never sees: its clock is monotonic.
    pub fn jump(&mut self, station: usize, millis: u64) {
        self.stations[station].clock_ahead += millis;
        self.drive(station);
    }

    /// Calls a station's link as its documentation says.
    pub fn drive(&mut self, station: usize) {
        let clock = self.clock(station);
        let s = &mut self.stations[station];
        s.settle(self.now, clock);
        if s.failing {
            return self.restart(station);
        }
        if s.sending {
            return;
        }
        if let Some(transmit) = s.link.poll_transmit(clock, &mut self.frame) {
            let frame = &self.frame[..transmit.len];
            // Control frames are of kind 3; bit 3 makes a notice of them.
            if frame[0] & 0xc8 == 0xc0 {
                self.longest_control_len = self.longest_control_len.max(transmit.len);
            }
            if self.trace {
                println!(
                    "{:>9} {station} -> {:02x?} {transmit:?}",
                    self.now,
                    &frame[..2]
                );
            }
            s.sending = true;
            self.air.transmit(self.now, station, frame);
            // Events may follow from what was sent.
            s.settle(self.now, clock);
            if s.failing {
                self.restart(station);
            }
        }
    }

    /// Advances to the next thing that happens. False if nothing will, or not before `until`.
    pub fn step(&mut self, until: u64) -> bool {
        let timeout = |s: &Station| {
            let link = s.link.poll_timeout().map(|(at, _)| at);
            let at = link
                .into_iter()
                .chain(s.keyring.rekey.poll_timeout())
                .min()?;
            Some(at.as_millis().saturating_sub(s.clock_ahead))
        };
        let timeouts = self.stations.iter().filter_map(timeout);
        let Some(next) = timeouts.chain(self.air.next()).min() else {
            return false;
        };
        if next > until {
            self.now = until;
            return false;
        }
        self.now = self.now.max(next);
        while let Some((station, happening)) = self.air.poll(self.now) {
            let clock = self.clock(station);
            let s = &mut self.stations[station];
            if self.trace && matches!(happening, Happening::Frame(_)) {
                println!("{:>9} {station} <-", self.now);
            }
            match happening {
                Happening::Frame(mut frame) => s.link.handle_frame(clock, &mut frame),
                Happening::Carrier(busy) => s.link.handle_carrier(clock, busy),
                Happening::Sent => {
                    s.sending = false;
                    s.link.handle_sent(clock);
                }
            }
            self.drive(station);
        }
        for station in 0..2 {
            let clock = self.clock(station);
            if timeout(&self.stations[station]).is_some_and(|at| at <= self.now) {
                self.stations[station].link.handle_timeout(clock);
                self.drive(station);
            }
        }
        true
    }

    /// Runs until both outboxes are done or `until` has come. True if they are done.
    pub fn run(&mut self, until: u64) -> bool {
        while !self.is_done() {
            if !self.step(until) {
                return self.is_done();
            }
        }
        true
    }

    /// Runs on until `until`.
    pub fn idle(&mut self, until: u64) {
        while self.step(until) {}
        self.now = until;
    }

    /// Whether every packet has met its fate.
    pub fn is_done(&self) -> bool {
        self.stations
            .iter()
            .all(|s| s.first_waiting == s.outbox.len())
    }
}

//! One radio channel shared by many stations, each a modem behind a pseudo-terminal: what one sends all others hear as
//! it is sent, who sends is deaf, two at once spoil each other. Refuses to know what the bytes mean.
//!
//! The modems are transparent: they key up when a byte comes and stay keyed until none follows. A program learns that
//! the channel is busy from the bytes that arrive, and may speak into it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::dice::Dice;
use crate::pty::{End, Line, wait};

/// Silence after which a modem unkeys.
const TAIL: Duration = Duration::from_millis(10);
/// The longest sleep while nobody sends.
const IDLE: Duration = Duration::from_millis(100);

/// What the channel carried so far.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    /// Bytes of each station.
    pub bytes: Vec<u64>,
    /// Transmissions of each station.
    pub transmissions: Vec<u64>,
    /// Of them, how many met another one.
    pub collided: Vec<u64>,
    /// Times one of the listeners heard nothing of a transmission, by chance.
    pub faded: u64,
}

/// The channel; dropping it ends it.
#[derive(Debug)]
pub struct Hub {
    /// Device files of the modems.
    pub ports: Vec<PathBuf>,
    shared: Arc<Mutex<(bool, Traffic)>>,
    thread: Option<JoinHandle<()>>,
}

impl Hub {
    /// A channel like `line` for this many stations. Of a hundred transmissions each listener loses
    /// `line.loss_percent`, each its own.
    pub fn start(line: Line, stations: usize) -> Self {
        let (ends, ports): (Vec<End>, Vec<PathBuf>) = (0..stations).map(|_| End::open()).unzip();
        let traffic = Traffic {
            bytes: vec![0; stations],
            transmissions: vec![0; stations],
            collided: vec![0; stations],
            faded: 0,
        };
        let shared = Arc::new(Mutex::new((false, traffic)));
        let mut air = Air::new(line, ends);
        let ours = Arc::clone(&shared);
        let run = move || {
            loop {
                {
                    let mut shared = ours.lock().unwrap_or_else(PoisonError::into_inner);
                    if shared.0 {
                        return;
                    }
                    air.step(&mut shared.1);
                }
                air.sleep();
            }
        };
        let thread = std::thread::Builder::new()
            .name("hub".to_owned())
            .spawn(run);
        Self {
            ports,
            shared,
            thread: Some(thread.expect("thread starts")),
        }
    }

    /// What it carried so far.
    pub fn traffic(&self) -> Traffic {
        let shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared.1.clone()
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).0 = true;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A station that is sending.
#[derive(Debug)]
struct Keyed {
    /// When its first byte starts.
    start: Instant,
    /// When the byte on the air ends.
    due: Instant,
    /// The end of the byte before.
    last: Instant,
    /// It met another transmission.
    collided: bool,
    /// Who does not hear it, by chance.
    deaf: Vec<bool>,
}

#[derive(Debug)]
struct Air {
    line: Line,
    ends: Vec<End>,
    keyed: Vec<Option<Keyed>>,
    dice: Dice,
}

impl Air {
    fn new(line: Line, ends: Vec<End>) -> Self {
        let keyed = ends.iter().map(|_| None).collect();
        let dice = Dice::new(line.seed);
        Self {
            line,
            ends,
            keyed,
            dice,
        }
    }

    /// Moves what is due: keys up, sends bytes in their order, unkeys.
    fn step(&mut self, traffic: &mut Traffic) {
        let now = Instant::now();
        for station in 0..self.ends.len() {
            let had = self.ends[station].queue.len();
            self.ends[station].fill();
            let is_new = had == 0 && !self.ends[station].queue.is_empty();
            match &mut self.keyed[station] {
                // A byte that came late is not on the air before it came.
                Some(keyed) if is_new => keyed.due = keyed.due.max(now + self.line.byte_time()),
                None if is_new => self.key_up(station, now, traffic),
                _ => {}
            }
        }
        while let Some(station) = self.next(now) {
            self.send(station, traffic);
        }
        for (keyed, end) in self.keyed.iter_mut().zip(&self.ends) {
            keyed.take_if(|keyed| end.queue.is_empty() && now > keyed.last + TAIL);
        }
    }

    fn key_up(&mut self, station: usize, now: Instant, traffic: &mut Traffic) {
        let start = now + self.line.turnaround;
        let due = start + self.line.byte_time();
        let lost = |_| self.dice.below(100) < self.line.loss_percent as usize;
        let deaf: Vec<bool> = (0..self.ends.len()).map(lost).collect();
        traffic.transmissions[station] += 1;
        traffic.faded += deaf.iter().filter(|deaf| **deaf).count() as u64;
        self.keyed[station] = Some(Keyed {
            start,
            due,
            last: start,
            collided: false,
            deaf,
        });
    }

    /// The station whose byte ended first, if one did by now.
    fn next(&self, now: Instant) -> Option<usize> {
        let ended = self
            .keyed
            .iter()
            .enumerate()
            .filter_map(|(station, keyed)| {
                let due = keyed.as_ref()?.due;
                (due <= now && !self.ends[station].queue.is_empty()).then_some((due, station))
            });
        ended.min().map(|(_, station)| station)
    }

    fn send(&mut self, station: usize, traffic: &mut Traffic) {
        let byte_time = self.line.byte_time();
        let Some(byte) = self.ends[station].queue.pop_front() else {
            return;
        };
        let Some(due) = self.keyed[station].as_ref().map(|keyed| keyed.due) else {
            return;
        };
        traffic.bytes[station] += 1;
        let on_air = |keyed: &Keyed| keyed.start < due && keyed.last + byte_time > due - byte_time;
        let met = (0..self.ends.len()).filter(|other| *other != station);
        let met: Vec<usize> = met
            .filter(|other| self.keyed[*other].as_ref().is_some_and(on_air))
            .collect();
        for collided in met
            .iter()
            .copied()
            .chain((!met.is_empty()).then_some(station))
        {
            if let Some(keyed) = &mut self.keyed[collided]
                && !std::mem::replace(&mut keyed.collided, true)
            {
                traffic.collided[collided] += 1;
            }
        }
        let garbage = self.dice.below(256) as u8;
        let byte = if met.is_empty() { byte } else { garbage };
        if let Some(keyed) = &mut self.keyed[station] {
            (keyed.last, keyed.due) = (due, due + byte_time);
            let hears = |other: usize| !keyed.deaf[other];
            let hears: Vec<usize> = (0..self.ends.len()).filter(|it| hears(*it)).collect();
            for listener in hears {
                if self.keyed[listener].is_none() {
                    self.ends[listener].deliver(byte);
                }
            }
        }
    }

    fn sleep(&self) {
        let now = Instant::now();
        let sending = self.keyed.iter().flatten();
        let due = sending
            .map(|keyed| keyed.due.saturating_duration_since(now))
            .min();
        let pause = due.map_or(IDLE, |due| due.max(Duration::from_millis(1)));
        wait(self.ends.iter(), pause);
    }
}

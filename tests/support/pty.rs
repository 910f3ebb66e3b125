//! A pair of pseudo-terminals joined by an emulated radio line: one sender at a time, a byte takes its
//! time, a change of direction costs the turnaround. Refuses to know what the bytes mean.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_setfl, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, QueueSelector, tcflush, tcgetattr, tcsetattr};

/// Bytes taken from a writer ahead of the line; what it writes beyond that waits, as in a UART.
const AHEAD: usize = 64;
/// Silence that ends a transmission.
const HOLD: Duration = Duration::from_millis(40);
/// Start bit, eight data bits, stop bit.
const BITS_PER_BYTE: u32 = 10;

/// What the line is like.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// Bits per second on the line; ten make a byte.
    pub bit_rate: u32,
    /// Silence before the first byte when the direction changes.
    pub turnaround: Duration,
    /// Of a hundred transmissions, how many are lost entirely.
    pub loss_percent: u32,
    /// Where the random losses begin.
    pub seed: u64,
}

impl Line {
    /// A clean line of this rate and turnaround.
    pub fn clean(bit_rate: u32, turnaround: Duration) -> Self {
        Self {
            bit_rate,
            turnaround,
            loss_percent: 0,
            seed: 1,
        }
    }

    pub(crate) fn byte_time(&self) -> Duration {
        Duration::from_secs(1) * BITS_PER_BYTE / self.bit_rate
    }
}

/// Two serial ports and the line between them; dropping it cuts the line.
#[derive(Debug)]
pub struct Pair {
    /// Device files of both ends.
    pub ports: [PathBuf; 2],
    carried: Arc<[AtomicU64; 2]>,
    cut: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Pair {
    /// Opens both terminals and starts the line.
    pub fn start(line: Line) -> Self {
        let (ends, ports): (Vec<End>, Vec<PathBuf>) = (0..2).map(|_| End::open()).unzip();
        let carried = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
        let cut = Arc::new(AtomicBool::new(false));
        let mut wire = Wire::new(line, ends, Arc::clone(&carried));
        let flag = Arc::clone(&cut);
        let thread = std::thread::Builder::new()
            .name("line".to_owned())
            .spawn(move || {
                while !flag.load(Ordering::Relaxed) {
                    wire.step();
                }
            })
            .expect("thread starts");
        let ports = ports.try_into().expect("two ends");
        Self {
            ports,
            carried,
            cut,
            thread: Some(thread),
        }
    }

    /// Bytes carried so far from the first end and from the second.
    pub fn carried(&self) -> [u64; 2] {
        [0, 1].map(|end: usize| self.carried[end].load(Ordering::Relaxed))
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        self.cut.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The controlling side of one terminal, and what was read from it but not yet sent.
#[derive(Debug)]
pub(crate) struct End {
    controller: File,
    /// Held open so that the controller sees no hang-up while no program uses the port.
    _port: File,
    pub(crate) queue: VecDeque<u8>,
}

impl End {
    pub(crate) fn open() -> (Self, PathBuf) {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("pseudo-terminal");
        grantpt(&controller).expect("grant");
        unlockpt(&controller).expect("unlock");
        let name = ptsname(&controller, Vec::new()).expect("name");
        let path = PathBuf::from(name.into_string().expect("device names are ASCII"));
        let port = open(
            &path,
            OFlags::RDWR | OFlags::NOCTTY,
            rustix::fs::Mode::empty(),
        )
        .expect("port opens");
        let mut settings = tcgetattr(&port).expect("settings");
        settings.make_raw();
        tcsetattr(&port, OptionalActions::Now, &settings).expect("raw mode");
        fcntl_setfl(&controller, OFlags::NONBLOCK).expect("non-blocking");
        (
            Self {
                controller: controller.into(),
                _port: port.into(),
                queue: VecDeque::new(),
            },
            path,
        )
    }

    /// Takes what is there, up to the look-ahead.
    pub(crate) fn fill(&mut self) {
        let room = AHEAD - self.queue.len().min(AHEAD);
        let mut bytes = [0; AHEAD];
        if room > 0
            && let Ok(count) = self.controller.read(&mut bytes[..room])
        {
            self.queue.extend(&bytes[..count]);
        }
    }

    /// A reader that does not read loses the byte, as a UART does.
    pub(crate) fn deliver(&mut self, byte: u8) {
        match self.controller.write(&[byte]) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => panic!("line: {error}"),
            _ => {}
        }
    }
}

/// Returns when one of `ends` that has room to look ahead has something to send, or after `limit`.
pub(crate) fn wait<'e>(ends: impl Iterator<Item = &'e End>, limit: Duration) {
    let limit = Timespec::try_from(limit).expect("short");
    let mut fds: Vec<PollFd<'_>> = ends
        .filter(|end| end.queue.len() < AHEAD)
        .map(|end| PollFd::new(&end.controller, PollFlags::IN))
        .collect();
    let _ = poll(&mut fds, Some(&limit));
}

/// Forgets what nobody read from the port at `path`: a device that was off did not hear it.
pub fn forget(path: &Path) {
    let flags = OFlags::RDWR | OFlags::NOCTTY;
    let port = open(path, flags, rustix::fs::Mode::empty()).expect("port opens");
    tcflush(&port, QueueSelector::IFlush).expect("flushed");
}

/// The line itself: who sends, and when the byte on it has passed.
#[derive(Debug)]
struct Wire {
    line: Line,
    ends: Vec<End>,
    carried: Arc<[AtomicU64; 2]>,
    sender: Option<usize>,
    last_sender: Option<usize>,
    due: Instant,
    losing: bool,
    random: u64,
}

impl Wire {
    fn new(line: Line, ends: Vec<End>, carried: Arc<[AtomicU64; 2]>) -> Self {
        let due = Instant::now();
        let random = line.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        Self {
            line,
            ends,
            carried,
            sender: None,
            last_sender: None,
            due,
            losing: false,
            random,
        }
    }

    /// Moves what is due, then waits for a byte or for the next due time.
    fn step(&mut self) {
        self.ends.iter_mut().for_each(End::fill);
        let now = Instant::now();
        match self.sender {
            None => self.choose(now),
            Some(end) => self.send(end, now),
        }
        let pause = match self.sender {
            None => Duration::from_millis(100),
            Some(end) if self.ends[end].queue.is_empty() => HOLD / 4,
            Some(_) => self
                .due
                .saturating_duration_since(now)
                .max(Duration::from_millis(1)),
        };
        wait(self.ends.iter(), pause);
    }

    /// Gives the silent line to an end that wants it, the one that did not have it last first.
    fn choose(&mut self, now: Instant) {
        let first = self.last_sender.map_or(0, |end| 1 - end);
        let Some(end) = [first, 1 - first]
            .into_iter()
            .find(|&end| !self.ends[end].queue.is_empty())
        else {
            return;
        };
        let changed = self.last_sender.is_some_and(|last| last != end);
        let turnaround = if changed {
            self.line.turnaround
        } else {
            Duration::ZERO
        };
        self.due = now + turnaround + self.line.byte_time();
        (self.sender, self.last_sender) = (Some(end), Some(end));
        self.losing = self.draw() % 100 < u64::from(self.line.loss_percent);
    }

    fn send(&mut self, end: usize, now: Instant) {
        while now >= self.due {
            let Some(byte) = self.ends[end].queue.pop_front() else {
                break;
            };
            self.carried[end].fetch_add(1, Ordering::Relaxed);
            if !self.losing {
                self.ends[1 - end].deliver(byte);
            }
            self.ends[end].fill();
            self.due += self.line.byte_time();
        }
        if self.ends[end].queue.is_empty() && now > self.due + HOLD {
            self.sender = None;
        }
    }

    /// Marsaglia's xorshift: the same losses for the same seed.
    fn draw(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random >> 16
    }
}

//! Two Dire Wolfs, the software TNC of radio amateurs, each hearing what the other plays: no sound card, no radio. Refuses
//! to know what frames mean.
//!
//! ```text
//! gateway ─KISS─ direwolf ─ALSA file─▶ pipe ─▶ air ─▶ standard input of the other
//! ```

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};
use tempfile::TempDir;

use crate::ports;
use crate::process::Process;

/// Samples in a second.
const RATE: usize = 48_000;
/// How much air moves at a time.
const STEP: Duration = Duration::from_millis(20);
/// Octets of that: one channel of 16 bits.
const STEP_LEN: usize = RATE / 50 * 2;
/// How long a TNC may take to listen on its port.
const START: Duration = Duration::from_secs(20);
/// Transmitters play at full scale; receivers want less.
const GAIN_SHIFT: u32 = 2;

/// Two TNCs and the air between them; dropping it ends them.
#[derive(Debug)]
pub struct Tncs {
    /// KISS over TCP, of each.
    pub ports: [u16; 2],
    /// In which of them the next is played.
    played: Arc<[AtomicU64; 2]>,
    _processes: [Process; 2],
    _folder: TempDir,
    stop: Arc<AtomicBool>,
    air: Option<JoinHandle<()>>,
}

impl Tncs {
    /// Whether Dire Wolf can be started here.
    pub fn are_installed() -> bool {
        std::env::var_os("PATH").is_some_and(|path| {
            std::env::split_paths(&path).any(|folder| folder.join("direwolf").is_file())
        })
    }

    /// Starts both with a modem of `bit_rate`, and returns once they listen.
    pub fn start(bit_rate: u32) -> Self {
        let folder = TempDir::with_prefix("longwire-tnc-").expect("temporary folder");
        let path = folder.path();
        let sound = ["a", "b"].map(|name| {
            let pipe = path.join(name);
            mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a pipe");
            format!(
                "pcm.{name} {{ type file slave.pcm \"null\" file \"{}\" format \"raw\" }}\n",
                pipe.display()
            )
        });
        std::fs::write(path.join("asoundrc"), sound.concat()).expect("file written");
        // Open for both, so that a pipe never ends.
        let pipes = ["a", "b"].map(|name| {
            let mut options = File::options();
            options.read(true).write(true);
            options.custom_flags(OFlags::NONBLOCK.bits().cast_signed());
            options.open(path.join(name)).expect("the pipe opens")
        });
        let ports = [ports::free(), ports::free()];
        let mut processes = [0, 1].map(|end| start(path, end, ports[end], bit_rate));
        let ears = [0, 1].map(|end: usize| {
            let ear = processes[end].child().stdin.take();
            ear.expect("piped")
        });
        let stop = Arc::new(AtomicBool::new(false));
        let played: Arc<[AtomicU64; 2]> = Arc::default();
        let air = {
            let (stop, played) = (stop.clone(), played.clone());
            std::thread::spawn(move || carry(pipes, ears, &stop, &played))
        };
        for (process, port) in processes.iter_mut().zip(ports) {
            process.wait_for_port(port, START);
        }
        Self {
            ports,
            played,
            _processes: processes,
            _folder: folder,
            stop,
            air: Some(air),
        }
    }

    /// How long each has transmitted.
    pub fn played(&self) -> [Duration; 2] {
        [0, 1].map(|end| {
            let octets = self.played[end].load(Ordering::Relaxed);
            Duration::from_millis(octets / 2 * 1000 / RATE as u64)
        })
    }
}

impl Drop for Tncs {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(air) = self.air.take() {
            let _ = air.join();
        }
    }
}

fn start(folder: &Path, end: usize, port: u16, bit_rate: u32) -> Process {
    let name = ["a", "b"][end];
    let config = folder.join(format!("{name}.conf"));
    let text = format!(
        "ADEVICE stdin {name}\nARATE {RATE}\nACHANNELS 1\nCHANNEL 0\nMYCALL N0{}\nMODEM {bit_rate}\n\
         AGWPORT 0\nKISSPORT {port}\n",
        name.to_uppercase()
    );
    std::fs::write(&config, text).expect("file written");
    let sound = format!(
        "/usr/share/alsa/alsa.conf:{}",
        folder.join("asoundrc").display()
    );
    let mut command = Command::new("direwolf");
    command.args(["-t", "0", "-q", "d", "-c"]).arg(&config);
    command
        .env("ALSA_CONFIG_PATH", sound)
        .current_dir(folder)
        .stdin(Stdio::piped());
    Process::start(
        "direwolf",
        &mut command,
        &folder.join(format!("{name}.log")),
    )
}

/// Moves sound at the rate it is played; who transmits does not hear.
fn carry(
    mut pipes: [File; 2],
    mut ears: [ChildStdin; 2],
    stop: &AtomicBool,
    played: &[AtomicU64; 2],
) {
    let mut waiting = [Vec::new(), Vec::new()];
    let mut due = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let mut now = [const { Vec::new() }; 2];
        for (end, pipe) in pipes.iter_mut().enumerate() {
            let mut octets = [0; 1 << 16];
            if let Ok(len) = pipe.read(&mut octets) {
                waiting[end].extend_from_slice(&octets[..len]);
            }
            let len = waiting[end].len().min(STEP_LEN);
            now[end] = waiting[end].drain(..len).collect();
            played[end].fetch_add(len as u64, Ordering::Relaxed);
        }
        for (end, ear) in ears.iter_mut().enumerate() {
            let mut heard = vec![0; STEP_LEN];
            let is_deaf = !now[end].is_empty();
            let samples = now[1 - end].chunks_exact(2).filter(|_| !is_deaf);
            for (room, sample) in heard.chunks_exact_mut(2).zip(samples) {
                let sample = i16::from_le_bytes([sample[0], sample[1]]) >> GAIN_SHIFT;
                room.copy_from_slice(&sample.to_le_bytes());
            }
            if ear.write_all(&heard).is_err() {
                return;
            }
        }
        due += STEP;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
}

//! An emulated board: the firmware image of `firmware/boards/qemu` in QEMU, its radio on a serial port of the test, its
//! flash in a file that survives whatever happens to the emulator. Refuses to look inside: it is driven by its console.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use longwire_codec::serial::{Deframer, emit, wire_len_max};
use tempfile::TempDir;

use crate::process::Process;
use crate::pty::forget;
use crate::python::profile_folder;

/// Octets of the emulated flash.
const FLASH_LEN: usize = 64 * 1024;
/// The memory of the emulated board that begins with its flash, in a file of 16 MB: what was not written takes no room.
const MEMORY: [&str; 4] = [
    "-object",
    "memory-backend-file,id=memory,size=16M,mem-path=flash.bin,share=on",
    "-machine",
    "mps2-an386,memory-backend=memory",
];
const MEMORY_LEN: u64 = 16 << 20;
/// How often a silent emulator is asked whether it still runs.
const LOOK: Duration = Duration::from_millis(50);
/// The bare-metal target of the emulated board.
const TARGET: &str = "thumbv7em-none-eabihf";

/// Longest frame of the console, octets: more than a board writes.
const FRAME_MAX: usize = 1024;

/// How the firmware speaks to the modem at its radio UART: each has an image of its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Modem {
    /// Frames as they are.
    Transparent,
    /// A KISS TNC.
    Kiss,
}

/// A board, running or off.
#[derive(Debug)]
pub struct Board {
    folder: TempDir,
    radio: PathBuf,
    image: PathBuf,
    running: Option<Running>,
    heard: Vec<u8>,
}

/// An emulator and its console.
#[derive(Debug)]
struct Running {
    process: Process,
    console: UnixStream,
    said: Receiver<Vec<u8>>,
}

impl Board {
    /// A board with the provisioning image at `image` on its flash and the serial port `radio` as its modem; switched on.
    pub fn start(image: &Path, radio: &Path) -> Self {
        Self::start_on(Modem::Transparent, image, radio)
    }

    /// The same with the firmware for this modem.
    pub fn start_on(modem: Modem, image: &Path, radio: &Path) -> Self {
        let folder = TempDir::with_prefix("longwire-board-").expect("temporary folder");
        let mut flash = std::fs::read(image).expect("`longwire pair` wrote it");
        flash.resize(FLASH_LEN, 0xff);
        let mut file = std::fs::File::create(folder.path().join("flash.bin")).expect("a file");
        file.write_all(&flash).expect("file written");
        file.set_len(MEMORY_LEN).expect("file written");
        let mut board = Self {
            folder,
            radio: radio.to_owned(),
            image: match modem {
                Modem::Transparent => firmware().to_owned(),
                Modem::Kiss => firmware().with_file_name("longwire-kiss-qemu"),
            },
            running: None,
            heard: Vec::new(),
        };
        board.power_on();
        board
    }

    /// Starts the emulator on the flash as it is, and waits until the firmware says that it is ready.
    pub fn power_on(&mut self) {
        forget(&self.radio);
        let socket = self.folder.path().join("console.sock");
        let _ = std::fs::remove_file(&socket);
        let listener = UnixListener::bind(&socket).expect("socket in a fresh folder");
        let mut command = Command::new("qemu-system-arm");
        command.current_dir(self.folder.path()).args(MEMORY);
        command.args(["-display", "none", "-monitor", "none"]);
        command.args(["-semihosting-config", "enable=on,target=native"]);
        command
            .arg("-chardev")
            .arg(format!("serial,id=radio,path={}", self.radio.display()));
        command
            .args(["-serial", "chardev:radio", "-serial"])
            .arg(format!("unix:{}", socket.display()));
        command.arg("-kernel").arg(&self.image);
        let process = Process::start("qemu", &mut command, &self.folder.path().join("qemu.log"));
        let (console, _) = listener.accept().expect("the emulator connects");
        let said = listen(console.try_clone().expect("a socket"));
        self.running = Some(Running {
            process,
            console,
            said,
        });
        self.heard.clear();
        self.hear("ready ", Duration::from_secs(20));
    }

    /// What lies on its flash.
    pub fn flash(&self) -> Vec<u8> {
        let mut flash = std::fs::read(self.folder.path().join("flash.bin")).expect("readable");
        flash.truncate(FLASH_LEN);
        flash
    }

    /// Pulls the plug: the emulator is killed at whatever it was doing.
    pub fn power_off(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.process.kill();
        }
    }

    /// Types a line at the console.
    pub fn type_line(&mut self, line: &str) {
        let running = self.running.as_mut().expect("the board is on");
        running
            .console
            .write_all(format!("{line}\r\n").as_bytes())
            .expect("the emulator runs");
    }

    /// Waits until the console has said `wanted`; what was said up to there is then forgotten, and returned.
    pub fn hear(&mut self, wanted: &str, limit: Duration) -> String {
        let said = self.await_said(&format!("say {wanted:?}"), limit, |heard| {
            let mut windows = heard.windows(wanted.len());
            windows
                .position(|it| it == wanted.as_bytes())
                .map(|at| at + wanted.len())
        });
        String::from_utf8_lossy(&said).into_owned()
    }

    /// Sends a frame to the console, as a program does.
    pub fn send_frame(&mut self, frame: &[u8]) {
        let mut wire = vec![0; wire_len_max(frame.len())];
        let len = emit(frame, &mut wire).expect("room");
        let running = self.running.as_mut().expect("the board is on");
        let written = running.console.write_all(&wire[..len]);
        written.expect("the emulator runs");
    }

    /// Waits for the next frame of the console.
    pub fn hear_frame(&mut self, limit: Duration) -> Vec<u8> {
        let mut frame = Vec::new();
        self.await_said("send a frame", limit, |heard| {
            let mut deframer = Deframer::new([0; wire_len_max(FRAME_MAX)]);
            heard
                .iter()
                .position(|octet| {
                    let found = deframer.push(*octet).map(<[u8]>::to_vec);
                    found.map(|found| frame = found).is_some()
                })
                .map(|at| at + 1)
        });
        frame
    }

    /// Waits until `end` finds something in what the console has said, and takes it out up to there.
    fn await_said(
        &mut self,
        what: &str,
        limit: Duration,
        mut end: impl FnMut(&[u8]) -> Option<usize>,
    ) -> Vec<u8> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(at) = end(&self.heard) {
                let rest = self.heard.split_off(at);
                return std::mem::replace(&mut self.heard, rest);
            }
            let running = self.running.as_mut().expect("the board is on");
            match running.said.recv_timeout(LOOK) {
                Ok(octets) => self.heard.extend(octets),
                Err(_) => {
                    let ended = running.process.ended();
                    assert!(ended.is_none(), "the emulator ended: {ended:?}");
                }
            }
            let said = String::from_utf8_lossy(&self.heard);
            assert!(
                Instant::now() < deadline,
                "the console did not {what} in {limit:?}, only {said:?}"
            );
        }
    }
}

/// Reads a console on a thread of its own, which ends with the emulator: one that nobody reads would stop it, for a
/// socket holds only a few hundred octets that come one by one.
fn listen(mut console: UnixStream) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut octets = [0; 512];
        while let Ok(len) = console.read(&mut octets)
            && len > 0
            && sender.send(octets[..len].to_vec()).is_ok()
        {}
    });
    receiver
}

impl Drop for Board {
    fn drop(&mut self) {
        self.power_off();
    }
}

/// Runs the program that checks the frozen packets on the emulated processor; its exit code.
pub fn check_vectors() -> Option<i32> {
    let mut command = Command::new("qemu-system-arm");
    command.args([
        "-M",
        "mps2-an386",
        "-display",
        "none",
        "-monitor",
        "none",
        "-serial",
        "none",
    ]);
    command.args(["-semihosting-config", "enable=on,target=native", "-kernel"]);
    let status = command.arg(firmware().with_file_name("vectors")).status();
    status.expect("qemu-system-arm starts").code()
}

/// The firmware image, built first: by rustup's toolchain if it has the target, else with Debian's.
pub fn firmware() -> &'static Path {
    static IMAGE: OnceLock<PathBuf> = OnceLock::new();
    IMAGE.get_or_init(|| {
        let boards = Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware/boards");
        let target = profile_folder()
            .parent()
            .expect("profiles lie in the build folder")
            .join("boards");
        let mut build = Command::new(boards.join("bare-cargo"));
        build
            .arg(TARGET)
            .args(["build", "--release", "--locked", "--quiet"])
            .args(["--features", "edhoc"]);
        build
            .current_dir(boards.join("qemu"))
            .env("CARGO_TARGET_DIR", &target);
        let built = build.status().expect("bash runs bare-cargo");
        assert!(
            built.success(),
            "the firmware image does not build: {built}"
        );
        target.join(TARGET).join("release/longwire-board-qemu")
    })
}

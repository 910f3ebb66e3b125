//! Child processes that never outlive a test: started with a log file, awaited by their ports,
//! stopped by id.

use std::fs::File;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How often a condition without an event of its own is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// How long a process may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(10);

/// A running child process; dropping it ends it.
#[derive(Debug)]
pub struct Process {
    child: Child,
    name: String,
    log: PathBuf,
}

impl Process {
    /// Starts `command` with standard output and error appended to `log`.
    pub fn start(name: &str, command: &mut Command, log: &Path) -> Self {
        let out = File::options()
            .create(true)
            .append(true)
            .open(log)
            .expect("log file opens");
        let err = out.try_clone().expect("log file handle");
        command.stdout(out).stderr(err);
        Self::spawn(name, command, log)
    }

    /// Starts `command` with its streams as the caller set them; `log` is only for messages.
    pub fn spawn(name: &str, command: &mut Command, log: &Path) -> Self {
        if command.get_program().is_empty() {
            panic!("{name}: nothing to start");
        }
        let child = command.spawn().unwrap_or_else(|error| {
            panic!("cannot start {name} ({:?}): {error}", command.get_program())
        });
        Self {
            child,
            name: name.to_owned(),
            log: log.to_owned(),
        }
    }

    /// Starts `command` with both standard streams piped; what it says on standard error goes to `log`.
    pub fn piped(name: &str, command: &mut Command, log: &Path) -> Self {
        let err = File::options()
            .create(true)
            .append(true)
            .open(log)
            .expect("log file opens");
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(err);
        Self::spawn(name, command, log)
    }

    /// The child, for its pipes.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("child can be asked")
    }

    /// Returns when something accepts connections on `port` of loopback; panics with the end of the
    /// log when the process dies or `limit` passes first.
    pub fn wait_for_port(&mut self, port: u16, limit: Duration) {
        let what = format!("accept connections on port {port}");
        self.wait_until(&what, limit, || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
    }

    /// Returns when `condition` holds; panics as [`Process::wait_for_port`] does.
    pub fn wait_until(&mut self, what: &str, limit: Duration, mut condition: impl FnMut() -> bool) {
        let start = Instant::now();
        while !condition() {
            if let Some(status) = self.ended() {
                panic!(
                    "{} ended ({status}) before it did {what}:\n{}",
                    self.name,
                    self.last_words()
                );
            }
            if start.elapsed() > limit {
                panic!(
                    "{} did not {what} in {limit:?}:\n{}",
                    self.name,
                    self.last_words()
                );
            }
            sleep(LOOK);
        }
    }

    /// The last lines of the log.
    pub fn last_words(&self) -> String {
        let log = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    /// Asks the process to end (SIGTERM), insists after ten seconds, and returns once it is gone.
    pub fn stop(&mut self) -> ExitStatus {
        if let Some(status) = self.ended() {
            return status;
        }
        let _ = kill_process(self.pid(), Signal::TERM);
        let start = Instant::now();
        while start.elapsed() < GRACE {
            if let Some(status) = self.ended() {
                return status;
            }
            sleep(LOOK);
        }
        self.kill()
    }

    /// Ends the process at once (SIGKILL): what it did not write is lost.
    pub fn kill(&mut self) -> ExitStatus {
        let _ = self.child.kill();
        self.child.wait().expect("child can be waited for")
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Panics with what to do unless `program` can be started; real-peer tests call it first.
pub fn require(program: &str, package: &str) {
    let found = std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
    });
    if !found {
        panic!(
            "{program} is not installed: run .ci/test, or `apt-get install {package}`, \
             or set LONGWIRE_SKIP_PEERS=1 to leave the real-peer tests out"
        );
    }
}

/// True when the user asked to leave the real-peer tests out.
pub fn peers_skipped() -> bool {
    let skipped = std::env::var_os("LONGWIRE_SKIP_PEERS").is_some_and(|value| value == "1");
    if skipped {
        eprintln!("LONGWIRE_SKIP_PEERS=1: real peers left out");
    }
    skipped
}

//! Gateways as an operator runs them: `longwire run --config FILE` in a process of its own, with a
//! configuration written by the test. Refuses to reach into the library.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::OnceLock;
use std::time::Duration;

use tempfile::TempDir;

use crate::process::Process;
use crate::python::profile_folder;
use crate::server::{SECRET, Server};

/// How long a gateway may take until its control socket answers, on a busy machine.
const START: Duration = Duration::from_secs(30);
/// The key both ends share: the tests' own, of no use elsewhere.
const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";

/// Where a gateway stands on the channel.
#[derive(Clone, Debug)]
pub struct Radio {
    /// Modem URL.
    pub url: String,
    /// Rate on the air in bit/s.
    pub bit_rate: u32,
    /// Turnaround in milliseconds.
    pub turnaround_ms: u32,
}

/// What meets XMPP at this gateway.
#[derive(Clone, Copy, Debug)]
pub enum Attachment<'a> {
    /// Components of this server, for the domains of the far side.
    Component(&'a Server),
    /// The gateway is the server of this domain and listens on this port.
    Hosted(&'a str, u16),
}

/// A running gateway in its own temporary folder.
#[derive(Debug)]
pub struct Gateway {
    process: Process,
    folder: TempDir,
}

impl Gateway {
    /// Starts station 0 or 1 for the local `attachment`; `far` is the domain across the radio. Returns
    /// once its control socket answers.
    pub fn start(station: u8, attachment: Attachment<'_>, far: &str, radio: &Radio) -> Self {
        let folder = TempDir::with_prefix("longwire-gateway-").expect("temporary folder");
        let path = folder.path();
        private(&path.join("peer.key"), KEY);
        private(
            &path.join("gateway.toml"),
            &config(station, attachment, far, radio),
        );
        let mut gateway = Self {
            process: run(path),
            folder,
        };
        gateway.wait_ready();
        gateway
    }

    /// Starts with the documented sample configuration `name`, the modem on `port`. Only places are changed in it.
    pub fn start_sample(name: &str, server: &Server, port: &Path) -> Self {
        let folder = TempDir::with_prefix("longwire-gateway-").expect("temporary folder");
        let path = folder.path();
        let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../gateway/examples");
        let sample =
            std::fs::read_to_string(samples.join(format!("{name}.toml"))).expect("a sample");
        let places = [
            ("127.0.0.1:5347", format!("127.0.0.1:{}", server.component)),
            ("/var/lib/longwire", "state".to_owned()),
            ("/dev/ttyUSB0", port.display().to_string()),
        ];
        let text = places.iter().fold(sample, |text, (from, to)| {
            assert!(text.contains(from), "{name}.toml has no {from}");
            text.replace(from, to)
        });
        private(&path.join("gateway.toml"), &text);
        private(&path.join("component.secret"), SECRET);
        for key in ["ship.key", "shore.key"] {
            private(&path.join(key), KEY);
        }
        let mut gateway = Self {
            process: run(path),
            folder,
        };
        gateway.wait_ready();
        gateway
    }

    /// Starts a base station whose far ends are the boards `jids`, a component of `server` for `domain`; returns the
    /// images that `longwire pair` made for the boards.
    pub fn start_for_boards(
        server: &Server,
        domain: &str,
        jids: &[&str],
        radio: &Radio,
    ) -> (Self, Vec<PathBuf>) {
        let folder = TempDir::with_prefix("longwire-gateway-").expect("temporary folder");
        let path = folder.path();
        let mut text = format!(
            "[gateway]\nstate-dir = \"state\"\nlog = \"debug\"\n\n[[component]]\nserver = \"127.0.0.1:{}\"\n\
             secret = \"{SECRET}\"\ndomains = [\"{domain}\"]\n\n[[modem]]\nname = \"hf\"\nurl = \"{}\"\nmtu = 128\n\
             station = 0\nbit-rate = \"{} bit/s\"\nturnaround = \"{}ms\"\nshared = {}\n\n",
            server.component,
            radio.url,
            radio.bit_rate,
            radio.turnaround_ms,
            jids.len() > 1,
        );
        let mut images = Vec::new();
        for jid in jids {
            private(&path.join("gateway.toml"), &text);
            let (peer, image) = pair(path, jid);
            text.push_str(&peer);
            images.push(image);
        }
        private(&path.join("gateway.toml"), &text);
        let mut gateway = Self {
            process: run(path),
            folder,
        };
        gateway.wait_ready();
        (gateway, images)
    }

    /// Adds an account to a hosted domain, while the gateway runs.
    pub fn add_account(&self, jid: &str, password: &str) {
        let file = self.folder.path().join("password");
        private(&file, password);
        let mut command = self.command(&["account", "add", jid, "--password-file"]);
        let output = command.arg(file).output().expect("longwire starts");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// Rewrites its configuration; a running gateway reads it at its next start.
    pub fn edit(&self, change: impl FnOnce(&str) -> String) {
        let path = self.folder.path().join("gateway.toml");
        let text = std::fs::read_to_string(&path).expect("configuration read");
        private(&path, &change(&text));
    }

    /// A `longwire` command with this gateway's configuration.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command
            .arg("--config")
            .arg(self.folder.path().join("gateway.toml"))
            .args(arguments);
        command
    }

    /// What `longwire status` prints now.
    pub fn status(&self) -> String {
        let output = self.command(&["status"]).output().expect("longwire starts");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The last lines of its log.
    pub fn last_words(&self) -> String {
        self.process.last_words()
    }

    /// SIGTERM, and how it ended.
    pub fn stop(&mut self) -> ExitStatus {
        self.process.stop()
    }

    /// SIGKILL: only what is in the database survives.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again after [`Gateway::stop`] or [`Gateway::kill`], with the same database.
    pub fn restart(&mut self) {
        self.process = run(self.folder.path());
        self.wait_ready();
    }

    fn wait_ready(&mut self) {
        let socket = self.folder.path().join("state/control.sock");
        self.process
            .wait_until("open its control socket", START, || {
                UnixStream::connect(&socket).is_ok()
            });
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.folder.disable_cleanup(true);
            eprintln!(
                "gateway log and database kept in {}",
                self.folder.path().display()
            );
            eprintln!("{}", self.last_words());
        }
    }
}

/// The gateway's program, built first if this test runs under cargo.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let folder = profile_folder();
        if let Some(cargo) = std::env::var_os("CARGO") {
            let mut build = Command::new(cargo);
            // `tests` is named too so that dependencies get the same features and are not built twice.
            build.args([
                "build", "--quiet", "-p", "longwire", "-p", "tests", "--bin", "longwire",
            ]);
            build.current_dir(env!("CARGO_MANIFEST_DIR"));
            build
                .arg("--target-dir")
                .arg(folder.parent().expect("profiles lie in the build folder"));
            if folder.ends_with("release") {
                build.arg("--release");
            }
            assert!(
                build.status().expect("cargo starts").success(),
                "longwire does not build"
            );
        }
        let binary = folder.join("longwire");
        assert!(
            binary.is_file(),
            "{} is not there: `cargo build -p longwire`",
            binary.display()
        );
        binary
    })
}

/// Pairs a board with the gateway configured in `folder`: its section of the configuration, and its image.
fn pair(folder: &Path, jid: &str) -> (String, PathBuf) {
    let station = jid.split('@').next().expect("a local part");
    let mut command = Command::new(binary());
    command.arg("--config").arg(folder.join("gateway.toml"));
    command.args([
        "--json",
        "pair",
        "--station",
        station,
        "--jid",
        jid,
        "--folder",
    ]);
    let output = command.arg(folder).output().expect("longwire starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let made: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let peer = made["peer"].as_str().expect("a section of configuration");
    let image = made["image"].as_str().expect("a path");
    (peer.to_owned(), PathBuf::from(image))
}

fn run(folder: &Path) -> Process {
    let mut command = Command::new(binary());
    command
        .arg("run")
        .arg("--config")
        .arg(folder.join("gateway.toml"));
    Process::start("longwire", &mut command, &folder.join("gateway.log"))
}

fn private(path: &Path, text: &str) {
    std::fs::write(path, text).expect("file written");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("mode set");
}

fn config(station: u8, attachment: Attachment<'_>, far: &str, radio: &Radio) -> String {
    let mut text = String::from("[gateway]\nstate-dir = \"state\"\nlog = \"debug\"\n\n");
    let domains = format!("domains = [\"{far}\", \"conference.{far}\"]");
    match attachment {
        Attachment::Component(server) => write!(
            text,
            "[[component]]\nserver = \"127.0.0.1:{}\"\nsecret = \"{SECRET}\"\n{domains}\n\n",
            server.component
        ),
        Attachment::Hosted(domain, port) => {
            write!(
                text,
                "[[hosted]]\ndomain = \"{domain}\"\nlisten = [\"127.0.0.1:{port}\"]\n\n"
            )
        }
    }
    .expect("writing to a string");
    let Radio {
        url,
        bit_rate,
        turnaround_ms,
    } = radio;
    let other = 1 - station;
    write!(
        text,
        "[[modem]]\nname = \"hf\"\nurl = \"{url}\"\nstation = {station}\nbit-rate = \"{bit_rate} bit/s\"\n\
         turnaround = \"{turnaround_ms}ms\"\n\n[[peer]]\nname = \"far\"\nmodem = \"hf\"\n\
         station = {other}\nkey-file = \"peer.key\"\n{domains}\n"
    )
    .expect("writing to a string");
    text
}

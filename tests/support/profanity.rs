//! Profanity, a client people use, typed at through tmux and read from its screen. Refuses to look
//! behind the screen.

use std::path::Path;
use std::process::{Command, Output};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::process::require;
use crate::slixmpp::Login;

/// How often the screen is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// A running Profanity inside a private tmux; dropping it ends both.
#[derive(Debug)]
pub struct Profanity {
    folder: TempDir,
}

impl Profanity {
    /// Starts the client, logs in and returns once the screen says so; panics after `limit`.
    pub fn login(login: &Login, limit: Duration) -> Self {
        require("profanity", "profanity");
        require("tmux", "tmux");
        let client = Self {
            folder: TempDir::with_prefix("longwire-profanity-").expect("temporary folder"),
        };
        client.start();
        client.wait_for("Profanity", limit);
        let tls = match login.tls {
            "start" => "trust",
            "direct" => "legacy",
            _ => "disable",
        };
        client.enter(&format!(
            "/connect {} server 127.0.0.1 port {} tls {tls}",
            login.jid, login.port
        ));
        client.wait_for("assword", limit);
        client.enter(&login.password);
        client.wait_for("logged in successfully", limit);
        client
    }

    /// Types a line and presses Enter.
    pub fn enter(&self, line: &str) {
        self.tmux(&["send-keys", "-t", "s", "-l", "--", line]);
        // Profanity reads keys one by one: an Enter in the same read is taken for pasted text.
        sleep(Duration::from_millis(300));
        self.tmux(&["send-keys", "-t", "s", "Enter"]);
    }

    /// Returns once `text` stands on the screen; panics with the screen after `limit`.
    pub fn wait_for(&self, text: &str, limit: Duration) {
        let start = Instant::now();
        while !self.screen().contains(text) {
            assert!(
                start.elapsed() < limit,
                "no {text:?} on Profanity's screen in {limit:?}:\n{}",
                self.screen()
            );
            sleep(LOOK);
        }
    }

    /// What the screen shows.
    pub fn screen(&self) -> String {
        String::from_utf8_lossy(&self.tmux(&["capture-pane", "-p", "-t", "s"]).stdout).into_owned()
    }

    fn start(&self) {
        let home = self.folder.path();
        let config = home.join("config/profanity");
        std::fs::create_dir_all(&config).expect("configuration folder");
        let settings = "[notifications]\nmessage=off\n[ui]\nsplash=true\n[otr]\npolicy=manual\n";
        std::fs::write(config.join("profrc"), settings).expect("configuration written");
        let started = self.tmux(&[
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-x",
            "160",
            "-y",
            "50",
            "-s",
            "s",
            "profanity",
        ]);
        assert!(
            started.status.success(),
            "tmux: {}",
            String::from_utf8_lossy(&started.stderr)
        );
    }

    fn tmux(&self, arguments: &[&str]) -> Output {
        let home: &Path = self.folder.path();
        Command::new("tmux")
            .arg("-S")
            .arg(home.join("tmux"))
            .args(arguments)
            .env("HOME", home)
            .env("XDG_CONFIG_HOME", home.join("config"))
            .env("XDG_DATA_HOME", home.join("data"))
            .env("LANG", "C.UTF-8")
            .env("TERM", "screen-256color")
            .output()
            .expect("tmux starts")
    }
}

impl Drop for Profanity {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

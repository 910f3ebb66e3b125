//! A slixmpp client as a test drives it: Romeo sends, Juliet receives. Stanzas are plain XML strings.

use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, ChildStdout};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::Process;
use crate::python;

/// Where and how to log in.
#[derive(Clone, Debug)]
pub struct Login {
    /// Bare JID.
    pub jid: String,
    /// Password.
    pub password: String,
    /// Port on loopback.
    pub port: u16,
    /// `start` (STARTTLS), `direct` or `none`.
    pub tls: &'static str,
}

/// A logged-in client in a process of its own; dropping it ends it.
#[derive(Debug)]
pub struct Client {
    /// The full JID the server bound.
    pub jid: String,
    commands: ChildStdin,
    events: Receiver<Value>,
    /// Stanzas received and not yet asked for.
    heard: Vec<String>,
    process: Process,
    _folder: TempDir,
}

impl Client {
    /// Logs in; the reason if it is refused or takes longer than `limit`.
    pub fn login(login: &Login, limit: Duration) -> Result<Self, String> {
        let folder = TempDir::with_prefix("longwire-client-").expect("temporary folder");
        let log = folder.path().join("client.log");
        let mut process = Process::piped("client", &mut python::script("client.py"), &log);
        let commands = process.child().stdin.take().expect("piped");
        let events = events(process.child().stdout.take().expect("piped"));
        let (jid, heard) = (String::new(), Vec::new());
        let mut client = Self {
            jid,
            commands,
            events,
            heard,
            process,
            _folder: folder,
        };
        client.command(&json!({
            "do": "login", "jid": login.jid, "password": login.password,
            "host": "127.0.0.1", "port": login.port, "tls": login.tls,
        }));
        let deadline = Instant::now() + limit;
        loop {
            match client.event(deadline) {
                Some(said) if said["event"] == "online" => {
                    client.jid = said["jid"].as_str().unwrap_or_default().to_owned();
                    return Ok(client);
                }
                Some(said) if said["event"] == "stanza" => {}
                Some(said) => return Err(said.to_string()),
                None => {
                    return Err(format!(
                        "no login in {limit:?}: {}",
                        client.process.last_words()
                    ));
                }
            }
        }
    }

    /// Sends a stanza as it is.
    pub fn send(&mut self, xml: &str) {
        self.command(&json!({ "do": "send", "xml": xml }));
    }

    /// The first stanza not asked for before that contains every one of `parts`; panics after `limit`
    /// with everything else that was heard.
    pub fn receive(&mut self, parts: &[&str], limit: Duration) -> String {
        let fits = |xml: &String| parts.iter().all(|part| xml.contains(part));
        let deadline = Instant::now() + limit;
        loop {
            if let Some(place) = self.heard.iter().position(fits) {
                return self.heard.remove(place);
            }
            match self.event(deadline) {
                Some(said) if said["event"] == "stanza" => {
                    self.heard
                        .push(said["xml"].as_str().unwrap_or_default().to_owned());
                }
                Some(said) => panic!("{} was told {said} instead of {parts:?}", self.jid),
                None => panic!(
                    "{} heard nothing with {parts:?} in {limit:?}, only {:#?}\n{}",
                    self.jid,
                    self.heard,
                    self.process.last_words()
                ),
            }
        }
    }

    /// Everything heard and not asked for, after waiting `time` for more.
    pub fn rest(&mut self, time: Duration) -> Vec<String> {
        let deadline = Instant::now() + time;
        while let Some(said) = self.event(deadline) {
            self.heard.extend(said["xml"].as_str().map(str::to_owned));
        }
        std::mem::take(&mut self.heard)
    }

    /// Ends the stream properly and returns once the server has closed it.
    pub fn logout(mut self) {
        self.command(&json!({ "do": "logout" }));
        let deadline = Instant::now() + Duration::from_secs(10);
        while let Some(said) = self.event(deadline) {
            if said["event"] == "offline" {
                return;
            }
        }
    }

    fn command(&mut self, command: &Value) {
        let line = format!("{command}\n");
        if let Err(error) = self.commands.write_all(line.as_bytes()) {
            panic!("client is gone ({error}):\n{}", self.process.last_words());
        }
    }

    /// The next event, or nothing at the deadline.
    fn event(&mut self, deadline: Instant) -> Option<Value> {
        match self
            .events
            .recv_timeout(deadline.saturating_duration_since(Instant::now()))
        {
            Ok(said) => Some(said),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                panic!("client ended:\n{}", self.process.last_words())
            }
        }
    }
}

/// Reads events on a thread of their own, which ends with the process.
fn events(output: ChildStdout) -> Receiver<Value> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let event = serde_json::from_str(&line).expect("client prints JSON");
            if sender.send(event).is_err() {
                return;
            }
        }
    });
    receiver
}

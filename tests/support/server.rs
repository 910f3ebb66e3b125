//! What a test needs to know of a running XMPP server, whichever software it is.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::process::{Process, require};

/// The secret every component uses.
pub const SECRET: &str = "semaphore";
/// The password of every account.
pub const PASSWORD: &str = "capulet";

/// What a server is to serve.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// Its domain; rooms live at `conference.` below it.
    pub domain: &'a str,
    /// Local parts of its accounts.
    pub accounts: &'a [&'a str],
    /// Domains that live across the radio: each becomes two components, itself and its `conference.`
    pub peers: &'a [&'a str],
}

/// Which software a server runs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Software {
    /// Prosody, Debian's package.
    Prosody,
    /// ejabberd, Debian's package.
    Ejabberd,
}

impl Software {
    /// Starts a server of this kind and returns once it accepts clients and components.
    pub fn start(self, site: &Site<'_>) -> Server {
        match self {
            Self::Prosody => crate::prosody::start(site),
            Self::Ejabberd => crate::ejabberd::start(site),
        }
    }
}

/// A running server in its own temporary folder; dropping it stops it and removes the folder.
#[derive(Debug)]
pub struct Server {
    /// Its domain.
    pub domain: String,
    /// Port for clients: STARTTLS offered, plain text allowed.
    pub c2s: u16,
    /// Port for XEP-0114 components.
    pub component: u16,
    pub(crate) process: Process,
    pub(crate) folder: TempDir,
}

impl Server {
    /// The account `local` as the Python drivers want it: JID, password, host, port.
    pub fn account(&self, local: &str) -> String {
        format!("{local}@{},{PASSWORD},127.0.0.1,{}", self.domain, self.c2s)
    }

    /// The server's folder, for reading its log after a failure.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The running process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.folder.disable_cleanup(true);
            eprintln!(
                "{}: logs kept in {}",
                self.domain,
                self.folder.path().display()
            );
        }
    }
}

/// Writes a self-signed certificate for `domain` and everything below it: (certificate, key).
pub(crate) fn certificate(folder: &Path, domain: &str) -> (PathBuf, PathBuf) {
    let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    require("openssl", "openssl");
    let made = Command::new("openssl")
        .args([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650",
        ])
        .args(["-subj", &format!("/CN={domain}")])
        .args([
            "-addext",
            &format!("subjectAltName=DNS:{domain},DNS:*.{domain}"),
        ])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .expect("openssl starts");
    assert!(
        made.status.success(),
        "openssl: {}",
        String::from_utf8_lossy(&made.stderr)
    );
    (certificate, key)
}

/// Fills `@NAME@` places of a configuration template.
pub(crate) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut text = template.to_owned();
    for (name, value) in values {
        text = text.replace(&format!("@{name}@"), value);
    }
    text
}

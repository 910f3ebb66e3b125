//! Starts Prosody (Debian's package) from a temporary folder: loopback only, no server-to-server,
//! accounts written before the start.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::ports;
use crate::process::{Process, require};
use crate::server::{PASSWORD, SECRET, Server, Site, certificate, fill};

/// How long Prosody may take to listen, on a busy machine.
const START: Duration = Duration::from_secs(60);

/// Starts a Prosody for `site`; returns once it accepts clients and components.
pub fn start(site: &Site<'_>) -> Server {
    require("prosody", "prosody");
    let folder = TempDir::with_prefix("longwire-prosody-").expect("temporary folder");
    let (c2s, component) = (ports::free(), ports::free());
    let config = configure(folder.path(), site, c2s, component);
    add_accounts(folder.path(), site);
    let mut command = Command::new("prosody");
    command.arg("-F").arg("--config").arg(&config);
    let log = folder.path().join("stdout.log");
    let mut process = Process::start("prosody", &mut command, &log);
    process.wait_for_port(c2s, START);
    if !site.peers.is_empty() {
        process.wait_for_port(component, START);
    }
    Server {
        domain: site.domain.to_owned(),
        c2s,
        component,
        process,
        folder,
    }
}

fn configure(folder: &Path, site: &Site<'_>, c2s: u16, component: u16) -> std::path::PathBuf {
    let (certificate, key) = certificate(folder, site.domain);
    let mut text = fill(
        include_str!("../peers/prosody.cfg.lua"),
        &[
            ("FOLDER", &folder.display().to_string()),
            ("CERTIFICATE", &certificate.display().to_string()),
            ("KEY", &key.display().to_string()),
            ("C2S", &c2s.to_string()),
            ("COMPONENT", &component.to_string()),
            ("DOMAIN", site.domain),
        ],
    );
    for peer in site.peers {
        for name in [(*peer).to_owned(), format!("conference.{peer}")] {
            // A named component is described by Prosody itself while its gateway is away.
            write!(
                text,
                "\nComponent \"{name}\"\n  component_secret = \"{SECRET}\"\n  name = \"across the radio\"\n"
            )
            .expect("writing to a string");
        }
    }
    let path = folder.join("prosody.cfg.lua");
    std::fs::write(&path, text).expect("configuration written");
    path
}

/// Writes the account files of the `internal` storage, which spares a `prosodyctl` per account.
fn add_accounts(folder: &Path, site: &Site<'_>) {
    let host = site.domain.replace('.', "%2e").replace('-', "%2d");
    let accounts = folder.join("data").join(host).join("accounts");
    std::fs::create_dir_all(&accounts).expect("accounts folder");
    for local in site.accounts {
        let text = format!("return {{ [\"password\"] = \"{PASSWORD}\"; }};\n");
        std::fs::write(accounts.join(format!("{local}.dat")), text).expect("account written");
    }
}

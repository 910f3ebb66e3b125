//! Starts ejabberd (Debian's package) from a temporary folder: no `ejabberdctl`, no epmd daemon, any
//! user, loopback only; accounts are made over its HTTP interface.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::ports;
use crate::process::{Process, require};
use crate::server::{PASSWORD, SECRET, Server, Site, certificate, fill};

/// How long ejabberd may take to listen, on a busy machine.
const START: Duration = Duration::from_secs(120);
/// Where Debian keeps ejabberd's Erlang libraries.
const LIBRARIES: &str = "/usr/lib/x86_64-linux-gnu:/usr/lib/aarch64-linux-gnu:/usr/lib";

/// Starts an ejabberd for `site`; returns once it accepts clients and components.
pub fn start(site: &Site<'_>) -> Server {
    require("erl", "ejabberd");
    require("ejabberdctl", "ejabberd");
    let folder = TempDir::with_prefix("longwire-ejabberd-").expect("temporary folder");
    let (c2s, component, http) = (ports::free(), ports::free(), ports::free());
    configure(folder.path(), site, [c2s, component, http]);
    let log = folder.path().join("stdout.log");
    let mut process = Process::start("ejabberd", &mut command(folder.path()), &log);
    for port in [c2s, component, http] {
        process.wait_for_port(port, START);
    }
    for local in site.accounts {
        process.wait_until("register an account", START, || {
            register(http, local, site.domain)
        });
    }
    Server {
        domain: site.domain.to_owned(),
        c2s,
        component,
        process,
        folder,
    }
}

fn command(folder: &Path) -> Command {
    let cookie = folder.join(".erlang.cookie");
    std::fs::write(&cookie, format!("longwire{}", std::process::id())).expect("cookie written");
    let owner_only = std::fs::Permissions::from_mode(0o400);
    std::fs::set_permissions(&cookie, owner_only).expect("cookie protected");
    let mut command = Command::new("erl");
    command
        .current_dir(folder)
        .env("HOME", folder)
        .env("ERL_LIBS", LIBRARIES)
        .env("ERL_CRASH_DUMP", folder.join("erl_crash.dump"))
        .env("EJABBERD_CONFIG_PATH", folder.join("ejabberd.yml"))
        .env("EJABBERD_LOG_PATH", folder.join("server.log"))
        .env("EJABBERD_PID_PATH", folder.join("ejabberd.pid"));
    let distribution = ports::free();
    command
        .args([
            "-noinput",
            "-sname",
            &format!("longwire{distribution}@localhost"),
        ])
        .args([
            "-start_epmd",
            "false",
            "-erl_epmd_port",
            &distribution.to_string(),
        ])
        .args(["-kernel", "inet_dist_use_interface", "{127,0,0,1}"])
        .args([
            "-mnesia",
            "dir",
            &format!("\"{}\"", folder.join("spool").display()),
        ])
        .args(["-s", "ejabberd"]);
    command
}

fn configure(folder: &Path, site: &Site<'_>, [c2s, component, http]: [u16; 3]) {
    let (certificate, key) = certificate(folder, site.domain);
    let mut both = std::fs::read(certificate).expect("certificate read");
    both.extend(std::fs::read(key).expect("key read"));
    std::fs::write(folder.join("all.pem"), both).expect("certificate and key written");
    let mut components = String::new();
    for peer in site.peers {
        writeln!(components, "      \"{peer}\": {{ password: {SECRET} }}").expect("string");
        writeln!(
            components,
            "      \"conference.{peer}\": {{ password: {SECRET} }}"
        )
        .expect("string");
    }
    let text = fill(
        include_str!("../peers/ejabberd.yml"),
        &[
            ("DOMAIN", site.domain),
            ("FOLDER", &folder.display().to_string()),
            ("C2S", &c2s.to_string()),
            ("COMPONENT", &component.to_string()),
            ("HTTP", &http.to_string()),
            ("COMPONENTS", components.trim_end()),
        ],
    );
    std::fs::write(folder.join("ejabberd.yml"), text).expect("configuration written");
}

/// Makes one account; false while ejabberd is not yet able to.
fn register(http: u16, local: &str, domain: &str) -> bool {
    let body =
        format!("{{\"user\":\"{local}\",\"host\":\"{domain}\",\"password\":\"{PASSWORD}\"}}");
    let request = format!(
        "POST /api/register HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", http)) else {
        return false;
    };
    let mut answer = String::new();
    let sent = stream.write_all(request.as_bytes()).is_ok();
    let _ = stream.read_to_string(&mut answer);
    sent && answer.split(' ').nth(1) == Some("200")
}

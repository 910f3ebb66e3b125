//! The plainest join of two servers: a relay of component streams. Shows what the servers themselves
//! lose, before any gateway stands between them.

use std::io::{BufRead, BufReader};

use crate::process::Process;
use crate::python;
use crate::server::{SECRET, Server};

/// Starts the relay between two servers and returns once both accept it; dropping it ends it.
pub fn start(a: &Server, b: &Server) -> Process {
    let mut command = python::script("relay.py");
    command.args([
        &a.domain,
        &a.component.to_string(),
        &b.domain,
        &b.component.to_string(),
        SECRET,
    ]);
    let log = a.folder().join("relay.log");
    let mut relay = Process::piped("relay", &mut command, &log);
    let output = relay.child().stdout.take().expect("piped");
    let mut line = String::new();
    BufReader::new(output)
        .read_line(&mut line)
        .expect("relay says something");
    assert_eq!(
        line.trim(),
        "ready",
        "relay not accepted:\n{}",
        relay.last_words()
    );
    relay
}

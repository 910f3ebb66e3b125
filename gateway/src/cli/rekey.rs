//! `rekey`: asks a running gateway for a new key, and waits for it if told to. Refuses to touch keys itself.

use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::{control, manual};
use crate::config::Config;
use crate::exit::{Exit, Failure};

/// How often the gateway is asked while waiting.
const POLL: Duration = Duration::from_millis(500);

/// Arguments of `longwire rekey`.
#[derive(Debug, Args)]
pub(super) struct Rekey {
    /// Name of the peer.
    peer: String,
    /// Return when both ends have the new key, or the attempt failed.
    #[arg(long)]
    wait: bool,
}

/// Asks, and says what becomes of it.
pub(super) fn rekey(config: &Config, arguments: &Rekey, json: bool) -> Result<(), Failure> {
    let name = &arguments.peer;
    if config.peer(name).is_none() {
        let said = format!("there is no peer `{name}` in the configuration");
        return Err(Failure::new(Exit::Usage, said).advise("longwire status lists them"));
    }
    let request = json!({ "command": "rekey", "peer": name });
    control::ask(&config.gateway.control_socket, &request)?;
    let mut found = key(config, name)?;
    while arguments.wait && is_under_way(&found) {
        std::thread::sleep(POLL);
        found = key(config, name)?;
    }
    if found["state"] == "failed" {
        let said = format!("no new key for `{name}`: the far end does not answer");
        return Err(Failure::running(said)
            .advise("is it heard (longwire status), and does its version know re-keying?"));
    }
    if json {
        let value = json!({ "peer": name, "key": found });
        return manual::print(format!("{value}\n").as_bytes());
    }
    let fingerprint = found["fingerprint"].as_str().unwrap_or_default();
    let text = if arguments.wait {
        format!("{name} has a new key, fingerprint {fingerprint}\n")
    } else {
        format!(
            "{name} is asked for a new key: five short frames, when it is heard.\n\
             longwire status shows how far it is; the fingerprint is {fingerprint} until then.\n"
        )
    };
    manual::print(text.as_bytes())
}

fn is_under_way(key: &Value) -> bool {
    !matches!(key["state"].as_str(), Some("settled" | "failed"))
}

/// What the gateway says of the key of a peer.
fn key(config: &Config, name: &str) -> Result<Value, Failure> {
    let request = json!({ "command": "status" });
    let status = control::ask(&config.gateway.control_socket, &request)?;
    let peers = status["peers"].as_array().map_or(&[][..], Vec::as_slice);
    let peer = peers.iter().find(|peer| peer["name"] == name);
    Ok(peer.map_or(Value::Null, |peer| peer["key"].clone()))
}

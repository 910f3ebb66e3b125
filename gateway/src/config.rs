//! The configuration file as typed settings. Refuses to guess: an unknown key, a wrong unit or a name that leads
//! nowhere is an error with file, line, key and what to write instead.

mod error;
mod group;
mod sections;
pub mod units;
mod validate;

use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use error::ConfigError;
pub use group::Group;
pub use sections::{
    Budget, Carry, Component, Expiry, Gateway, Hosted, Ids, Memory, Modem, Peer, Priorities,
    Profile, Secret, TextModel,
};

/// Every key with its unit and default, as shipped; a test holds it equal to `Config::default()`.
pub const DOCUMENTED: &str = include_str!("../longwire.toml");

/// Where `run` looks when no `--config` is given.
pub const PATH_DEFAULT: &str = "/etc/longwire/longwire.toml";

/// All settings of one gateway.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Config {
    /// `[gateway]`: the process itself.
    pub gateway: Gateway,
    /// `[[component]]`: domains this gateway is on someone else's server (XEP-0114).
    #[serde(rename = "component")]
    pub components: Vec<Component>,
    /// `[[hosted]]`: domains this gateway is the server of.
    pub hosted: Vec<Hosted>,
    /// `[[modem]]`: radios.
    #[serde(rename = "modem")]
    pub modems: Vec<Modem>,
    /// `[[peer]]`: stations at the far end of the radios.
    #[serde(rename = "peer")]
    pub peers: Vec<Peer>,
    /// `[[group]]`: stations that hear the same packets.
    #[serde(rename = "group")]
    pub groups: Vec<Group>,
}

impl Config {
    /// Reads and validates a file; relative paths in it are taken from its folder.
    ///
    /// # Errors
    /// [`ConfigError`], naming file, line and key.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        let mut config = Self::parse(&text, path)?;
        config.resolve(path.parent().unwrap_or(Path::new("")));
        Ok(config)
    }

    /// Parses and validates `text`; `path` is only used in errors.
    ///
    /// # Errors
    /// [`ConfigError`], naming file, line and key.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let config: Self =
            toml::from_str(text).map_err(|source| error::explain(&source, text, path))?;
        validate::validate(&config).map_err(|problem| problem.locate(text, path))?;
        Ok(config)
    }

    /// The modem called `name`.
    pub fn modem(&self, name: &str) -> Option<&Modem> {
        self.modems.iter().find(|modem| modem.name == name)
    }

    /// The peer called `name`.
    pub fn peer(&self, name: &str) -> Option<&Peer> {
        self.peers.iter().find(|peer| peer.name == name)
    }

    fn resolve(&mut self, folder: &Path) {
        let gateway = &mut self.gateway;
        settle(folder, &mut gateway.state_dir);
        let state_dir = gateway.state_dir.clone();
        for (path, name) in [
            (&mut gateway.database, "longwire.db"),
            (&mut gateway.control_socket, "control.sock"),
        ] {
            if path.as_os_str().is_empty() {
                *path = state_dir.join(name);
            } else {
                settle(folder, path);
            }
        }
        for component in &mut self.components {
            settle(folder, &mut component.secret_file);
        }
        for hosted in &mut self.hosted {
            if hosted.certificate.as_os_str().is_empty() {
                hosted.certificate = state_dir.join(format!("{}.crt", hosted.domain));
                hosted.private_key = state_dir.join(format!("{}.key", hosted.domain));
                hosted.make_certificate = true;
            } else {
                settle(folder, &mut hosted.certificate);
                settle(folder, &mut hosted.private_key);
            }
        }
        settle(folder, &mut self.gateway.capture);
        for group in &mut self.groups {
            settle(folder, &mut group.key_file);
        }
        for peer in &mut self.peers {
            settle(folder, &mut peer.key_file);
            for path in &mut peer.dictionaries {
                settle(folder, path);
            }
        }
    }
}

/// Takes a relative path from `folder`; an empty one stays empty.
fn settle(folder: &Path, path: &mut PathBuf) {
    if !path.as_os_str().is_empty() {
        *path = folder.join(&path);
    }
}

#[cfg(test)]
mod tests;

//! What the gateway knows of the keys of its links: what is on disk, what is shown, and what the operator wishes.
//! Refuses the keys themselves to everybody but the link.

use crate::store::key::KeyRow;

use super::{Gateway, GatewayError};

/// How far a new key is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum KeyState {
    /// Both ends have one key.
    #[default]
    Settled,
    /// A new one is wished for, and the far end not heard.
    Wanted,
    /// Messages are exchanged.
    UnderWay,
    /// This end has a new one and has not heard yet that the far end uses it.
    Unconfirmed,
    /// The far end does not answer: it was not built for it, or goes by another key.
    Failed,
}

impl KeyState {
    /// As `status` says it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::Wanted => "wanted",
            Self::UnderWay => "under-way",
            Self::Unconfirmed => "unconfirmed",
            Self::Failed => "failed",
        }
    }
}

/// The key of the link to one peer.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct KeyView {
    /// As on disk.
    pub row: KeyRow,
    /// The same ten digits at both ends.
    pub fingerprint: String,
    /// How far a new one is.
    pub state: KeyState,
    /// Frames are too short for a handshake.
    pub is_barred: bool,
}

impl Gateway {
    /// What is on disk of the key of a peer.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub fn key_row(&self, peer: usize) -> Result<Option<KeyRow>, GatewayError> {
        Ok(self.store.key(&self.peers[peer].rules.name)?)
    }

    /// Makes the key of a peer durable.
    ///
    /// # Errors
    /// [`GatewayError`]; the key must not be used then.
    pub fn keep_key(&mut self, peer: usize, row: &KeyRow) -> Result<(), GatewayError> {
        let name = self.peers[peer].rules.name.clone();
        self.batch(|gateway| Ok(gateway.store.keep_key(&name, row)?))?;
        self.peers[peer].key.row = row.clone();
        Ok(())
    }

    /// What is shown of the key of a peer.
    pub fn key_mut(&mut self, peer: usize) -> &mut KeyView {
        &mut self.peers[peer].key
    }

    /// The operator wishes a new key for the peer of this name; durable when this returns.
    ///
    /// # Errors
    /// Why it cannot be, as a fragment.
    pub fn want_key(&mut self, name: &str) -> Result<(), String> {
        let found = self.peers.iter().position(|peer| peer.rules.name == name);
        let peer = found.ok_or_else(|| format!("there is no peer `{name}`"))?;
        let key = &self.peers[peer].key;
        if key.is_barred {
            return Err(format!(
                "the frames of `{name}` are too short for a new key: raise mtu"
            ));
        }
        let row = KeyRow {
            wanted: true,
            ..key.row.clone()
        };
        self.keep_key(peer, &row)
            .map_err(|error| error.to_string())?;
        self.peers[peer].wake.notify_one();
        Ok(())
    }

    /// Nothing of a key that was replaced stays in the database's files.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub fn forget_keys(&mut self) -> Result<(), GatewayError> {
        Ok(self.store.forget_log()?)
    }
}

//! The keys of one link across runs: that of the operator's file, and those agreed over the air since. Refuses to use a
//! key before it is on disk, and to keep one that was replaced.

use std::path::PathBuf;

use longwire_codec::link::{Link, Side};
use longwire_codec::rekey::{Keys, ORIGIN_LEN, Progress, Rekey};
use longwire_codec::seal::Secret;
use longwire_codec::time::Instant;
use tracing::{info, warn};

use super::ConversationError;
use crate::gateway::{Gateway, GatewayError, KeyState};
use crate::keys::{Key, KeyError, Origin};
use crate::store::key::KeyRow;

/// After a failure `rekey-every` waits this long, in milliseconds.
const PAUSE_MS: i64 = 3_600_000;

/// See the module.
#[derive(Debug)]
pub(crate) struct Keyring {
    peer: usize,
    file: PathBuf,
    origin: Origin,
    rekey: Rekey,
    /// `rekey-every`; 0 is never.
    every_ms: i64,
    /// It begins nothing before this, Unix ms.
    not_before_ms: i64,
    /// A handshake was begun, by the operator's wish or by the calendar.
    begun: bool,
}

impl Keyring {
    /// The keys of the link to the peer at place `peer`: those in the database, unless the operator gave a new file.
    ///
    /// # Errors
    /// There is no key, or the database failed.
    pub(crate) fn load(
        peer: usize,
        side: Side,
        gateway: &mut Gateway,
    ) -> Result<Self, ConversationError> {
        let rules = gateway.peers()[peer].rules.clone();
        let loaded = Key::load(&rules.key_file);
        let origin = match &loaded {
            Ok(key) => key.origin(),
            Err(KeyError::Replaced { origin, .. }) => *origin,
            Err(_) => Origin([0; ORIGIN_LEN]),
        };
        let kept = gateway.key_row(peer)?.filter(|row| row.origin == origin.0);
        let agreed = kept.as_ref().and_then(|row| Keys::parse(&row.keys));
        let keys = match (agreed, loaded) {
            (Some(keys), Ok(_) | Err(KeyError::Replaced { .. })) => keys,
            (_, Ok(key)) => Keys::new(key.secret()),
            (_, Err(error)) => return Err(error.into()),
        };
        let every_ms = i64::try_from(rules.rekey_every.as_millis()).unwrap_or(i64::MAX);
        let is_new = kept.is_none();
        let row = kept.unwrap_or(KeyRow {
            origin: origin.0,
            since_ms: gateway.clock().unix_ms(),
            ..KeyRow::default()
        });
        if is_new && every_ms > 0 {
            gateway.keep_key(peer, &row)?;
        }
        gateway.key_mut(peer).row = row;
        let keyring = Self {
            peer,
            file: rules.key_file,
            origin,
            rekey: Rekey::new(side, keys),
            every_ms,
            not_before_ms: 0,
            begun: false,
        };
        keyring.show(gateway, true);
        Ok(keyring)
    }

    /// The secret in use.
    pub(crate) fn secret(&self) -> &Secret {
        &self.rekey.keys().current
    }

    /// Prepares a link that was just made.
    pub(crate) fn attach(&mut self, link: &mut Link<Vec<u8>>) {
        self.rekey.attach(link);
    }

    /// When to call [`Self::settle`] at the latest.
    pub(crate) fn poll_timeout(&self, gateway: &Gateway) -> Option<Instant> {
        let clock = gateway.clock();
        let due_ms = self.due_ms(gateway).map(|due_ms| due_ms - clock.unix_ms());
        let due = due_ms.and_then(|wait_ms| u64::try_from(wait_ms).ok());
        let due = due.map(|wait_ms| clock.now() + wait_ms);
        self.rekey.poll_timeout().into_iter().chain(due).min()
    }

    /// When the calendar wants a new key, Unix ms.
    fn due_ms(&self, gateway: &Gateway) -> Option<i64> {
        let since_ms = gateway.peers()[self.peer].key.row.since_ms;
        let due_ms = since_ms.saturating_add(self.every_ms);
        (self.every_ms > 0 && !self.begun).then(|| due_ms.max(self.not_before_ms))
    }

    /// Does what the link heard and what is wished for.
    ///
    /// # Errors
    /// The database failed: no key may be used that is not on disk.
    pub(crate) fn settle(
        &mut self,
        gateway: &mut Gateway,
        link: &mut Link<Vec<u8>>,
        now: Instant,
    ) -> Result<(), GatewayError> {
        let now_ms = gateway.clock().unix_ms();
        let wanted = gateway.peers()[self.peer].key.row.wanted;
        let is_due = self.due_ms(gateway).is_some_and(|due_ms| due_ms <= now_ms);
        if !self.begun && (wanted || is_due && link.is_up()) {
            self.begun = true;
            self.rekey.begin();
        }
        let before = self.rekey.progress();
        let mut entropy = || {
            let mut bytes = [0; 32];
            getrandom::fill(&mut bytes).ok().map(|()| bytes)
        };
        let mut is_new = false;
        while let Some(keys) = self.rekey.advance(now, link, &mut entropy) {
            let is_alone = keys.next.is_none();
            let mut row = KeyRow {
                keys: keys.emit().to_vec(),
                ..gateway.peers()[self.peer].key.row.clone()
            };
            if is_alone {
                (row.since_ms, row.wanted) = (now_ms, false);
            }
            gateway.keep_key(self.peer, &row)?;
            self.rekey.stored(now, link);
            is_new |= is_alone;
        }
        if is_new {
            self.retire(gateway)?;
        }
        if self.begun && self.rekey.progress() == Progress::Rest {
            self.conclude(gateway, is_new)?;
        }
        if is_new || before != self.rekey.progress() {
            self.show(gateway, is_new);
        }
        Ok(())
    }

    /// The old key goes from everywhere.
    fn retire(&self, gateway: &mut Gateway) -> Result<(), GatewayError> {
        info!(peer = self.name(gateway), "a new key, agreed over the air");
        gateway.forget_keys()?;
        if let Err(error) = Key::erase(self.origin, &self.file) {
            warn!(%error, "the first key stays in its file: erase it by hand");
        }
        Ok(())
    }

    /// What was begun is over.
    fn conclude(&mut self, gateway: &mut Gateway, is_done: bool) -> Result<(), GatewayError> {
        self.begun = false;
        if is_done {
            return Ok(());
        }
        warn!(
            peer = self.name(gateway),
            "no new key: the far end does not answer"
        );
        self.not_before_ms = gateway.clock().unix_ms() + PAUSE_MS;
        gateway.key_mut(self.peer).state = KeyState::Failed;
        let row = KeyRow {
            wanted: false,
            ..gateway.peers()[self.peer].key.row.clone()
        };
        gateway.keep_key(self.peer, &row)
    }

    fn name<'g>(&self, gateway: &'g Gateway) -> &'g str {
        &gateway.peers()[self.peer].rules.name
    }

    /// Says how it is; a failure stands until something new begins.
    fn show(&self, gateway: &mut Gateway, is_new: bool) {
        let view = gateway.key_mut(self.peer);
        view.state = match self.rekey.progress() {
            Progress::Rest if view.state == KeyState::Failed && !is_new => KeyState::Failed,
            Progress::Rest => KeyState::Settled,
            Progress::Wanted => KeyState::Wanted,
            Progress::UnderWay => KeyState::UnderWay,
            Progress::Unconfirmed => KeyState::Unconfirmed,
        };
        if is_new {
            view.fingerprint =
                Key::of(self.secret()).map_or_else(String::new, |key| key.fingerprint());
        }
    }
}

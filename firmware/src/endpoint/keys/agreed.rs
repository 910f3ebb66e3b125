//! Keys agreed over the air, in one record. Refuses to leave a replaced one on flash.
//!
//! Record: whether replaced keys may still lie elsewhere on flash (1 octet), digest of the image's key (8), keys as in
//! `codec::rekey::Keys`.

use embedded_storage_async::nor_flash::NorFlash;
use longwire_codec::link::Link;
use longwire_codec::provision::Provision;
use longwire_codec::rekey::{KEYS_LEN, Keys, ORIGIN_LEN, Rekey, origin};
use longwire_codec::seal::Secret;
use longwire_codec::time::Instant;

use crate::endpoint::{EndpointError, SIDE};
use crate::flash::{Store, StoreError, copy};

const KEY: u8 = 3;
const LEN: usize = 1 + ORIGIN_LEN + KEYS_LEN;

/// Fills 32 octets from the board's hardware generator; `false` if it has none now.
pub type EntropySource = fn(&mut [u8; 32]) -> bool;

/// See the module.
pub(in crate::endpoint) struct Keyring {
    origin: [u8; ORIGIN_LEN],
    rekey: Rekey,
    source: Option<EntropySource>,
}

impl Keyring {
    /// The keys on flash, unless the image has another than they came from.
    pub(in crate::endpoint) fn load<F: NorFlash>(
        store: &mut Store<F>,
        provision: &Provision<'_>,
    ) -> Result<Self, EndpointError> {
        let first = Secret::new(&provision.key).ok_or(EndpointError::Config)?;
        let origin = origin(&first);
        let mut record = [0; LEN];
        let len = store.get(KEY, &mut record)?;
        let kept = record.get(..len).and_then(|record| {
            let (wipes, rest) = record.split_first()?;
            let keys = Keys::parse(rest.strip_prefix(&origin)?)?;
            Some((*wipes == 1, keys))
        });
        let (wipes, keys) = kept.unwrap_or((false, Keys::new(first)));
        let keyring = Self {
            origin,
            rekey: Rekey::new(SIDE, keys),
            source: None,
        };
        if wipes {
            keyring.wipe(store)?;
        }
        Ok(keyring)
    }

    pub(in crate::endpoint) fn secret(&self) -> &Secret {
        &self.rekey.keys().current
    }

    #[cfg(test)]
    pub(super) fn keys(&self) -> &Keys {
        self.rekey.keys()
    }

    pub(in crate::endpoint) fn attach<L: AsRef<[u8]> + AsMut<[u8]>>(&mut self, link: &mut Link<L>) {
        self.rekey.attach(link);
    }

    pub(in crate::endpoint) fn use_entropy(&mut self, source: EntropySource) {
        self.source = Some(source);
    }

    pub(in crate::endpoint) fn begin(&mut self) {
        self.rekey.begin();
    }

    /// Does what the link heard; `true` if a new key is in use.
    pub(in crate::endpoint) fn settle<F: NorFlash, L: AsRef<[u8]> + AsMut<[u8]>>(
        &mut self,
        store: &mut Store<F>,
        link: &mut Link<L>,
        now: Instant,
    ) -> Result<bool, StoreError> {
        let source = self.source;
        let mut entropy = || {
            let mut octets = [0; 32];
            source?(&mut octets).then_some(octets)
        };
        let mut is_new = false;
        while let Some(keys) = self.rekey.advance(now, link, &mut entropy) {
            is_new = keys.next.is_none();
            let record = record(is_new, &self.origin, keys);
            store.put(KEY, &record)?;
            self.rekey.stored(now, link);
        }
        if is_new {
            self.wipe(store)?;
        }
        Ok(is_new)
    }

    /// Nothing of the keys before stays on flash.
    fn wipe<F: NorFlash>(&self, store: &mut Store<F>) -> Result<(), StoreError> {
        store.turn_over()?;
        let record = record(false, &self.origin, self.rekey.keys());
        store.put(KEY, &record)
    }

    pub(in crate::endpoint) fn poll_timeout(&self) -> Option<Instant> {
        self.rekey.poll_timeout()
    }
}

fn record(wipes: bool, origin: &[u8; ORIGIN_LEN], keys: &Keys) -> [u8; LEN] {
    let mut record = [u8::from(wipes); LEN];
    copy(&mut record[1..], origin);
    copy(&mut record[1 + ORIGIN_LEN..], &keys.emit());
    record
}

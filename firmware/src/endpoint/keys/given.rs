//! The key of the image, for good. Refuses to be replaced but by another image.

use embedded_storage_async::nor_flash::NorFlash;
use longwire_codec::link::Link;
use longwire_codec::provision::Provision;
use longwire_codec::seal::Secret;
use longwire_codec::time::Instant;

use crate::endpoint::EndpointError;
use crate::flash::{Store, StoreError};

/// See the module.
pub(in crate::endpoint) struct Keyring(Secret);

impl Keyring {
    pub(in crate::endpoint) fn load<F: NorFlash>(
        _store: &mut Store<F>,
        provision: &Provision<'_>,
    ) -> Result<Self, EndpointError> {
        let secret = Secret::new(&provision.key);
        Ok(Self(secret.ok_or(EndpointError::Config)?))
    }

    pub(in crate::endpoint) fn secret(&self) -> &Secret {
        &self.0
    }

    pub(in crate::endpoint) fn attach<L>(&mut self, _link: &mut Link<L>) {}

    pub(in crate::endpoint) fn settle<F: NorFlash, L>(
        &mut self,
        _store: &mut Store<F>,
        _link: &mut Link<L>,
        _now: Instant,
    ) -> Result<bool, StoreError> {
        Ok(false)
    }

    pub(in crate::endpoint) fn poll_timeout(&self) -> Option<Instant> {
        None
    }
}

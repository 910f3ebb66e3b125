//! The key of the link to the gateway: the one of the image, or with the feature `edhoc` the one agreed over the air
//! since. Refuses to use a key that is not on flash.

#[cfg(feature = "edhoc")]
mod agreed;
#[cfg(not(feature = "edhoc"))]
mod given;

#[cfg(all(test, feature = "edhoc"))]
mod tests;

#[cfg(feature = "edhoc")]
pub use agreed::EntropySource;
#[cfg(feature = "edhoc")]
pub(super) use agreed::Keyring;
#[cfg(not(feature = "edhoc"))]
pub(super) use given::Keyring;

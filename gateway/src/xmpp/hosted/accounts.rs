//! Accounts of hosted domains, as the command line and SASL see them. Refuses to keep a password.

use jid::BareJid;
use thiserror::Error;

use super::scram;
use super::store::{Store, StoreError};

/// Why an account cannot be made or changed.
#[derive(Debug, Error)]
pub enum AccountError {
    /// Not a bare JID with a local part.
    #[error("{0} is not an account: write it as user@domain")]
    Address(String),
    /// A password that no client could send.
    #[error("the password is empty or contains characters that are not allowed (RFC 4013)")]
    Password,
    /// No randomness for a salt.
    #[error("the operating system gives no random numbers")]
    Random,
    /// The database failed.
    #[error("the database: {0}")]
    Store(#[from] StoreError),
}

/// Makes the account `jid` (`user@domain`), or gives an existing one a new password.
///
/// # Errors
/// [`AccountError`].
pub fn create(store: &Store, jid: &str, password: &str) -> Result<(), AccountError> {
    let jid = address(jid)?;
    let keys = scram::credentials(password)?;
    store.set_account(&jid, &keys)?;
    Ok(())
}

/// Removes an account with its roster, archive and everything else. `false` if there was none.
///
/// # Errors
/// [`AccountError`].
pub fn remove(store: &mut Store, jid: &str) -> Result<bool, AccountError> {
    Ok(store.remove_account(&address(jid)?)?)
}

/// All accounts of all domains in order.
///
/// # Errors
/// [`AccountError`].
pub fn list(store: &Store) -> Result<Vec<String>, AccountError> {
    Ok(store.accounts()?)
}

fn address(jid: &str) -> Result<String, AccountError> {
    let parsed = BareJid::new(jid).map_err(|_| AccountError::Address(jid.into()))?;
    match parsed.node() {
        Some(_) => Ok(parsed.to_string()),
        None => Err(AccountError::Address(jid.into())),
    }
}

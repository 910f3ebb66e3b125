//! SCRAM-SHA-256 and SCRAM-SHA-1, the server's half (RFC 5802, RFC 7677), and what is stored for it. Refuses channel
//! binding: it is not advertised, and a client that insists on it is told so.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::accounts::AccountError;
use super::store::Credentials;

/// Rounds for new accounts. RFC 7677 asks for 4,096 or more; more delays PLAIN logins on small machines.
const ITERATIONS: u32 = 10_000;
const SALT_LEN: usize = 16;
const NONCE_LEN: usize = 18;

/// Which hash.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Hash {
    Sha1,
    Sha256,
}

impl Hash {
    fn hmac(self, key: &[u8], data: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => hmac::<Hmac<Sha1>>(key, data),
            Self::Sha256 => hmac::<Hmac<Sha256>>(key, data),
        }
    }

    fn digest(self, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(data).to_vec(),
            Self::Sha256 => Sha256::digest(data).to_vec(),
        }
    }

    fn salted(self, password: &str, salt: &[u8], iterations: u32) -> Vec<u8> {
        match self {
            Self::Sha1 => {
                pbkdf2::pbkdf2_hmac_array::<Sha1, 20>(password.as_bytes(), salt, iterations)
                    .to_vec()
            }
            Self::Sha256 => {
                pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(password.as_bytes(), salt, iterations)
                    .to_vec()
            }
        }
    }

    /// `StoredKey` and `ServerKey`.
    fn keys(self, password: &str, salt: &[u8], iterations: u32) -> (Vec<u8>, Vec<u8>) {
        let salted = self.salted(password, salt, iterations);
        let client = self.hmac(&salted, b"Client Key");
        (self.digest(&client), self.hmac(&salted, b"Server Key"))
    }

    fn stored(self, keys: &Credentials) -> (&[u8], &[u8]) {
        match self {
            Self::Sha1 => (&keys.stored_sha1, &keys.server_sha1),
            Self::Sha256 => (&keys.stored_sha256, &keys.server_sha256),
        }
    }
}

fn hmac<M: Mac + KeyInit>(key: &[u8], data: &[u8]) -> Vec<u8> {
    // HMAC takes keys of any length (RFC 2104 section 2).
    let Ok(mac) = <M as KeyInit>::new_from_slice(key) else {
        return Vec::new();
    };
    mac.chain_update(data).finalize().into_bytes().to_vec()
}

/// Salted keys for a new password.
pub(super) fn credentials(password: &str) -> Result<Credentials, AccountError> {
    let password = prepared(password).ok_or(AccountError::Password)?;
    let mut salt = vec![0; SALT_LEN];
    getrandom::fill(&mut salt).map_err(|_| AccountError::Random)?;
    Ok(salted(&password, salt, ITERATIONS))
}

fn salted(password: &str, salt: Vec<u8>, iterations: u32) -> Credentials {
    let (stored_sha1, server_sha1) = Hash::Sha1.keys(password, &salt, iterations);
    let (stored_sha256, server_sha256) = Hash::Sha256.keys(password, &salt, iterations);
    Credentials {
        salt,
        iterations,
        stored_sha1,
        server_sha1,
        stored_sha256,
        server_sha256,
    }
}

/// Keys of an account that does not exist, the same at every attempt, so that trying tells nothing.
pub(super) fn decoy(account: &str, secret: &[u8]) -> Credentials {
    let mut salt = Hash::Sha256.hmac(secret, account.as_bytes());
    salt.truncate(SALT_LEN);
    let nothing = |len| Hash::Sha256.hmac(secret, &salt)[..len].to_vec();
    Credentials {
        iterations: ITERATIONS,
        stored_sha1: nothing(20),
        server_sha1: nothing(20),
        stored_sha256: nothing(32),
        server_sha256: nothing(32),
        salt: salt.clone(),
    }
}

/// Is this the password? For PLAIN.
pub(super) fn verify(keys: &Credentials, password: &str) -> bool {
    let Some(password) = prepared(password) else {
        return false;
    };
    let (stored, _) = Hash::Sha256.keys(&password, &keys.salt, keys.iterations);
    same(&stored, &keys.stored_sha256)
}

/// SASLprep (RFC 4013); `None` for what may not be a password.
fn prepared(password: &str) -> Option<String> {
    let prepared = stringprep::saslprep(password).ok()?;
    (!prepared.is_empty()).then(|| prepared.into_owned())
}

/// Compares in a time that does not depend on where they differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

/// Why an exchange failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ScramError {
    /// The client's message does not follow the grammar, or asks for what is not offered.
    Malformed,
    /// Wrong password or no such account.
    NotAuthorized,
}

/// What the client said first.
#[derive(Debug)]
pub(super) struct ClientFirst {
    pub(super) user: String,
    pub(super) authzid: String,
    gs2: String,
    bare: String,
    nonce: String,
}

impl ClientFirst {
    /// Parses `client-first-message`.
    pub(super) fn parse(message: &str) -> Result<Self, ScramError> {
        let mut parts = message.splitn(3, ',');
        let (flag, authzid) = (parts.next(), parts.next());
        let (Some(flag), Some(authzid), Some(bare)) = (flag, authzid, parts.next()) else {
            return Err(ScramError::Malformed);
        };
        if !matches!(flag, "n" | "y") {
            return Err(ScramError::Malformed);
        }
        let mut attrs = bare.split(',');
        let user = attrs
            .next()
            .and_then(|it| it.strip_prefix("n="))
            .ok_or(ScramError::Malformed)?;
        let nonce = attrs
            .next()
            .and_then(|it| it.strip_prefix("r="))
            .ok_or(ScramError::Malformed)?;
        if nonce.is_empty() {
            return Err(ScramError::Malformed);
        }
        Ok(Self {
            user: unescape(user)?,
            authzid: match authzid {
                "" => String::new(),
                given => unescape(given.strip_prefix("a=").ok_or(ScramError::Malformed)?)?,
            },
            gs2: format!("{flag},{authzid},"),
            bare: bare.into(),
            nonce: nonce.into(),
        })
    }
}

/// `saslname` (RFC 5802 section 7).
fn unescape(name: &str) -> Result<String, ScramError> {
    let plain = name.replace("=2C", ",").replace("=3D", "\0");
    match plain.contains('=') || name.contains('\0') {
        true => Err(ScramError::Malformed),
        false => Ok(plain.replace('\0', "=")),
    }
}

/// An exchange that waits for the client's proof.
#[derive(Debug)]
pub(super) struct Exchange {
    hash: Hash,
    keys: Credentials,
    first: ClientFirst,
    nonce: String,
    challenge: String,
}

impl Exchange {
    /// Answers the client's first message.
    pub(super) fn new(
        hash: Hash,
        first: ClientFirst,
        keys: Credentials,
    ) -> Result<Self, ScramError> {
        let mut random = [0; NONCE_LEN];
        getrandom::fill(&mut random).map_err(|_| ScramError::NotAuthorized)?;
        Ok(Self::with_nonce(hash, first, keys, &BASE64.encode(random)))
    }

    fn with_nonce(hash: Hash, first: ClientFirst, keys: Credentials, server: &str) -> Self {
        let nonce = format!("{}{server}", first.nonce);
        let challenge = format!(
            "r={nonce},s={},i={}",
            BASE64.encode(&keys.salt),
            keys.iterations
        );
        Self {
            hash,
            keys,
            first,
            nonce,
            challenge,
        }
    }

    /// `server-first-message`.
    pub(super) fn challenge(&self) -> &str {
        &self.challenge
    }

    /// Checks `client-final-message`; gives `server-final-message`.
    pub(super) fn finish(&self, message: &str) -> Result<String, ScramError> {
        let (without_proof, proof) = message.rsplit_once(",p=").ok_or(ScramError::Malformed)?;
        let proof = BASE64.decode(proof).map_err(|_| ScramError::Malformed)?;
        let mut attrs = without_proof.split(',');
        let binding = attrs
            .next()
            .and_then(|it| it.strip_prefix("c="))
            .ok_or(ScramError::Malformed)?;
        let nonce = attrs
            .next()
            .and_then(|it| it.strip_prefix("r="))
            .ok_or(ScramError::Malformed)?;
        if binding != BASE64.encode(&self.first.gs2) || nonce != self.nonce {
            return Err(ScramError::NotAuthorized);
        }
        let auth = format!("{},{},{without_proof}", self.first.bare, self.challenge);
        let (stored, server) = self.hash.stored(&self.keys);
        let signature = self.hash.hmac(stored, auth.as_bytes());
        if proof.len() != signature.len() {
            return Err(ScramError::NotAuthorized);
        }
        let client: Vec<u8> = proof.iter().zip(&signature).map(|(a, b)| a ^ b).collect();
        if !same(&self.hash.digest(&client), stored) {
            return Err(ScramError::NotAuthorized);
        }
        Ok(format!(
            "v={}",
            BASE64.encode(self.hash.hmac(server, auth.as_bytes()))
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(hash: Hash, salt: &str, first: &str, nonce: &str) -> Exchange {
        let keys = salted("pencil", BASE64.decode(salt).unwrap(), 4096);
        Exchange::with_nonce(hash, ClientFirst::parse(first).unwrap(), keys, nonce)
    }

    #[test]
    fn the_example_of_rfc_5802() {
        let it = exchange(
            Hash::Sha1,
            "QSXCR+Q6sek8bf92",
            "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
            "3rfcNHYJY1ZVvWVs7j",
        );
        assert_eq!(
            it.challenge(),
            "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096"
        );
        let last =
            "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=";
        assert_eq!(it.finish(last).unwrap(), "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=");
    }

    #[test]
    fn the_example_of_rfc_7677() {
        let it = exchange(
            Hash::Sha256,
            "W22ZaJ0SNY7soEsUEjb6gQ==",
            "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
            "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
        );
        let nonce = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let last = format!("c=biws,{nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
        assert_eq!(
            it.finish(&last).unwrap(),
            "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
        );
        let wrong = format!("c=biws,{nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVR=");
        assert!(it.finish(&wrong).is_err());
        assert_eq!(
            it.finish("c=biws,r=other,p=AAAA"),
            Err(ScramError::NotAuthorized)
        );
        assert_eq!(it.finish("nonsense"), Err(ScramError::Malformed));
    }

    #[test]
    fn names_and_flags() {
        assert_eq!(
            ClientFirst::parse("y,a=x,n=a=2Cb=3Dc,r=n").unwrap().user,
            "a,b=c"
        );
        for bad in [
            "p=tls-exporter,,n=u,r=n",
            "n,,n=u",
            "n,,r=n,n=u",
            "n,,n=a=b,r=n",
            "n",
            "n,x,n=u,r=n",
            "n,,n=u,r=",
        ] {
            assert!(ClientFirst::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn passwords() {
        let keys = credentials("pässword").unwrap();
        assert!(verify(&keys, "pässword") && !verify(&keys, "password") && !verify(&keys, ""));
        assert!(credentials("").is_err() && credentials("a\u{7}").is_err());
    }
}

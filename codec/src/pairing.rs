//! EDHOC (RFC 9528) between two stations that know each other's public keys: three messages, 101 bytes, a new link secret.
//! Refuses to trust on first use, and to choose randomness: 32 bytes of entropy are an argument.
//!
//! Cipher suite 2 (AES-CCM with 8-byte tags, P-256, SHA-256), method 3 (both ends authenticate by static keys),
//! credentials by reference. Every run makes fresh ephemeral keys: re-key now and then, and what was sent before stays
//! secret even if a static key leaks later.
//!
//! ```text
//! initiator                    responder
//!     ── message 1, 37 bytes ──▶
//!     ◀─ message 2, 45 bytes ───
//!     ── message 3, 19 bytes ──▶   rekey(secret, true)
//!  rekey(secret, false)
//! ```
//!
//! The responder sends under the new secret at once, the initiator as soon as it hears that
//! ([`crate::link::Link::rekey`]): traffic goes on meanwhile. Who misses an answer sends his last message again: the
//! initiator 1 until 2 comes, the responder 2 until 3 comes, and the initiator 3 whenever 2 comes again.

mod entropy;

use core::fmt;

use entropy::Entropy;
use lakers::{
    BufferMessage1, ConnId, Credential, CredentialTransfer, EDHOCMethod, EDHOCSuite,
    EdhocInitiator, EdhocInitiatorWaitM2, EdhocResponder, EdhocResponderDone, EdhocResponderWaitM3,
    IdCred,
};
use lakers_crypto_rustcrypto::Crypto;

use crate::frame::{Control, Header, Kind};
use crate::seal::Secret;

type Suite = Crypto<Entropy>;

/// Longest message, in bytes.
pub const MESSAGE_MAX: usize = 48;
/// Bytes a frame adds to a message.
pub const FRAME_OVERHEAD: usize = 2;
/// The exporter label of the link secret: from the range for private use of RFC 9528, section 10.1.
const LABEL: u8 = 0xc0;

/// A station's public key, and the short id by which messages name it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PublicKey {
    /// A number of one byte; the ids of the two ends must differ.
    pub id: u8,
    /// The x coordinate of a point on P-256.
    pub x: [u8; 32],
}

/// A station's own key pair.
#[derive(Clone)]
pub struct Identity {
    private: [u8; 32],
    public: PublicKey,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

impl Identity {
    /// A new key pair from 32 bytes of entropy.
    pub fn generate(id: u8, entropy: &[u8; 32]) -> Self {
        use lakers::CryptoTrait as _;
        let (private, x) = Crypto::new(Entropy::new(entropy)).p256_generate_key_pair();
        Self {
            private,
            public: PublicKey { id, x },
        }
    }

    /// A key pair made before.
    pub const fn new(private: [u8; 32], public: PublicKey) -> Self {
        Self { private, public }
    }

    /// What the other end must know.
    pub const fn public(&self) -> PublicKey {
        self.public
    }

    /// What must be stored, and shown to nobody.
    pub const fn private(&self) -> &[u8; 32] {
        &self.private
    }
}

/// Why an exchange failed. Start again; the link goes on under the old secret.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum PairingError {
    /// Not a message, or not the one that is due.
    Malformed,
    /// Made by a station whose public key is another.
    Stranger,
}

/// A message to send.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Message {
    bytes: [u8; MESSAGE_MAX],
    len: usize,
}

impl Message {
    fn new(message: &[u8]) -> Result<Self, PairingError> {
        let mut bytes = [0; MESSAGE_MAX];
        bytes
            .get_mut(..message.len())
            .ok_or(PairingError::Malformed)?
            .copy_from_slice(message);
        Ok(Self {
            bytes,
            len: message.len(),
        })
    }

    /// The message.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&[])
    }
}

/// Writes the frame that carries message `number` (1 to 3) in clear: EDHOC protects itself. Gives its length, or `None`
/// if it does not fit.
pub fn emit(station: Option<u8>, number: u8, message: &Message, frame: &mut [u8]) -> Option<usize> {
    let kind = Kind::Control(Control::Pairing);
    let header = Header {
        station,
        kind,
        more: false,
        ack: false,
        counter: number,
        notice: None,
    };
    let at = header.emit(frame)?;
    frame
        .get_mut(at..at + message.len)?
        .copy_from_slice(message.as_bytes());
    Some(at + message.len)
}

/// The number and bytes of the message a frame carries; `None` if it is another frame, which the link may know.
pub fn parse(frame: &[u8], shared: bool) -> Option<(u8, &[u8])> {
    let header = Header::parse(frame, shared).ok()?;
    let pairing = header.kind == Kind::Control(Control::Pairing) && header.notice.is_none();
    if pairing {
        Some((header.counter, frame.get(header.len()..)?))
    } else {
        None
    }
}

/// The credential both ends compute from a public key: a CWT claims set (RFC 8392) with the key as COSE key.
fn credential(key: &PublicKey) -> Result<Credential, PairingError> {
    let mut bytes = [0; 52];
    // {2: "", 8: {1: {1: 2, 2: h'id', -1: 1, -2: x, -3: false}}}
    bytes[..16].copy_from_slice(&[
        0xa2, 0x02, 0x60, 0x08, 0xa1, 0x01, 0xa5, 0x01, 0x02, 0x02, 0x41, key.id, 0x20, 0x01, 0x21,
        0x58,
    ]);
    bytes[16] = 0x20;
    bytes[17..49].copy_from_slice(&key.x);
    bytes[49..51].copy_from_slice(&[0x22, 0xf4]);
    let kid = lakers::BufferKid::new_from_slice(&[key.id]).map_err(|_| PairingError::Malformed)?;
    let whole =
        lakers::BufferCred::new_from_slice(&bytes[..51]).map_err(|_| PairingError::Malformed)?;
    Ok(Credential::new_ccs(whole, key.x).with_kid(kid))
}

fn check(id: &IdCred, credential: &Credential) -> Result<(), PairingError> {
    let expected = credential.by_kid().map_err(|_| PairingError::Malformed)?;
    if id.reference_only() && id.as_full_value() == expected.as_full_value() {
        Ok(())
    } else {
        Err(PairingError::Stranger)
    }
}

fn secret(done: &mut EdhocResponderDone<Suite>) -> Result<Secret, PairingError> {
    let exported = done.edhoc_exporter(LABEL, b"longwire", 32);
    exported
        .get(..32)
        .and_then(Secret::new)
        .ok_or(PairingError::Malformed)
}

fn buffer(message: &[u8]) -> Result<BufferMessage1, PairingError> {
    BufferMessage1::new_from_slice(message).map_err(|_| PairingError::Malformed)
}

/// The end that begins.
#[derive(Debug)]
pub struct Initiator {
    state: EdhocInitiatorWaitM2<Suite>,
    identity: Identity,
    peer: Credential,
}

impl Initiator {
    /// Begins: gives message 1.
    ///
    /// # Errors
    /// [`PairingError`].
    pub fn new(
        entropy: &[u8; 32],
        identity: Identity,
        peer: PublicKey,
    ) -> Result<(Self, Message), PairingError> {
        let crypto = Crypto::new(Entropy::new(entropy));
        let edhoc = EdhocInitiator::new(crypto, EDHOCMethod::StatStat, EDHOCSuite::CipherSuite2);
        let id = ConnId::from_slice(&[0x01]);
        let (state, message) = edhoc
            .prepare_message_1(id, &None)
            .map_err(|_| PairingError::Malformed)?;
        let this = Self {
            state,
            identity,
            peer: credential(&peer)?,
        };
        Ok((this, Message::new(message.as_slice())?))
    }

    /// Answers message 2: gives message 3 and the secret.
    ///
    /// # Errors
    /// [`PairingError`].
    pub fn handle_message_2(self, message: &[u8]) -> Result<(Message, Secret), PairingError> {
        let message = buffer(message)?;
        let parsed = self
            .state
            .parse_message_2(&message)
            .map_err(|_| PairingError::Malformed)?;
        let (mut edhoc, _, id, _) = parsed;
        check(&id, &self.peer)?;
        let own = credential(&self.identity.public)?;
        edhoc
            .set_identity(self.identity.private, own)
            .map_err(|_| PairingError::Malformed)?;
        let edhoc = edhoc
            .verify_message_2(self.peer)
            .map_err(|_| PairingError::Stranger)?;
        let prepared = edhoc.prepare_message_3(CredentialTransfer::ByReference, &None);
        let (edhoc, message, _) = prepared.map_err(|_| PairingError::Malformed)?;
        let mut done = edhoc
            .completed_without_message_4()
            .map_err(|_| PairingError::Malformed)?;
        Ok((Message::new(message.as_slice())?, secret(&mut done)?))
    }
}

/// The end that answers.
#[derive(Debug)]
pub struct Responder {
    state: EdhocResponderWaitM3<Suite>,
    peer: Credential,
}

impl Responder {
    /// Answers message 1: gives message 2.
    ///
    /// # Errors
    /// [`PairingError`].
    pub fn new(
        entropy: &[u8; 32],
        identity: &Identity,
        peer: PublicKey,
        message: &[u8],
    ) -> Result<(Self, Message), PairingError> {
        let crypto = Crypto::new(Entropy::new(entropy));
        let own = credential(&identity.public)?;
        let edhoc = EdhocResponder::new(crypto, EDHOCMethod::StatStat, identity.private, own);
        let (edhoc, ..) = edhoc
            .process_message_1(&buffer(message)?)
            .map_err(|_| PairingError::Malformed)?;
        let id = ConnId::from_slice(&[0x02]);
        let prepared = edhoc.prepare_message_2(CredentialTransfer::ByReference, id, &None);
        let (state, message) = prepared.map_err(|_| PairingError::Malformed)?;
        Ok((
            Self {
                state,
                peer: credential(&peer)?,
            },
            Message::new(message.as_slice())?,
        ))
    }

    /// Ends with message 3: gives the secret.
    ///
    /// # Errors
    /// [`PairingError`].
    pub fn handle_message_3(self, message: &[u8]) -> Result<Secret, PairingError> {
        let message = buffer(message)?;
        let (edhoc, id, _) = self
            .state
            .parse_message_3(&message)
            .map_err(|_| PairingError::Malformed)?;
        check(&id, &self.peer)?;
        let (edhoc, _) = edhoc
            .verify_message_3(self.peer)
            .map_err(|_| PairingError::Stranger)?;
        let mut done = edhoc
            .completed_without_message_4()
            .map_err(|_| PairingError::Malformed)?;
        secret(&mut done)
    }
}

#[cfg(test)]
mod tests;

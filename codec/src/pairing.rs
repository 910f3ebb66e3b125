//! EDHOC (RFC 9528) between two stations that know each other's public keys: three messages, 90 bytes, a new link secret.
//! Refuses to trust on first use, and to choose randomness: 32 bytes of entropy are an argument.
//!
//! Cipher suite 2 (AES-CCM with 8-byte tags, P-256, SHA-256), method 3 (both ends authenticate by static keys),
//! credentials by reference. Every run makes fresh ephemeral keys: what was sent under a secret that both ends have
//! forgotten stays secret even if a static key leaks later.
//!
//! ```text
//! initiator                    responder
//!     ── message 1, 32 bytes ──▶
//!     ◀─ message 2, 40 bytes ───
//!     ── message 3, 18 bytes ──▶
//! ```
//!
//! On the air go the messages of RFC 9528 without the bytes that are always the same: 101 bytes less 11. So nothing of
//! them needs parsing, and their length says which they are.

mod suite;

use core::fmt;

use hkdf::Hkdf;
use lakers::{
    BufferMessage1, ConnId, Credential, CredentialTransfer, EDHOCMethod, EDHOCSuite,
    EdhocInitiator, EdhocInitiatorWaitM2, EdhocResponder, EdhocResponderDone, EdhocResponderWaitM3,
    IdCred,
};
use sha2::Sha256;
use suite::{Suite, is_point, key_pair};

use crate::link::{RekeyMessage as Message, Side};
use crate::seal::Secret;

/// Bytes of message 1: the ephemeral key of the initiator.
pub const MESSAGE_1_LEN: usize = 32;
/// Bytes of message 2: the ephemeral key of the responder, and his proof, encrypted.
pub const MESSAGE_2_LEN: usize = 32 + PROOF_LEN;
/// Bytes of message 3: what the initiator encrypts, with its tag.
pub const MESSAGE_3_LEN: usize = 18;

/// Method 3, suite 2, head of 32 bytes; the initiator's connection id follows the key.
const HEAD_1: [u8; 4] = [0x03, 0x02, 0x58, 0x20];
const C_I: u8 = 0x01;
const C_R: u8 = 0x02;
/// Head of 43 bytes. After the key come three that open to the responder's connection id, his credential and the head of
/// his proof.
const HEAD_2: [u8; 2] = [0x58, 0x2b];
const PROOF_LEN: usize = 8;
const HEAD_MAC: u8 = 0x48;
/// Head of 18 bytes.
const HEAD_3: [u8; 1] = [0x52];
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
        let (private, x) = Suite::new(entropy).p256_generate_key_pair();
        Self {
            private,
            public: PublicKey { id, x },
        }
    }

    /// The key pair by which the end `side` shows that it knows `secret`. Both ends can make both.
    pub fn derive(secret: &Secret, side: Side) -> Self {
        let hkdf = Hkdf::<Sha256>::new(None, secret.as_bytes());
        let (info, id): (&[u8], u8) = match side {
            Side::A => (b"longwire 1 rekey from a", 1),
            Side::B => (b"longwire 1 rekey from b", 2),
        };
        let mut count = 0u8;
        let (private, x) = key_pair(|| {
            let mut candidate = [0; 32];
            let filled = hkdf.expand_multi_info(&[info, &[count]], &mut candidate);
            debug_assert!(filled.is_ok(), "32 bytes are within the limit of RFC 5869");
            count = count.wrapping_add(1);
            candidate
        });
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

/// What goes on the air of a message that EDHOC wrote.
fn shorten(message: &[u8], head: &[u8], len: usize) -> Result<Message, PairingError> {
    let body = message.strip_prefix(head).and_then(|body| body.get(..len));
    body.and_then(Message::new).ok_or(PairingError::Malformed)
}

/// The message as EDHOC reads it.
fn lengthen(parts: [&[u8]; 4]) -> Result<BufferMessage1, PairingError> {
    let mut message = [0; 64];
    let mut len = 0;
    for (place, byte) in message.iter_mut().zip(parts.into_iter().flatten()) {
        *place = *byte;
        len += 1;
    }
    BufferMessage1::new_from_slice(&message[..len]).map_err(|_| PairingError::Malformed)
}

/// The ephemeral key that begins a message of `len` bytes: a point, or nothing may be computed with it.
fn ephemeral(message: &[u8], len: usize) -> Result<(), PairingError> {
    let x = message.first_chunk().filter(|x| is_point(x));
    (x.is_some() && message.len() == len)
        .then_some(())
        .ok_or(PairingError::Malformed)
}

/// The credential both ends compute from a public key: a CWT claims set (RFC 8392) with the key as COSE key.
fn credential(key: &PublicKey) -> Result<Credential, PairingError> {
    if !is_point(&key.x) {
        return Err(PairingError::Malformed);
    }
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

/// The end that begins.
pub struct Initiator {
    state: EdhocInitiatorWaitM2<Suite>,
    identity: Identity,
    peer: Credential,
    peer_id: u8,
}

impl fmt::Debug for Initiator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Initiator(..)")
    }
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
        let suite = Suite::initiator(entropy);
        let edhoc = EdhocInitiator::new(suite, EDHOCMethod::StatStat, EDHOCSuite::CipherSuite2);
        let id = ConnId::from_slice(&[C_I]);
        let (state, message) = edhoc
            .prepare_message_1(id, &None)
            .map_err(|_| PairingError::Malformed)?;
        let this = Self {
            state,
            identity,
            peer: credential(&peer)?,
            peer_id: peer.id,
        };
        let message = shorten(message.as_slice(), &HEAD_1, MESSAGE_1_LEN)?;
        Ok((this, message))
    }

    /// Answers message 2: gives message 3 and the secret.
    ///
    /// # Errors
    /// [`PairingError`].
    pub fn handle_message_2(self, message: &[u8]) -> Result<(Message, Secret), PairingError> {
        ephemeral(message, MESSAGE_2_LEN)?;
        let (key, proof) = message.split_at(32);
        let known = [C_R, self.peer_id, HEAD_MAC];
        let message = lengthen([&HEAD_2, key, &known, proof])?;
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
        let message = shorten(message.as_slice(), &HEAD_3, MESSAGE_3_LEN)?;
        Ok((message, secret(&mut done)?))
    }
}

/// The end that answers.
pub struct Responder {
    state: EdhocResponderWaitM3<Suite>,
    peer: Credential,
}

impl fmt::Debug for Responder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Responder(..)")
    }
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
        ephemeral(message, MESSAGE_1_LEN)?;
        let message = lengthen([&HEAD_1, message, &[C_I], &[]])?;
        let own = credential(&identity.public)?;
        let method = EDHOCMethod::StatStat;
        let edhoc = EdhocResponder::new(Suite::new(entropy), method, identity.private, own);
        let (edhoc, ..) = edhoc
            .process_message_1(&message)
            .map_err(|_| PairingError::Malformed)?;
        let id = ConnId::from_slice(&[C_R]);
        let prepared = edhoc.prepare_message_2(CredentialTransfer::ByReference, id, &None);
        let (state, message) = prepared.map_err(|_| PairingError::Malformed)?;
        let whole = message.as_slice().strip_prefix(&HEAD_2);
        let (key, rest) = whole
            .and_then(|whole| whole.split_first_chunk::<32>())
            .ok_or(PairingError::Malformed)?;
        let proof = rest
            .last_chunk::<PROOF_LEN>()
            .ok_or(PairingError::Malformed)?;
        let mut answer = [0; MESSAGE_2_LEN];
        answer[..32].copy_from_slice(key);
        answer[32..].copy_from_slice(proof);
        Ok((
            Self {
                state,
                peer: credential(&peer)?,
            },
            Message::new(&answer).ok_or(PairingError::Malformed)?,
        ))
    }

    /// Ends with message 3: gives the secret.
    ///
    /// # Errors
    /// [`PairingError`].
    pub fn handle_message_3(self, message: &[u8]) -> Result<Secret, PairingError> {
        if message.len() != MESSAGE_3_LEN {
            return Err(PairingError::Malformed);
        }
        let message = lengthen([&HEAD_3, message, &[], &[]])?;
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

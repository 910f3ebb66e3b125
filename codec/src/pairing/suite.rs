//! Cipher suite 2 of EDHOC on the ciphers and hashes of the frames, and the caller's 32 bytes of entropy. Refuses to make
//! randomness of its own, and to panic on what is no point of the curve.

use core::fmt;

use hkdf::Hkdf;
use lakers::{
    AES_CCM_TAG_LEN, BufferCiphertext3, BufferPlaintext3, BytesCcmIvLen, BytesCcmKeyLen,
    BytesHashLen, BytesMaxBuffer, BytesMaxInfoBuffer, BytesP256ElemLen, CryptoTrait, EDHOCError,
    MAX_BUFFER_LEN,
};
use p256::elliptic_curve::point::{AffineCoordinates, DecompressPoint};
use p256::{AffinePoint, ProjectivePoint, SecretKey};
use sha2::{Digest, Sha256};

use crate::seal::{Cipher, is_same};

/// The suite, for one exchange.
#[derive(Clone)]
pub(super) struct Suite {
    entropy: [u8; 32],
    drawn: u32,
    initiator: bool,
}

/// Bytes of plaintext 2: those known, and the proof.
const PLAINTEXT_2_LEN: usize = KNOWN_LEN + super::PROOF_LEN;
/// Bytes of plaintext 2 that are always the same.
const KNOWN_LEN: usize = 3;

impl fmt::Debug for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Suite(..)")
    }
}

impl Suite {
    pub(super) fn new(entropy: &[u8; 32]) -> Self {
        Self {
            entropy: *entropy,
            drawn: 0,
            initiator: false,
        }
    }

    /// To it the first bytes of plaintext 2 come as they are: they are known, so they do not cross.
    pub(super) fn initiator(entropy: &[u8; 32]) -> Self {
        Self {
            initiator: true,
            ..Self::new(entropy)
        }
    }

    /// SHA-256 of the entropy and a counter.
    fn draw(&mut self) -> [u8; 32] {
        let hash = Sha256::new()
            .chain_update(b"longwire pairing")
            .chain_update(self.entropy)
            .chain_update(self.drawn.to_be_bytes());
        self.drawn += 1;
        hash.finalize().into()
    }
}

/// A private key and the x coordinate of its public key: the first of `candidates` that is a key. All but one in 2^32 are.
pub(super) fn key_pair(mut candidates: impl FnMut() -> [u8; 32]) -> ([u8; 32], [u8; 32]) {
    loop {
        let private = candidates();
        if let Ok(key) = SecretKey::from_bytes(&private.into()) {
            return (private, key.public_key().as_affine().x().into());
        }
    }
}

fn point(x: &[u8; 32]) -> Option<AffinePoint> {
    // Which of the two points it is does not matter for the x coordinate of a product.
    AffinePoint::decompress(x.into(), 1.into()).into()
}

/// Whether the curve has a point with this x coordinate.
pub(super) fn is_point(x: &[u8; 32]) -> bool {
    point(x).is_some()
}

impl CryptoTrait for Suite {
    fn sha256_digest(&mut self, message: &BytesMaxBuffer, len: usize) -> BytesHashLen {
        Sha256::digest(message.get(..len).unwrap_or(message)).into()
    }

    fn hkdf_expand(
        &mut self,
        prk: &BytesHashLen,
        info: &BytesMaxInfoBuffer,
        info_len: usize,
        length: usize,
    ) -> BytesMaxBuffer {
        let mut output = [0; MAX_BUFFER_LEN];
        let info = info.get(..info_len).unwrap_or(info);
        if let (Ok(hkdf), Some(output)) = (Hkdf::<Sha256>::from_prk(prk), output.get_mut(..length))
        {
            let filled = hkdf.expand(info, output);
            debug_assert!(filled.is_ok(), "EDHOC asks for less than RFC 5869 allows");
        }
        // Nothing else is as long as this key stream.
        if self.initiator && length == PLAINTEXT_2_LEN {
            output[..KNOWN_LEN].fill(0);
        }
        output
    }

    fn hkdf_extract(&mut self, salt: &BytesHashLen, ikm: &BytesP256ElemLen) -> BytesHashLen {
        Hkdf::<Sha256>::extract(Some(salt), ikm).0.into()
    }

    fn aes_ccm_encrypt_tag_8(
        &mut self,
        key: &BytesCcmKeyLen,
        iv: &BytesCcmIvLen,
        ad: &[u8],
        plaintext: &BufferPlaintext3,
    ) -> BufferCiphertext3 {
        let mut sealed = BufferCiphertext3::new();
        let (len, total) = (plaintext.len, plaintext.len + AES_CCM_TAG_LEN);
        let (Some(text), Some(place)) = (
            plaintext.content.get(..len),
            sealed.content.get_mut(..total),
        ) else {
            return sealed;
        };
        let (body, tag) = place.split_at_mut(len);
        body.copy_from_slice(text);
        let cipher = Cipher::new(key, iv);
        let made = cipher.tag(AES_CCM_TAG_LEN, ad, body);
        cipher.cross(body);
        tag.copy_from_slice(&made[..AES_CCM_TAG_LEN]);
        sealed.len = total;
        sealed
    }

    fn aes_ccm_decrypt_tag_8(
        &mut self,
        key: &BytesCcmKeyLen,
        iv: &BytesCcmIvLen,
        ad: &[u8],
        ciphertext: &BufferCiphertext3,
    ) -> Result<BufferPlaintext3, EDHOCError> {
        let refused = || EDHOCError::MacVerificationFailed;
        let sealed = ciphertext
            .content
            .get(..ciphertext.len)
            .ok_or_else(refused)?;
        let (body, tag) = sealed
            .split_last_chunk::<AES_CCM_TAG_LEN>()
            .ok_or_else(refused)?;
        let mut opened = BufferPlaintext3::new();
        opened.len = body.len();
        let place = opened.content.get_mut(..body.len()).ok_or_else(refused)?;
        place.copy_from_slice(body);
        let cipher = Cipher::new(key, iv);
        cipher.cross(place);
        if !is_same(&cipher.tag(AES_CCM_TAG_LEN, ad, place), tag) {
            return Err(refused());
        }
        Ok(opened)
    }

    /// Zeros where an argument is no key. Keys from the air are tried by [`is_point`] before.
    fn p256_ecdh(
        &mut self,
        private: &BytesP256ElemLen,
        public: &BytesP256ElemLen,
    ) -> BytesP256ElemLen {
        match (SecretKey::from_bytes(private.into()), point(public)) {
            (Ok(private), Some(public)) => {
                let product = ProjectivePoint::from(public) * *private.to_nonzero_scalar();
                product.to_affine().x().into()
            }
            _ => [0; 32],
        }
    }

    fn get_random_byte(&mut self) -> u8 {
        self.draw()[0]
    }

    fn p256_generate_key_pair(&mut self) -> (BytesP256ElemLen, BytesP256ElemLen) {
        key_pair(|| self.draw())
    }
}

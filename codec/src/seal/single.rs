//! AES-128 one block at a time. Refuses to be a cipher of its own: it hands each block to `aes`, and keeps the modes above
//! it from linking that crate's code for several blocks at once as well.

use aes::Aes128;
use aes::cipher::common::{BlockSizeUser, KeySizeUser, ParBlocksSizeUser};
use aes::cipher::consts::{U1, U16};
use aes::cipher::inout::InOut;
use aes::cipher::{
    Block, BlockCipherEncBackend, BlockCipherEncClosure, BlockCipherEncrypt, Key, KeyInit,
};

/// See the module.
pub(super) struct Single(Aes128);

impl KeySizeUser for Single {
    type KeySize = U16;
}

impl KeyInit for Single {
    fn new(key: &Key<Self>) -> Self {
        Self(Aes128::new(key))
    }
}

impl BlockSizeUser for Single {
    type BlockSize = U16;
}

impl ParBlocksSizeUser for Single {
    type ParBlocksSize = U1;
}

impl BlockCipherEncBackend for Single {
    #[inline(never)]
    fn encrypt_block(&self, block: InOut<'_, '_, Block<Self>>) {
        self.0.encrypt_block_inout(block);
    }
}

impl BlockCipherEncrypt for Single {
    fn encrypt_with_backend(&self, f: impl BlockCipherEncClosure<BlockSize = U16>) {
        f.call(self);
    }
}

//! A Huffman tree: turns the choice of an octet into few binary decisions, each with a node number of its own.
//! Refuses to know probabilities: the nodes get theirs from [`Features`](super::Features).

/// A tree of 256 symbols, borrowed from a table.
///
/// Layout, u16 little endian: 256, then `left[255]`: the number of leaves left of each node, nodes in depth-first
/// order; `symbol[256]`: the symbols from left to right; `place[256]`: where each symbol stands. Any contents decode
/// to something in bounds.
#[derive(Clone, Copy, Debug)]
pub struct Tree<'d>(&'d [[u8; 2]; Tree::LEN]);

/// How many symbols.
const SYMBOLS: u32 = 256;

// Where what begins.
const LEFT: u32 = 1;
const SYMBOL: u32 = SYMBOLS;
const PLACE: u32 = 2 * SYMBOLS;

impl<'d> Tree<'d> {
    /// Length of a tree, u16.
    pub const LEN: usize = 3 * SYMBOLS as usize;

    /// Over a tree.
    pub fn new(tree: &'d [[u8; 2]; Tree::LEN]) -> Self {
        Self(tree)
    }

    /// Does it say that it has as many symbols?
    pub fn is_sound(self) -> bool {
        self.at(0) == SYMBOLS
    }

    fn at(self, index: u32) -> u32 {
        let word = self.0.get(index as usize);
        word.map_or(0, |word| u16::from_le_bytes(*word).into())
    }

    /// Codes one symbol: `decide(node, bit)` codes each decision on its way and returns the bit. On the reading
    /// end `symbol` is ignored.
    #[inline]
    pub fn code(self, symbol: u8, mut decide: impl FnMut(u32, bool) -> bool) -> u8 {
        let place = self.at(PLACE + u32::from(symbol));
        let (mut node, mut first, mut leaves) = (0, 0, SYMBOLS);
        while leaves > 1 {
            // Within bounds, so that a damaged table still ends.
            let left = self.at(LEFT + node).max(1).min(leaves - 1);
            if decide(node, place >= first + left) {
                node += left;
                first += left;
                leaves -= left;
            } else {
                node += 1;
                leaves = left;
            }
        }
        self.at(SYMBOL + first) as u8
    }
}

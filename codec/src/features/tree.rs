//! A Huffman tree: turns the choice of a symbol into few binary decisions, each with a node number of its own.
//! Refuses to know probabilities: the nodes get theirs from [`Features`](super::Features).

/// A tree of 2 to 65,535 symbols, borrowed from a table.
///
/// Layout, u16 little endian: `count`, then `left[count - 1]`: the number of leaves left of each node, nodes in
/// depth-first order; `symbol[count]`: the symbols from left to right; `place[count]`: where each symbol stands.
/// Symbols are the numbers below `count`. Any contents decode to something in bounds.
#[derive(Clone, Copy, Debug)]
pub struct Tree<'d> {
    count: u16,
    left: &'d [[u8; 2]],
    symbol: &'d [[u8; 2]],
    place: &'d [[u8; 2]],
}

impl<'d> Tree<'d> {
    /// Reads a tree from the start of `bytes`.
    pub fn new(bytes: &'d [u8]) -> Option<Self> {
        let (count, rest) = bytes.split_first_chunk()?;
        let count = u16::from_le_bytes(*count);
        if count < 2 {
            return None;
        }
        let leaves = usize::from(count);
        let (left, rest) = rest.split_at_checked(2 * (leaves - 1))?;
        let (symbol, rest) = rest.split_at_checked(2 * leaves)?;
        let (place, _) = rest.split_at_checked(2 * leaves)?;
        Some(Self {
            count,
            left: left.as_chunks().0,
            symbol: symbol.as_chunks().0,
            place: place.as_chunks().0,
        })
    }

    /// Length of the tree in octets.
    #[expect(clippy::len_without_is_empty, reason = "a tree is never empty")]
    pub fn len(&self) -> usize {
        2 + 2 * (self.left.len() + self.symbol.len() + self.place.len())
    }

    /// Number of symbols.
    pub fn symbols(&self) -> u16 {
        self.count
    }

    /// Codes one symbol: `decide(node, bit)` codes each decision on its way and returns the bit. On the reading
    /// end `symbol` is ignored.
    #[inline]
    pub fn code(&self, symbol: u16, mut decide: impl FnMut(u32, bool) -> bool) -> u16 {
        let place = u32::from(at(self.place, u32::from(symbol)));
        let (mut node, mut first, mut leaves) = (0, 0, u32::from(self.count));
        while leaves > 1 {
            // Clamped, so that a damaged table still ends.
            let left = u32::from(at(self.left, node)).clamp(1, leaves - 1);
            if decide(node, place >= first + left) {
                node += left;
                first += left;
                leaves -= left;
            } else {
                node += 1;
                leaves = left;
            }
        }
        at(self.symbol, first).min(self.count - 1)
    }
}

fn at(table: &[[u8; 2]], index: u32) -> u16 {
    table
        .get(index as usize)
        .map_or(0, |bytes| u16::from_le_bytes(*bytes))
}

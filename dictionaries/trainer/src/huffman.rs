//! Builds the trees the codec walks. Refuses to be clever about ties: the lower symbol goes first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The octets of a [`Tree`](longwire_codec::features::Tree) for symbols with these weights. A weight of 0 counts
/// as the least possible.
///
/// # Panics
/// If there are fewer than 2 or more than 65,535 symbols.
pub fn tree(weights: &[u64]) -> Vec<u8> {
    assert!((2..=65_535).contains(&weights.len()), "2 to 65,535 symbols");
    let mut children: Vec<(usize, usize)> = Vec::new();
    let mut heap: BinaryHeap<_> = weights
        .iter()
        .enumerate()
        .map(|(symbol, weight)| Reverse(((*weight).max(1), symbol)))
        .collect();
    while let (Some(Reverse((small, a))), Some(Reverse((large, b)))) = (heap.pop(), heap.pop()) {
        children.push((b, a));
        let id = weights.len() + children.len() - 1;
        if heap.is_empty() {
            return lay_out(weights.len(), &children, id);
        }
        heap.push(Reverse((small + large, id)));
    }
    unreachable!("two symbols or more always meet")
}

/// Writes the tree below `root` depth first. Ids below `count` are symbols, the rest index `children`.
fn lay_out(count: usize, children: &[(usize, usize)], root: usize) -> Vec<u8> {
    let mut leaves = vec![1u16; count];
    for (a, b) in children {
        leaves.push(leaves[*a] + leaves[*b]);
    }
    let mut left = Vec::new();
    let mut symbols = Vec::new();
    let mut stack = vec![root];
    while let Some(id) = stack.pop() {
        if id < count {
            symbols.push(id as u16);
        } else {
            let (a, b) = children[id - count];
            left.push(leaves[a]);
            stack.extend([b, a]);
        }
    }
    let mut places = vec![0u16; count];
    for (place, symbol) in symbols.iter().enumerate() {
        places[usize::from(*symbol)] = place as u16;
    }
    let words = [count as u16]
        .into_iter()
        .chain(left)
        .chain(symbols)
        .chain(places);
    words.flat_map(u16::to_le_bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use longwire_codec::features::Tree;

    #[test]
    fn every_symbol_comes_back_and_frequent_ones_are_short() {
        let weights: Vec<u64> = (0..256).map(|s| (s * s) % 97 * s).collect();
        let bytes = tree(&weights);
        let tree = Tree::new(bytes.as_chunks().0.as_array().expect("256 symbols"));
        assert!(tree.is_sound());
        let mut lengths = Vec::new();
        for symbol in 0..=255 {
            let mut path = Vec::new();
            tree.code(symbol, |node, bit| {
                path.push((node, bit));
                bit
            });
            lengths.push(path.len());
            let mut told = path.iter();
            let back = tree.code(0, |node, _| {
                let (at, bit) = told.next().expect("same length");
                assert_eq!(*at, node);
                *bit
            });
            assert_eq!(back, symbol);
        }
        let heaviest = (0..256).max_by_key(|s| weights[*s]).expect("not empty");
        assert_eq!(lengths[heaviest], *lengths.iter().min().expect("not empty"));
    }
}

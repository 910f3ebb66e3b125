//! Repeatable chance for tests: the same seed throws the same numbers everywhere. Refuses to be random.

/// The seeds a test plays: `usual`, or those that `LONGWIRE_SEEDS=FROM..TO` names, for a soak.
///
/// # Panics
/// If the variable is no such range.
pub fn seeds(usual: std::ops::Range<u64>) -> std::ops::Range<u64> {
    let Ok(named) = std::env::var("LONGWIRE_SEEDS") else {
        return usual;
    };
    let ends = named.split_once("..");
    let ends = ends.and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    ends.unwrap_or_else(|| panic!("LONGWIRE_SEEDS={named}: not FROM..TO"))
}

/// Marsaglia's xorshift, enough for mutations.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice that begin at `seed`, which is printed.
    pub fn new(seed: u64) -> Self {
        println!("dice of seed {seed}");
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `limit`, which is not zero.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) % limit as u64) as usize
    }

    /// Up to `len_max` octets of any value.
    pub fn bytes(&mut self, len_max: usize) -> Vec<u8> {
        let len = self.below(len_max + 1);
        (0..len).map(|_| self.below(256) as u8).collect()
    }

    /// Changes `bytes` in one to four places: a bit flipped, an octet set, a piece removed, doubled or
    /// cut off the end.
    pub fn mutate(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(4) {
            if bytes.is_empty() {
                return bytes.push(self.below(256) as u8);
            }
            let at = self.below(bytes.len());
            let end = (at + 1 + self.below(16)).min(bytes.len());
            match self.below(5) {
                0 => bytes[at] ^= 1 << self.below(8),
                1 => bytes[at] = self.below(256) as u8,
                2 => drop(bytes.drain(at..end)),
                3 => {
                    let piece = bytes[at..end].to_vec();
                    bytes.splice(at..at, piece);
                }
                _ => bytes.truncate(at),
            }
        }
    }
}

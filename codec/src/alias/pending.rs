//! Packets under way: written, neither acknowledged nor abandoned. Refuses to grow: beyond its size packets are
//! written without memory.

/// Most packets under way that may refer to what both ends remember.
pub const PENDING_MAX: usize = 64;

/// Numbers of packets under way that may refer to what both ends remember lie closer than this.
const SPREAD_MAX: u32 = 32;

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct Pending {
    numbers: [u32; PENDING_MAX],
    len: usize,
}

impl Pending {
    /// Nothing under way.
    pub const fn new() -> Self {
        Self {
            numbers: [0; PENDING_MAX],
            len: 0,
        }
    }

    /// The numbers.
    pub fn all(&self) -> &[u32] {
        &self.numbers[..self.len]
    }

    /// Is this packet under way?
    pub fn has(&self, number: u32) -> bool {
        self.all().contains(&number)
    }

    /// Is there room for one more?
    pub fn is_full(&self) -> bool {
        self.len == PENDING_MAX
    }

    /// Would a packet of this number lie too far ahead of the oldest under way?
    pub fn is_ahead(&self, number: u32) -> bool {
        self.all().iter().any(|n| number.abs_diff(*n) >= SPREAD_MAX)
    }

    /// A packet leaves. The caller has made sure there is room.
    pub fn add(&mut self, number: u32) {
        if let Some(place) = self.numbers.get_mut(self.len) {
            *place = number;
            self.len += 1;
        }
    }

    /// A packet was acknowledged or abandoned. False if it was not under way.
    pub fn remove(&mut self, number: u32) -> bool {
        let Some(at) = self.all().iter().position(|n| *n == number) else {
            return false;
        };
        self.len -= 1;
        self.numbers[at] = self.numbers[self.len];
        true
    }

    /// No packet under way is as old as `number`, so that none can refer to what only it and older ones did.
    pub fn is_past(&self, number: u32) -> bool {
        self.all().iter().all(|n| *n > number)
    }
}

impl Default for Pending {
    fn default() -> Self {
        Self::new()
    }
}

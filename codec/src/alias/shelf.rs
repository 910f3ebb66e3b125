//! A row of slots of equal size over borrowed octets: first the hashes of all of them, so that a search touches few
//! octets, then heads and contents. Refuses to know what lies in them.

/// Octets before the contents of each slot: state, note, length, packet, latest use.
const HEAD: usize = 12;
/// Octets of a hash.
const HASH: usize = 4;
/// Hashes compared at once.
const BLOCK: usize = 32;

/// What a slot is good for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// Nothing in it.
    Empty,
    /// Introduced by a packet that is not acknowledged yet.
    Pending,
    /// The peer has it.
    Known,
}

/// Number and size of the slots of a shelf.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Shape {
    /// How many slots.
    pub slots: u16,
    /// Octets each can hold.
    pub octets: u16,
}

impl Shape {
    /// No slots.
    pub const EMPTY: Self = Self {
        slots: 0,
        octets: 0,
    };

    /// Octets of storage the shelf takes.
    pub const fn len(self) -> usize {
        self.slots as usize * (HASH + HEAD + self.octets as usize)
    }

    /// True for a shelf without slots.
    pub const fn is_empty(self) -> bool {
        self.slots == 0
    }
}

/// A shelf to read.
#[derive(Clone, Copy, Debug)]
pub struct Shelf<'s> {
    shape: Shape,
    octets: &'s [u8],
}

fn word(octets: &[u8], at: usize) -> u32 {
    match octets.get(at..).and_then(|rest| rest.first_chunk()) {
        Some(bytes) => u32::from_le_bytes(*bytes),
        None => 0,
    }
}

impl<'s> Shelf<'s> {
    /// Over `octets`, at least `shape.len()` of them.
    pub fn new(shape: Shape, octets: &'s [u8]) -> Self {
        Self { shape, octets }
    }

    /// Number of slots.
    pub fn slots(&self) -> u16 {
        self.shape.slots
    }

    /// Octets a slot can hold.
    pub fn slot_octets(&self) -> usize {
        usize::from(self.shape.octets)
    }

    fn slot(&self, slot: u16) -> &'s [u8] {
        let size = HEAD + usize::from(self.shape.octets);
        let at = HASH * usize::from(self.shape.slots) + usize::from(slot) * size;
        self.octets.get(at..at + size).unwrap_or(&[])
    }

    /// State of a slot.
    pub fn state(&self, slot: u16) -> State {
        match self.slot(slot).first() {
            Some(1) => State::Pending,
            Some(2) => State::Known,
            _ => State::Empty,
        }
    }

    /// Free for the owner's use: one octet.
    pub fn note(&self, slot: u16) -> u8 {
        self.slot(slot).get(1).copied().unwrap_or(0)
    }

    /// Packet that introduced the contents.
    pub fn packet(&self, slot: u16) -> u32 {
        word(self.slot(slot), 4)
    }

    /// Latest packet that refers to the contents, or introduced them.
    pub fn used(&self, slot: u16) -> u32 {
        word(self.slot(slot), 8)
    }

    /// Hash the contents were put in with.
    pub fn hash(&self, slot: u16) -> u32 {
        if slot >= self.shape.slots {
            return 0;
        }
        word(self.octets, HASH * usize::from(slot))
    }

    /// Contents of a slot that is not empty.
    pub fn get(&self, slot: u16) -> Option<&'s [u8]> {
        let octets = self.slot(slot);
        let [state, _, l0, l1, ..] = *octets else {
            return None;
        };
        let len = usize::from(u16::from_le_bytes([l0, l1]));
        (state != 0).then(|| octets.get(HEAD..HEAD + len)).flatten()
    }

    /// The slots put in with this hash.
    pub fn with_hash(&self, hash: u32) -> impl Iterator<Item = u16> + use<'s> {
        let wanted = hash.to_le_bytes();
        let hashes = self.octets.get(..HASH * usize::from(self.shape.slots));
        // Block by block without a branch inside, so that a block costs a few vector instructions.
        let is_in = move |block: &[u8]| {
            let any = |found: bool, hash: &[u8]| found | (*hash == wanted);
            block.chunks_exact(HASH).fold(false, any)
        };
        let blocks = hashes.unwrap_or(&[]).chunks(HASH * BLOCK).enumerate();
        blocks
            .filter(move |(_, block)| is_in(block))
            .flat_map(move |(at, block)| {
                let hashes = block.chunks_exact(HASH).enumerate();
                let found = hashes.filter(move |(_, hash)| **hash == wanted);
                found.map(move |(within, _)| (at * BLOCK + within) as u16)
            })
    }
}

/// A shelf to write.
#[derive(Debug)]
pub struct ShelfMut<'s> {
    shape: Shape,
    octets: &'s mut [u8],
}

impl<'s> ShelfMut<'s> {
    /// Over `octets`, at least `shape.len()` of them.
    pub fn new(shape: Shape, octets: &'s mut [u8]) -> Self {
        Self { shape, octets }
    }

    /// The same shelf, to read.
    pub fn view(&self) -> Shelf<'_> {
        Shelf::new(self.shape, self.octets)
    }

    fn slot(&mut self, slot: u16) -> &mut [u8] {
        let size = HEAD + usize::from(self.shape.octets);
        let at = HASH * usize::from(self.shape.slots) + usize::from(slot) * size;
        self.octets.get_mut(at..at + size).unwrap_or(&mut [])
    }

    /// Puts `contents` into a slot; false if it is too long or there is no such slot.
    pub fn put(&mut self, slot: u16, entry: Entry<'_>) -> bool {
        let len = entry.contents.len();
        let octets = self.slot(slot);
        if octets.is_empty() || octets.len() < HEAD + len {
            return false;
        }
        octets[0] = match entry.state {
            State::Empty => 0,
            State::Pending => 1,
            State::Known => 2,
        };
        octets[1] = entry.note;
        octets[2..4].copy_from_slice(&(len as u16).to_le_bytes());
        octets[4..8].copy_from_slice(&entry.packet.to_le_bytes());
        octets[8..12].copy_from_slice(&entry.packet.to_le_bytes());
        octets[HEAD..HEAD + len].copy_from_slice(entry.contents);
        let at = HASH * usize::from(slot);
        if let Some(place) = self.octets.get_mut(at..at + HASH) {
            place.copy_from_slice(&entry.hash.to_le_bytes());
        }
        true
    }

    /// Changes the state of a slot.
    pub fn set_state(&mut self, slot: u16, state: State) {
        if let Some(octet) = self.slot(slot).first_mut() {
            *octet = match state {
                State::Empty => 0,
                State::Pending => 1,
                State::Known => 2,
            };
        }
    }

    /// Notes that `packet` refers to the slot.
    pub fn touch(&mut self, slot: u16, packet: u32) {
        if let Some(place) = self.slot(slot).get_mut(8..12) {
            place.copy_from_slice(&packet.to_le_bytes());
        }
    }

    /// The peer has what `packet` introduced.
    pub fn confirm(&mut self, packet: u32) {
        for slot in 0..self.shape.slots {
            let view = self.view();
            if view.state(slot) == State::Pending && view.packet(slot) == packet {
                self.set_state(slot, State::Known);
            }
        }
    }

    /// Whether the peer has what `packet` introduced will never be known.
    pub fn forget(&mut self, packet: u32) {
        for slot in 0..self.shape.slots {
            let view = self.view();
            if view.state(slot) == State::Pending && view.packet(slot) == packet {
                self.set_state(slot, State::Empty);
            }
        }
    }
}

/// What is put into a slot.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'e> {
    /// Known at once (reading end) or pending (writing end).
    pub state: State,
    /// The owner's octet.
    pub note: u8,
    /// The packet that introduces it.
    pub packet: u32,
    /// Hash to find it by.
    pub hash: u32,
    /// What it is.
    pub contents: &'e [u8],
}

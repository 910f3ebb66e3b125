//! A row of slots of equal size over borrowed octets: first the hashes of all of them, so that a search touches few
//! octets, then heads and contents. Refuses to know what lies in them.

use super::pending::Pending;
use crate::row::put;

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

    /// The first slot from `from` on that was put in with this hash.
    pub fn find(&self, hash: u32, from: u16) -> Option<u16> {
        let hashes = self.octets.get(..HASH * usize::from(self.shape.slots))?;
        let hashes = hashes.as_chunks::<HASH>().0.get(usize::from(from)..)?;
        let wanted = hash.to_le_bytes();
        for (at, block) in hashes.chunks(BLOCK).enumerate() {
            // Without a branch inside, so that a block costs a few vector instructions.
            if block
                .iter()
                .fold(false, |found, hash| found | (*hash == wanted))
            {
                let within = block.iter().position(|hash| *hash == wanted)?;
                return Some(from + (at * BLOCK + within) as u16);
            }
        }
        None
    }

    /// A slot to fill anew, none of those taken: an empty one, the first from `from` on, or of those no packet under way can
    /// refer to the one not used for longest.
    pub fn vacant(
        &self,
        pending: &Pending,
        from: u16,
        is_taken: &dyn Fn(u16) -> bool,
    ) -> Option<u16> {
        let mut oldest = None;
        let mut oldest_used = u32::MAX;
        let mut slot = from;
        for _ in 0..self.shape.slots {
            if slot >= self.shape.slots {
                slot = 0;
            }
            if !is_taken(slot) {
                let used = self.used(slot);
                match self.state(slot) {
                    State::Empty => return Some(slot),
                    State::Known if pending.is_past(used) && used < oldest_used => {
                        (oldest, oldest_used) = (Some(slot), used);
                    }
                    _ => {}
                }
            }
            slot += 1;
        }
        oldest
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
    pub fn put(&mut self, slot: u16, entry: &Entry<'_>) -> bool {
        let len = entry.contents.len();
        let Some((head, room)) = self.slot(slot).split_first_chunk_mut::<HEAD>() else {
            return false;
        };
        if !put(room, entry.contents) {
            return false;
        }
        let [l0, l1] = (len as u16).to_le_bytes();
        let [p0, p1, p2, p3] = entry.packet.to_le_bytes();
        let state = entry.state as u8;
        *head = [state, entry.note, l0, l1, p0, p1, p2, p3, p0, p1, p2, p3];
        let hashes = self.octets.as_chunks_mut().0;
        if let Some(place) = hashes.get_mut(usize::from(slot)) {
            *place = entry.hash.to_le_bytes();
        }
        true
    }

    /// Notes that `packet` refers to the slot.
    pub fn touch(&mut self, slot: u16, packet: u32) {
        if let Some(place) = self.slot(slot).get_mut(8..12) {
            place.copy_from_slice(&packet.to_le_bytes());
        }
    }

    /// Slots in state `from` get into state `to`; all, or those `packet` introduced.
    pub fn turn(&mut self, from: State, to: State, packet: Option<u32>) {
        for slot in 0..self.shape.slots {
            let slot = self.slot(slot);
            let is_meant = packet.is_none_or(|packet| word(slot, 4) == packet);
            match slot.first_mut() {
                Some(state) if is_meant && *state == from as u8 => *state = to as u8,
                _ => {}
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

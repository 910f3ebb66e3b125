//! The segments at hand, in the caller's storage. Refuses to know who sent them or who wants them.
//!
//! A slot is its state, a note, and the row the code works on: the length of the segment in two bytes, big endian, the
//! segment, zeros. A parity slot has no length: its row is the parity itself. Behind the slots lies room for one frame.

use super::GroupConfig;
use super::field::{ROWS_MAX, add_scaled, coefficient, inverse, product};

/// Bytes of a slot before its row.
pub(super) const SLOT_HEAD_LEN: usize = 2;
/// Bytes of the length at the start of a row.
pub(super) const ROW_HEAD_LEN: usize = 2;

/// What is known of a segment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum State {
    /// Nothing.
    Missing,
    /// It is here.
    Held,
    /// It is here, and is to be sent once more, or was surfaced.
    Marked,
    /// It was never made: the block ended before it.
    Void,
    /// It was parity and gave back a data segment.
    Spent,
}

/// The storage, and where in a block a segment lies.
#[derive(Debug)]
pub(super) struct Slots<B> {
    data: u32,
    block: u32,
    count: u32,
    row_len: usize,
    storage: B,
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Slots<B> {
    /// `None` if the storage is too small. The configuration was checked.
    pub(super) fn new(config: &GroupConfig, storage: B) -> Option<Self> {
        if storage.as_ref().len() < config.storage_len() {
            return None;
        }
        let mut slots = Self {
            data: config.data.into(),
            block: u32::from(config.data) + u32::from(config.parity),
            count: config.window.into(),
            row_len: ROW_HEAD_LEN + config.segment_len(),
            storage,
        };
        slots.clear();
        Some(slots)
    }

    /// How many segments there is room for.
    pub(super) const fn count(&self) -> u32 {
        self.count
    }

    /// Segments of a block, parity included.
    pub(super) const fn block(&self) -> u32 {
        self.block
    }

    /// Where a segment lies in its block.
    pub(super) const fn place(&self, sequence: u32) -> u32 {
        sequence % self.block
    }

    /// The first segment of the block.
    pub(super) const fn block_start(&self, sequence: u32) -> u32 {
        sequence - self.place(sequence)
    }

    /// The first segment of the block's parity.
    pub(super) const fn parity_start(&self, sequence: u32) -> u32 {
        self.block_start(sequence) + self.data
    }

    /// Whether the segment carries a packet rather than parity.
    pub(super) const fn is_data(&self, sequence: u32) -> bool {
        self.place(sequence) < self.data
    }

    fn offset(&self, sequence: u32) -> usize {
        (sequence % self.count) as usize * (SLOT_HEAD_LEN + self.row_len)
    }

    fn slot(&self, sequence: u32) -> &[u8] {
        let at = self.offset(sequence);
        &self.storage.as_ref()[at..at + SLOT_HEAD_LEN + self.row_len]
    }

    fn slot_mut(&mut self, sequence: u32) -> &mut [u8] {
        let at = self.offset(sequence);
        &mut self.storage.as_mut()[at..at + SLOT_HEAD_LEN + self.row_len]
    }

    fn row_mut(&mut self, sequence: u32) -> &mut [u8] {
        &mut self.slot_mut(sequence)[SLOT_HEAD_LEN..]
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        (0..self.count).for_each(|sequence| self.forget(sequence));
    }

    /// Makes the slot ready for another segment.
    pub(super) fn forget(&mut self, sequence: u32) {
        self.slot_mut(sequence).fill(0);
    }

    /// What is known of the segment.
    pub(super) fn state(&self, sequence: u32) -> State {
        match self.slot(sequence)[0] {
            0 => State::Missing,
            1 => State::Held,
            2 => State::Marked,
            3 => State::Void,
            _ => State::Spent,
        }
    }

    /// Notes what is known of the segment.
    pub(super) fn set_state(&mut self, sequence: u32, state: State) {
        self.slot_mut(sequence)[0] = match state {
            State::Missing => 0,
            State::Held => 1,
            State::Marked => 2,
            State::Void => 3,
            State::Spent => 4,
        };
    }

    /// A number kept with the segment.
    pub(super) fn note(&self, sequence: u32) -> u8 {
        self.slot(sequence)[1]
    }

    /// Keeps a number with the segment.
    pub(super) fn set_note(&mut self, sequence: u32, note: u8) {
        self.slot_mut(sequence)[1] = note;
    }

    /// The data segment; empty if it is not here.
    pub(super) fn segment(&self, sequence: u32) -> &[u8] {
        let (head, bytes) = self.slot(sequence)[SLOT_HEAD_LEN..].split_at(ROW_HEAD_LEN);
        let len = usize::from(u16::from_be_bytes([head[0], head[1]]));
        bytes.get(..len).unwrap_or(&[])
    }

    /// Room for a data segment of `len` bytes, at most the segment length, which from now on is held.
    pub(super) fn hold(&mut self, sequence: u32, len: usize) -> &mut [u8] {
        self.set_state(sequence, State::Held);
        let row = self.row_mut(sequence);
        let (head, bytes) = row.split_at_mut(ROW_HEAD_LEN);
        head.copy_from_slice(&u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes());
        &mut bytes[..len]
    }

    /// Room for one frame.
    pub(super) fn scratch(&mut self) -> &mut [u8] {
        let at = self.count as usize * (SLOT_HEAD_LEN + self.row_len);
        &mut self.storage.as_mut()[at..]
    }

    /// Holds the data segment, or with `is_parity` the row, that lies in the scratch room.
    pub(super) fn hold_scratch(&mut self, sequence: u32, from: usize, to: usize, is_parity: bool) {
        let head = if is_parity { 0 } else { ROW_HEAD_LEN };
        if is_parity {
            self.set_state(sequence, State::Held);
        } else {
            self.hold(sequence, to - from);
        }
        let scratch = self.count as usize * (SLOT_HEAD_LEN + self.row_len);
        let at = self.offset(sequence) + SLOT_HEAD_LEN + head;
        let bytes = self.storage.as_mut();
        bytes.copy_within(scratch + from..scratch + to, at);
    }

    fn is_here(&self, sequence: u32) -> bool {
        matches!(self.state(sequence), State::Held | State::Marked)
    }

    /// Writes the parity row of segment `sequence` into `row`, as long as its longest data row. Gives that length.
    pub(super) fn parity(&self, sequence: u32, row: &mut [u8]) -> Option<usize> {
        let start = self.block_start(sequence);
        let here = || (start..start + self.data).filter(|at| self.is_here(*at));
        let longest = here().map(|at| self.segment(at).len()).max()?;
        let row = row.get_mut(..ROW_HEAD_LEN + longest)?;
        row.fill(0);
        let parity = octet(self.place(sequence) - self.data);
        for at in here() {
            let factor = coefficient(parity, octet(self.place(at)));
            add_scaled(row, &self.slot(at)[SLOT_HEAD_LEN..], factor);
        }
        Some(row.len())
    }

    fn add_row(&mut self, to: u32, from: u32, factor: u8) {
        let len = SLOT_HEAD_LEN + self.row_len;
        let (to, from) = (self.offset(to), self.offset(from));
        let (low, high) = self.storage.as_mut().split_at_mut(to.max(from));
        let (sum, row) = if to < from {
            (&mut low[to..to + len], &high[..len])
        } else {
            (&mut high[..len], &low[from..from + len])
        };
        add_scaled(&mut sum[SLOT_HEAD_LEN..], &row[SLOT_HEAD_LEN..], factor);
    }

    /// Gives back the missing data segments of the block at `start`, if its parity suffices. Gives their number.
    pub(super) fn recover(&mut self, start: u32) -> u32 {
        let (mut holes, mut hole_count) = ([0; ROWS_MAX], 0);
        let (mut rows, mut row_count) = ([0; ROWS_MAX], 0);
        for at in start..start + self.block {
            match self.state(at) {
                State::Missing if self.is_data(at) => {
                    holes[hole_count] = at;
                    hole_count += 1;
                }
                State::Held if !self.is_data(at) => {
                    rows[row_count] = at;
                    row_count += 1;
                }
                _ => {}
            }
        }
        if hole_count == 0 || hole_count > row_count {
            return 0;
        }
        let (holes, rows) = (&holes[..hole_count], &rows[..hole_count]);
        self.solve(start, holes, rows);
        for (hole, row) in holes.iter().zip(rows) {
            let (from, to) = (self.offset(*row), self.offset(*hole));
            let len = SLOT_HEAD_LEN + self.row_len;
            let bytes = self.storage.as_mut();
            bytes.copy_within(from + SLOT_HEAD_LEN..from + len, to + SLOT_HEAD_LEN);
            self.set_state(*hole, State::Held);
            self.set_state(*row, State::Spent);
        }
        hole_count as u32
    }

    /// Turns the parity `rows` into the data rows that are missing, in the same order.
    fn solve(&mut self, start: u32, holes: &[u32], rows: &[u32]) {
        // No more holes than data, no more rows than parity: at most half of a block each.
        let mut matrix = [[0u8; ROWS_MAX / 2]; ROWS_MAX / 2];
        let count = holes.len();
        for (row, line) in rows.iter().zip(&mut matrix) {
            let parity = octet(self.place(*row) - self.data);
            for at in start..start + self.data {
                if self.is_here(at) {
                    self.add_row(*row, at, coefficient(parity, octet(self.place(at))));
                }
            }
            for (hole, cell) in holes.iter().zip(line) {
                *cell = coefficient(parity, octet(self.place(*hole)));
            }
        }
        // No leading part of a Cauchy matrix is singular, so the pivot is never 0.
        for pivot in 0..count {
            let factor = inverse(matrix[pivot][pivot]);
            let scale = |octet: &mut u8| *octet = product(*octet, factor);
            matrix[pivot].iter_mut().for_each(scale);
            self.row_mut(rows[pivot]).iter_mut().for_each(scale);
            let line = matrix[pivot];
            for other in (0..count).filter(|other| *other != pivot) {
                let factor = matrix[other][pivot];
                add_scaled(&mut matrix[other], &line, factor);
                self.add_row(rows[other], rows[pivot], factor);
            }
        }
    }
}

/// A place in a block, which is below 32.
fn octet(place: u32) -> u8 {
    place.to_le_bytes()[0]
}

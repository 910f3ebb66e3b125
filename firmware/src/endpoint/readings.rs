//! What a board measured, as base reads it: the kinds of value that XEP-0323 has, each with its name, and the time they
//! were taken at. Refuses history: the newest value of each name.

/// A measured value, for the command `read`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Reading<'r> {
    /// What was measured, such as `temperature`.
    pub name: &'r str,
    /// How much.
    pub value: Value<'r>,
    /// Unit, such as `Cel` (UCUM), or empty.
    pub unit: &'r str,
}

/// A value, by kind.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Value<'r> {
    /// A number, in thousandths of the unit.
    Milli(i32),
    /// Any text.
    Text(&'r str),
    /// Yes or no.
    Switch(bool),
    /// One of a few words.
    Choice(&'r str),
    /// A number, in 1e-7 degree.
    Degrees(i32),
    /// A moment, in seconds since 1970.
    Time(u32),
}

/// Readings a board can offer.
pub const READINGS_MAX: usize = 8;

/// The newest of each name.
#[derive(Clone, Copy, Debug, Default)]
pub struct Readings<'r> {
    pub(crate) slots: [Option<Reading<'r>>; READINGS_MAX],
    /// When they were taken, seconds since 1970; 0: nobody knows.
    pub(crate) at_s: u32,
}

impl<'r> Readings<'r> {
    /// Replaces the reading of this name, or adds it; one too many is left out.
    pub(super) fn set(&mut self, reading: Reading<'r>) {
        let same = |slot: &Option<Reading<'_>>| slot.is_none_or(|old| old.name == reading.name);
        if let Some(slot) = self.slots.iter_mut().find(|slot| same(slot)) {
            *slot = Some(reading);
        }
    }
}

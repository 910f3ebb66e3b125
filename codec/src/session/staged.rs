//! What a packet introduces and refers to, collected during the walk. Refuses to grow: what does not fit is simply
//! not remembered, and both ends see alike that it does not.

use crate::alias::ids::ORDINALS;

/// Strings one packet can introduce.
const STRINGS_MAX: usize = 24;
/// Slots one packet can refer to.
const TOUCHED_MAX: usize = 48;

/// Where an id of the packet comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Origin {
    /// Introduced here, and made up by the far end.
    MadeUp,
    /// Introduced here.
    Crossed,
    /// Another packet's.
    Elsewhere,
}

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Staged<'a> {
    strings: [(u16, &'a str); STRINGS_MAX],
    string_count: usize,
    ids: [(&'a str, Origin); ORDINALS as usize],
    id_count: usize,
    touched: [u16; TOUCHED_MAX],
    touched_count: usize,
    body: Option<&'a str>,
}

impl<'a> Staged<'a> {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self {
            strings: [(0, ""); STRINGS_MAX],
            string_count: 0,
            ids: [("", Origin::Elsewhere); ORDINALS as usize],
            id_count: 0,
            touched: [0; TOUCHED_MAX],
            touched_count: 0,
            body: None,
        }
    }

    /// The strings introduced, each with its slot.
    pub(crate) fn strings(&self) -> &[(u16, &'a str)] {
        &self.strings[..self.string_count]
    }

    /// The slot after the last string introduced; 0 if there is none.
    pub(crate) fn next_string(&self) -> u16 {
        let last = self.strings().last();
        last.map_or(0, |(slot, _)| slot.saturating_add(1))
    }

    /// Room for another string?
    pub(crate) fn has_string_room(&self) -> bool {
        self.string_count < STRINGS_MAX
    }

    /// Adds a string; the caller has made sure there is room.
    pub(crate) fn add_string(&mut self, slot: u16, text: &'a str) {
        if let Some(place) = self.strings.get_mut(self.string_count) {
            *place = (slot, text);
            self.string_count += 1;
        }
    }

    /// The ids of the packet.
    pub(crate) fn ids(&self) -> &[(&'a str, Origin)] {
        &self.ids[..self.id_count]
    }

    /// Room for another id?
    pub(crate) fn has_id_room(&self) -> bool {
        self.id_count < ORDINALS as usize
    }

    /// The ordinal the next id will have.
    pub(crate) fn next_ordinal(&self) -> u8 {
        self.id_count as u8
    }

    /// Adds an id if there is room.
    pub(crate) fn add_id(&mut self, id: &'a str, origin: Origin) {
        if let Some(place) = self.ids.get_mut(self.id_count) {
            *place = (id, origin);
            self.id_count += 1;
        }
    }

    /// The id numbered `ordinal`.
    pub(crate) fn id(&self, ordinal: u8) -> Option<&'a str> {
        self.ids().get(usize::from(ordinal)).map(|(id, _)| *id)
    }

    /// Ordinal of `id`.
    pub(crate) fn find_id(&self, id: &str) -> Option<u8> {
        let at = self.ids().iter().position(|(other, _)| *other == id);
        at.map(|at| at as u8)
    }

    /// The body of the message.
    pub(crate) fn body(&self) -> Option<&'a str> {
        self.body
    }

    /// Notes the body; the first one counts.
    pub(crate) fn note_body(&mut self, body: &'a str) {
        self.body.get_or_insert(body);
    }

    /// The slots referred to.
    pub(crate) fn touched(&self) -> &[u16] {
        &self.touched[..self.touched_count]
    }

    /// Room for another reference?
    pub(crate) fn has_touch_room(&self) -> bool {
        self.touched_count < TOUCHED_MAX
    }

    /// Adds a reference.
    pub(crate) fn touch(&mut self, slot: u16) {
        if self.touched().contains(&slot) {
            return;
        }
        if let Some(place) = self.touched.get_mut(self.touched_count) {
            *place = slot;
            self.touched_count += 1;
        }
    }
}

impl Default for Staged<'_> {
    fn default() -> Self {
        Self::new()
    }
}

//! What a packet introduces and refers to, collected during the walk. Refuses to grow: what does not fit is simply
//! not remembered, and both ends see alike that it does not.

use crate::alias::bodies;
use crate::alias::ids::ORDINALS;
use crate::alias::recent::Use;
use crate::row::Row;

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
// The small parts first, as in a row.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Staged<'a> {
    /// Written without memory: it counts on no other packet, and none on it.
    pub(crate) stands_alone: bool,
    /// See [`super::Options::again`].
    pub(crate) is_again: bool,
    /// What later packets are told of this one.
    pub(crate) packet: Use,
    /// The template used.
    pub(crate) template: Option<u16>,
    /// The slot of the template to keep, which lies in the scratch space, and its octets.
    pub(crate) stored: Option<(u16, usize)>,
    /// See [`super::choose::Sketch`].
    pub(crate) root: u32,
    body: Option<&'a str>,
    ids: Row<(Option<&'a str>, Origin), { ORDINALS as usize }>,
    strings: Row<(u16, Option<&'a str>), STRINGS_MAX>,
    touched: Row<u16, TOUCHED_MAX>,
}

impl<'a> Staged<'a> {
    /// Nothing yet.
    pub(crate) const NOTHING: Self = Self {
        stands_alone: false,
        is_again: false,
        packet: Use::NOTHING,
        template: None,
        stored: None,
        root: 0,
        body: None,
        ids: Row::new((None, Origin::MadeUp)),
        strings: Row::new((0, None)),
        touched: Row::new(0),
    };

    /// The strings introduced, each with its slot.
    pub(crate) fn strings(&self) -> &[(u16, Option<&'a str>)] {
        self.strings.all()
    }

    /// The slot after the last string introduced; 0 if there is none.
    pub(crate) fn next_string(&self) -> u16 {
        let last = self.strings().last();
        last.map_or(0, |(slot, _)| slot.saturating_add(1))
    }

    /// Room for another string?
    pub(crate) fn has_string_room(&self) -> bool {
        self.strings.has_room()
    }

    /// Adds a string; the caller has made sure there is room.
    pub(crate) fn add_string(&mut self, slot: u16, text: &'a str) {
        self.strings.push((slot, Some(text)));
    }

    /// The ids of the packet.
    pub(crate) fn ids(&self) -> &[(Option<&'a str>, Origin)] {
        self.ids.all()
    }

    /// Room for another id?
    pub(crate) fn has_id_room(&self) -> bool {
        self.ids.has_room()
    }

    /// The ordinal the next id will have.
    pub(crate) fn next_ordinal(&self) -> u8 {
        self.ids().len() as u8
    }

    /// Adds an id if there is room.
    // On a board a call is smaller.
    #[cfg_attr(target_os = "none", inline(never))]
    pub(crate) fn add_id(&mut self, id: &'a str, origin: Origin) {
        self.ids.push((Some(id), origin));
    }

    /// The id numbered `ordinal`.
    pub(crate) fn id(&self, ordinal: u8) -> Option<&'a str> {
        self.ids().get(usize::from(ordinal))?.0
    }

    /// Ordinal of `id`.
    pub(crate) fn find_id(&self, id: &str) -> Option<u8> {
        let at = self.ids().iter().position(|(other, _)| *other == Some(id));
        at.map(|at| at as u8)
    }

    /// The body of the message.
    pub(crate) fn body(&self) -> Option<&'a str> {
        self.body.filter(|_| bodies::ARE_KEPT)
    }

    /// Notes the body; the first one counts.
    pub(crate) fn note_body(&mut self, body: &'a str) {
        if bodies::ARE_KEPT {
            self.body.get_or_insert(body);
        }
    }

    /// The slots referred to.
    pub(crate) fn touched(&self) -> &[u16] {
        self.touched.all()
    }

    fn has_touched(&self, slot: u16) -> bool {
        for touched in self.touched() {
            if *touched == slot {
                return true;
            }
        }
        false
    }

    /// Is a slot referred to, or one of a string introduced?
    pub(crate) fn is_taken(&self, slot: u16) -> bool {
        self.has_touched(slot) || self.strings().iter().any(|(taken, _)| *taken == slot)
    }

    /// Room for another reference?
    pub(crate) fn has_touch_room(&self) -> bool {
        self.touched.has_room()
    }

    /// Adds a reference.
    pub(crate) fn touch(&mut self, slot: u16) {
        if !self.has_touched(slot) {
            self.touched.push(slot);
        }
    }
}

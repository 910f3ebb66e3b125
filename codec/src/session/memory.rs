//! Where in the caller's storage each shelf lies. Refuses to know what is on them.

use super::{Profile, Stored};
use crate::alias::shelf::{Entry, Shape, Shelf, ShelfMut, State};

/// Whose packets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Direction {
    /// This end's.
    Sent,
    /// The other end's.
    Received,
}

impl Direction {
    /// This end's, if `sent`.
    pub(crate) fn of(sent: bool) -> Self {
        if sent { Self::Sent } else { Self::Received }
    }

    /// The other one.
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Sent => Self::Received,
            Self::Received => Self::Sent,
        }
    }
}

/// What a shelf holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Area {
    /// See [`Profile::strings`].
    Strings,
    /// See [`Profile::ids`].
    Ids,
    /// See [`Profile::templates`].
    Templates,
    /// See [`Profile::bodies`].
    Bodies,
}

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    profile: Profile,
}

/// What one packet may refer to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shelves<'s> {
    /// Strings the peer of the writing end has.
    pub(crate) strings: Shelf<'s>,
    /// Templates it has.
    pub(crate) templates: Shelf<'s>,
    /// Ids in packets of the writing end.
    pub(crate) writer_ids: Shelf<'s>,
    /// Ids in packets of the reading end.
    pub(crate) reader_ids: Shelf<'s>,
    /// Bodies in packets of the writing end.
    pub(crate) writer_bodies: Shelf<'s>,
    /// Bodies in packets of the reading end.
    pub(crate) reader_bodies: Shelf<'s>,
}

impl Layout {
    pub(crate) fn new(profile: Profile) -> Self {
        Self { profile }
    }

    fn place(&self, direction: Direction, area: Area) -> (usize, Shape) {
        let Profile {
            strings,
            ids,
            templates,
            bodies,
        } = self.profile;
        let half = strings.len() + ids.len() + templates.len() + bodies.len();
        let start = match direction {
            Direction::Sent => 0,
            Direction::Received => half,
        };
        match area {
            Area::Strings => (start, strings),
            Area::Ids => (start + strings.len(), ids),
            Area::Templates => (start + strings.len() + ids.len(), templates),
            Area::Bodies => (start + half - bodies.len(), bodies),
        }
    }

    pub(crate) fn shelf<'s>(
        &self,
        storage: &'s [u8],
        direction: Direction,
        area: Area,
    ) -> Shelf<'s> {
        let (at, shape) = self.place(direction, area);
        Shelf::new(shape, storage.get(at..at + shape.len()).unwrap_or(&[]))
    }

    pub(crate) fn shelf_mut<'s>(
        &self,
        storage: &'s mut [u8],
        direction: Direction,
        area: Area,
    ) -> ShelfMut<'s> {
        let (at, shape) = self.place(direction, area);
        ShelfMut::new(
            shape,
            storage.get_mut(at..at + shape.len()).unwrap_or(&mut []),
        )
    }

    /// The shelves one packet of `direction` needs, and scratch space for a template. Without `memory` strings and
    /// templates are empty.
    pub(crate) fn shelves<'s>(
        &self,
        storage: &'s mut [u8],
        direction: Direction,
        memory: bool,
    ) -> (Shelves<'s>, &'s mut [u8]) {
        let shelves_len = self.profile.storage_len() - usize::from(self.profile.templates.octets);
        let (octets, scratch) = storage.split_at_mut(shelves_len.min(storage.len()));
        let octets: &'s [u8] = octets;
        let known: &'s [u8] = if memory { octets } else { &[] };
        let shelves = Shelves {
            strings: self.shelf(known, direction, Area::Strings),
            templates: self.shelf(known, direction, Area::Templates),
            writer_ids: self.shelf(octets, direction, Area::Ids),
            reader_ids: self.shelf(octets, direction.other(), Area::Ids),
            writer_bodies: self.shelf(octets, direction, Area::Bodies),
            reader_bodies: self.shelf(octets, direction.other(), Area::Bodies),
        };
        (shelves, scratch)
    }

    /// Moves a template from the scratch space to its slot.
    pub(crate) fn store_template(
        &self,
        storage: &mut [u8],
        direction: Direction,
        state: State,
        number: u32,
        stored: Stored,
    ) {
        let shelves_len = self.profile.storage_len() - usize::from(self.profile.templates.octets);
        let (shelves, scratch) = storage.split_at_mut(shelves_len.min(storage.len()));
        let contents = scratch.get(..stored.len).unwrap_or(&[]);
        self.shelf_mut(shelves, direction, Area::Templates).put(
            stored.slot,
            Entry {
                state,
                note: 0,
                packet: number,
                hash: stored.root,
                contents,
            },
        );
    }

    pub(crate) fn touch_template(&self, storage: &mut [u8], slot: u16, number: u32) {
        self.shelf_mut(storage, Direction::Sent, Area::Templates)
            .touch(slot, number);
    }
}

//! Where in the caller's storage each shelf lies. Refuses to know what is on them.

use super::Profile;
use crate::alias::shelf::{Shape, Shelf, ShelfMut};

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
        Self::of(self == Self::Received)
    }
}

/// What a shelf holds; in this order they lie in the storage, of each direction in turn.
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

impl Area {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Strings, Self::Ids, Self::Templates, Self::Bodies];
}

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    /// Of each area.
    shapes: [Shape; Area::ALL.len()],
}

impl Layout {
    pub(crate) fn new(profile: Profile) -> Self {
        let Profile {
            strings,
            ids,
            templates,
            bodies,
        } = profile;
        Self {
            shapes: [strings, ids, templates, bodies],
        }
    }

    /// Where the shelf lies that has so many before it.
    fn start(&self, before: usize) -> usize {
        let shape = |n| self.shapes[n % self.shapes.len()];
        (0..before).fold(0, |at, n| at + shape(n).len())
    }

    fn place(&self, direction: Direction, area: Area) -> (usize, Shape) {
        let before = direction as usize * self.shapes.len() + area as usize;
        let shape = self.shapes[before % self.shapes.len()];
        (self.start(before), shape)
    }

    pub(crate) fn shelf<'s>(
        &self,
        storage: &'s [u8],
        direction: Direction,
        area: Area,
    ) -> Shelf<'s> {
        let (at, shape) = self.place(direction, area);
        Shelf::new(shape, storage.get(at..).unwrap_or(&[]))
    }

    pub(crate) fn shelf_mut<'s>(
        &self,
        storage: &'s mut [u8],
        direction: Direction,
        area: Area,
    ) -> ShelfMut<'s> {
        let (at, shape) = self.place(direction, area);
        ShelfMut::new(shape, storage.get_mut(at..).unwrap_or(&mut []))
    }

    /// The octets of all shelves, and scratch space for a template.
    pub(crate) fn split<'s>(&self, storage: &'s mut [u8]) -> (&'s mut [u8], &'s mut [u8]) {
        let len = self.start(2 * self.shapes.len());
        storage.split_at_mut(len.min(storage.len()))
    }
}

/// What one packet may refer to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shelves<'s> {
    pub(crate) layout: &'s Layout,
    pub(crate) octets: &'s [u8],
    pub(crate) writer: Direction,
}

impl<'s> Shelves<'s> {
    /// Of the writing end, or of the reading end.
    pub(crate) fn end(&self, of_writer: bool) -> Direction {
        Direction::of(of_writer == (self.writer == Direction::Sent))
    }

    fn shelf(&self, of_writer: bool, area: Area) -> Shelf<'s> {
        self.layout.shelf(self.octets, self.end(of_writer), area)
    }

    /// Strings the peer of the writing end has.
    pub(crate) fn strings(&self) -> Shelf<'s> {
        self.shelf(true, Area::Strings)
    }

    /// Templates it has.
    pub(crate) fn templates(&self) -> Shelf<'s> {
        self.shelf(true, Area::Templates)
    }

    /// Ids in packets of the writing end, or of the reading end.
    pub(crate) fn ids(&self, of_writer: bool) -> Shelf<'s> {
        self.shelf(of_writer, Area::Ids)
    }

    /// Bodies in packets of the writing end, or of the reading end.
    pub(crate) fn bodies(&self, of_writer: bool) -> Shelf<'s> {
        self.shelf(of_writer, Area::Bodies)
    }
}

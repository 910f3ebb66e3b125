//! How much both ends remember. Refuses to be negotiated here: the two ends agree on it before the first packet.

use crate::alias::shelf::Shape;
use core::fmt;

/// Sizes of what both ends remember.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Profile {
    /// Strings: JIDs, hashes, occupant ids.
    pub strings: Shape,
    /// Ids of stanzas.
    pub ids: Shape,
    /// Earlier stanzas that later ones resemble.
    pub templates: Shape,
    /// Bodies of messages that replies may quote; none without feature `large`.
    pub bodies: Shape,
}

impl Profile {
    /// For hosts: about 1 MB, of which an idle link touches almost none.
    #[cfg(feature = "large")]
    pub const HOST: Self = Self {
        strings: Shape {
            slots: 1024,
            octets: 96,
        },
        ids: Shape {
            slots: 2048,
            octets: 64,
        },
        templates: Shape {
            slots: 128,
            octets: 2048,
        },
        bodies: Shape {
            slots: 192,
            octets: 320,
        },
    };

    /// For microcontrollers: under 8 KB.
    pub const BOARD: Self = Self {
        strings: Shape {
            slots: 20,
            octets: 48,
        },
        ids: Shape {
            slots: 16,
            octets: 40,
        },
        templates: Shape {
            slots: 6,
            octets: 264,
        },
        bodies: Shape::EMPTY,
    };

    /// Octets of storage a session of this profile needs.
    pub const fn storage_len(&self) -> usize {
        2 * (self.strings.len() + self.ids.len() + self.templates.len() + self.bodies.len())
            + self.templates.octets as usize
    }
}

/// The storage does not hold the profile.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct StorageTooSmall {
    /// Octets needed.
    pub needed: usize,
}

impl fmt::Display for StorageTooSmall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "storage too small, {} octets needed", self.needed)
    }
}

impl core::error::Error for StorageTooSmall {}

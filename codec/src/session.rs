//! One end of a link as the stanza codec sees it: what both ends remember, and packets written and read by it.
//! Refuses to deliver: the link does, and says which packets arrived.
//!
//! Methods: `encode` and `decode`; `acknowledge`, `abandon` and `reset` for what the link says; `remember` to bring
//! ids back after a restart. A packet refers only to what acknowledged packets introduced, so any packet can be
//! read whichever others are lost or late. After an error both ends are as they were before.

pub(crate) mod choose;
pub(crate) mod cross;
pub(crate) mod memory;
mod nodes;
pub mod profile;
pub(crate) mod staged;
pub mod walk;

pub use profile::{Profile, StorageTooSmall};
pub use walk::What;

use crate::alias::pending::Pending;
use crate::alias::recent::{self, Recent};
use crate::alias::shelf::{Entry, State};
use crate::alias::{bodies, ids};
use crate::dictionary::Dictionary;
use crate::features::Features;
use crate::link::PacketNumber;
use crate::row::Row;
use crate::structure::lexicon::hash;
use crate::text::TextModel;
use memory::{Area, Direction, Layout};
use staged::{Origin, Staged};

/// Policy for ids of messages, presences and iqs.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Ids {
    /// They do not cross; the far end makes up its own and maps references back, both ways.
    #[default]
    Short,
    /// They cross octet for octet, once; later references are short all the same.
    Preserve,
}

/// How one stanza is to be written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Options {
    /// What becomes of ids.
    pub ids: Ids,
    /// The number was given to this stanza before a restart or reset of either end. The peer may have the packet from
    /// then and drop this one unread, so this one must introduce nothing that later packets refer to.
    pub again: bool,
}

/// Longest tag of made-up ids.
pub const TAG_MAX: usize = 8;

/// See the module. `S` is the storage: `Vec<u8>`, an array, or a `&'static mut [u8]` of at least
/// [`Profile::storage_len`] octets. Both ends of a link use the same dictionary and profile.
// The small parts first, as in a row.
#[derive(Debug)]
#[repr(C)]
pub struct Session<'d, S> {
    pub(crate) dictionary: &'d Dictionary<'d>,
    pub(crate) features: Option<Features<'d>>,
    pub(crate) text: Option<TextModel<'d>>,
    pub(crate) layout: Layout,
    pub(crate) storage: S,
    pub(crate) ends: Ends,
    /// The latest packets sent, and received.
    pub(crate) recent: [Recent; 2],
}

/// Where the two ends are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends {
    /// Packets under way.
    pub(crate) pending: Pending,
    /// Of packets sent, of packets received: the highest number.
    pub(crate) latest: [u32; 2],
    /// Where the next id goes of those sent, of those received.
    pub(crate) next_ids: [u16; 2],
    /// Tag of ids made up at this end.
    pub(crate) tag: Row<u8, TAG_MAX>,
}

impl<'d, S: AsRef<[u8]> + AsMut<[u8]>> Session<'d, S> {
    /// A session that remembers nothing yet. The storage must be all zeros: it is not written here, so that on a host
    /// the pages of an idle link need not exist.
    ///
    /// # Errors
    /// If the storage does not hold the profile.
    pub fn new(
        dictionary: &'d Dictionary<'d>,
        profile: Profile,
        storage: S,
    ) -> Result<Self, StorageTooSmall> {
        let needed = profile.storage_len();
        if storage.as_ref().len() < needed {
            return Err(StorageTooSmall { needed });
        }
        Ok(Self::with(dictionary, profile, storage))
    }

    /// The same where the storage is known to hold the profile: a board has it made where it is to stay.
    #[inline(always)]
    pub fn with(dictionary: &'d Dictionary<'d>, profile: Profile, storage: S) -> Self {
        Self {
            dictionary,
            features: Features::new(dictionary.structure),
            text: TextModel::new(dictionary.text),
            layout: Layout::new(profile),
            storage,
            ends: Ends {
                pending: Pending::new(),
                latest: [0; 2],
                next_ids: [0; 2],
                tag: Row::new(0),
            },
            recent: const { [Recent::new(), Recent::new()] },
        }
    }

    /// Sets the tag of ids made up at this end: letters that tell this link's ids from another's. At most
    /// [`TAG_MAX`] of them, ASCII letters and digits only; other characters are left out. Never crosses the air.
    #[must_use]
    pub fn with_tag(mut self, tag: &str) -> Self {
        self.ends.tag = Row::new(0);
        let letters = tag.bytes().filter(u8::is_ascii_alphanumeric);
        letters.for_each(|octet| self.ends.tag.push(octet));
        self
    }

    /// The dictionary both ends use.
    pub fn dictionary(&self) -> &'d Dictionary<'d> {
        self.dictionary
    }

    /// The peer has custody of packet `number`, so it has what the packet introduced.
    pub fn acknowledge(&mut self, number: PacketNumber) {
        self.settle(number.get(), true);
    }

    /// Packet `number` will never be delivered, or it is not known whether it was.
    pub fn abandon(&mut self, number: PacketNumber) {
        self.settle(number.get(), false);
    }

    fn settle(&mut self, number: u32, known: bool) {
        if !self.ends.pending.remove(number) {
            return;
        }
        self.recent[Direction::Sent as usize].settle(number, known);
        let to = if known { State::Known } else { State::Empty };
        for area in &Area::ALL {
            // An id that may have crossed is still answered.
            if known || *area != Area::Ids {
                let storage = self.storage.as_mut();
                let mut shelf = self.layout.shelf_mut(storage, Direction::Sent, *area);
                shelf.turn(State::Pending, to, Some(number));
            }
        }
    }

    /// The other end is in its run number `epoch`. Unless that is 1, its first, it may have read packets under way in an
    /// earlier one, and not remember what it acknowledges of them.
    pub fn doubt(&mut self, epoch: u32) {
        if epoch <= 1 {
            return;
        }
        while let Some(number) = self.ends.pending.oldest() {
            self.abandon(PacketNumber::new(number));
        }
    }

    /// The peers have agreed to start afresh: strings and templates are forgotten at both ends, and so is which ids
    /// the peer has seen. What ids stood for is kept, so that references to older packets still find them.
    pub fn reset(&mut self) {
        self.reset_end(Direction::Sent);
        self.reset_end(Direction::Received);
        self.ends.pending = Pending::new();
        let [sent, received] = &mut self.recent;
        sent.doubt();
        received.clear();
    }

    fn reset_end(&mut self, direction: Direction) {
        for area in &Area::ALL {
            let storage = self.storage.as_mut();
            let mut shelf = self.layout.shelf_mut(storage, direction, *area);
            if *area != Area::Ids {
                shelf.turn(State::Known, State::Empty, None);
                shelf.turn(State::Pending, State::Empty, None);
            } else if direction == Direction::Sent {
                shelf.turn(State::Known, State::Pending, None);
            }
        }
    }

    /// Brings back how far both directions had got before a restart: the highest number given to a packet of this end,
    /// and the highest received. Without it an id made up in an earlier run is not known as one.
    pub fn resume(&mut self, sent: Option<PacketNumber>, received: Option<PacketNumber>) {
        self.note_latest(Direction::Sent, sent.map_or(0, PacketNumber::get));
        self.note_latest(Direction::Received, received.map_or(0, PacketNumber::get));
    }

    /// Brings back an id from before a restart: packet `number`, sent by this end or received, carried `id` as its
    /// `ordinal`th; 0 is the stanza's own. Call in the order of the packets.
    pub fn remember(&mut self, sent: bool, number: PacketNumber, ordinal: u8, id: &str) {
        let direction = Direction::of(sent);
        self.note_latest(direction, number.get());
        // What the peer sent, it knows; which of this end's ids it has seen is no longer certain.
        let state = if sent { State::Pending } else { State::Known };
        self.keep_id(
            direction,
            &ids::entry(state, number.get(), ordinal, id, sent),
        );
    }

    fn note_latest(&mut self, direction: Direction, number: u32) {
        let latest = &mut self.ends.latest[direction as usize];
        *latest = (*latest).max(number);
    }

    fn keep_id(&mut self, direction: Direction, entry: &Entry<'_>) {
        let next = &mut self.ends.next_ids[direction as usize];
        let storage = self.storage.as_mut();
        let mut shelf = self.layout.shelf_mut(storage, direction, Area::Ids);
        if shelf.put(*next, entry) {
            *next = (*next + 1) % shelf.view().slots().max(1);
        }
    }

    /// The id that packet `number`, sent by this end or received, carried as its `ordinal`th.
    pub fn id(&self, sent: bool, number: PacketNumber, ordinal: u8) -> Option<&str> {
        let direction = Direction::of(sent);
        let shelf = self
            .layout
            .shelf(self.storage.as_ref(), direction, Area::Ids);
        ids::lookup(shelf, number.get(), ordinal)
    }

    /// Keeps what a packet introduced.
    pub(crate) fn commit(&mut self, direction: Direction, number: u32, staged: &Staged<'_>) {
        self.note_latest(direction, number);
        let is_sent = direction == Direction::Sent;
        let (state, packet_state) = match (is_sent, staged.stands_alone) {
            (false, _) => (State::Known, recent::State::Known),
            (true, false) => (State::Pending, recent::State::Pending),
            // Others must not count on this one; but its ids are still answered.
            (true, true) => (State::Pending, recent::State::Doubtful),
        };
        self.recent[direction as usize].add(number, &staged.packet, packet_state);
        if staged.is_again {
            return;
        }
        if is_sent && !staged.stands_alone {
            self.ends.pending.add(number);
        }
        for (ordinal, (id, origin)) in staged.ids().iter().enumerate() {
            // What the other end left to this one to make up can be made up again.
            let made_up = *origin == Origin::MadeUp;
            if *origin != Origin::Elsewhere && (is_sent || !made_up) {
                let id = id.unwrap_or("");
                let entry = ids::entry(state, number, ordinal as u8, id, made_up);
                self.keep_id(direction, &entry);
            }
        }
        let (octets, scratch) = self.layout.split(self.storage.as_mut());
        let mut entry = Entry {
            state,
            note: 0,
            packet: number,
            hash: 0,
            contents: &[],
        };
        if let Some(body) = staged.body() {
            let mut shelf = self.layout.shelf_mut(octets, direction, Area::Bodies);
            bodies::keep(&mut shelf, entry, body);
        }
        let mut shelf = self.layout.shelf_mut(octets, direction, Area::Strings);
        for slot in staged.touched() {
            shelf.touch(*slot, number);
        }
        for (slot, text) in staged.strings() {
            let text = text.unwrap_or("");
            entry.hash = hash(text);
            entry.contents = text.as_bytes();
            shelf.put(*slot, &entry);
        }
        let mut shelf = self.layout.shelf_mut(octets, direction, Area::Templates);
        if let Some(slot) = staged.template {
            shelf.touch(slot, number);
        }
        if let Some((slot, len)) = staged.stored {
            entry.hash = staged.root;
            entry.contents = scratch.get(..len).unwrap_or(&[]);
            shelf.put(slot, &entry);
        }
    }
}

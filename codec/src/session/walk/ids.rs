//! Ids on the walk: found, referred to, made up. Refuses to tell whose they are in XMPP; a packet and an ordinal name
//! each of them.

use super::{Job, Scribe, Walk};
use crate::alias::ids::{self, IdRef, MINTED_MAX};
use crate::dictionary;
use crate::session::staged::Origin;
use crate::structure::{Label, Room, flag, signed, tree};
use crate::value::token::{CAPITAL, DIGIT, SIGN, alphabets};
use crate::value::{Fault, uuid};

const OWN: Label = Label::new(Room::Ids, 1);
const DISTANCE: Label = Label::new(Room::Ids, 3);
const ORDINAL: Label = Label::new(Room::Ids, 4);
const OTHER: Label = Label::new(Room::Ids, 5);
const AGAIN: Label = Label::new(Room::Ids, 6);
const NEAR: Label = Label::new(Room::Ids, 7);
const DELTA: Label = Label::new(Room::Ids, 2);

impl<'w, 'a, D: Scribe> Walk<'w, 'a, D> {
    /// The packet and ordinal that name `text`.
    pub(super) fn find_reference(&self, text: &str) -> Option<IdRef> {
        let memory = &self.memory;
        if let Some((number, ordinal)) = memory.find_id(true, text)
            && number != self.number
        {
            return Some(IdRef {
                own: true,
                number,
                ordinal,
            });
        }
        let made_up = if memory.short_ids {
            ids::unmint(memory.tag(), text)
        } else {
            None
        };
        let (number, ordinal) = made_up.or_else(|| memory.find_id(false, text))?;
        (number <= memory.reader_latest()).then_some(IdRef {
            own: false,
            number,
            ordinal,
        })
    }

    /// Codes a reference; returns the id it stands for at this end. Whether the packet is the writer's goes to `job`.
    pub(super) fn reference(&mut self, job: &mut Job<'w, 'a>) -> &'a str {
        let given = self.find_reference(job.given).unwrap_or_default();
        let (own, number) = self.referred_packet(job, given);
        job.number = own.into();
        let ordinal = tree(self.d, &job.contexts, ORDINAL, 3, given.ordinal.into()) as u8;
        let text = match ids::lookup(self.memory.shelves.ids(own), number, ordinal) {
            Some(id) => self.settle(job.given, id.as_bytes()),
            None => self.mint(job.given, number, ordinal),
        };
        self.staged.add_id(text, Origin::Elsewhere);
        text
    }

    /// Codes which packet is referred to, and whether it is one of the writing end.
    pub(super) fn referred_packet(&mut self, job: &Job<'w, 'a>, given: IdRef) -> (bool, u32) {
        if let Some((own, number)) = self.referred {
            let same = (given.own, given.number) == (own, number);
            if flag(self.d, &job.contexts, AGAIN, same) {
                return (own, number);
            }
        }
        let own = flag(self.d, &job.contexts, OWN, given.own);
        let number = self.numbered(job, own, given.number);
        self.referred = Some((own, number));
        (own, number)
    }

    /// A packet is named by how far it is from the one referred to last, in this stanza or in a packet this one counts
    /// on; from number 0 if there is none; or, one of the writer's own, from this one. Both ends know these whatever is
    /// lost, late or under way, and however far either has got meanwhile, so nothing is left to guess.
    fn numbered(&mut self, job: &Job<'w, 'a>, own: bool, target: u32) -> u32 {
        let mut contexts = job.contexts;
        for kind in self.next.kinds {
            contexts.add(&[job.at.place, kind]);
        }
        let mark = self.staged.packet.marks.packets[usize::from(!own)];
        let distance = self.number.abs_diff(target);
        let near = target.abs_diff(mark) < distance.div_ceil(2);
        let from_mark = !own || flag(self.d, &contexts, NEAR, near);
        let (base, label) = match (own, from_mark) {
            (false, _) => (mark, OTHER),
            (true, true) => (mark, DELTA),
            (true, false) => (self.number, DISTANCE),
        };
        let change = target.wrapping_sub(base).cast_signed();
        let change = signed(self.d, &contexts, label, change);
        let number = base.wrapping_add_signed(change);
        self.staged.packet.marks.packets[usize::from(!own)] = number;
        number
    }

    /// An id that does not cross: at the far end, one is made up.
    pub(super) fn new_id(&mut self, given: &'a str) -> &'a str {
        if !self.staged.has_id_room() {
            self.fail(Fault::Malformed);
        }
        let text = self.mint(given, self.number, self.staged.next_ordinal());
        self.staged.add_id(text, Origin::MadeUp);
        text
    }

    fn mint(&mut self, given: &'a str, number: u32, ordinal: u8) -> &'a str {
        let mut out = [0; MINTED_MAX];
        let id = ids::mint(self.memory.tag(), number, ordinal, &mut out);
        self.settle(given, id)
    }
}

/// May the far end make up its own? Ids that no word or address would be taken for, where nobody reads anything into them;
/// those of items only if they look like chance: UUIDs, and the 24 characters of base64url of a pubsub service (Prosody).
/// Others cross as they are, so that nothing that equals one is changed.
pub(super) fn is_made_up(kind: dictionary::Kind, text: &str) -> bool {
    let (mut digit, mut capital, mut sign) = (false, false, false);
    for octet in text.bytes() {
        match alphabets(octet) {
            0 if octet != b':' => return false,
            0 | SIGN => sign = true,
            DIGIT => digit = true,
            other => capital |= other & CAPITAL > 0,
        }
    }
    let len = text.len();
    match kind {
        dictionary::Kind::Opaque => len >= 10 || digit,
        dictionary::Kind::Item => {
            len == 24 && digit && capital && !sign || uuid::Form::of(text).is_some()
        }
        _ => false,
    }
}

/// Is `text`, which crossed, remembered as the id of a packet and not as a string? Both ends must agree.
pub(super) fn is_packet_id(kind: dictionary::Kind, text: &str) -> bool {
    kind.is_id() && (kind != dictionary::Kind::Item || is_made_up(kind, text))
}

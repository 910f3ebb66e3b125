//! The latest packets: which template each used or became, and its kind and addresses, so that the next packet can
//! name its template by how conversations go. Refuses to count on packets the peer may not have: the writing end
//! says over which run of packets it counts, all of them acknowledged.

use crate::features::{Decide, mix};
use crate::row::Row;
use crate::structure::{
    Contexts, Label, Room, flag, number as code_number, recipe, slot as code_slot,
};
use crate::value::Fault;

/// Packets before this one that are looked at.
const WINDOW: u32 = 32;
/// Packets kept: late ones must not push out those a packet still under way counts on.
const KEPT: usize = 2 * WINDOW as usize;
/// Templates offered before the slot is named outright.
const OFFERS: usize = 14;
/// [`Next::choice`], in eighths, of a template named outright.
const CHOICE_FAR: u32 = 6;
/// No packets: the last is before the first.
const NO_RUN: (u32, u32) = (1, 0);

const ALL: Label = Label::new(Room::Recent, 1);
const ANY: Label = Label::new(Room::Recent, 2);
const BACK: Label = Label::new(Room::Recent, 3);
const WHOLE: Label = Label::new(Room::Recent, 4);
const RUN: Label = Label::new(Room::Recent, 5);
const USED: Label = Label::new(Room::Recent, 6);
const OFFER: Label = Label::new(Room::Recent, 7);
const SLOT: Label = Label::new(Room::Recent, 8);

/// What is known of a packet.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum State {
    /// Nothing.
    #[default]
    Absent,
    /// It is under way.
    Pending,
    /// The other end has it; on the reading end, read.
    Known,
    /// Perhaps the other end has it.
    Doubtful,
}

/// What is kept of a packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Use {
    /// What it leaves for later packets to count from.
    pub marks: Marks,
    /// Root, type and children, hashed.
    pub kind: u32,
    /// How often the places had been used up, low bits: nobody skips 256 times all of them.
    lap: u8,
    /// By how much the run it counted on began later than `WINDOW` packets before it; 0 without one, for then the next is
    /// whole.
    pub short: u8,
    /// The slot after that of the template used, or become; 0 without one.
    after: u16,
    /// The slot after the last string it introduced; 0 if none.
    pub strings: u16,
    /// Bare JIDs, hashed.
    pub from: u16,
    /// See `from`.
    pub to: u16,
    state: State,
    /// An address in it differed from the template's.
    pub fresh: bool,
}

/// What values are counted from: the latest there were, in a packet or in those before it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Marks {
    /// The writing end's packet referred to, and the reading end's.
    pub packets: [u32; 2],
    /// Date and time in seconds since 1970, 0 if there was none.
    pub clock: u32,
}

impl Use {
    /// No packet.
    pub const NOTHING: Self = Self {
        marks: Marks {
            packets: [0; 2],
            clock: 0,
        },
        kind: 0,
        lap: 0,
        short: 0,
        after: 0,
        strings: 0,
        from: 0,
        to: 0,
        state: State::Absent,
        fresh: false,
    };

    /// Notes the slot of the template used, or become.
    pub fn set_slot(&mut self, slot: Option<u16>) {
        self.after = slot.map_or(0, |slot| slot.saturating_add(1));
    }

    /// How the addresses of two packets stand to each other.
    fn relation(&self, other: &Self) -> u32 {
        u32::from(self.from == other.from)
            | u32::from(self.to == other.to) << 1
            | u32::from(self.from == other.to) << 2
            | u32::from(self.to == other.from) << 3
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Recent {
    kept: [Use; KEPT],
}

impl Default for Recent {
    fn default() -> Self {
        Self::new()
    }
}

/// A template on offer.
#[derive(Clone, Copy)]
struct Offer {
    /// The latest packet that used it.
    number: u32,
    /// See [`Use::after`].
    after: u16,
    /// How many packets ago that was.
    ago: u8,
    /// How many used it.
    often: u8,
}

impl Offer {
    const NONE: Self = Self {
        number: 0,
        after: 0,
        ago: 0,
        often: 0,
    };
}

/// Templates on offer, the latest first.
struct Offers<'r, 'n> {
    list: Row<Offer, OFFERS>,
    last: &'r Use,
    last2: &'r Use,
    /// Kinds of the latest three.
    kinds: u32,
    next: &'n mut Next,
}

/// What the packets of the run let expect of the next one.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Next {
    /// The template used.
    pub used: Option<u16>,
    /// The slot of a new template if slots are filled in their order.
    pub template: u16,
    /// The same for a string.
    pub string: u16,
    /// Of the latest packet.
    pub marks: Marks,
    /// Kind of the latest packet, and with it of the one before.
    pub kinds: [u32; 2],
    /// How far the writer went to find the template, 0 without one, and how many of the latest four packets had a
    /// fresh address.
    pub choice: u32,
    /// See [`Use::short`].
    pub short: u8,
}

impl Recent {
    /// Nothing yet.
    // Made where it is to stay: a copy would lie on the stack of a board.
    #[inline(always)]
    pub const fn new() -> Self {
        Self {
            kept: [Use::NOTHING; KEPT],
        }
    }

    /// Nothing any more.
    pub fn clear(&mut self) {
        self.kept.fill(Use::NOTHING);
    }

    // On a board a call is smaller.
    #[cfg_attr(target_os = "none", inline(never))]
    fn get(&self, number: u32) -> &Use {
        let kept = &self.kept[number as usize % KEPT];
        if kept.lap == lap(number) {
            kept
        } else {
            &Use::NOTHING
        }
    }

    /// The peers start afresh: of earlier packets the other end may have read some after it did.
    pub fn doubt(&mut self) {
        for kept in &mut self.kept {
            if kept.state != State::Absent {
                kept.state = State::Doubtful;
            }
        }
    }

    /// Adds a packet.
    pub fn add(&mut self, number: u32, packet: &Use, state: State) {
        let kept = &mut self.kept[number as usize % KEPT];
        *kept = *packet;
        kept.lap = lap(number);
        kept.state = state;
    }

    /// The other end has the packet, or it is not known whether it has.
    pub fn settle(&mut self, number: u32, known: bool) {
        let kept = &mut self.kept[number as usize % KEPT];
        if kept.lap == lap(number) && kept.state == State::Pending {
            kept.state = if known { State::Known } else { State::Doubtful };
        }
    }

    /// The run of packets before `number` the other end is sure to have, as long as possible and as late as possible:
    /// first and last.
    fn run(&self, number: u32) -> (u32, u32) {
        let (mut first, mut last) = NO_RUN;
        for n in (number.saturating_sub(WINDOW)..number).rev() {
            let begun = first <= last;
            match self.get(n).state {
                State::Known if !begun => (first, last) = (n, n),
                State::Known | State::Absent if begun => first = n,
                _ if begun => break,
                _ => {}
            }
        }
        (first, last)
    }

    /// Where a run up to `last` begins as a rule: where that of `last` did. So a gap has its price once.
    fn usual_first(&self, number: u32, last: u32) -> u32 {
        let first = (last + u32::from(self.get(last).short)).saturating_sub(WINDOW);
        first.max(number.saturating_sub(WINDOW))
    }

    /// Codes the run of packets that is counted on.
    fn code_run<D: Decide>(&self, d: &mut D, number: u32, run: (u32, u32)) -> Option<(u32, u32)> {
        let (mut first, last) = run;
        let start = number.saturating_sub(WINDOW);
        let end = number.saturating_sub(1);
        let contexts = Contexts::one(number.min(4));
        if first <= last {
            first = first.max(self.usual_first(number, last));
        }
        let usual = (self.usual_first(number, end), end);
        if flag(d, &contexts, ALL, (first, last) == usual) {
            return Some(usual);
        }
        if !flag(d, &contexts, ANY, first <= last) {
            return Some(NO_RUN);
        }
        let back = code_number(d, &contexts, BACK, end.saturating_sub(last));
        let last = end.checked_sub(back)?;
        let usual = self.usual_first(number, last);
        if flag(d, &contexts, WHOLE, first == usual) {
            return Some((usual, last));
        }
        let len = code_number(d, &contexts, RUN, last.saturating_sub(first));
        let first = last.checked_sub(len)?;
        (first >= start).then_some((first, last))
    }

    fn offer<'r>(&'r self, first: u32, last: u32, offers: &mut Offers<'r, '_>) {
        let mut seen = 0;
        for n in (first..last + 1).rev() {
            let packet = self.get(n);
            if packet.state == State::Absent {
                continue;
            }
            match seen {
                0 => offers.last = packet,
                1 => offers.last2 = packet,
                _ => {}
            }
            if seen < 3 {
                offers.kinds = mix(offers.kinds, packet.kind);
            }
            let next = &mut *offers.next;
            next.choice += u32::from(seen < 4 && packet.fresh);
            next.string = next.string.max(packet.strings);
            if packet.after > 0 {
                next.template = next.template.max(packet.after);
                offers.add(n, packet.after, seen);
            }
            seen += 1;
        }
        let (last, last2) = (offers.last, offers.last2);
        offers.next.marks = last.marks;
        offers.next.kinds = [last.kind, mix(last.kind, last2.kind)];
    }

    /// Codes which template packet `number` uses; `given` is the one to write. What to expect of the packet goes to
    /// `next`, which is as by default.
    ///
    /// # Errors
    /// If no packet is written like this, or it counts on one this end lacks.
    // Apart: what is on offer need not lie on a board's stack while the stanza is walked.
    #[inline(never)]
    pub fn code<D: Decide>(
        &self,
        d: &mut D,
        number: u32,
        given: Option<u16>,
        writing: bool,
        next: &mut Next,
    ) -> Result<(), Fault> {
        let run = if writing { self.run(number) } else { NO_RUN };
        let (first, last) = self.code_run(d, number, run).ok_or(Fault::Malformed)?;
        let mut offers = Offers {
            list: const { Row::new(Offer::NONE) },
            last: &Use::NOTHING,
            last2: &Use::NOTHING,
            kinds: 0,
            next,
        };
        if first <= last {
            // A reader that lacks it started again: it would read something else than was written.
            if self.get(last).state == State::Absent {
                return Err(Fault::Unknown);
            }
            self.offer(first, last, &mut offers);
            offers.next.short = (first + WINDOW - number) as u8;
        }
        let len = offers.list.all().len() as u32;
        let values = [offers.last.kind, len, offers.last2.kind];
        if !flag(
            d,
            &Contexts::of(&values, recipe!("a b ac")),
            USED,
            given.is_some(),
        ) {
            return Ok(());
        }
        let mut choice = 0;
        for offer in offers.list.all() {
            let contexts = offers.contexts(choice, offer, self.get(offer.number));
            choice += 1;
            let slot = offer.after.wrapping_sub(1);
            if flag(d, &contexts, OFFER, given == Some(slot)) {
                offers.next.used = Some(slot);
                break;
            }
        }
        choice = choice.min(CHOICE_FAR - 1);
        if offers.next.used.is_none() {
            let slot = code_slot(d, &Contexts::new(), SLOT, given.unwrap_or(0));
            offers.next.used = Some(slot);
            choice = CHOICE_FAR;
        }
        offers.next.choice += 8 * choice;
        Ok(())
    }
}

fn lap(number: u32) -> u8 {
    (number / KEPT as u32) as u8
}

impl Offers<'_, '_> {
    /// A template packet `number` used.
    fn add(&mut self, number: u32, after: u16, seen: u8) {
        for offer in self.list.all_mut() {
            if offer.after == after {
                offer.often += 1;
                return;
            }
        }
        self.list.push(Offer {
            number,
            after,
            ago: seen,
            often: 1,
        });
    }

    /// Contexts of "this one"; `packet` is the one that used it.
    fn contexts(&self, at: u32, offer: &Offer, packet: &Use) -> Contexts {
        let relation = self.last.relation(packet);
        let more = self.list.all().len() as u32 - at;
        let values = [
            at,
            packet.kind,
            relation,
            self.last.kind,
            self.last2.kind,
            relation + 16 * self.last2.relation(packet),
            at.min(4),
            self.next.kinds[1],
            self.kinds,
            more.min(4),
            u32::from(offer.often.min(6)),
            u32::from(offer.ago.min(12)),
        ];
        Contexts::of(&values, recipe!("a b ac db dbc debf gbc ha ibc jb jck lck"))
    }
}

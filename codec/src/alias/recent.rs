//! The latest packets: which template each used or became, and its kind and addresses, so that the next packet can
//! name its template by how conversations go. Refuses to count on packets the peer may not have: the writing end
//! says over which run of packets it counts, all of them acknowledged.

use crate::features::mix;
use crate::row::Row;
use crate::structure::{Contexts, flag, number as code_number};
use crate::value::Fault;

use crate::features::Decide;

/// Packets before this one that are looked at.
const WINDOW: u32 = 32;
/// Packets kept: late ones must not push out those a packet still under way counts on.
const KEPT: usize = 2 * WINDOW as usize;
/// Templates offered before the slot is named outright.
const OFFERS: usize = 14;
/// [`Next::choice`], in eighths, of a template named outright.
const CHOICE_FAR: u32 = 6;
/// Slot of a packet without template.
const NO_SLOT: u16 = u16::MAX;

const ALL: u32 = 0x0001_5265;
const ANY: u32 = 0x0002_5265;
const BACK: u32 = 0x0003_5265;
const WHOLE: u32 = 0x0004_5265;
const RUN: u32 = 0x0005_5265;
const USED: u32 = 0x0006_5265;
const OFFER: u32 = 0x0007_5265;
const SLOT: u32 = 0x0008_5265;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// Nothing known of this number.
    Absent,
    /// Under way.
    Pending,
    /// The other end has it; on the reading end, read.
    Known,
    /// Perhaps the other end has it.
    Doubtful,
}

/// What is kept of a packet.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Use {
    /// Template used, or become.
    pub slot: Option<u16>,
    /// Root, type and children, hashed.
    pub kind: u32,
    /// The slot after the last string it introduced; 0 if none.
    pub strings: u16,
    /// Bare JIDs, hashed.
    pub from: u16,
    /// See `from`.
    pub to: u16,
    /// What it leaves for later packets to count from.
    pub marks: Marks,
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

#[derive(Clone, Copy, Debug)]
struct Kept {
    marks: Marks,
    kind: u32,
    /// The low bits: those of two packets in one place differ by a multiple of [`KEPT`], and nobody skips 1,024 of those.
    number: u16,
    slot: u16,
    strings: u16,
    from: u16,
    to: u16,
    state: State,
    fresh: bool,
}

impl Kept {
    /// No packet.
    const NOTHING: Self = Self {
        marks: Marks {
            packets: [0; 2],
            clock: 0,
        },
        kind: 0,
        number: 0,
        slot: 0,
        strings: 0,
        from: 0,
        to: 0,
        state: State::Absent,
        fresh: false,
    };
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Recent {
    kept: [Kept; KEPT],
}

impl Default for Recent {
    fn default() -> Self {
        Self::new()
    }
}

/// Templates on offer, the latest first.
struct Offers<'r> {
    list: Row<&'r Kept, OFFERS>,
    /// How many packets ago each was used last, and how often.
    uses: [[u8; 2]; OFFERS],
    last: &'r Kept,
    last2: &'r Kept,
    /// Kinds of the latest three.
    kinds: u32,
    next: Next,
}

/// What the packets of the run let expect of the next one.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Next {
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
}

impl Recent {
    /// Nothing yet.
    // Made where it is to stay: a copy would lie on the stack of a board.
    #[inline(always)]
    pub const fn new() -> Self {
        Self {
            kept: [Kept::NOTHING; KEPT],
        }
    }

    /// Nothing any more.
    pub fn clear(&mut self) {
        self.kept.fill(Kept::NOTHING);
    }

    fn get(&self, number: u32) -> Option<&Kept> {
        let kept = &self.kept[number as usize % KEPT];
        (kept.number == number as u16 && kept.state != State::Absent).then_some(kept)
    }

    /// Adds a packet: read, or under way.
    pub fn add(&mut self, number: u32, packet: Use, read: bool) {
        self.kept[number as usize % KEPT] = Kept {
            number: number as u16,
            kind: packet.kind,
            marks: packet.marks,
            fresh: packet.fresh,
            slot: packet.slot.unwrap_or(NO_SLOT),
            strings: packet.strings,
            from: packet.from,
            to: packet.to,
            state: if read { State::Known } else { State::Pending },
        };
    }

    /// The other end has the packet, or it is not known whether it has.
    pub fn settle(&mut self, number: u32, known: bool) {
        let kept = &mut self.kept[number as usize % KEPT];
        if kept.number == number as u16 && kept.state == State::Pending {
            kept.state = if known { State::Known } else { State::Doubtful };
        }
    }

    /// The run of packets before `number` the other end is sure to have, as long as possible and as late as possible:
    /// first and last.
    fn run(&self, number: u32) -> Option<(u32, u32)> {
        let mut run = None;
        for n in (number.saturating_sub(WINDOW)..number).rev() {
            run = match (self.get(n), run) {
                (Some(kept), _) if kept.state != State::Known => {
                    if run.is_some() {
                        break;
                    }
                    None
                }
                (Some(_), None) => Some((n, n)),
                (_, run) => run.map(|(_, last)| (n, last)),
            };
        }
        run
    }

    fn offers(&self, first: u32, last: u32) -> Offers<'_> {
        let mut offers = Offers {
            list: Row::new(&Kept::NOTHING),
            uses: [[0; 2]; OFFERS],
            last: &Kept::NOTHING,
            last2: &Kept::NOTHING,
            kinds: 0,
            next: Next::default(),
        };
        let mut seen = 0;
        for n in (first..last + 1).rev() {
            let Some(kept) = self.get(n) else {
                continue;
            };
            match seen {
                0 => offers.last = kept,
                1 => offers.last2 = kept,
                _ => {}
            }
            if seen < 3 {
                offers.kinds = mix(offers.kinds, kept.kind);
            }
            let next = &mut offers.next;
            next.choice += u32::from(seen < 4 && kept.fresh);
            next.string = next.string.max(kept.strings);
            if kept.slot != NO_SLOT {
                next.template = next.template.max(kept.slot.saturating_add(1));
                let known = offers.list.all().iter().position(|o| o.slot == kept.slot);
                let at = known.unwrap_or(offers.list.all().len());
                if known.is_none() {
                    offers.list.push(kept);
                }
                if let Some([ago, often]) = offers.uses.get_mut(at) {
                    *often += 1;
                    if known.is_none() {
                        *ago = seen as u8;
                    }
                }
            }
            seen += 1;
        }
        offers.next.marks = offers.last.marks;
        offers.next.kinds = [offers.last.kind, mix(offers.last.kind, offers.last2.kind)];
        offers
    }

    /// Codes which template packet `number` uses; `given` is the one to write. Also tells which slots come next.
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
    ) -> Result<(Option<u16>, Next), Fault> {
        let run = if writing { self.run(number) } else { None };
        let (first, last) = code_run(d, number, run).ok_or(Fault::Malformed)?;
        // A reader that lacks it started again: it would read something else than was written.
        if first <= last {
            self.get(last).ok_or(Fault::Unknown)?;
        }
        let mut offers = self.offers(first, last);
        let mut contexts = Contexts::new();
        contexts.add(&[offers.last.kind]);
        contexts.add(&[offers.list.all().len() as u32]);
        contexts.add(&[offers.last.kind, offers.last2.kind]);
        if !flag(d, &contexts, USED, given.is_some()) {
            return Ok((None, offers.next));
        }
        let mut found = None;
        for (offer, choice) in offers.list.all().iter().zip(1..) {
            let contexts = offers.contexts(choice - 1, offer);
            if flag(d, &contexts, OFFER, given == Some(offer.slot)) {
                found = Some((offer.slot, choice.min(CHOICE_FAR - 1)));
                break;
            }
        }
        let (slot, choice) = match found {
            Some(found) => found,
            None => {
                let given = u32::from(given.unwrap_or(0));
                let slot = code_number(d, &Contexts::new(), SLOT, given);
                let slot = u16::try_from(slot).map_err(|_| Fault::Malformed)?;
                (slot, CHOICE_FAR)
            }
        };
        offers.next.choice += 8 * choice;
        Ok((Some(slot), offers.next))
    }
}

/// Codes the run of packets that is counted on: first and last, the last before the first if there is none.
fn code_run<D: Decide>(d: &mut D, number: u32, run: Option<(u32, u32)>) -> Option<(u32, u32)> {
    let start = number.saturating_sub(WINDOW);
    let end = number.saturating_sub(1);
    let mut contexts = Contexts::new();
    contexts.add(&[number.min(4)]);
    if flag(d, &contexts, ALL, run == Some((start, end))) {
        return Some((start, end));
    }
    if !flag(d, &contexts, ANY, run.is_some()) {
        return Some((1, 0));
    }
    let (first, last) = run.unwrap_or((start, end));
    let back = code_number(d, &contexts, BACK, end - last.min(end));
    let last = end.checked_sub(back)?;
    if flag(d, &contexts, WHOLE, first == start) {
        return Some((start, last));
    }
    let run = code_number(d, &contexts, RUN, last.saturating_sub(first));
    let first = last.checked_sub(run)?;
    (last <= end && first >= start).then_some((first, last))
}

impl Offers<'_> {
    fn contexts(&self, at: u32, offer: &Kept) -> Contexts {
        let relation = relation(self.last, offer);
        let relation2 = relation + 16 * self::relation(self.last2, offer);
        let mut contexts = Contexts::new();
        contexts.add(&[at]);
        contexts.add(&[offer.kind]);
        contexts.add(&[at, relation]);
        contexts.add(&[self.last.kind, offer.kind]);
        contexts.add(&[self.last.kind, offer.kind, relation]);
        contexts.add(&[self.last.kind, self.last2.kind, offer.kind, relation2]);
        contexts.add(&[at.min(4), offer.kind, relation]);
        contexts.add(&[mix(self.last.kind, self.last2.kind), at]);
        contexts.add(&[self.kinds, offer.kind, relation]);
        let [ago, often] = self.uses.get(at as usize).copied().unwrap_or_default();
        let more = self.list.all().len() as u32 - at;
        contexts.add(&[more.min(4), offer.kind]);
        contexts.add(&[more.min(4), relation, u32::from(often.min(6))]);
        contexts.add(&[u32::from(ago.min(12)), relation, u32::from(often.min(6))]);
        contexts
    }
}

/// How the addresses of two packets stand to each other.
fn relation(last: &Kept, offer: &Kept) -> u32 {
    u32::from(last.from == offer.from)
        | u32::from(last.to == offer.to) << 1
        | u32::from(last.from == offer.to) << 2
        | u32::from(last.to == offer.from) << 3
}

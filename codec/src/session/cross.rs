//! One packet, in or out: what is said before and after the walk, once for both ends. Refuses to keep anything: the
//! caller does, if all went well.

use super::choose::{self, SKETCH_LEN, Sketch};
use super::memory::{Direction, Shelves};
use super::staged::Staged;
use super::walk::{Memory, Scribe, Walk, What};
use super::{Ids, Options, Session, nodes};
use crate::alias::recent::{Next, Recent};
use crate::alias::template::{Cursor, Recorder};
use crate::entropy::Coder;
use crate::features::Deciding;
use crate::stanza::{Arena, Node, Stanza};
use crate::structure::trail::{Level, Trail};
use crate::structure::{Contexts, Label, Room, flag, recipe, slot as code_slot};
use crate::value::Fault;

const EXTENDED: Label = Label::new(Room::Packet, 1);
const STORE: Label = Label::new(Room::Packet, 4);
const STORE_SAME: Label = Label::new(Room::Packet, 5);
const STORE_SLOT: Label = Label::new(Room::Packet, 6);
const STORE_NEXT: Label = Label::new(Room::Packet, 7);

/// Which way, and what.
pub(crate) enum Work<'w, 'x> {
    Write(Stanza<'w, 'x>, Options),
    /// The nodes go to the tape.
    Read(&'w mut [Node<'x>]),
}

impl<'d, S: AsRef<[u8]> + AsMut<[u8]>> Session<'d, S> {
    /// The same through a coder: either end is the same code, compiled once.
    pub(crate) fn code<'x>(
        &mut self,
        coder: &mut (dyn Coder + '_),
        number: u32,
        work: Work<'_, 'x>,
        arena: &mut Arena<'x>,
        staged: &mut Staged<'x>,
    ) -> Result<usize, Fault>
    where
        'd: 'x,
    {
        let features = self.features;
        let mut deciding = Deciding {
            coder,
            features: features.as_ref(),
        };
        self.cross(&mut deciding, number, work, arena, staged)
    }

    /// Who writes, and whether ids are to be short; how a stanza is to be written goes to `staged`.
    fn order(
        &self,
        work: &Work<'_, '_>,
        number: u32,
        staged: &mut Staged<'_>,
    ) -> (Direction, bool) {
        let Work::Write(_, options) = work else {
            return (Direction::Received, false);
        };
        staged.is_again = options.again;
        // With too many packets under way, this one is written without memory.
        staged.stands_alone = options.again || self.ends.pending.is_ahead(number);
        (Direction::Sent, options.ids == Ids::Short)
    }

    /// Codes packet `number`. Strings that are read go to `arena`. Returns how many nodes are on the tape.
    ///
    /// # Errors
    /// See [`Fault`].
    pub(crate) fn cross<'x, D: Scribe>(
        &mut self,
        d: &mut D,
        number: u32,
        work: Work<'_, 'x>,
        arena: &mut Arena<'x>,
        staged: &mut Staged<'x>,
    ) -> Result<usize, Fault>
    where
        'd: 'x,
    {
        let (writer, short_ids) = self.order(&work, number, staged);
        let is_writing = writer == Direction::Sent;
        let (octets, scratch) = self.layout.split(self.storage.as_mut());
        let shelves = Shelves {
            layout: &self.layout,
            octets,
            writer,
        };
        let sketch = sketch(self.dictionary, &work);
        let templates = shelves.templates();
        let given = (is_writing && !staged.stands_alone)
            .then(|| choose::template(templates, &sketch))
            .flatten();
        let mut next = Next::default();
        let recent = &self.recent[writer as usize];
        head(d, recent, number, given, is_writing, &mut next)?;
        staged.template = next.used;
        staged.packet.marks = next.marks;
        staged.packet.short = next.short;
        let tokens = match next.used {
            Some(slot) => templates.get(slot).ok_or(Fault::Unknown)?,
            None => &[],
        };
        let mut recorder = Recorder::new(scratch);
        sketch.record(&mut recorder);
        let mut levels = [Level::NONE; Stanza::DEPTH_MAX + 1];
        let mut walk = Walk {
            d,
            dictionary: self.dictionary,
            memory: Memory {
                shelves,
                ends: &self.ends,
                is_counting: is_writing && !staged.stands_alone,
                short_ids,
            },
            text: self.text.as_ref(),
            number,
            trail: Trail::new(&mut levels, next.choice),
            cursor: Cursor::new(tokens.get(SKETCH_LEN..).unwrap_or(&[])),
            recorder,
            staged,
            arena,
            next: &next,
            referred: None,
            fault: None,
            is_writing,
        };
        let mut nodes = 0;
        match work {
            Work::Write(stanza, _) => nodes::write(&mut walk, stanza),
            Work::Read(tape) => nodes = nodes::read(&mut walk, tape),
        }
        conclude(&mut walk, &sketch);
        walk.fault.map_or(Ok(nodes), Err)
    }
}

/// What a packet begins with: its version, what it counts on, its template.
fn head<D: Scribe>(
    d: &mut D,
    recent: &Recent,
    number: u32,
    given: Option<u16>,
    is_writing: bool,
    next: &mut Next,
) -> Result<(), Fault> {
    if flag(d, &Contexts::one(0), EXTENDED, false) {
        return Err(Fault::Version);
    }
    recent.code(d, number, given, is_writing, next)?;
    d.note(What::Packet);
    Ok(())
}

/// What the stanza to write looks like.
// Apart: what it needs need not lie on a board's stack while the stanza is walked.
#[inline(never)]
fn sketch(dictionary: &crate::dictionary::Dictionary<'_>, work: &Work<'_, '_>) -> Sketch {
    match work {
        Work::Write(stanza, _) => Sketch::of(dictionary, *stanza),
        Work::Read(_) => Sketch::default(),
    }
}

/// Codes whether the stanza is kept as a template, and where; what later packets are told of this one.
// Apart for the same reason.
#[inline(never)]
fn conclude<D: Scribe>(walk: &mut Walk<'_, '_, D>, sketch: &Sketch) {
    let templates = walk.memory.shelves.templates();
    let template = walk.staged.template;
    let len = walk.recorder.finish().map(|tokens| tokens.len());
    let worth = len.is_some() && (template.is_none() || walk.trail.misses() > 0);
    let slot = match walk.memory.pending() {
        Some(pending) if worth => choose::slot(templates, pending, sketch, template),
        _ => None,
    };
    let slot = code_store(walk, slot);
    walk.d.note(What::Packet);
    if let Some(slot) = slot {
        let len = len.filter(|_| slot < templates.slots());
        if len.is_none() {
            walk.fail(Fault::Malformed);
        }
        walk.staged.stored = Some((slot, len.unwrap_or(0)));
        walk.staged.root = sketch.root;
    }
    let staged = &mut walk.staged;
    staged.packet.set_slot(slot.or(template));
    staged.packet.strings = staged.next_string();
    staged.packet.kind = walk.trail.kind();
}

/// Codes the slot the stanza is kept in as a template, if it is; `given` is the one to write.
fn code_store<D: Scribe>(walk: &mut Walk<'_, '_, D>, given: Option<u16>) -> Option<u16> {
    let template = walk.staged.template;
    let next = walk.next.template;
    let misses = walk.trail.misses().min(8);
    let had = u32::from(template.is_some());
    let values = [had, misses, walk.trail.kind(), misses.min(1)];
    let contexts = Contexts::of(&values, recipe!("a ba ca cda cba"));
    let d = &mut *walk.d;
    if !flag(d, &contexts, STORE, given.is_some()) {
        return None;
    }
    if template.is_some() && flag(d, &contexts, STORE_SAME, given == template) {
        return template;
    }
    if flag(d, &contexts, STORE_NEXT, given == Some(next)) {
        return Some(next);
    }
    let slot = given.unwrap_or(0);
    Some(code_slot(d, &Contexts::one(0), STORE_SLOT, slot))
}

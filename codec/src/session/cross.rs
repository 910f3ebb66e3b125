//! One packet, in or out: what is said before and after the walk, once for both ends. Refuses to keep anything: the
//! caller does, if all went well.

use super::choose::{self, SKETCH_LEN, Sketch};
use super::memory::Direction;
use super::staged::Staged;
use super::walk::{Memory, Scribe, Walk, What};
use super::{Ids, Options, Session, Stored, TAG_MAX};
use crate::alias::recent::{Next, Use};
use crate::alias::shelf::Shelf;
use crate::alias::template::{Cursor, Recorder};
use crate::decode::read_nodes;
use crate::dictionary::Dictionary;
use crate::encode::write_nodes;
use crate::stanza::{Arena, Node, Stanza};
use crate::structure::lexicon::element;
use crate::structure::trail::{Level, Trail};
use crate::structure::{Contexts, flag, number as code_number};
use crate::value::Fault;

const EXTENDED: u32 = 0x0001_456e;
const STORE: u32 = 0x0004_456e;
const STORE_SAME: u32 = 0x0005_456e;
const STORE_SLOT: u32 = 0x0006_456e;
const STORE_NEXT: u32 = 0x0007_456e;

/// Which way, and what.
pub(crate) enum Work<'w, 'x> {
    Write(Stanza<'w, 'x>, Options),
    /// The nodes go to the tape.
    Read(&'w mut [Node<'x>]),
}

/// What is left to do once a stanza crossed.
pub(crate) struct Crossed {
    /// The template used.
    pub(crate) template: Option<u16>,
    /// The template to keep.
    pub(crate) stored: Option<Stored>,
    /// None if written without memory.
    pub(crate) packet: Option<Use>,
    /// How many are on the tape.
    pub(crate) nodes: usize,
}

impl<'d, S: AsRef<[u8]> + AsMut<[u8]>> Session<'d, S> {
    /// Codes packet `number`. Strings that are read go to `arena`.
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
    ) -> Result<Crossed, Fault>
    where
        'd: 'x,
    {
        let dictionary: &'x Dictionary<'x> = self.dictionary;
        let mut tag = [0; TAG_MAX];
        let tag = self.copy_tag(&mut tag);
        let (writer, memory, short_ids) = self.terms(number, &work);
        let is_writing = writer == Direction::Sent;
        let reader = writer.other();
        let (shelves, scratch) = self.layout.shelves(self.storage.as_mut(), writer, memory);
        let (sketch, given) = chosen(dictionary, shelves.templates, &work);
        if flag(d, &packet_contexts(), EXTENDED, false) {
            return Err(Fault::Version);
        }
        let recent = &self.recent[writer as usize];
        let (template, next) = recent.code(d, number, given, is_writing)?;
        d.note(What::Packet);
        let tokens = match template {
            Some(slot) => shelves.templates.get(slot).ok_or(Fault::Unknown)?,
            None => &[],
        };
        sketch.write(scratch);
        let mut levels = [Level::NONE; Stanza::DEPTH_MAX + 1];
        let mut walk = Walk {
            d,
            dictionary,
            memory: Memory {
                shelves,
                next_ids: [writer, reader].map(|end| self.next_ids[end as usize]),
                tag,
                reader_latest: self.latest[reader as usize],
                pending: (is_writing && memory).then_some(&self.pending),
                short_ids,
            },
            text: self.text.as_ref(),
            number,
            trail: Trail::new(&mut levels, next.choice),
            cursor: Cursor::new(tokens.get(SKETCH_LEN..).unwrap_or(&[])),
            recorder: Recorder::new(scratch.get_mut(SKETCH_LEN..).unwrap_or(&mut [])),
            staged,
            arena,
            next,
            marks: next.marks,
            fresh: false,
            from: 0,
            to: 0,
            referred: None,
        };
        let nodes = cross_nodes(&mut walk, work)?;
        let root = root(dictionary, nodes);
        let (stored, packet) = conclude(&mut walk, template, next, &sketch, root)?;
        Ok(Crossed {
            template,
            stored,
            packet: memory.then_some(packet),
            nodes: nodes.len(),
        })
    }

    /// Whose packet it is, whether it may count on earlier ones, and whether its ids are short.
    fn terms(&self, number: u32, work: &Work<'_, '_>) -> (Direction, bool, bool) {
        match work {
            // With too many packets under way, this one is written without memory.
            Work::Write(_, options) => (
                Direction::Sent,
                !self.pending.is_ahead(number) && !options.again,
                options.ids == Ids::Short,
            ),
            Work::Read(_) => (Direction::Received, true, false),
        }
    }
}

/// What the stanza to write looks like, and the template for it.
// Apart for the same reason.
#[inline(never)]
fn chosen(
    dictionary: &Dictionary<'_>,
    templates: Shelf<'_>,
    work: &Work<'_, '_>,
) -> (Sketch, Option<u16>) {
    let Work::Write(stanza, _) = work else {
        return (Sketch::default(), None);
    };
    let sketch = Sketch::of(dictionary, *stanza);
    let root = root(dictionary, stanza.nodes());
    (sketch, choose::template(templates, &sketch, root))
}

/// Codes the stanza itself.
// In the frame of its caller: it is the deepest path, and a board's stack is small.
#[inline(always)]
fn cross_nodes<'w, 'x, D: Scribe>(
    walk: &mut Walk<'_, 'x, D>,
    work: Work<'w, 'x>,
) -> Result<&'w [Node<'x>], Fault> {
    match work {
        Work::Write(stanza, _) => {
            write_nodes(walk, stanza)?;
            Ok(stanza.nodes())
        }
        Work::Read(tape) => {
            let count = read_nodes(walk, tape)?;
            Ok(tape.get(..count).unwrap_or(&[]))
        }
    }
}

/// Codes whether the stanza is kept as a template, and where; what later packets are told of this one.
// Apart: what it needs need not lie on a board's stack while the stanza is walked.
#[inline(never)]
fn conclude<D: Scribe>(
    walk: &mut Walk<'_, '_, D>,
    template: Option<u16>,
    next: Next,
    sketch: &Sketch,
    root: u32,
) -> Result<(Option<Stored>, Use), Fault> {
    let templates = walk.memory.shelves.templates;
    let len = walk
        .recorder
        .finish()
        .map(|tokens| tokens.len() + SKETCH_LEN);
    let worth = template.is_none() || walk.trail.misses() > 0;
    let slot = match (walk.memory.pending, len) {
        (Some(pending), Some(_)) if worth => choose::slot(templates, pending, sketch, template),
        _ => None,
    };
    let slot = code_store(walk.d, &walk.trail, template, next, slot)?;
    walk.d.note(What::Packet);
    let stored = match (slot, len) {
        (Some(slot), Some(len)) if slot < templates.slots() => Some(Stored { slot, len, root }),
        (Some(_), _) => return Err(Fault::Malformed),
        (None, _) => None,
    };
    let packet = Use {
        slot: slot.or(template),
        strings: walk.staged.next_string(),
        kind: walk.trail.kind(),
        from: walk.from,
        to: walk.to,
        marks: walk.marks,
        fresh: walk.fresh,
    };
    Ok((stored, packet))
}

/// Key of the root element.
fn root(dictionary: &Dictionary<'_>, nodes: &[Node<'_>]) -> u32 {
    match nodes.first() {
        Some(Node::Open { ns, name }) => element(dictionary, ns, name).key(),
        _ => 0,
    }
}

/// Contexts of what is said once for a packet.
fn packet_contexts() -> Contexts {
    let mut contexts = Contexts::new();
    contexts.add(&[0]);
    contexts
}

/// Codes the slot the stanza is kept in as a template, if it is; `given` is the one to write.
// Apart: its contexts need not lie on a board's stack while the stanza is walked.
#[inline(never)]
fn code_store<D: Scribe>(
    d: &mut D,
    trail: &Trail<'_>,
    template: Option<u16>,
    next: Next,
    given: Option<u16>,
) -> Result<Option<u16>, Fault> {
    let misses = trail.misses().min(8);
    let had = u32::from(template.is_some());
    let mut contexts = Contexts::new();
    contexts.add(&[had]);
    contexts.add(&[misses, had]);
    contexts.add(&[trail.kind(), had]);
    contexts.add(&[trail.kind(), misses.min(1), had]);
    contexts.add(&[trail.kind(), misses, had]);
    if !flag(d, &contexts, STORE, given.is_some()) {
        return Ok(None);
    }
    if template.is_some() && flag(d, &contexts, STORE_SAME, given == template) {
        return Ok(template);
    }
    if flag(d, &contexts, STORE_NEXT, given == Some(next.template)) {
        return Ok(Some(next.template));
    }
    let slot = u32::from(given.unwrap_or(0));
    let slot = code_number(d, &packet_contexts(), STORE_SLOT, slot);
    u16::try_from(slot).map(Some).map_err(|_| Fault::Malformed)
}

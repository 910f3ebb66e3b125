//! The trail: what the walk has seen of this stanza, as hashes that serve as contexts. Refuses values themselves;
//! only dictionary words and kinds of values leave a trace, so that what varies freely does not blur a context.

use super::lexicon::{self, Key};
use super::{Contexts, recipe};
use crate::features::mix;
use crate::stanza::Stanza;

/// An open element.
#[derive(Clone, Copy, Debug)]
pub struct Level {
    /// The element.
    key: Key,
    /// All elements from the root down to this one.
    path: u32,
    /// Everything in this element so far.
    within: u32,
    /// Everything before this element in its parent.
    before: u32,
    /// What came in this element so far, in whatever order.
    set: u32,
    /// The two symbols before this place, hashed.
    last: u16,
    last2: u16,
}

/// Room for the open elements of a stanza, and what is around it.
pub type Levels = [Level; Stanza::DEPTH_MAX + 1];

impl Level {
    /// Of no element.
    pub const NONE: Self = Self {
        key: 0,
        path: 0,
        within: 0,
        before: 0,
        set: 0,
        last: 0,
        last2: 0,
    };
}

/// See the module. The levels are the caller's: inside, they would be copied with it on a board's stack.
#[derive(Debug)]
pub struct Trail<'l> {
    levels: &'l mut Levels,
    depth: usize,
    /// Inside attributes still?
    head: bool,
    /// The whole stanza so far.
    all: u32,
    /// Root element and its first enumerated values.
    root: u32,
    /// Root, its enumerated values, and its children.
    kind: u32,
    values: [Key; 3],
    /// Latest hits (1) and misses (0) against the template.
    luck: u32,
    misses: u32,
    /// How far the writer went to find the template.
    choice: u32,
}

impl<'l> Trail<'l> {
    /// At the start of a stanza, all `levels` [`Level::NONE`]; `choice` says how far the writer went to find the
    /// template, 0 without one.
    pub fn new(levels: &'l mut Levels, choice: u32) -> Self {
        Self {
            levels,
            depth: 0,
            head: false,
            all: 0,
            root: 0,
            kind: 0,
            values: [0; 3],
            luck: 0xf,
            misses: 0,
            choice,
        }
    }

    // On a board a call is smaller.
    #[cfg_attr(target_os = "none", inline(never))]
    fn at_depth(&self, depth: usize) -> &Level {
        // `open` and `close` keep `depth` within the array.
        &self.levels[depth.min(Stanza::DEPTH_MAX)]
    }

    fn top(&self) -> &Level {
        self.at_depth(self.depth)
    }

    #[cfg_attr(target_os = "none", inline(never))]
    fn top_mut(&mut self) -> &mut Level {
        &mut self.levels[self.depth.min(Stanza::DEPTH_MAX)]
    }

    fn above(&self) -> &Level {
        self.at_depth(self.depth.saturating_sub(1))
    }

    /// Open elements.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// True while attributes may still follow.
    pub fn in_head(&self) -> bool {
        self.head
    }

    /// Key of the open element.
    pub fn element(&self) -> Key {
        self.top().key
    }

    /// Dictionary number of the open element, if it has one.
    pub fn id(&self) -> Option<u16> {
        let key = self.element();
        // The key of such an element ends in its number.
        (key >> 16 == lexicon::ELEMENT >> 16).then_some(key as u16)
    }

    /// Key of the open element's parent.
    pub fn parent(&self) -> Key {
        self.above().key
    }

    /// What kind of stanza this is.
    pub fn kind(&self) -> u32 {
        self.kind
    }

    /// Values or symbols that differed from the template so far.
    pub fn misses(&self) -> u32 {
        self.misses
    }

    fn step(&mut self, key: Key) {
        let level = self.top_mut();
        level.last2 = level.last;
        let hashed = mix(1, key);
        level.last = (hashed >> 16) as u16;
        level.set = level.set.wrapping_add(hashed);
        level.within = mix(level.within, key);
        self.all = mix(self.all, key);
    }

    /// An element begins. False if that is too deep.
    pub fn open(&mut self, key: Key) -> bool {
        if self.depth >= Stanza::DEPTH_MAX {
            return false;
        }
        let before = self.top().within;
        let path = mix(self.top().path, key);
        self.step(key);
        self.head = true;
        self.depth += 1;
        *self.top_mut() = Level {
            key,
            path,
            before,
            ..Level::NONE
        };
        if self.depth == 1 {
            self.root = mix(0, key);
        }
        if self.depth <= 2 {
            self.kind = mix(self.kind, key);
        }
        true
    }

    /// An attribute or text begins.
    pub fn leaf(&mut self, key: Key, is_text: bool) {
        self.step(key);
        if is_text {
            self.head = false;
        }
    }

    /// The value of the latest attribute or text; `word` if it is a word of the dictionary.
    pub fn value(&mut self, key: Key, word: bool) {
        let level = self.top_mut();
        level.within = mix(level.within, key);
        self.all = mix(self.all, key);
        if word && self.depth == 1 && self.head {
            self.root = mix(self.root, key);
            self.kind = mix(self.kind, key);
        }
        self.values = [key, self.values[0], self.values[1]];
    }

    /// The open element ends.
    pub fn close(&mut self, key: Key) {
        let inside = self.top().within;
        self.head = false;
        self.depth = self.depth.saturating_sub(1);
        self.all = mix(self.all, key);
        let level = self.top_mut();
        level.within = mix(level.within, inside);
    }

    /// Whether the template was right.
    pub fn judge(&mut self, hit: bool) {
        self.luck = self.luck << 1 | u32::from(hit);
        self.misses += u32::from(!hit);
    }

    /// Contexts of the next symbol; `expected` is what the template says, 0 without one.
    pub fn symbol(&self, expected: Key) -> Contexts {
        let (level, parent) = (self.top(), self.above());
        let values = [
            level.key,
            u32::from(self.head),
            u32::from(level.last),
            u32::from(level.last2),
            parent.key,
            level.path,
            level.within,
            level.before,
            self.all,
            self.root,
            self.values[0],
            self.values[1],
            expected,
            u32::from(parent.last2),
            level.set,
        ];
        Contexts::of(
            &values,
            recipe!("ab ac acde fc ag agh i jac jfg ack aklb mab nac ao aoc"),
        )
    }

    /// Contexts of "the template is right about the next symbol"; `skipped` is what it was wrong about just before.
    pub fn symbol_hit(&self, expected: Key, skipped: Key) -> Contexts {
        let level = self.top();
        let values = [
            expected,
            level.key,
            level.last.into(),
            self.root,
            self.misses.min(5),
            self.luck & 0xf,
            self.luck & 3,
            level.path,
            level.within,
            self.all,
            self.choice,
            skipped,
        ];
        Contexts::of(&values, recipe!("a ab abc dab e f gab hia ja kab lab"))
    }

    /// Contexts of a value at `place` (the attribute, or text); `template` says what the template has there.
    pub fn at(&self, place: Key, template: u32) -> Contexts {
        let (level, parent) = (self.top(), self.above());
        let values = [
            mix(level.key, place),
            template,
            self.values[0],
            self.values[1],
            self.root,
            level.within,
            parent.key,
            u32::from(parent.last2),
            self.all,
            level.path,
            self.luck & 3,
        ];
        Contexts::of(&values, recipe!("a ab ac acd ae af agh ai aj bk"))
    }

    /// Contexts of "the template is right about this value".
    pub fn value_hit(&self, place: Key, template: u32) -> Contexts {
        let level = self.top();
        let misses = self.misses.min(5);
        let values = [
            template,
            mix(level.key, place),
            self.root,
            misses,
            self.luck & 0xf,
            self.luck & 7,
            level.path,
            self.luck & 1,
            self.all,
            self.choice,
            misses.min(1),
        ];
        Contexts::of(&values, recipe!("a b ba bac bd e bf gbh bi bj bjkc"))
    }
}

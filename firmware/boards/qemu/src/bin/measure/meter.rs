//! How deep the stack was, and how many instructions ran. Refuses to guess: the free stack is painted, and what lost its
//! paint was used; instructions are those of QEMU's `-icount shift=0`, one each nanosecond.

use board::machine::ticks;

const PAINT: u32 = 0xa5c3_3c5a;
/// Octets painted below the caller: more than anything here uses.
const REACH: usize = 96 * 1024;
/// Below this the painter itself may still be at work, octets.
const MARGIN: usize = 128;
/// Nanoseconds of a tick.
const TICK_NS: u32 = 40;

/// See the module.
#[derive(Clone, Copy, Default)]
pub struct Meter {
    /// The most octets of stack any work used.
    pub deepest: usize,
    /// Instructions of the longest work, and of all.
    pub longest: u32,
    pub total: u32,
}

impl Meter {
    /// Does `work`, and takes note of how many octets of stack and instructions it used.
    #[inline(never)]
    pub fn watch<R>(&mut self, work: impl FnOnce() -> R) -> R {
        let top = cortex_m::register::msp::read() as usize & !3;
        paint(top);
        let before = ticks();
        let done = apart(work);
        let instructions = before.wrapping_sub(ticks()) * TICK_NS;
        self.deepest = self.deepest.max(depth(top));
        self.longest = self.longest.max(instructions);
        self.total += instructions;
        done
    }
}

/// Not a part of the watcher, whose own stack is not counted.
#[inline(never)]
fn apart<R>(work: impl FnOnce() -> R) -> R {
    work()
}

#[inline(never)]
fn paint(top: usize) {
    for at in (top - REACH..top - MARGIN).step_by(4) {
        // SAFETY: below the stack pointer and far above the statics: memory.x gives 256 KB.
        unsafe { (at as *mut u32).write_volatile(PAINT) }
    }
}

#[inline(never)]
fn depth(top: usize) -> usize {
    for at in (top - REACH..top - MARGIN).step_by(4) {
        // SAFETY: as in `paint`.
        if unsafe { (at as *const u32).read_volatile() } != PAINT {
            return top - at;
        }
    }
    MARGIN
}

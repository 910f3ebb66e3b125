//! How deep the stack was. Refuses to guess: the free stack is painted, and what lost its paint was used.

const PAINT: u32 = 0xa5c3_3c5a;
/// Octets painted below the caller: more than anything here uses.
const REACH: usize = 96 * 1024;
/// Below this the painter itself may still be at work, octets.
const MARGIN: usize = 128;

/// See the module.
#[derive(Default)]
pub struct Stack {
    deepest: usize,
}

impl Stack {
    /// Does `work`, and takes note of how many octets of stack it used.
    #[inline(never)]
    pub fn watch<R>(&mut self, work: impl FnOnce() -> R) -> R {
        let top = cortex_m::register::msp::read() as usize & !3;
        paint(top);
        let done = apart(work);
        self.deepest = self.deepest.max(depth(top));
        done
    }

    /// The most octets any work used.
    pub fn deepest(&self) -> usize {
        self.deepest
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

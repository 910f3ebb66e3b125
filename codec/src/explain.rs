//! Where the bits of a packet went. Refuses to change anything: it writes to a meter.

use crate::encode::EncodeError;
use crate::entropy::range::Meter;
use crate::entropy::{Coder, Mark, Prob};
use crate::features::{Decide, Deciding};
use crate::link::PacketNumber;
use crate::session::walk::{Scribe, What};
use crate::session::{Options, Session};
use crate::stanza::Stanza;

/// Tells what each run of decisions cost.
struct Explainer<'m, 'd, T> {
    inner: Deciding<'m, 'd, Meter>,
    spent: u64,
    tell: T,
}

impl<T> Coder for Explainer<'_, '_, T> {
    fn is_reading(&self) -> bool {
        false
    }

    fn mark(&self) -> Mark {
        self.inner.coder.mark()
    }

    fn rewind(&mut self, mark: Mark) {
        self.inner.coder.rewind(mark);
    }

    fn cost_256ths(&self, since: Mark) -> u32 {
        self.inner.coder.cost_256ths(since)
    }

    fn code(&mut self, bit: bool, p1: Prob) -> bool {
        self.inner.code(bit, p1)
    }
}

impl<T> Decide for Explainer<'_, '_, T> {
    fn decide(&mut self, contexts: &[u32], node: u32, bit: bool) -> bool {
        self.inner.decide(contexts, node, bit)
    }
}

impl<T: FnMut(What<'_>, u64)> Scribe for Explainer<'_, '_, T> {
    fn note(&mut self, what: What<'_>) {
        let now = self.inner.coder.total_256ths();
        (self.tell)(what, now - self.spent);
        self.spent = now;
    }
}

impl<S: AsRef<[u8]> + AsMut<[u8]>> Session<'_, S> {
    /// Tells, in the order of the packet, what each part of `stanza` would cost as packet `number`, in 1/256 bit.
    /// The session does not change.
    ///
    /// # Errors
    /// See [`EncodeError`].
    pub fn explain(
        &mut self,
        number: PacketNumber,
        stanza: Stanza<'_, '_>,
        options: Options,
        tell: impl FnMut(What<'_>, u64),
    ) -> Result<(), EncodeError> {
        let mut meter = Meter::default();
        let inner = Deciding {
            coder: &mut meter,
            features: self.features,
        };
        let mut explainer = Explainer {
            inner,
            spent: 0,
            tell,
        };
        self.rehearse(&mut explainer, number, stanza, options)
    }
}

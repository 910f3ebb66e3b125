//! Where the bits of a packet went. Refuses to change anything: it writes to a meter.

use crate::encode::EncodeError;
use crate::entropy::range::Meter;
use crate::entropy::{Coder, Mark};
use crate::features::{Decide, Deciding};
use crate::link::PacketNumber;
use crate::session::walk::{Scribe, What};
use crate::session::{Options, Session};
use crate::stanza::Stanza;

/// Tells what each run of decisions cost.
struct Explainer<'c, T> {
    inner: Deciding<'c>,
    /// Where the run began.
    since: Mark,
    tell: T,
}

impl<T> Decide for Explainer<'_, T> {
    fn coder(&mut self) -> &mut dyn Coder {
        self.inner.coder()
    }

    fn decide(&mut self, contexts: &[u32], node: u32, bit: bool) -> bool {
        self.inner.decide(contexts, node, bit)
    }
}

impl<T: FnMut(What<'_>, u64)> Scribe for Explainer<'_, T> {
    fn note(&mut self, what: What<'_>) {
        let coder = self.inner.coder();
        (self.tell)(what, coder.cost_256ths(&self.since).into());
        self.since = coder.mark();
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
        let since = meter.mark();
        let features = self.features;
        let inner = Deciding {
            coder: &mut meter,
            features: features.as_ref(),
        };
        let mut explainer = Explainer { inner, since, tell };
        self.rehearse(&mut explainer, number, stanza, options)
    }
}

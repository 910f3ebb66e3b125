//! Which dictionary is spoken with a peer. Refuses to guess: where there is a choice, nothing is written or read before
//! the hellos of both ends have settled it.

use longwire_codec::link::Offer;

use crate::dictionaries::Known;

/// What this end offers one peer, and what came of it.
#[derive(Debug)]
pub(super) struct Accord {
    /// The favourite first; never empty.
    offered: Vec<&'static Known>,
    settled: bool,
}

impl Accord {
    /// With one dictionary there is nothing to settle.
    pub(super) fn new(offered: Vec<&'static Known>) -> Self {
        Self {
            settled: offered.len() == 1,
            offered,
        }
    }

    /// For the hello.
    pub(super) fn offer(&self) -> Offer {
        let mut offer = Offer::default();
        for known in &self.offered {
            offer.push(known.dictionary.id);
        }
        offer
    }

    /// May packets be written and read?
    pub(super) fn is_settled(&self) -> bool {
        self.settled
    }

    /// The far end may have another offer now.
    pub(super) fn reset(&mut self) {
        self.settled = self.offered.len() == 1;
    }

    /// The hellos settled on dictionary `id`; whether it is the favourite.
    pub(super) fn settle(&mut self, id: u32) -> Option<(&'static Known, bool)> {
        let at = self
            .offered
            .iter()
            .position(|known| known.dictionary.id == id)?;
        self.settled = true;
        Some((self.offered[at], at == 0))
    }

    /// The one liked best.
    pub(super) fn favourite(&self) -> &'static Known {
        self.offered[0]
    }
}

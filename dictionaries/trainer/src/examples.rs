//! What training learns from: decisions with their contexts, replayed as often as asked. Refuses to hold them.

/// Decisions to learn from. The codec's own coding code should produce them, through a [`Decide`] that listens,
/// so that training and coding can never differ.
///
/// [`Decide`]: longwire_codec::features::Decide
pub trait Examples {
    /// Calls `learn` for each decision, in an order that is the same each time.
    fn replay(&self, learn: &mut Learn<'_>);
}

/// Receives one decision: its contexts, its node and the bit that was decided.
pub type Learn<'a> = dyn FnMut(&[u32], u32, bool) + 'a;

/// Decisions held in memory: handy for structure, whose examples are few.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    contexts: Vec<u32>,
    decisions: Vec<(u32, u32, bool)>,
}

impl Recording {
    /// Adds a decision.
    pub fn push(&mut self, contexts: &[u32], node: u32, bit: bool) {
        self.contexts.extend_from_slice(contexts);
        self.decisions.push((contexts.len() as u32, node, bit));
    }

    /// Number of decisions.
    pub fn len(&self) -> usize {
        self.decisions.len()
    }

    /// True if nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.decisions.is_empty()
    }
}

impl Examples for Recording {
    fn replay(&self, learn: &mut Learn<'_>) {
        let mut rest = &self.contexts[..];
        for (count, node, bit) in &self.decisions {
            let (contexts, after) = rest.split_at(*count as usize);
            learn(contexts, *node, *bit);
            rest = after;
        }
    }
}

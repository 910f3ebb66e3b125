//! Counters and memory of stream management (XEP-0198). Refuses to forget a stanza the client has not confirmed.

use std::collections::VecDeque;

use crate::xml::Element;

pub(super) const NS_SM: &str = "urn:xmpp:sm:3";

/// One stanza on its way to the client.
#[derive(Debug)]
pub(super) struct Unacked {
    pub(super) stanza: Element,
    /// Row in custody, see `domain::Out`.
    pub(super) kept: Option<i64>,
}

/// The state of one stream in both directions.
#[derive(Debug, Default)]
pub(super) struct Ack {
    /// The client's stanzas are counted: it asked for it.
    pub(super) counting: bool,
    /// Stanzas of the client that are in custody, modulo 2^32.
    pub(super) handled: u32,
    /// What was sent is remembered: the client was told so.
    pub(super) remembering: bool,
    /// Stanzas the client has confirmed, modulo 2^32.
    confirmed: u32,
    unacked: VecDeque<Unacked>,
}

/// The client confirmed more than was sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct TooHigh {
    pub(super) h: u32,
    pub(super) sent: u32,
}

impl Ack {
    /// A stanza was written, or would have been if there were a connection.
    pub(super) fn sent(&mut self, stanza: Element, kept: Option<i64>) {
        self.unacked.push_back(Unacked { stanza, kept });
    }

    /// The client has `h` stanzas. Gives the rows whose custody ends.
    pub(super) fn confirm(&mut self, h: u32) -> Result<Vec<i64>, TooHigh> {
        let count = h.wrapping_sub(self.confirmed) as usize;
        if count > self.unacked.len() {
            let sent = u32::try_from(self.unacked.len()).unwrap_or(u32::MAX);
            return Err(TooHigh {
                h,
                sent: self.confirmed.wrapping_add(sent),
            });
        }
        self.confirmed = h;
        Ok(self
            .unacked
            .drain(..count)
            .filter_map(|it| it.kept)
            .collect())
    }

    /// Stanzas not confirmed, oldest first.
    pub(super) fn unacked(&self) -> &VecDeque<Unacked> {
        &self.unacked
    }

    /// Gives the stanzas not confirmed away; the stream is over.
    pub(super) fn give_up(&mut self) -> Vec<Element> {
        self.unacked.drain(..).map(|it| it.stanza).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_wrap_and_never_run_ahead() {
        let mut ack = Ack {
            confirmed: u32::MAX - 1,
            ..Ack::default()
        };
        for row in 1..=4 {
            ack.sent(Element::new("", "m"), Some(row));
        }
        assert_eq!(ack.confirm(0).unwrap(), [1, 2]);
        assert!(ack.confirm(0).unwrap().is_empty());
        assert_eq!(ack.confirm(7), Err(TooHigh { h: 7, sent: 2 }));
        assert!(ack.confirm(u32::MAX).is_err(), "behind what was confirmed");
        assert_eq!(ack.confirm(2).unwrap(), [3, 4]);
    }
}

//! A stanza on its way to a peer: answered here, dropped, merged, or queued. Refuses to send twice what the far end
//! has, and to take more than the peer's limits.

use crate::outbox::Admission;
use crate::policy::classify::is_plain_presence;
use crate::policy::merge;
use crate::policy::refuse::Condition;
use crate::policy::{self, Class, Plan, Reason, address};
use crate::store::cache::Request;
use crate::store::outbox::Queued;
use crate::xml::Element;

use super::{Gateway, GatewayError};

impl Gateway {
    /// Sends `stanza` to a peer unless policy knows better.
    pub(super) fn send(&mut self, peer: usize, stanza: Element) -> Result<(), GatewayError> {
        if self.answer_here(peer, &stanza)? {
            return Ok(());
        }
        if stanza.name == "presence" && self.is_unchanged(&stanza)? {
            self.count_at(Reason::Unchanged, peer);
            return Ok(());
        }
        if let Some((condition, text)) = self.over_limit(peer, &stanza)? {
            return self.bounce(&stanza, condition, text);
        }
        self.queue(peer, stanza)
    }

    /// Queues `stanza` as its plan says.
    pub(super) fn queue(&mut self, peer: usize, stanza: Element) -> Result<(), GatewayError> {
        let now_ms = self.clock.unix_ms();
        let plan = match policy::plan(stanza, &self.peers[peer].rules, now_ms) {
            Ok(plan) => plan,
            Err(reason) => {
                self.count_at(reason, peer);
                return Ok(());
            }
        };
        for reason in &plan.stripped {
            self.count_at(*reason, peer);
        }
        if plan.stanza.name == "iq" && matches!(address::kind(&plan.stanza), "get" | "set") {
            self.expect_reply(&plan)?;
        }
        let (from, to) = (address::from(&plan.stanza), address::to(&plan.stanza));
        match self.peers[peer].outbox.admit(from, to, &plan.merge) {
            Admission::Append(older) => {
                for id in older {
                    self.count_at(Reason::Superseded, peer);
                    self.unqueue(peer, id)?;
                }
                self.append(peer, plan)?;
            }
            Admission::Replace(id) => {
                self.count_at(Reason::Superseded, peer);
                self.requeue(peer, id, &plan, &plan.stanza)?;
            }
            Admission::Edit(id) => {
                self.count_at(Reason::Superseded, peer);
                if let merge::Merge::Edit(original) = &plan.merge {
                    let edited = merge::edited(plan.stanza.clone(), original);
                    self.requeue(peer, id, &plan, &edited)?;
                }
            }
            Admission::Cancel(id) => {
                self.count_at(Reason::Retracted, peer);
                self.unqueue(peer, id)?;
            }
        }
        self.peers[peer].wake.notify_one();
        self.timer.notify_one();
        Ok(())
    }

    fn append(&mut self, peer: usize, plan: Plan) -> Result<(), GatewayError> {
        let mut row = Queued {
            id: 0,
            peer: self.peers[peer].rules.name.clone(),
            number: None,
            class: plan.class.index(),
            queued_ms: self.clock.unix_ms(),
            expires_ms: plan.expires_ms,
            sender: address::from(&plan.stanza).into(),
            recipient: address::to(&plan.stanza).into(),
            stanza_id: address::id(&plan.stanza).into(),
            merge: plan.merge.key().into(),
            xml: plan.stanza.to_xml(""),
        };
        row.id = self.store.queue(&row)?;
        self.peers[peer].outbox.push(&row);
        Ok(())
    }

    fn requeue(
        &mut self,
        peer: usize,
        id: i64,
        plan: &Plan,
        stanza: &Element,
    ) -> Result<(), GatewayError> {
        let key = plan.merge.key();
        self.store
            .requeue(id, key, plan.expires_ms, &stanza.to_xml(""))?;
        self.peers[peer].outbox.change(id, key, plan.expires_ms);
        Ok(())
    }

    pub(super) fn unqueue(&mut self, peer: usize, id: i64) -> Result<(), GatewayError> {
        self.store.unqueue(id)?;
        self.peers[peer].outbox.remove(id);
        Ok(())
    }

    /// Writes down that a request waits for its reply.
    fn expect_reply(&mut self, plan: &Plan) -> Result<(), GatewayError> {
        let request = Request {
            requester: address::from(&plan.stanza).into(),
            responder: address::to(&plan.stanza).into(),
            id: address::id(&plan.stanza).into(),
            deadline_ms: plan.expires_ms,
            xml: plan.stanza.to_xml(""),
        };
        self.store.ask(&request)?;
        let earlier = self.next_iq_ms.is_none_or(|next| plan.expires_ms < next);
        if earlier {
            self.next_iq_ms = Some(plan.expires_ms);
        }
        Ok(())
    }

    /// Is the outbox full, or the day's budget spent? Urgent stanzas and replies pass the budget.
    fn over_limit(
        &mut self,
        peer: usize,
        stanza: &Element,
    ) -> Result<Option<(Condition, &'static str)>, GatewayError> {
        let rules = &self.peers[peer].rules;
        let full = rules.budget.outbox_max;
        if full > 0 && self.peers[peer].outbox.len() >= full as usize {
            return Ok(Some((
                Condition::ResourceConstraint,
                "the outbox of this link is full",
            )));
        }
        let budget = &rules.budget;
        if budget.airtime_per_day.is_zero() && budget.airtime_per_user_per_day.is_zero() {
            return Ok(None);
        }
        let reply = stanza.name == "iq" && !matches!(address::kind(stanza), "get" | "set");
        if reply || policy::classify::class(stanza, rules) == Class::Urgent {
            return Ok(None);
        }
        let user = address::bare(address::from(stanza));
        let (mut all_ms, mut own_ms) = (0, 0);
        for spent in self.store.spent(self.clock.day())? {
            if spent.peer == rules.name {
                all_ms += spent.airtime_ms;
                own_ms += if spent.user == user {
                    spent.airtime_ms
                } else {
                    0
                };
            }
        }
        let over = |spent_ms: u64, limit: std::time::Duration| {
            !limit.is_zero() && u128::from(spent_ms) >= limit.as_millis()
        };
        if over(all_ms, budget.airtime_per_day) {
            return Ok(Some((
                Condition::ResourceConstraint,
                "the day's airtime of this link is spent",
            )));
        }
        if over(own_ms, budget.airtime_per_user_per_day) {
            return Ok(Some((
                Condition::ResourceConstraint,
                "your airtime of this day is spent",
            )));
        }
        Ok(None)
    }

    /// Counts what was not carried to this peer.
    pub(super) fn count_at(&mut self, reason: Reason, peer: usize) {
        let name = self.peers[peer].rules.name.clone();
        self.count(reason, &name);
    }

    /// Has the far end this very presence? Remembers it if not.
    fn is_unchanged(&mut self, stanza: &Element) -> Result<bool, GatewayError> {
        if !is_plain_presence(stanza) {
            self.forget_sent(address::from(stanza), address::to(stanza))?;
            return Ok(false);
        }
        self.repeats_sent(stanza)
    }
}

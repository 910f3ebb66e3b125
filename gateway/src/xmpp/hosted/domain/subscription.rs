//! Who may see whose presence: the state machine of RFC 6121 appendix A, as one function for each direction. Refuses
//! to route anything: it says what should be.

use super::super::store::Contact;

/// Is this presence type part of subscription management?
pub(super) fn is_subscription(type_: &str) -> bool {
    matches!(
        type_,
        "subscribe" | "subscribed" | "unsubscribe" | "unsubscribed"
    )
}

/// The account's user sends `type_` to the contact. `true` if it is to be routed (appendix A.2).
pub(super) fn outbound(contact: &mut Contact, type_: &str) -> bool {
    let sub = &mut contact.subscription;
    let route = match type_ {
        "subscribe" => {
            contact.ask = !sub.to;
            true
        }
        "unsubscribe" => {
            sub.to = false;
            contact.ask = false;
            true
        }
        "subscribed" if contact.request.take().is_some() => {
            sub.from = true;
            true
        }
        // Approval before anybody asked (RFC 6121 section 3.4).
        "subscribed" => {
            contact.approved = !sub.from;
            false
        }
        _ => {
            contact.approved = false;
            let had = contact.request.take().is_some();
            std::mem::take(&mut sub.from) || had
        }
    };
    contact.listed |= sub.from || sub.to || contact.ask;
    route
}

/// What follows from a subscription stanza of a contact.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Inbound {
    /// The user is to see it.
    pub(super) deliver: bool,
    /// To be answered for the user.
    pub(super) reply: Option<&'static str>,
    /// The roster changed.
    pub(super) push: bool,
}

/// The contact sends `type_`; `request` is its stanza (appendix A.3).
pub(super) fn inbound(contact: &mut Contact, type_: &str, request: &str) -> Inbound {
    let none = Inbound::default();
    let sub = &mut contact.subscription;
    match type_ {
        "subscribe" if sub.from => Inbound {
            reply: Some("subscribed"),
            ..none
        },
        "subscribe" if contact.approved => {
            sub.from = true;
            contact.approved = false;
            contact.listed = true;
            Inbound {
                reply: Some("subscribed"),
                push: true,
                ..none
            }
        }
        "subscribe" => {
            let again = contact.request.replace(request.into()).is_some();
            Inbound {
                deliver: !again,
                ..none
            }
        }
        "unsubscribe" => {
            let asked = contact.request.take().is_some();
            let seen = std::mem::take(&mut sub.from);
            Inbound {
                deliver: asked || seen,
                push: seen,
                ..none
            }
        }
        "subscribed" if contact.ask => {
            contact.ask = false;
            sub.to = true;
            Inbound {
                deliver: true,
                push: true,
                ..none
            }
        }
        "unsubscribed" if contact.ask || sub.to => {
            contact.ask = false;
            sub.to = false;
            Inbound {
                deliver: true,
                push: true,
                ..none
            }
        }
        _ => none,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::store::Subscription;
    use super::*;

    /// The nine states of RFC 6121 appendix A.1, as (to, from, ask, pending in).
    const NONE: State = (false, false, false, false);
    const NONE_OUT: State = (false, false, true, false);
    const NONE_IN: State = (false, false, false, true);
    const NONE_BOTH: State = (false, false, true, true);
    const TO: State = (true, false, false, false);
    const TO_IN: State = (true, false, false, true);
    const FROM: State = (false, true, false, false);
    const FROM_OUT: State = (false, true, true, false);
    const BOTH: State = (true, true, false, false);
    const STATES: [State; 9] = [
        NONE, NONE_OUT, NONE_IN, NONE_BOTH, TO, TO_IN, FROM, FROM_OUT, BOTH,
    ];
    type State = (bool, bool, bool, bool);

    fn contact((to, from, ask, pending): State) -> Contact {
        Contact {
            subscription: Subscription { to, from },
            ask,
            request: pending.then(|| "<presence/>".into()),
            listed: true,
            ..Contact::default()
        }
    }

    fn state(contact: &Contact) -> State {
        (
            contact.subscription.to,
            contact.subscription.from,
            contact.ask,
            contact.request.is_some(),
        )
    }

    fn check(type_: &str, inbound_: bool, table: [(State, bool); 9]) {
        for (before, (after, acted)) in STATES.into_iter().zip(table) {
            let mut contact = contact(before);
            let did = match inbound_ {
                true => inbound(&mut contact, type_, "<presence/>").deliver,
                false => outbound(&mut contact, type_),
            };
            assert_eq!(
                (state(&contact), did),
                (after, acted),
                "{type_} in {before:?}, inbound {inbound_}"
            );
        }
    }

    #[test]
    fn outbound_follows_appendix_a_2() {
        let routed = |states: [State; 9]| states.map(|state| (state, true));
        check(
            "subscribe",
            false,
            routed([
                NONE_OUT, NONE_OUT, NONE_BOTH, NONE_BOTH, TO, TO_IN, FROM_OUT, FROM_OUT, BOTH,
            ]),
        );
        check(
            "unsubscribe",
            false,
            routed([
                NONE, NONE, NONE_IN, NONE_IN, NONE, NONE_IN, FROM, FROM, FROM,
            ]),
        );
        let table = [
            (NONE, false),
            (NONE_OUT, false),
            (FROM, true),
            (FROM_OUT, true),
            (TO, false),
            (BOTH, true),
            (FROM, false),
            (FROM_OUT, false),
            (BOTH, false),
        ];
        check("subscribed", false, table);
        let table = [
            (NONE, false),
            (NONE_OUT, false),
            (NONE, true),
            (NONE_OUT, true),
            (TO, false),
            (TO, true),
            (NONE, true),
            (NONE_OUT, true),
            (TO, true),
        ];
        check("unsubscribed", false, table);
    }

    #[test]
    fn inbound_follows_appendix_a_3() {
        let table = [
            (NONE_IN, true),
            (NONE_BOTH, true),
            (NONE_IN, false),
            (NONE_BOTH, false),
            (TO_IN, true),
            (TO_IN, false),
            (FROM, false),
            (FROM_OUT, false),
            (BOTH, false),
        ];
        check("subscribe", true, table);
        let table = [
            (NONE, false),
            (NONE_OUT, false),
            (NONE, true),
            (NONE_OUT, true),
            (TO, false),
            (TO, true),
            (NONE, true),
            (NONE_OUT, true),
            (TO, true),
        ];
        check("unsubscribe", true, table);
        let table = [
            (NONE, false),
            (TO, true),
            (NONE_IN, false),
            (TO_IN, true),
            (TO, false),
            (TO_IN, false),
            (FROM, false),
            (BOTH, true),
            (BOTH, false),
        ];
        check("subscribed", true, table);
        let table = [
            (NONE, false),
            (NONE, true),
            (NONE_IN, false),
            (NONE_IN, true),
            (NONE, true),
            (NONE_IN, true),
            (FROM, false),
            (FROM, true),
            (FROM, true),
        ];
        check("unsubscribed", true, table);
    }

    #[test]
    fn approval_comes_before_the_request() {
        let mut it = contact(NONE);
        assert!(!outbound(&mut it, "subscribed") && it.approved);
        let did = inbound(&mut it, "subscribe", "<presence/>");
        assert_eq!((did.deliver, did.reply), (false, Some("subscribed")));
        assert_eq!(state(&it), FROM);
    }
}

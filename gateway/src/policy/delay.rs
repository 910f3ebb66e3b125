//! When a message that waited was sent (XEP-0203). Refuses to stamp what was stamped before, and what is only a state.

use super::address::{domain, from, kind};
use crate::xml::{Element, NS_CLIENT};
use crate::xmpp::datetime;

const NS_DELAY: &str = "urn:xmpp:delay";
/// Shorter waits are what a radio link is like.
const WORTH_SAYING_MS: i64 = 10 * 60_000;

/// Says when `stanza` was taken, if that is long ago.
pub(crate) fn stamp(stanza: &mut Element, taken_ms: i64, now_ms: i64) {
    let waited = now_ms.saturating_sub(taken_ms) >= WORTH_SAYING_MS;
    let content = stanza.name == "message"
        && kind(stanza) != "error"
        && stanza.child(NS_CLIENT, "body").is_some();
    if waited && content && stanza.child(NS_DELAY, "delay").is_none() {
        let delay = Element::new(NS_DELAY, "delay")
            .with_attr("from", domain(from(stanza)))
            .with_attr("stamp", datetime::format(taken_ms / 1000 * 1000));
        stanza.push(delay);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_content_that_waited_is_stamped_and_only_once() {
        let message = Element::parse(
            "<message xmlns='jabber:client' from='romeo@ship.example/deck' to='j@x'><body>x</body></message>",
        )
        .unwrap();
        let mut late = message.clone();
        stamp(&mut late, 0, WORTH_SAYING_MS - 1);
        assert_eq!(late, message);
        stamp(&mut late, 0, WORTH_SAYING_MS);
        let delay = late.child(NS_DELAY, "delay").unwrap();
        assert_eq!(delay.attr("stamp"), Some("1970-01-01T00:00:00Z"));
        assert_eq!(delay.attr("from"), Some("ship.example"));
        stamp(&mut late, 1, 10 * WORTH_SAYING_MS);
        assert_eq!(late.children().count(), 2);
        let mut receipt = Element::parse("<message xmlns='jabber:client' to='j@x'/>").unwrap();
        stamp(&mut receipt, 0, WORTH_SAYING_MS);
        assert_eq!(receipt.children().count(), 0);
    }
}

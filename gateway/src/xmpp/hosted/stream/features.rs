//! Stream features at each stage (RFC 6120 section 4.3.2). Refuses channel binding and compression: TLS ends here, and
//! compression is the radio's business.

use super::super::ack::NS_SM;
use super::super::sasl::Sasl;
use crate::xml::{Element, Limits, NS_STREAM};

pub(super) const NS_BIND: &str = "urn:ietf:params:xml:ns:xmpp-bind";
pub(super) const NS_TLS: &str = "urn:ietf:params:xml:ns:xmpp-tls";
const NS_CSI: &str = "urn:xmpp:csi:0";
const NS_LIMITS: &str = "urn:xmpp:stream-limits:0";
const NS_PRE_APPROVAL: &str = "urn:xmpp:features:pre-approval";
const NS_SESSION: &str = "urn:ietf:params:xml:ns:xmpp-session";

pub(super) fn features(tls: bool, authenticated: bool, limits: &Limits) -> Element {
    let features = Element::new(NS_STREAM, "features");
    match (tls, authenticated) {
        (false, _) => {
            let required = Element::new(NS_TLS, "required");
            features.with_child(Element::new(NS_TLS, "starttls").with_child(required))
        }
        (true, false) => features.with_child(Sasl::mechanisms(tls)),
        (true, true) => {
            let session = Element::new(NS_SESSION, "session")
                .with_child(Element::new(NS_SESSION, "optional"));
            let max = Element::new(NS_LIMITS, "max-bytes").with_text(limits.size.to_string());
            features
                .with_child(Element::new(NS_BIND, "bind"))
                .with_child(session)
                .with_child(Element::new(NS_SM, "sm"))
                .with_child(Element::new(NS_CSI, "csi"))
                .with_child(Element::new(NS_PRE_APPROVAL, "sub"))
                .with_child(Element::new(NS_LIMITS, "limits").with_child(max))
        }
    }
}

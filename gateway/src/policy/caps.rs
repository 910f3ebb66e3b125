//! The verification string of entity capabilities (XEP-0115 section 5). Refuses other hashes than SHA-1, which is the
//! only one in use there.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

use super::answer::NS_DISCO_INFO;
use crate::xml::Element;

const NS_CAPS: &str = "http://jabber.org/protocol/caps";
const NS_DATA: &str = "jabber:x:data";

/// Node and version a presence announces.
pub fn announced(presence: &Element) -> Option<(&str, &str)> {
    let caps = presence.child(NS_CAPS, "c")?;
    if caps.attr("hash")? != "sha-1" {
        return None;
    }
    Some((caps.attr("node")?, caps.attr("ver")?))
}

/// Does this disco answer have this version? Where it has not, somebody lies or errs, and it must not be held.
pub fn matches(query: &Element, ver: &str) -> bool {
    STANDARD.encode(Sha1::digest(verification(query))) == ver
}

fn verification(query: &Element) -> String {
    let named = |name: &'static str| {
        query
            .children()
            .filter(move |it| it.is(NS_DISCO_INFO, name))
    };
    let mut identities: Vec<String> = named("identity")
        .map(|it| {
            let part = |name| it.attr(name).unwrap_or_default();
            let lang = it.attr_ns(crate::xml::NS_XML, "lang").unwrap_or_default();
            format!(
                "{}/{}/{lang}/{}<",
                part("category"),
                part("type"),
                part("name")
            )
        })
        .collect();
    identities.sort_unstable();
    let mut features: Vec<String> = named("feature")
        .map(|it| format!("{}<", it.attr("var").unwrap_or_default()))
        .collect();
    features.sort_unstable();
    let forms = query.children().filter(|it| it.is(NS_DATA, "x"));
    let mut forms: Vec<(String, String)> = forms.filter_map(form).collect();
    forms.sort_unstable();
    let forms = forms
        .into_iter()
        .map(|(kind, fields)| format!("{kind}<{fields}"));
    identities
        .into_iter()
        .chain(features)
        .chain(forms)
        .collect()
}

/// Type of a form and its other fields, sorted.
fn form(form: &Element) -> Option<(String, String)> {
    let values = |field: &Element| -> Vec<String> {
        let values = field.children().filter(|it| it.is(NS_DATA, "value"));
        let mut values: Vec<String> = values.map(Element::text).collect();
        values.sort_unstable();
        values
    };
    let mut kind = None;
    let mut fields = Vec::new();
    for field in form.children().filter(|it| it.is(NS_DATA, "field")) {
        match field.attr("var")? {
            "FORM_TYPE" => kind = values(field).into_iter().next(),
            var => fields.push((var.to_owned(), values(field))),
        }
    }
    fields.sort_unstable();
    let fields = fields
        .into_iter()
        .flat_map(|(var, values)| std::iter::once(var).chain(values))
        .map(|part| part + "<");
    Some((kind?, fields.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// XEP-0115 section 5.2 and 5.3.
    #[test]
    fn the_published_examples_verify() {
        let simple = "<query xmlns='http://jabber.org/protocol/disco#info' \
            node='http://code.google.com/p/exodus#QgayPKawpkPSDYmwT/WM94uAlu0='>\
            <identity category='client' name='Exodus 0.9.1' type='pc'/>\
            <feature var='http://jabber.org/protocol/caps'/>\
            <feature var='http://jabber.org/protocol/disco#info'/>\
            <feature var='http://jabber.org/protocol/disco#items'/>\
            <feature var='http://jabber.org/protocol/muc'/></query>";
        let query = Element::parse(simple).unwrap();
        assert!(matches(&query, "QgayPKawpkPSDYmwT/WM94uAlu0="));
        let complex = "<query xmlns='http://jabber.org/protocol/disco#info'>\
            <identity xml:lang='en' category='client' name='Psi 0.11' type='pc'/>\
            <identity xml:lang='el' category='client' name='\u{3a8} 0.11' type='pc'/>\
            <feature var='http://jabber.org/protocol/caps'/>\
            <feature var='http://jabber.org/protocol/disco#info'/>\
            <feature var='http://jabber.org/protocol/disco#items'/>\
            <feature var='http://jabber.org/protocol/muc'/>\
            <x xmlns='jabber:x:data' type='result'>\
            <field var='FORM_TYPE' type='hidden'><value>urn:xmpp:dataforms:softwareinfo</value></field>\
            <field var='ip_version'><value>ipv4</value><value>ipv6</value></field>\
            <field var='os'><value>Mac</value></field><field var='os_version'><value>10.5.1</value></field>\
            <field var='software'><value>Psi</value></field>\
            <field var='software_version'><value>0.11</value></field></x></query>";
        let query = Element::parse(complex).unwrap();
        assert!(matches(&query, "q07IKJEyjvHSyhy//CH0CxmKi8w="));
        assert!(!matches(&query, "QgayPKawpkPSDYmwT/WM94uAlu0="));
    }
}

//! Archive queries (XEP-0313 with XEP-0059 pages). Refuses to read anybody else's archive.

use super::super::store::{Archived, PageAt, PageQuery};
use super::iq::{Answer, Query, Refusal};
use super::{Domain, bare, envelope};
use crate::xml::Element;
use crate::xmpp::datetime;

pub(super) const NS_MAM: &str = "urn:xmpp:mam:2";
const NS_DELAY: &str = "urn:xmpp:delay";
const NS_FORM: &str = "jabber:x:data";
const NS_FORWARD: &str = "urn:xmpp:forward:0";
const NS_RSM: &str = "http://jabber.org/protocol/rsm";
/// Messages on one page.
const PAGE_MAX: u32 = 100;

impl Domain {
    pub(super) fn mam_iq(&mut self, query: &Query) -> Answer {
        match (query.payload.name.as_str(), query.set) {
            ("query", false) => Ok(Some(form())),
            ("query", true) => self.mam_page(query),
            ("metadata", false) => self.mam_metadata(query),
            _ => Err(Refusal::unknown()),
        }
    }

    fn mam_page(&mut self, query: &Query) -> Answer {
        let wanted = wanted(query.payload)?;
        let page = self.store.page(query.account, &wanted)?;
        let Some(session) = query.session else {
            return Err(Refusal::unknown());
        };
        for message in &page.messages {
            if let Some(result) = result(message, query.payload.attr("queryid")) {
                let carrier =
                    envelope("message", "", query.account, query.asker_full).with_child(result);
                self.send(session, carrier, None);
            }
        }
        let mut set = Element::new(NS_RSM, "set");
        if let (Some(first), Some(last)) = (page.messages.first(), page.messages.last()) {
            set.push(Element::new(NS_RSM, "first").with_text(first.id.to_string()));
            set.push(Element::new(NS_RSM, "last").with_text(last.id.to_string()));
        }
        set.push(Element::new(NS_RSM, "count").with_text(page.count.to_string()));
        let mut fin = Element::new(NS_MAM, "fin");
        if page.complete {
            fin.set_attr("complete", "true");
        }
        Ok(Some(fin.with_child(set)))
    }

    fn mam_metadata(&mut self, query: &Query) -> Answer {
        let mut metadata = Element::new(NS_MAM, "metadata");
        for (name, at) in [
            ("start", PageAt::After(0)),
            ("end", PageAt::Before(i64::MAX)),
        ] {
            let page = self.store.page(query.account, &everything(at, 1))?;
            if let Some(message) = page.messages.first() {
                let edge = Element::new(NS_MAM, name)
                    .with_attr("id", message.id.to_string())
                    .with_attr("timestamp", datetime::format(message.at_ms));
                metadata.push(edge);
            }
        }
        Ok(Some(metadata))
    }
}

fn everything(at: PageAt, max: u32) -> PageQuery {
    PageQuery {
        with: None,
        start_ms: None,
        end_ms: None,
        at,
        max,
    }
}

fn wanted(query: &Element) -> Result<PageQuery, Refusal> {
    let mut wanted = everything(PageAt::After(0), PAGE_MAX);
    if let Some(form) = query.child(NS_FORM, "x") {
        for field in form.children().filter(|it| it.is(NS_FORM, "field")) {
            let value = field
                .child(NS_FORM, "value")
                .map(Element::text)
                .unwrap_or_default();
            let time = || {
                datetime::parse(&value)
                    .map(Some)
                    .ok_or_else(Refusal::bad_request)
            };
            match field.attr("var") {
                Some("with") => wanted.with = Some(bare(&value)),
                Some("start") => wanted.start_ms = time()?,
                Some("end") => wanted.end_ms = time()?,
                Some("FORM_TYPE") | None => {}
                Some(_) => {
                    return Err(Refusal::Stanza(
                        crate::xmpp::stanza::ErrorKind::Cancel,
                        "feature-not-implemented",
                    ));
                }
            }
        }
    }
    let Some(set) = query.child(NS_RSM, "set") else {
        return Ok(wanted);
    };
    if let Some(max) = set.child(NS_RSM, "max") {
        let max: u32 = max
            .text()
            .trim()
            .parse()
            .map_err(|_| Refusal::bad_request())?;
        wanted.max = max.min(PAGE_MAX);
    }
    let id = |name: &str| set.child(NS_RSM, name).map(Element::text);
    let number = |id: String| id.trim().parse().map_err(|_| Refusal::not_found());
    match (id("after"), id("before")) {
        (Some(after), _) if !after.is_empty() => wanted.at = PageAt::After(number(after)?),
        (_, Some(before)) if before.is_empty() => wanted.at = PageAt::Before(i64::MAX),
        (_, Some(before)) => wanted.at = PageAt::Before(number(before)?),
        _ => {}
    }
    Ok(wanted)
}

fn result(message: &Archived, query: Option<&str>) -> Option<Element> {
    let stanza = Element::parse(&message.stanza).ok()?;
    let delay = Element::new(NS_DELAY, "delay").with_attr("stamp", datetime::format(message.at_ms));
    let forwarded = Element::new(NS_FORWARD, "forwarded")
        .with_child(delay)
        .with_child(stanza);
    let mut result = Element::new(NS_MAM, "result").with_attr("id", message.id.to_string());
    if let Some(query) = query {
        result.set_attr("queryid", query);
    }
    Some(result.with_child(forwarded))
}

/// The fields that can be asked for (XEP-0313 section 4.1.5).
fn form() -> Element {
    let mut form = Element::new(NS_FORM, "x").with_attr("type", "form");
    let type_field = Element::new(NS_FORM, "field")
        .with_attr("type", "hidden")
        .with_attr("var", "FORM_TYPE")
        .with_child(Element::new(NS_FORM, "value").with_text(NS_MAM));
    form.push(type_field);
    for (type_, var) in [
        ("jid-single", "with"),
        ("text-single", "start"),
        ("text-single", "end"),
    ] {
        form.push(
            Element::new(NS_FORM, "field")
                .with_attr("type", type_)
                .with_attr("var", var),
        );
    }
    Element::new(NS_MAM, "query").with_child(form)
}

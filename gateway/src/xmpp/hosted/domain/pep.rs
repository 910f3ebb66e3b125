//! Personal eventing (XEP-0163): bookmarks, nicknames, avatars, device lists. Refuses to be a general pubsub service,
//! and to tell anybody across the radio who is not known to want it.

mod far;

use super::super::store::{Item, StoreError};
use super::iq::{Answer, Query, Refusal};
use super::{Domain, SessionId, envelope};
use crate::xml::Element;
use crate::xmpp::stanza::ErrorKind;

pub(super) const NS_PUBSUB: &str = "http://jabber.org/protocol/pubsub";
pub(super) const NS_OWNER: &str = "http://jabber.org/protocol/pubsub#owner";
const NS_EVENT: &str = "http://jabber.org/protocol/pubsub#event";
const NS_FORM: &str = "jabber:x:data";
/// Items of one node.
const ITEMS_MAX: u32 = 500;
/// Nodes that hold one item unless configured otherwise (XEP-0060 section 7.1.5), and many that hold more.
const SINGLE: u32 = 1;

/// Configuration of a node.
struct Config {
    access: String,
    max: u32,
}

impl Config {
    fn default_for(node: &str) -> Self {
        let many = matches!(
            node,
            "urn:xmpp:bookmarks:1" | "urn:xmpp:mds:displayed:0" | "urn:xmpp:omemo:2:bundles"
        );
        Self {
            access: match node {
                "urn:xmpp:bookmarks:1" | "urn:xmpp:mds:displayed:0" | "storage:bookmarks" => {
                    "whitelist".into()
                }
                _ => "presence".into(),
            },
            max: if many { ITEMS_MAX } else { SINGLE },
        }
    }

    fn read(&mut self, form: &Element) {
        for field in form.children().filter(|it| it.is(NS_FORM, "field")) {
            let value = field
                .child(NS_FORM, "value")
                .map(Element::text)
                .unwrap_or_default();
            match field.attr("var") {
                Some("pubsub#access_model")
                    if matches!(value.as_str(), "open" | "presence" | "whitelist") =>
                {
                    self.access = value;
                }
                Some("pubsub#max_items") => {
                    self.max = value
                        .parse()
                        .map_or(ITEMS_MAX, |max: u32| max.clamp(1, ITEMS_MAX))
                }
                _ => {}
            }
        }
    }

    fn form(&self) -> Element {
        let field = |var: &str, value: &str| {
            Element::new(NS_FORM, "field")
                .with_attr("var", var)
                .with_child(Element::new(NS_FORM, "value").with_text(value))
        };
        Element::new(NS_FORM, "x")
            .with_attr("type", "form")
            .with_child(
                field("FORM_TYPE", "http://jabber.org/protocol/pubsub#node_config")
                    .with_attr("type", "hidden"),
            )
            .with_child(field("pubsub#access_model", &self.access))
            .with_child(field("pubsub#max_items", &self.max.to_string()))
            .with_child(field("pubsub#persist_items", "1"))
    }
}

fn config_key(node: &str) -> String {
    format!("node {node}")
}

impl Domain {
    pub(super) fn pep_iq(&mut self, query: &Query) -> Answer {
        let Some(action) = query.payload.children().next() else {
            return Err(Refusal::bad_request());
        };
        let node = action.attr("node").unwrap_or_default();
        if node.is_empty() && action.name != "subscriptions" && action.name != "affiliations" {
            return Err(Refusal::bad_request());
        }
        let owner = query.payload.ns == NS_OWNER;
        match (action.name.as_str(), query.set, owner) {
            ("items", false, false) => self.pep_items(query, action, node),
            _ if !query.own() => Err(Refusal::forbidden()),
            ("publish", true, false) => self.pep_publish(query, action, node),
            ("retract", true, false) => {
                let item = action.child(NS_PUBSUB, "item").and_then(|it| it.attr("id"));
                let item = item.ok_or(Refusal::bad_request())?;
                if !self.store.retract(query.account, node, Some(item))? {
                    return Err(Refusal::not_found());
                }
                let gone = Element::new(NS_EVENT, "retract").with_attr("id", item);
                self.notify(query.account, node, &gone)?;
                Ok(None)
            }
            ("create", true, false) => {
                self.configure(query, node)?;
                Ok(None)
            }
            ("delete" | "purge", true, true) => {
                self.store.retract(query.account, node, None)?;
                Ok(None)
            }
            ("configure", false, true) => {
                let form = self.node_config(query.account, node)?.form();
                let configure = Element::new(NS_OWNER, "configure")
                    .with_attr("node", node)
                    .with_child(form);
                Ok(Some(Element::new(NS_OWNER, "pubsub").with_child(configure)))
            }
            ("configure", true, true) => {
                self.configure(query, node)?;
                Ok(None)
            }
            ("subscriptions" | "affiliations", false, _) => {
                let list = Element::new(query.payload.ns.as_str(), action.name.as_str());
                Ok(Some(
                    Element::new(query.payload.ns.as_str(), "pubsub").with_child(list),
                ))
            }
            _ => Err(Refusal::Stanza(
                ErrorKind::Cancel,
                "feature-not-implemented",
            )),
        }
    }

    fn node_config(&self, account: &str, node: &str) -> Result<Config, StoreError> {
        let mut config = Config::default_for(node);
        let stored = self.store.private(account, &config_key(node))?;
        if let Some(Ok(form)) = stored.map(Element::parse) {
            config.read(&form);
        }
        Ok(config)
    }

    /// Takes the form among the request's actions, if there is one.
    fn configure(&mut self, query: &Query, node: &str) -> Result<(), StoreError> {
        let form = query
            .payload
            .children()
            .find_map(|it| it.child(NS_FORM, "x"));
        let Some(form) = form else { return Ok(()) };
        let mut config = self.node_config(query.account, node)?;
        config.read(form);
        self.store
            .set_private(query.account, &config_key(node), &config.form().to_xml(""))
    }

    fn pep_publish(&mut self, query: &Query, action: &Element, node: &str) -> Answer {
        // Publish options are taken as the node's configuration: what clients mean by them (XEP-0060 section 7.1.5).
        self.configure(query, node)?;
        let max = self.node_config(query.account, node)?.max;
        let Some(given) = action.child(NS_PUBSUB, "item") else {
            return Err(Refusal::bad_request());
        };
        let id = given
            .attr("id")
            .map_or_else(|| self.fresh_id("item"), Into::into);
        let payload = given
            .children()
            .next()
            .map(|it| it.to_xml(""))
            .unwrap_or_default();
        let item = Item { id, payload };
        self.store.publish(query.account, node, &item, max)?;
        self.notify(query.account, node, &in_event(&item, NS_EVENT))?;
        let item = Element::new(NS_PUBSUB, "item").with_attr("id", item.id);
        let publish = Element::new(NS_PUBSUB, "publish")
            .with_attr("node", node)
            .with_child(item);
        Ok(Some(Element::new(NS_PUBSUB, "pubsub").with_child(publish)))
    }

    fn pep_items(&mut self, query: &Query, action: &Element, node: &str) -> Answer {
        let config = self.node_config(query.account, node)?;
        let may = match config.access.as_str() {
            _ if query.own() => true,
            "open" => true,
            "presence" => {
                self.store
                    .contact(query.account, &query.asker)?
                    .subscription
                    .from
            }
            _ => false,
        };
        if !may {
            return Err(Refusal::forbidden());
        }
        let max = action
            .attr("max_items")
            .and_then(|it| it.parse().ok())
            .unwrap_or(ITEMS_MAX);
        let mut found = self.store.items(query.account, node, max)?;
        let wanted: Vec<&str> = action.children().filter_map(|it| it.attr("id")).collect();
        if !wanted.is_empty() {
            found.retain(|item| wanted.contains(&item.id.as_str()));
        } else if found.is_empty() && !self.store.nodes(query.account)?.iter().any(|it| it == node)
        {
            return Err(Refusal::not_found());
        }
        let mut items = Element::new(NS_PUBSUB, "items").with_attr("node", node);
        found
            .iter()
            .for_each(|item| items.push(in_event(item, NS_PUBSUB)));
        Ok(Some(Element::new(NS_PUBSUB, "pubsub").with_child(items)))
    }

    /// Tells whoever wants to know (XEP-0163 section 4.3).
    fn notify(&mut self, account: &str, node: &str, change: &Element) -> Result<(), StoreError> {
        let access = self.node_config(account, node)?.access;
        for id in self.sessions_of(account) {
            self.send_event(id, account, node, change);
        }
        if access == "whitelist" {
            return Ok(());
        }
        for contact in self
            .store
            .contacts(account)?
            .into_iter()
            .filter(|it| it.subscription.from)
        {
            for id in self.sessions_of(&contact.jid) {
                self.send_event(id, account, node, change);
            }
        }
        let item = change.attr("id").unwrap_or_default();
        self.tell_far(account, node, item, change)
    }

    fn send_event(&mut self, id: SessionId, account: &str, node: &str, change: &Element) {
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        if session.available() && session.notify.contains(node) {
            let event = event(account, &session.full(), node, change);
            self.send(id, event, None);
        }
    }

    /// Sends a client the last items of nodes it has just said it wants, its own and those of local contacts.
    pub(super) fn send_last_items(
        &mut self,
        id: SessionId,
        account: &str,
        nodes: &[String],
    ) -> Result<(), StoreError> {
        let mut owners = vec![account.to_owned()];
        let contacts = self.store.contacts(account)?;
        owners.extend(
            contacts
                .into_iter()
                .filter(|it| it.subscription.to)
                .map(|it| it.jid),
        );
        for owner in owners {
            for node in self.store.nodes(&owner)? {
                let hidden =
                    owner != account && self.node_config(&owner, &node)?.access == "whitelist";
                if hidden || !nodes.contains(&node) {
                    continue;
                }
                for item in self.store.items(&owner, &node, 1)? {
                    self.send_event(id, &owner, &node, &in_event(&item, NS_EVENT));
                }
            }
        }
        self.send_far_items(id, account, nodes)
    }
}

fn in_event(item: &Item, ns: &str) -> Element {
    let element = Element::new(ns, "item").with_attr("id", item.id.as_str());
    match Element::parse(&item.payload) {
        Ok(payload) => element.with_child(payload),
        Err(_) => element,
    }
}

fn event(from: &str, to: &str, node: &str, change: &Element) -> Element {
    let items = Element::new(NS_EVENT, "items")
        .with_attr("node", node)
        .with_child(change.clone());
    envelope("message", "headline", from, to)
        .with_child(Element::new(NS_EVENT, "event").with_child(items))
}

//! The room of a group (XEP-0045) as its people at this station see it: they enter, speak, and hear everybody in one
//! order. Refuses to put presence on the air: who is in the room at other stations shows only when they speak.

use crate::policy::Reason;
use crate::policy::address::{bare, from, id, kind, to};
use crate::policy::classify::{NS_CHAT_STATES, NS_HINTS, NS_MUC};
use crate::store::group::Said;
use crate::xml::{Element, NS_CLIENT};
use crate::xmpp::datetime;
use crate::xmpp::stanza::{self, ErrorKind};

use super::group::NS_GROUP;
use super::{Gateway, GatewayError, Target, stored};

const NS_MUC_USER: &str = "http://jabber.org/protocol/muc#user";
const NS_DISCO_INFO: &str = "http://jabber.org/protocol/disco#info";
const NS_DISCO_ITEMS: &str = "http://jabber.org/protocol/disco#items";
const NS_DELAY: &str = "urn:xmpp:delay";
const NS_PING: &str = "urn:xmpp:ping";
/// Messages shown to who enters, unless they ask for fewer.
const HISTORY: usize = 20;
/// What a message of a room leaves behind: notifications, and what is between two clients or a client and its server.
const LEFT_BEHIND: [&str; 8] = [
    NS_CHAT_STATES,
    NS_HINTS,
    NS_MUC_USER,
    "urn:xmpp:receipts",
    "urn:xmpp:chat-markers:0",
    "urn:xmpp:occupant-id:0",
    "http://jabber.org/protocol/xhtml-im",
    "http://jabber.org/protocol/nick",
];

/// Somebody in the room at this station.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Occupant {
    /// Full JID.
    jid: String,
    nick: String,
}

impl Gateway {
    /// A stanza for the room of group `group` from somebody at this station.
    pub(super) fn handle_room(
        &mut self,
        group: usize,
        stanza: &Element,
    ) -> Result<(), GatewayError> {
        match (stanza.name.as_str(), kind(stanza)) {
            ("presence", "") => self.enter(group, stanza),
            ("presence", "unavailable") => self.leave(group, from(stanza)),
            ("presence", _) | ("iq", "result" | "error") => {}
            ("message", "error") => self.handle_room_error(group, stanza),
            ("message", "groupchat") => return self.speak(group, stanza),
            ("iq", _) => self.answer_room(group, stanza),
            _ => self.refuse_at(stanza, ErrorKind::Cancel, "service-unavailable"),
        }
        Ok(())
    }

    fn enter(&mut self, group: usize, presence: &Element) {
        let (jid, nick) = (from(presence).to_owned(), resource(to(presence)).to_owned());
        let occupants = &self.groups[group].occupants;
        if nick.is_empty() {
            return self.refuse_at(presence, ErrorKind::Modify, "jid-malformed");
        }
        let taken = |it: &Occupant| it.nick == nick && bare(&it.jid) != bare(&jid);
        if occupants.iter().any(taken) {
            return self.refuse_at(presence, ErrorKind::Cancel, "conflict");
        }
        let known = occupants.iter().find(|it| it.jid == jid);
        let is_new = known.is_none();
        if known.is_some_and(|it| it.nick != nick) {
            self.leave(group, &jid);
        }
        let one = Occupant { jid, nick };
        self.groups[group].occupants.retain(|it| it.jid != one.jid);
        for other in self.groups[group].occupants.clone() {
            self.show(group, &other, &one.jid, true);
            self.show(group, &one, &other.jid, true);
        }
        self.show(group, &one, &one.jid, true);
        // A presence that only changes is no reason to tell everything again.
        let joins = presence.child(NS_MUC, "x");
        if is_new || joins.is_some() {
            self.tell_history(group, &one.jid, joins);
        }
        self.groups[group].occupants.push(one);
    }

    fn leave(&mut self, group: usize, jid: &str) {
        let occupants = &mut self.groups[group].occupants;
        let Some(at) = occupants.iter().position(|it| it.jid == jid) else {
            return;
        };
        let one = occupants.remove(at);
        for other in self.groups[group].occupants.clone() {
            self.show(group, &one, &other.jid, false);
        }
        self.show(group, &one, &one.jid, false);
    }

    /// Tells `to` that `one` is there, or no longer.
    fn show(&mut self, group: usize, one: &Occupant, to: &str, is_there: bool) {
        let role = if is_there { "participant" } else { "none" };
        let item = Element::new(NS_MUC_USER, "item")
            .with_attr("affiliation", "member")
            .with_attr("role", role);
        let mut x = Element::new(NS_MUC_USER, "x").with_child(item);
        if one.jid == to {
            x.push(Element::new(NS_MUC_USER, "status").with_attr("code", "110"));
        }
        let mut presence = Element::new(NS_CLIENT, "presence")
            .with_attr("from", format!("{}/{}", self.room(group), one.nick))
            .with_attr("to", to);
        if !is_there {
            presence.set_attr("type", "unavailable");
        }
        presence.push(x);
        self.tell(presence);
    }

    /// What was said before, and the subject, which rooms of groups have none of.
    fn tell_history(&mut self, group: usize, to: &str, joins: Option<&Element>) {
        let asked = joins.and_then(|it| it.child(NS_MUC, "history"));
        let limit = |name| asked.and_then(|it| it.attr(name)?.parse::<usize>().ok());
        let most = limit("maxstanzas").map_or(HISTORY, |it| it.min(HISTORY));
        let since = asked.and_then(|it| datetime::parse(it.attr("since")?));
        let name = self.groups[group].rules.name.clone();
        let said = self.store.said(&name, 0).unwrap_or_default();
        let said = said
            .iter()
            .filter(|it| since.is_none_or(|since| it.at_ms >= since));
        let said: Vec<&Said> = said.collect();
        for it in &said[said.len().saturating_sub(most)..] {
            let Ok(mut message) = stored(&it.xml) else {
                continue;
            };
            if message.child(NS_DELAY, "delay").is_none() {
                let delay = Element::new(NS_DELAY, "delay")
                    .with_attr("from", self.room(group))
                    .with_attr("stamp", datetime::format(it.at_ms / 1000 * 1000));
                message.push(delay);
            }
            message.set_attr("to", to);
            self.tell(message);
        }
        let subject = Element::new(NS_CLIENT, "message")
            .with_attr("type", "groupchat")
            .with_attr("from", self.room(group))
            .with_attr("to", to)
            .with_child(Element::new(NS_CLIENT, "subject"));
        self.tell(subject);
    }

    /// Somebody here speaks: at the speaker it is said, elsewhere it is carried there first.
    fn speak(&mut self, group: usize, stanza: &Element) -> Result<(), GatewayError> {
        let one = self.groups[group].occupants.iter();
        let Some(one) = one.clone().find(|it| it.jid == from(stanza)) else {
            self.refuse_at(stanza, ErrorKind::Modify, "not-acceptable");
            return Ok(());
        };
        let name = format!("{}/{}", self.room(group), one.nick);
        let Some(mut said) = content(stanza, &name) else {
            self.count(Reason::ChatState, &self.groups[group].rules.name.clone());
            return Ok(());
        };
        match self.groups[group].speaker {
            None => self.say(group, said),
            Some(peer) => {
                // The id must come back as it is, whatever ids the link makes up.
                let carried = Element::new(NS_GROUP, "id").with_text(id(&said));
                said.push(carried);
                said.set_attr("to", self.room(group));
                self.send(peer, said)
            }
        }
    }

    /// Hands a message of the room to everybody in it here.
    pub(super) fn tell_all(&mut self, group: usize, said: &Element) -> Result<(), GatewayError> {
        for one in self.groups[group].occupants.clone() {
            let message = said.clone().with_attr("to", one.jid);
            let target = self.routes.target(self.room(group), to(&message));
            if let Target::Service(service) = target {
                self.keep(service, message)?;
            }
        }
        Ok(())
    }

    /// An error from an occupant's server: they are gone. One of our own, for what could not be carried, is theirs.
    fn handle_room_error(&mut self, group: usize, error: &Element) {
        if bare(from(error)) != self.room(group) {
            return self.leave(group, from(error));
        }
        let nick = resource(to(error));
        let one = self.groups[group].occupants.iter();
        if let Some(one) = one.clone().find(|it| it.nick == nick) {
            let told = error.clone().with_attr("to", one.jid.clone());
            self.tell(told.with_attr("from", self.room(group)));
        }
    }

    fn answer_room(&mut self, group: usize, iq: &Element) {
        let asks = |ns: &str, name: &str| kind(iq) == "get" && iq.child(ns, name).is_some();
        let is_in = self.groups[group]
            .occupants
            .iter()
            .any(|it| it.jid == from(iq));
        let nick = resource(to(iq));
        let reply = if asks(NS_PING, "ping") && (nick.is_empty() || is_in) {
            stanza::result(iq)
        } else if asks(NS_PING, "ping") {
            // XEP-0410: who is not in the room learns it so.
            return self.refuse_at(iq, ErrorKind::Cancel, "not-acceptable");
        } else if asks(NS_DISCO_INFO, "query") && nick.is_empty() {
            stanza::result(iq).with_child(info(&self.groups[group].rules.name))
        } else if asks(NS_DISCO_ITEMS, "query") && nick.is_empty() {
            stanza::result(iq).with_child(Element::new(NS_DISCO_ITEMS, "query"))
        } else {
            return self.refuse_at(iq, ErrorKind::Cancel, "service-unavailable");
        };
        self.tell(reply);
    }

    fn refuse_at(&mut self, of: &Element, kind: ErrorKind, condition: &str) {
        if let Some(error) = stanza::error(of, kind, condition, "") {
            self.tell(error);
        }
    }

    /// Hands a stanza of the room to somebody here; it is not durable, as what it answers was not.
    fn tell(&mut self, stanza: Element) {
        if let Target::Service(service) = self.routes.target(from(&stanza), to(&stanza)) {
            self.kept.push((service, 0, stanza));
        }
    }

    pub(super) fn room(&self, group: usize) -> &str {
        &self.groups[group].rules.room
    }
}

fn info(name: &str) -> Element {
    let identity = Element::new(NS_DISCO_INFO, "identity")
        .with_attr("category", "conference")
        .with_attr("type", "text")
        .with_attr("name", name);
    let mut query = Element::new(NS_DISCO_INFO, "query").with_child(identity);
    for feature in [
        NS_MUC,
        NS_DISCO_INFO,
        NS_PING,
        "muc_persistent",
        "muc_open",
        "muc_nonanonymous",
    ] {
        query.push(Element::new(NS_DISCO_INFO, "feature").with_attr("var", feature));
    }
    query
}

/// What is said in `stanza`, by `name` in the room; `None` if nothing is.
pub(super) fn content(stanza: &Element, name: &str) -> Option<Element> {
    let mut said = Element::new(NS_CLIENT, "message")
        .with_attr("from", name)
        .with_attr("type", "groupchat");
    if !id(stanza).is_empty() {
        said.set_attr("id", id(stanza));
    }
    for child in stanza.children() {
        let own = child.is("urn:xmpp:sid:0", "stanza-id") || child.ns == NS_GROUP;
        if !own && !LEFT_BEHIND.contains(&child.ns.as_str()) {
            said.push(child.clone());
        }
    }
    let only_origin = |it: &Element| it.is("urn:xmpp:sid:0", "origin-id");
    let says = !said.children().all(only_origin);
    says.then_some(said)
}

fn resource(jid: &str) -> &str {
    jid.split_once('/').map_or("", |(_, resource)| resource)
}

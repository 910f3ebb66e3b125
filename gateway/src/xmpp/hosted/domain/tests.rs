//! Rosters, presence and messages as clients see them, without sockets.

use super::*;
use crate::xmpp::hosted::store::Credentials;

/// A domain with users romeo, juliet and nurse, and what its clients received.
struct Verona {
    domain: Domain,
    clients: BTreeMap<SessionId, mpsc::UnboundedReceiver<Out>>,
    /// What went across the radio since last asked.
    remote: Vec<Element>,
}

impl Verona {
    fn new() -> Self {
        let store = Store::in_memory().unwrap();
        for user in ["romeo", "juliet", "nurse"] {
            let keys = Credentials::default();
            let account = format!("{user}@verona.example");
            store.set_account(&account, &keys).unwrap();
        }
        Self {
            domain: Domain::new("verona.example", "longwire", 3, store),
            clients: BTreeMap::new(),
            remote: Vec::new(),
        }
    }

    fn bind(&mut self, user: &str, resource: &str) -> SessionId {
        let (sender, receiver) = mpsc::unbounded_channel();
        let account = format!("{user}@verona.example");
        let bound = self.domain.bind(&account, resource, sender, Arc::default());
        let (bound, remote) = bound.unwrap();
        self.remote.extend(remote);
        self.clients.insert(bound.id, receiver);
        bound.id
    }

    /// Binds, asks for the roster, becomes available and forgets what that brought.
    fn login(&mut self, user: &str, resource: &str) -> SessionId {
        let id = self.bind(user, resource);
        self.sends(
            id,
            "<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>",
        );
        self.sends(id, "<presence/>");
        self.received(id);
        id
    }

    fn sends(&mut self, id: SessionId, xml: &str) {
        let stanza = Element::parse_stanza(xml).unwrap();
        let remote = self.domain.client_sent(id, stanza).unwrap();
        self.remote.extend(remote);
    }

    fn hears(&mut self, xml: &str) {
        let stanza = Element::parse_stanza(xml).unwrap();
        let remote = self.domain.gateway_sent(stanza, 0).unwrap();
        self.remote.extend(remote);
    }

    /// What a client has received since last asked; rows are released, as after a write.
    fn received(&mut self, id: SessionId) -> Vec<Element> {
        let mut stanzas = Vec::new();
        while let Ok(out) = self.clients.get_mut(&id).unwrap().try_recv() {
            if let Out::Stanza { stanza, kept } = out {
                stanzas.push(stanza);
                let rows: Vec<i64> = kept.into_iter().collect();
                self.domain.released(id, &rows).unwrap();
            }
        }
        stanzas
    }

    /// The same in short: name, type, from, and the text of a body.
    fn seen(&mut self, id: SessionId) -> Vec<String> {
        self.received(id).iter().map(brief).collect()
    }

    fn crossed(&mut self) -> Vec<String> {
        let crossed: Vec<String> = self
            .remote
            .iter()
            .map(|it| format!("{} > {}", brief(it), it.attr("to").unwrap_or("-")))
            .collect();
        self.remote.clear();
        crossed
    }
}

fn brief(stanza: &Element) -> String {
    let words = [
        stanza.name.as_str(),
        stanza.attr("type").unwrap_or("-"),
        stanza.attr("from").unwrap_or("-"),
    ];
    let body = stanza
        .child(NS_CLIENT, "body")
        .map(Element::text)
        .unwrap_or_default();
    format!("{} {body}", words.join(" ")).trim_end().to_owned()
}

#[test]
fn login_and_services_cost_nothing_on_the_air() {
    let mut it = Verona::new();
    let romeo = it.login("romeo", "orchard");
    for payload in [
        "<query xmlns='http://jabber.org/protocol/disco#info'/>",
        "<query xmlns='jabber:iq:private'><storage xmlns='storage:bookmarks'/></query>",
        "<vCard xmlns='vcard-temp'/>",
        "<blocklist xmlns='urn:xmpp:blocking'/>",
        "<query xmlns='urn:xmpp:mam:2'/>",
    ] {
        it.sends(romeo, &format!("<iq type='get' id='1'>{payload}</iq>"));
        assert_eq!(
            it.received(romeo)[0].attr("type"),
            Some("result"),
            "{payload}"
        );
    }
    it.sends(
        romeo,
        "<iq type='set' id='1'><enable xmlns='urn:xmpp:carbons:2'/></iq>",
    );
    it.sends(
        romeo,
        "<iq type='set' id='1'><query xmlns='urn:xmpp:mam:2'/></iq>",
    );
    it.sends(
        romeo,
        "<iq type='get' id='1' to='verona.example'><ping xmlns='urn:xmpp:ping'/></iq>",
    );
    assert!(
        it.received(romeo)
            .iter()
            .all(|reply| reply.attr("type") == Some("result"))
    );
    it.sends(
        romeo,
        "<iq type='get' id='1' to='verona.example'><q xmlns='urn:nobody:knows'/></iq>",
    );
    it.sends(romeo, "<iq type='get' id='1'/>");
    let errors: Vec<String> = it
        .received(romeo)
        .iter()
        .map(|e| {
            e.children()
                .last()
                .unwrap()
                .children()
                .next()
                .unwrap()
                .name
                .clone()
        })
        .collect();
    assert_eq!(errors, ["service-unavailable", "bad-request"]);
    assert!(it.crossed().is_empty());
}

#[test]
fn subscription_between_two_users_here() {
    let mut it = Verona::new();
    let romeo = it.login("romeo", "orchard");
    it.sends(
        romeo,
        "<presence to='juliet@verona.example' type='subscribe'/>",
    );
    it.received(romeo);
    // Juliet was away; the request waits for her.
    let juliet = it.bind("juliet", "balcony");
    it.sends(
        juliet,
        "<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>",
    );
    it.sends(juliet, "<presence/>");
    assert!(
        it.seen(juliet)
            .contains(&"presence subscribe romeo@verona.example".into())
    );
    it.sends(
        juliet,
        "<presence to='romeo@verona.example' type='subscribed'/>",
    );
    let seen = it.seen(romeo);
    assert!(
        seen.contains(&"presence subscribed juliet@verona.example".into()),
        "{seen:?}"
    );
    assert!(
        seen.contains(&"presence - juliet@verona.example/balcony".into()),
        "{seen:?}"
    );
    assert!(
        seen.iter()
            .any(|line| line.starts_with("iq set romeo@verona.example")),
        "a roster push: {seen:?}"
    );
    it.domain.unbind(juliet, &[]).unwrap();
    assert_eq!(
        it.seen(romeo),
        ["presence unavailable juliet@verona.example/balcony"]
    );
    it.sends(romeo, "<iq type='set' id='x'><query xmlns='jabber:iq:roster'><item jid='juliet@verona.example' subscription='remove'/></query></iq>");
    let contact = it
        .domain
        .store
        .contact("juliet@verona.example", "romeo@verona.example")
        .unwrap();
    assert_eq!(contact.subscription.as_str(), "none");
}

#[test]
fn contacts_across_the_radio_are_remembered() {
    let mut it = Verona::new();
    let romeo = it.login("romeo", "orchard");
    it.sends(
        romeo,
        "<presence to='mercutio@mantua.example' type='subscribe'/>",
    );
    assert_eq!(
        it.crossed(),
        ["presence subscribe romeo@verona.example > mercutio@mantua.example"]
    );
    it.hears(
        "<presence from='mercutio@mantua.example' to='romeo@verona.example' type='subscribed'/>",
    );
    it.hears("<presence from='mercutio@mantua.example/tomb' to='romeo@verona.example'><show>dnd</show></presence>");
    it.received(romeo);
    it.domain.unbind(romeo, &[]).unwrap();
    let romeo = it.bind("romeo", "exile");
    it.sends(romeo, "<presence/>");
    assert!(
        it.seen(romeo)
            .contains(&"presence - mercutio@mantua.example/tomb".into()),
        "without asking"
    );
    it.hears(
        "<presence from='romeo@verona.example/x' to='juliet@verona.example' type='subscribe'/>",
    );
    let contact = it
        .domain
        .store
        .contact("juliet@verona.example", "romeo@verona.example")
        .unwrap();
    assert!(
        contact.request.is_none(),
        "a user here cannot speak from across the radio"
    );
}

#[test]
fn messages_wait_once_and_in_order() {
    let mut it = Verona::new();
    let nurse = it.login("nurse", "hall");
    for n in 1..=3 {
        it.sends(
            nurse,
            &format!("<message to='juliet@verona.example' type='chat'><body>{n}</body></message>"),
        );
    }
    it.sends(nurse, "<message to='juliet@verona.example' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>");
    assert!(it.received(nurse).is_empty());
    it.sends(
        nurse,
        "<message to='juliet@verona.example' type='chat'><body>4</body></message>",
    );
    assert_eq!(
        it.seen(nurse),
        ["message error juliet@verona.example"],
        "three are the limit"
    );
    let juliet = it.bind("juliet", "balcony");
    it.sends(juliet, "<presence><priority>-1</priority></presence>");
    assert!(
        !it.seen(juliet)
            .iter()
            .any(|line| line.starts_with("message"))
    );
    it.sends(juliet, "<presence/>");
    let received = it.received(juliet);
    let messages: Vec<&Element> = received
        .iter()
        .filter(|stanza| stanza.name == "message")
        .collect();
    assert!(
        messages
            .iter()
            .all(|message| message.child("urn:xmpp:delay", "delay").is_some())
    );
    let bodies: Vec<String> = messages
        .iter()
        .map(|message| message.child(NS_CLIENT, "body").unwrap().text())
        .collect();
    assert_eq!(bodies, ["1", "2", "3"]);
    it.domain.unbind(juliet, &[]).unwrap();
    let juliet = it.login("juliet", "balcony");
    assert!(it.seen(juliet).is_empty());
}

#[test]
fn what_a_lost_client_had_not_got_goes_to_the_next() {
    let mut it = Verona::new();
    let (phone, nurse) = (it.login("juliet", "phone"), it.login("nurse", "hall"));
    it.sends(
        nurse,
        "<message to='juliet@verona.example' type='chat'><body>Madam!</body></message>",
    );
    // Neither written nor confirmed.
    it.domain.unbind(phone, &[]).unwrap();
    let tablet = it.bind("juliet", "tablet");
    it.sends(tablet, "<presence/>");
    assert!(
        it.seen(tablet)
            .contains(&"message chat nurse@verona.example/hall Madam!".into())
    );
}

#[test]
fn copies_go_to_those_who_asked() {
    let mut it = Verona::new();
    let (one, two, three) = (
        it.login("juliet", "1"),
        it.login("juliet", "2"),
        it.login("juliet", "3"),
    );
    it.sends(
        two,
        "<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>",
    );
    it.sends(two, "<presence><priority>-1</priority></presence>");
    for id in [one, two, three] {
        it.received(id);
    }
    it.hears("<message from='r@mantua.example/x' to='juliet@verona.example/1' type='chat'><body>hi</body></message>");
    assert_eq!(it.seen(one), ["message chat r@mantua.example/x hi"]);
    let copies = it.received(two);
    assert!(copies[0].child("urn:xmpp:carbons:2", "received").is_some());
    assert!(it.received(three).is_empty());
    it.hears("<message from='r@mantua.example/x' to='juliet@verona.example/1' type='chat'><body>hi</body><private xmlns='urn:xmpp:carbons:2'/></message>");
    assert!(it.received(two).is_empty());
    it.sends(
        one,
        "<message to='r@mantua.example' type='chat'><body>ho</body></message>",
    );
    assert!(
        it.received(two)[0]
            .child("urn:xmpp:carbons:2", "sent")
            .is_some()
    );
    assert_eq!(
        it.crossed(),
        ["message chat juliet@verona.example/1 ho > r@mantua.example"]
    );
}

#[test]
fn a_delivery_that_comes_twice_is_taken_once() {
    let mut it = Verona::new();
    let message = Element::parse_stanza("<message from='r@mantua.example/x' to='juliet@verona.example' type='chat'><body>once</body></message>").unwrap();
    it.domain.gateway_sent(message.clone(), 7).unwrap();
    it.domain.gateway_sent(message, 7).unwrap();
    assert_eq!(
        it.domain.store.kept_count("juliet@verona.example").unwrap(),
        1
    );
}

#[test]
fn strangers_learn_nothing() {
    let mut it = Verona::new();
    it.login("juliet", "balcony");
    it.hears("<presence from='spy@mantua.example' to='juliet@verona.example' type='probe'/>");
    assert_eq!(
        it.crossed(),
        ["presence unsubscribed juliet@verona.example > spy@mantua.example"]
    );
    for payload in [
        "<query xmlns='jabber:iq:last'/>",
        "<query xmlns='jabber:iq:roster'/>",
        "<query xmlns='http://jabber.org/protocol/disco#info'/>",
    ] {
        it.hears(&format!("<iq type='get' id='1' from='spy@mantua.example/x' to='juliet@verona.example'>{payload}</iq>"));
    }
    it.hears("<iq type='get' id='1' from='spy@mantua.example/x' to='nobody@verona.example'><ping xmlns='urn:xmpp:ping'/></iq>");
    assert!(it.crossed().iter().all(|line| line.starts_with("iq error")));
}

#[test]
fn a_name_taken_again_ends_the_old_session_first() {
    let mut it = Verona::new();
    let (old, friend) = (it.login("juliet", "balcony"), it.login("juliet", "hall"));
    it.received(friend);
    let new = it.bind("juliet", "balcony");
    it.sends(new, "<presence/>");
    it.domain.unbind(old, &[]).unwrap();
    let seen = it.seen(friend);
    assert_eq!(
        seen,
        [
            "presence unavailable juliet@verona.example/balcony",
            "presence - juliet@verona.example/balcony"
        ]
    );
}

#[test]
fn after_a_crash_contacts_see_who_is_gone() {
    let mut it = Verona::new();
    let juliet = it.login("juliet", "balcony");
    it.sends(juliet, "<presence to='r@mantua.example' type='subscribe'/>");
    it.hears("<presence from='r@mantua.example' to='juliet@verona.example' type='subscribe'/>");
    it.sends(
        juliet,
        "<presence to='r@mantua.example' type='subscribed'/>",
    );
    let store = std::mem::replace(&mut it.domain.store, Store::in_memory().unwrap());
    let mut again = Domain::new("verona.example", "longwire", 3, store);
    let remote = again.recover().unwrap();
    assert_eq!(
        remote.iter().map(brief).collect::<Vec<_>>(),
        ["presence unavailable juliet@verona.example/balcony"]
    );
    assert!(again.recover().unwrap().is_empty());
}

#[test]
fn personal_events_cross_once_and_are_kept() {
    let mut it = Verona::new();
    let caps = "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='n' ver='v'/>";
    let far = "r@mantua.example";
    let juliet = it.login("juliet", "balcony");
    it.sends(juliet, &format!("<presence to='{far}' type='subscribe'/>"));
    it.hears(&format!(
        "<presence from='{far}' to='juliet@verona.example' type='subscribed'/>"
    ));
    it.hears(&format!(
        "<presence from='{far}' to='juliet@verona.example' type='subscribe'/>"
    ));
    it.sends(juliet, &format!("<presence to='{far}' type='subscribed'/>"));
    it.domain
        .caps
        .insert("v".into(), ["nick".to_owned()].into());
    let nick = "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='nick'><item id='i'><nick xmlns='n'>J</nick></item></publish></pubsub>";
    it.sends(juliet, &format!("<iq type='set' id='p'>{nick}</iq>"));
    it.crossed();
    for _ in 0..2 {
        it.hears(&format!(
            "<presence from='{far}/x' to='juliet@verona.example'>{caps}</presence>"
        ));
    }
    assert_eq!(
        it.crossed(),
        ["message headline juliet@verona.example > r@mantua.example/x"]
    );
    let event = "<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='nick'><item id='i'/></items></event>";
    it.hears(&format!(
        "<message from='{far}' to='juliet@verona.example' type='headline'>{event}</message>"
    ));
    let tablet = it.bind("juliet", "tablet");
    it.sends(tablet, &format!("<presence>{caps}</presence>"));
    assert!(it.seen(tablet).contains(&format!("message headline {far}")));
    assert!(it.crossed().iter().all(|line| line.starts_with("presence")));
}

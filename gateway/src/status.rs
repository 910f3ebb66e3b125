//! What `longwire status` and `longwire queue list` show, as JSON. Refuses message text: addresses of queued stanzas are the
//! operator's business, contents are not.

use std::cell::Cell;
use std::rc::Rc;

use serde_json::{Map, Value, json};
use tokio::sync::watch;

use crate::clock::Clock;
use crate::config::{self, Config};
use crate::gateway::group::Group;
use crate::gateway::{Gateway, GatewayError, KeyState, LinkView, Peer, Spoken};
use crate::policy::Class;
use crate::store::outbox::Queued;
use crate::xmpp::component::State;

/// What the gateway's database does not know: names, attachments, modems.
#[derive(Debug)]
pub struct Board {
    name: String,
    clock: Clock,
    components: Vec<(String, watch::Receiver<State>)>,
    hosted: Vec<String>,
    modems: Vec<ModemView>,
}

impl ModemView {
    fn new(modem: &config::Modem) -> Self {
        Self {
            name: modem.name.clone(),
            bit_rate: modem.channel().bit_rate,
            is_open: None,
        }
    }

    fn state(&self) -> &'static str {
        match self.is_open.as_ref().map(|it| it.get()) {
            None => "unused",
            Some(true) => "ready",
            Some(false) => "closed",
        }
    }
}

/// A modem as the configuration and its radio know it.
#[derive(Debug)]
struct ModemView {
    name: String,
    bit_rate: u32,
    /// None where no peer uses it.
    is_open: Option<Rc<Cell<bool>>>,
}

impl Board {
    pub(crate) fn new(config: &Config, clock: Clock) -> Self {
        let modems = config.modems.iter();
        Self {
            name: config.gateway.name.clone(),
            clock,
            components: Vec::new(),
            hosted: config.hosted.iter().map(|it| it.domain.clone()).collect(),
            modems: modems.map(ModemView::new).collect(),
        }
    }

    /// Shows the state of a component connection.
    pub(crate) fn watch(&mut self, domain: &str, state: watch::Receiver<State>) {
        self.components.push((domain.into(), state));
    }

    /// Shows whether a modem is there.
    pub(crate) fn watch_modem(&mut self, name: &str, is_open: Rc<Cell<bool>>) {
        if let Some(modem) = self.modems.iter_mut().find(|it| it.name == name) {
            modem.is_open = Some(is_open);
        }
    }

    /// The whole report.
    pub(crate) fn status(&self, gateway: &Gateway) -> Result<Value, GatewayError> {
        let peers: Result<Vec<Value>, GatewayError> = gateway
            .peers()
            .iter()
            .map(|peer| self.peer(gateway, peer))
            .collect();
        let inbox: usize = gateway.inbox.waiting().map(|(_, count)| count).sum();
        Ok(json!({
            "name": self.name,
            "version": env!("CARGO_PKG_VERSION"),
            "uptime-s": self.clock.now().as_millis() / 1000,
            "attachments": self.attachments(),
            "modems": self.modem_list(gateway)?,
            "peers": peers?,
            "groups": gateway.groups().iter().map(|it| group(gateway, it)).collect::<Vec<_>>(),
            "inbox": inbox,
            "answered": gateway.answered(),
        }))
    }

    fn attachments(&self) -> Vec<Value> {
        let components = self.components.iter().map(|(domain, state)| {
            let (state, reason) = match &*state.borrow() {
                State::Connecting => ("connecting", None),
                State::Connected => ("connected", None),
                State::Waiting(reason) => ("waiting", Some(reason.clone())),
            };
            json!({ "kind": "component", "domain": domain, "state": state, "reason": reason })
        });
        let hosted = self
            .hosted
            .iter()
            .map(|domain| json!({ "kind": "hosted", "domain": domain, "state": "open" }));
        components.chain(hosted).collect()
    }

    fn modem_list(&self, gateway: &Gateway) -> Result<Vec<Value>, GatewayError> {
        let spent = gateway.store().spent(self.clock.day())?;
        let modems = self.modems.iter().map(|modem| {
            let ModemView { name, bit_rate, .. } = modem;
            let peers = gateway
                .peers()
                .iter()
                .filter(|peer| peer.rules.modem == *name);
            let own = peers.map(|peer| {
                let lines = spent.iter().filter(|line| line.peer == peer.rules.name);
                lines.map(|line| line.airtime_ms).sum::<u64>()
            });
            let groups = gateway.groups().iter().filter(|it| it.rules.modem == *name);
            let to_groups = groups.map(|it| {
                let lines = spent.iter().filter(|line| line.peer == it.account());
                lines.map(|line| line.airtime_ms).sum::<u64>()
            });
            json!({
                "name": name,
                "state": modem.state(),
                "bit-rate": bit_rate,
                "airtime-today-ms": own.sum::<u64>() + to_groups.sum::<u64>(),
            })
        });
        Ok(modems.collect())
    }

    fn peer(&self, gateway: &Gateway, peer: &Peer) -> Result<Value, GatewayError> {
        let name = &peer.rules.name;
        let dropped: Map<String, Value> = gateway
            .dropped()
            .filter(|(_, of, _)| of == name)
            .map(|(reason, _, count)| (reason.name().into(), count.into()))
            .collect();
        let spent = gateway.store().spent(self.clock.day())?;
        let users: Map<String, Value> = spent
            .iter()
            .filter(|line| line.peer == *name && !line.user.is_empty())
            .map(|line| (line.user.clone(), line.airtime_ms.into()))
            .collect();
        let link = &peer.link;
        let state = match (link.is_up, link.was_heard) {
            (true, _) => "up",
            (false, true) => "silent",
            (false, false) => "unheard",
        };
        let heard_s = link
            .was_heard
            .then(|| (self.clock.unix_ms() - link.heard_ms).max(0) / 1000);
        let mut queue: Map<String, Value> = Map::new();
        for (class, count) in Class::ALL.iter().zip(peer.outbox.waiting()) {
            queue.insert(class.name().into(), count.into());
        }
        queue.insert("on-air".into(), peer.outbox.on_air().into());
        Ok(json!({
            "name": name,
            "state": state,
            "last-heard-s": heard_s,
            "key": self.key(peer),
            "queue": queue,
            "delivered": peer.delivered,
            "received": peer.received,
            "xml-bytes": peer.xml_octets,
            "air-bytes": link.air_octets,
            "airtime-ms": link.airtime_ms,
            "users-airtime-today-ms": users,
            "dictionary": dictionary(link),
            "dropped": dropped,
        }))
    }

    fn key(&self, peer: &Peer) -> Value {
        let key = &peer.key;
        // A wish that the link has not heard of yet is one all the same.
        let state = match key.state {
            KeyState::Settled | KeyState::Failed if key.row.wanted => KeyState::Wanted,
            state => state,
        };
        json!({
            "fingerprint": key.fingerprint,
            "state": state.name(),
            "since-s": (self.clock.unix_ms() - key.row.since_ms).max(0) / 1000,
        })
    }

    /// What waits for the air, in about the order it will go.
    pub(crate) fn queue(&self, gateway: &Gateway) -> Result<Value, GatewayError> {
        let mut rows = Vec::new();
        for peer in gateway.peers() {
            let mut queued = gateway.store().queued(&peer.rules.name)?;
            queued.sort_by_key(|row| (row.number.is_none(), row.number, row.class, row.id));
            for row in queued {
                rows.push(self.row(gateway, &row)?);
            }
        }
        Ok(Value::Array(rows))
    }

    fn row(&self, gateway: &Gateway, row: &Queued) -> Result<Value, GatewayError> {
        let xml = gateway.store().queued_xml(row.id)?.unwrap_or_default();
        let kind: String = xml
            .trim_start_matches('<')
            .chars()
            .take_while(char::is_ascii_alphabetic)
            .collect();
        Ok(json!({
            "number": row.id,
            "peer": row.peer,
            "kind": kind,
            "class": Class::from_index(row.class).name(),
            "on-air": row.number.is_some(),
            "xml-bytes": xml.len(),
            "age-s": (self.clock.unix_ms() - row.queued_ms).max(0) / 1000,
            "expires-s": (row.expires_ms - self.clock.unix_ms()).max(0) / 1000,
            "from": row.sender,
            "to": row.recipient,
        }))
    }
}

/// A group: at its speaker with who has what.
fn group(gateway: &Gateway, group: &Group) -> Value {
    let members = group.members.iter().map(|member| {
        let reported = member
            .reported_ms
            .map(|at| (gateway.clock().unix_ms() - at) / 1000);
        json!({
            "name": gateway.peers()[member.peer].rules.name,
            "lacks": group.lacking(member).len(),
            "reported-s": reported,
        })
    });
    json!({
        "name": group.rules.name,
        "room": group.rules.room,
        "speaker": group.speaker.map(|peer| &gateway.peers()[peer].rules.name),
        "messages": group.count,
        "air-bytes": group.air_octets,
        "members": members.collect::<Vec<_>>(),
    })
}

fn dictionary(link: &LinkView) -> Value {
    match link.dictionary {
        Spoken::Assumed => json!({ "state": "assumed" }),
        Spoken::Agreed(name) => json!({ "state": "agreed", "name": name }),
        Spoken::Lesser { name, wanted, id } => json!({
            "state": "lesser", "name": name, "wanted": wanted, "wanted-id": format!("{id:08x}"),
            "packets": link.lesser_packets,
        }),
        Spoken::None => json!({ "state": "none" }),
    }
}

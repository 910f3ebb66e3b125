//! Which way a stanza goes, by its addresses and the configuration alone. Refuses loops: a stanza never leaves by the
//! component stream it would come back on.

use std::collections::{HashMap, HashSet};

use crate::config::Config;
use crate::policy::address::{bare, domain};
use crate::router::Service;

/// Where a stanza goes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Target {
    /// Over the radio, to the peer at this place in the configuration.
    Peer(usize),
    /// To an attachment.
    Service(Service),
    /// Into the room of a group.
    Group(usize),
    /// No way.
    Nowhere,
}

/// The table.
#[derive(Debug)]
pub(super) struct Routes {
    hosted: HashSet<String>,
    components: HashSet<String>,
    remote: HashMap<String, usize>,
    rooms: HashMap<String, usize>,
}

impl Routes {
    pub(super) fn new(config: &Config) -> Self {
        let domains = config.components.iter().flat_map(|it| &it.domains);
        let remote = config.peers.iter().enumerate().flat_map(|(index, peer)| {
            let domains = peer.domains.iter();
            domains.map(move |it| (it.to_ascii_lowercase(), index))
        });
        Self {
            hosted: config
                .hosted
                .iter()
                .map(|it| it.domain.to_ascii_lowercase())
                .collect(),
            components: domains.map(|it| it.to_ascii_lowercase()).collect(),
            remote: remote.collect(),
            rooms: config
                .groups
                .iter()
                .enumerate()
                .map(|(index, group)| (group.room.to_ascii_lowercase(), index))
                .collect(),
        }
    }

    /// Rooms of groups first, then single stations, then domains hosted here, then domains of peers; what is left goes to the server this
    /// gateway is a component of, in the name of the sender's domain.
    pub(super) fn target(&self, from: &str, to: &str) -> Target {
        let (there, here) = (
            domain(to).to_ascii_lowercase(),
            domain(from).to_ascii_lowercase(),
        );
        if let Some(group) = self.rooms.get(&bare(to).to_ascii_lowercase()) {
            return Target::Group(*group);
        }
        if let Some(peer) = self.remote.get(&bare(to).to_ascii_lowercase()) {
            return Target::Peer(*peer);
        }
        if self.hosted.contains(&there) {
            return Target::Service(Service::Hosted(there));
        }
        if let Some(peer) = self.remote.get(&there) {
            return Target::Peer(*peer);
        }
        if self.components.contains(&here) && !self.components.contains(&there) {
            return Target::Service(Service::Component(here));
        }
        Target::Nowhere
    }

    /// May `peer` speak for this JID?
    pub(super) fn is_of(&self, peer: usize, jid: &str) -> bool {
        let names = [
            bare(jid).to_ascii_lowercase(),
            domain(jid).to_ascii_lowercase(),
        ];
        names
            .iter()
            .any(|name| self.remote.get(name) == Some(&peer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn stanzas_find_their_way() {
        let text = "[gateway]\ncallsign = 'N0A'\n\
            [[component]]\ndomains = ['shore.example', 'rooms.shore.example', 'lost.example']\nsecret = 's'\n\
            [[hosted]]\ndomain = 'camp.example'\n\
            [[modem]]\nname = 'hf'\nurl = 'air:x'\n\
            [[peer]]\nname = 'shore'\nmodem = 'hf'\nstation = 1\nkey-file = 'k'\n\
            domains = ['shore.example', 'rooms.shore.example']\n\
            [[peer]]\nname = 'buoy'\nmodem = 'hf'\nstation = 2\nkey-file = 'k'\ndomains = ['buoy@camp.example']\n";
        let text = &format!(
            "{text}[[group]]\nname = 'all'\nmodem = 'hf'\nstation = 9\nkey-file = 'g'\nmembers = ['shore']\n\
             room = 'all@lost.example'\n"
        );
        let config = Config::parse(text, Path::new("test.toml")).unwrap();
        let routes = Routes::new(&config);
        let to = |from, to| routes.target(from, to);
        let component = |domain: &str| Target::Service(Service::Component(domain.into()));
        let camp = || Target::Service(Service::Hosted("camp.example".into()));
        assert_eq!(
            to("romeo@ship.example/x", "juliet@Shore.example"),
            Target::Peer(0)
        );
        assert_eq!(
            to("juliet@shore.example/y", "romeo@ship.example"),
            component("shore.example")
        );
        assert_eq!(to("juliet@shore.example", "tybalt@camp.example/z"), camp());
        assert_eq!(
            to("romeo@ship.example", "buoy@camp.example/lora"),
            Target::Peer(1)
        );
        assert_eq!(
            to("romeo@ship.example/x", "All@lost.example/me"),
            Target::Group(0)
        );
        assert_eq!(
            to("all@lost.example/me", "romeo@ship.example/x"),
            component("lost.example")
        );
        assert_eq!(
            to("tybalt@camp.example", "romeo@ship.example"),
            Target::Nowhere
        );
        assert_eq!(to("romeo@ship.example", "x@lost.example"), Target::Nowhere);
        assert_eq!(to("x@lost.example", "y@lost.example"), Target::Nowhere);
        assert_eq!(
            to("x@lost.example", "romeo@ship.example"),
            component("lost.example")
        );
        assert!(
            routes.is_of(1, "buoy@camp.example/lora") && !routes.is_of(1, "tybalt@camp.example")
        );
        assert!(routes.is_of(0, "juliet@shore.example") && !routes.is_of(0, "romeo@ship.example"));
    }
}

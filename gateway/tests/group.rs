//! A room of a group, in virtual time over lossy air: one transmission for all, everybody hears everything once and in
//! one order, and the speaker knows who has it.

#[path = "support/up.rs"]
mod up;

use std::path::{Path, PathBuf};
use std::time::Duration;

use longwire::config::Config;
use longwire::keys::Key;
use longwire::store::Store;
use longwire::xml::Element;
use tokio::task::LocalSet;

use up::{Up, body};

const ROOM: &str = "all@fleet.example";
const HOUR: Duration = Duration::from_secs(3600);

/// Stations of one test: 0 speaks, the others listen.
struct Fleet {
    folder: tempfile::TempDir,
    air: String,
    count: usize,
    /// Added to `[[group]]` at every station.
    extra: &'static str,
}

fn domain(station: usize) -> String {
    format!("s{station}.example")
}

impl Fleet {
    fn new(air: &str, count: usize, extra: &'static str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for name in 0..count as u8 {
            let key = Key([name + 1; 32]);
            key.store(&folder.path().join(format!("{name}.key")))
                .expect("a key");
        }
        Self {
            folder,
            air: air.into(),
            count,
            extra,
        }
    }

    fn key(&self, name: usize) -> PathBuf {
        self.folder.path().join(format!("{name}.key"))
    }

    /// Key 0 is the group's, key n the link's of station n.
    fn start(&self, station: usize) -> Up {
        let mut text = format!(
            "[[hosted]]\ndomain = '{}'\n[[modem]]\nname = 'hf'\nstation = {station}\nmtu = 128\nurl = 'air:{}'\n",
            domain(station),
            self.air
        );
        let peers = if station == 0 { 1..self.count } else { 0..1 };
        for peer in peers.clone() {
            let there = |it: &usize| {
                if station == 0 {
                    *it == peer
                } else {
                    *it != station
                }
            };
            let domains: Vec<String> = (0..self.count).filter(there).map(domain).collect();
            text.push_str(&format!(
                "[[peer]]\nname = 'p{peer}'\nmodem = 'hf'\nstation = {peer}\nkey-file = '{}'\n\
                 domains = {domains:?}\ntext-model = '128k'\n",
                self.key(station.max(peer)).display()
            ));
        }
        let role = if station == 0 {
            let names: Vec<String> = peers.map(|it| format!("p{it}")).collect();
            format!("members = {names:?}")
        } else {
            "speaker = 'p0'".to_owned()
        };
        text.push_str(&format!(
            "[[group]]\nname = 'fleet'\nmodem = 'hf'\nstation = 200\nkey-file = '{}'\nroom = '{ROOM}'\n\
             text-model = '128k'\n{role}\n{}\n",
            self.key(0).display(),
            self.extra
        ));
        let config = Config::parse(&text, Path::new("fleet.toml")).expect("a configuration");
        let store =
            Store::open(&self.folder.path().join(format!("{station}.db"))).expect("a database");
        Up::start(config, store, &domain(station))
    }

    /// All stations, somebody in the room at each.
    async fn all(&self) -> Vec<Up> {
        let mut stations = Vec::new();
        for station in 0..self.count {
            let mut up = self.start(station);
            enter(&mut up).await;
            stations.push(up);
        }
        stations
    }
}

/// Enters the room under the name of the domain, up to its subject; gives what was said before.
async fn enter(up: &mut Up) -> Vec<String> {
    let nick = up.domain.clone();
    up.send(&format!(
        "<presence from='u@{nick}/x' to='{ROOM}/{nick}'><x xmlns='http://jabber.org/protocol/muc'/></presence>"
    ))
    .await;
    let mut history = Vec::new();
    loop {
        let stanza = up.next(HOUR).await.expect("the room answers");
        match stanza.name.as_str() {
            "presence" => assert_eq!(stanza.attr("from"), Some(&*format!("{ROOM}/{nick}"))),
            _ if stanza.child("jabber:client", "subject").is_some() => return history,
            _ => history.push(body(&stanza)),
        }
    }
}

/// The first two letters and all digits after them.
fn id_of(text: &str) -> String {
    let digits = text[2..].chars().filter(char::is_ascii_digit);
    text[..2].chars().chain(digits).collect()
}

async fn say(up: &Up, text: &str) {
    up.send(&format!(
        "<message from='u@{}/x' to='{ROOM}' type='groupchat' id='{}'><body>{text}</body></message>",
        up.domain,
        id_of(text)
    ))
    .await;
}

/// The next `count` messages of the room: who, what; each is checked to be one.
async fn hear(up: &mut Up, count: usize) -> Vec<String> {
    let mut heard = Vec::new();
    while heard.len() < count {
        let stanza = up.next(12 * HOUR).await;
        let stanza =
            stanza.unwrap_or_else(|| panic!("{} hears nothing after {heard:?}", up.domain));
        check(up, &stanza);
        heard.push(body(&stanza));
    }
    heard
}

fn check(up: &Up, stanza: &Element) {
    assert_eq!(stanza.attr("type"), Some("groupchat"), "{stanza:?}");
    assert_eq!(stanza.attr("to"), Some(&*format!("u@{}/x", up.domain)));
    assert_eq!(stanza.attr("id"), Some(&*id_of(&body(stanza))));
    let who = body(stanza)
        .split(' ')
        .next()
        .map(|it| format!("{ROOM}/{it}"));
    assert_eq!(stanza.attr("from"), who.as_deref());
}

/// Nothing more comes, and the speaker knows that everybody has everything.
async fn settle(stations: &mut [Up]) {
    for up in &mut *stations {
        let more = up.next(12 * HOUR).await;
        assert!(more.is_none(), "{} heard {more:?}", up.domain);
    }
    let gateway = stations[0].running.gateway();
    let gateway = gateway.borrow();
    let group = &gateway.groups()[0];
    for member in &group.members {
        let lacking = group.lacking(member);
        assert!(
            lacking.is_empty(),
            "member {} lacks {lacking:?}",
            member.peer
        );
    }
}

/// On the air so far, from all stations.
fn octets(stations: &[Up]) -> u64 {
    let octets = stations.iter().map(|up| {
        let gateway = up.running.gateway();
        let gateway = gateway.borrow();
        let links = gateway.peers().iter().map(|it| it.link.air_octets);
        gateway.groups()[0].air_octets + links.sum::<u64>()
    });
    octets.sum()
}

#[tokio::test(start_paused = true)]
async fn everybody_hears_everything_once_in_one_order() {
    let worlds = [
        ("clear?rate=1200&turnaround=100", ""),
        ("lossy?rate=1200&turnaround=100&loss=0.2&seed=4", ""),
        (
            "poor?rate=1200&turnaround=100&loss=0.35&burst=2&seed=6",
            "parity = 4",
        ),
    ];
    for (air, extra) in worlds {
        let fleet = Fleet::new(air, 4, extra);
        let test = async {
            let mut stations = fleet.all().await;
            for round in 0..4 {
                for up in &stations {
                    say(
                        up,
                        &format!("{} reports, round {round}: all well", up.domain),
                    )
                    .await;
                }
            }
            let mut orders = Vec::new();
            for up in &mut stations {
                orders.push(hear(up, 16).await);
            }
            for order in &orders {
                assert_eq!(order, &orders[0], "one order for all");
            }
            settle(&mut stations).await;
            println!("{air}: {} octets for 16 messages", octets(&stations));
        };
        LocalSet::new().run_until(test).await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_comes_late_and_who_was_killed_miss_nothing() {
    let fleet = Fleet::new("late?rate=1200&turnaround=100&loss=0.1&seed=8", 3, "");
    let test = async {
        let mut speaker = fleet.start(0);
        enter(&mut speaker).await;
        let mut near = fleet.start(1);
        enter(&mut near).await;
        for round in 0..5 {
            say(&speaker, &format!("s0.example says {round}")).await;
        }
        assert_eq!(hear(&mut speaker, 5).await.len(), 5);
        // Killed while the group hears it; who is killed loses the room, not what was said.
        drop(near);
        drop(speaker);
        let mut speaker = fleet.start(0);
        assert_eq!(enter(&mut speaker).await.len(), 5);
        let mut near = fleet.start(1);
        let before = enter(&mut near).await;
        let mut late = fleet.start(2);
        assert!(enter(&mut late).await.is_empty());
        say(&near, "s1.example is back").await;
        let rest = hear(&mut near, 6 - before.len()).await;
        let all: Vec<String> = before.into_iter().chain(rest).collect();
        assert_eq!(hear(&mut late, 6).await.len(), 6);
        assert_eq!(hear(&mut speaker, 1).await, ["s1.example is back"]);
        assert_eq!(
            all.iter().filter(|it| it.contains("says")).count(),
            5,
            "{all:?}"
        );
        settle(&mut [speaker, near, late]).await;
    };
    LocalSet::new().run_until(test).await;
}

#[tokio::test(start_paused = true)]
async fn a_room_has_manners() {
    let fleet = Fleet::new("manners?rate=1200", 2, "");
    let test = async {
        let mut up = fleet.start(1);
        let mut ask = async |xml: &str| {
            up.send(&xml.replace("ROOM", ROOM)).await;
            up.next(HOUR)
                .await
                .expect("an answer")
                .to_xml("jabber:client")
        };
        let said = "<message from='u@s1.example/x' to='ROOM' type='groupchat' id='1'><body>x</body></message>";
        assert!(
            ask(said).await.contains("not-acceptable"),
            "only who is in speaks"
        );
        let ping = "<iq from='u@s1.example/x' to='ROOM/me' type='get' id='2'><ping xmlns='urn:xmpp:ping'/></iq>";
        assert!(ask(ping).await.contains("not-acceptable"), "XEP-0410");
        let info = "<iq from='u@s1.example/x' to='ROOM' type='get' id='3'>\
                    <query xmlns='http://jabber.org/protocol/disco#info'/></iq>";
        assert!(ask(info).await.contains("conference"));
        let nameless = "<presence from='u@s1.example/x' to='ROOM'/>";
        assert!(ask(nameless).await.contains("jid-malformed"));
        enter(&mut up).await;
        let mut ask = async |xml: &str| {
            up.send(&xml.replace("ROOM", ROOM)).await;
            up.next(HOUR)
                .await
                .expect("an answer")
                .to_xml("jabber:client")
        };
        let other = "<presence from='v@s1.example/y' to='ROOM/s1.example'/>";
        assert!(ask(other).await.contains("conflict"));
        let typing = "<message from='u@s1.example/x' to='ROOM' type='groupchat'>\
                      <composing xmlns='http://jabber.org/protocol/chatstates'/></message>";
        up.send(&typing.replace("ROOM", ROOM)).await;
        let leaves = "<presence from='u@s1.example/x' to='ROOM/s1.example' type='unavailable'/>";
        up.send(&leaves.replace("ROOM", ROOM)).await;
        let left = up
            .next(HOUR)
            .await
            .expect("an answer")
            .to_xml("jabber:client");
        assert!(
            left.contains("unavailable") && left.contains("110"),
            "{left}"
        );
        let gateway = up.running.gateway();
        assert!(
            gateway.borrow().peers()[0].outbox.is_empty(),
            "typing costs nothing"
        );
    };
    LocalSet::new().run_until(test).await;
}

#[tokio::test(start_paused = true)]
async fn once_for_all_costs_less_than_once_for_each() {
    const COUNT: u64 = 10;
    const PAUSE: Duration = Duration::from_secs(20);
    let mut costs = Vec::new();
    for loss in [0.0, 0.1] {
        let air = format!("cost{loss}?rate=1200&turnaround=100&loss={loss}&seed=3");
        let fleet = Fleet::new(&air, 5, "");
        let test = async {
            let mut stations = fleet.all().await;
            let mut spent = [0; 2];
            let text = |round| format!("s0.example says: ice {round} km ahead of the second buoy");
            for round in 0..COUNT {
                say(&stations[0], &text(round)).await;
                tokio::time::sleep(PAUSE).await;
            }
            for up in &mut stations {
                assert_eq!(hear(up, 10).await.len(), 10);
            }
            settle(&mut stations).await;
            spent[0] = octets(&stations);
            for round in 0..COUNT {
                for to in 1..5 {
                    let chat = format!(
                        "<message from='u@s0.example/x' to='u@{}' type='chat'><body>{}</body></message>",
                        domain(to),
                        text(round)
                    );
                    stations[0].send(&chat).await;
                }
                tokio::time::sleep(PAUSE).await;
            }
            for up in &mut stations[1..] {
                for round in 0..COUNT {
                    let heard = up.next(HOUR).await.expect("a chat");
                    assert_eq!(body(&heard), text(round));
                }
            }
            spent[1] = octets(&stations) - spent[0];
            println!(
                "loss {loss}: {COUNT} messages to 4 stations, octets in a group and as chats: {spent:?}"
            );
            spent
        };
        costs.push(LocalSet::new().run_until(test).await);
    }
    assert!(
        costs.iter().all(|[group, chats]| group < chats),
        "{costs:?}"
    );
}

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ x >> 31) % bound
    }
}

/// What a station has, by number.
fn log(up: &Up) -> Vec<(u32, String)> {
    let gateway = up.running.gateway();
    let gateway = gateway.borrow();
    let said = gateway.store().said("fleet", 0).expect("a log");
    let texts = said.iter().map(|it| {
        let stanza = Element::parse(&it.xml).expect("XML");
        (it.number, body(&stanza))
    });
    texts.collect()
}

fn lacks(speaker: &Up) -> bool {
    let gateway = speaker.running.gateway();
    let gateway = gateway.borrow();
    let group = &gateway.groups()[0];
    let waits = gateway.peers().iter().any(|it| !it.outbox.is_empty());
    waits || group.members.iter().any(|it| !group.lacking(it).is_empty())
}

/// The seeds to play, or those that `LONGWIRE_SEEDS=FROM..TO` names, for a soak.
fn seeds() -> std::ops::Range<u64> {
    let named = std::env::var("LONGWIRE_SEEDS").unwrap_or_else(|_| "1..9".into());
    let (from, to) = named.split_once("..").expect("FROM..TO");
    from.parse().expect("a number")..to.parse().expect("a number")
}

#[tokio::test(start_paused = true)]
async fn whatever_is_lost_and_whoever_is_killed_all_logs_agree() {
    for seed in seeds() {
        let mut dice = Dice(seed);
        let (loss, count) = (dice.below(36), 2 + dice.below(3) as usize);
        let air = format!("dice{seed}?rate=1200&turnaround=100&loss=0.{loss:02}&seed={seed}");
        let fleet = Fleet::new(&air, count, if seed % 3 == 0 { "parity = 2" } else { "" });
        println!("seed {seed}: loss {loss} %, {count} stations");
        let test = async {
            let mut stations = fleet.all().await;
            let mut said = Vec::new();
            for step in 0..14 {
                let at = dice.below(count as u64) as usize;
                if dice.below(4) == 0 {
                    // A kill: what is in custody stays, the room is entered anew.
                    let up = stations.remove(at);
                    drop(up);
                    stations.insert(at, fleet.start(at));
                    enter(&mut stations[at]).await;
                }
                let text = format!("s{at}.example says {step}");
                say(&stations[at], &text).await;
                said.push(text);
                tokio::time::sleep(Duration::from_secs(dice.below(90))).await;
            }
            for _ in 0..72 {
                tokio::time::sleep(HOUR).await;
                let listening = stations[1..].iter();
                let waits = listening.clone().any(|up| {
                    let gateway = up.running.gateway();
                    let gateway = gateway.borrow();
                    !gateway.peers()[0].outbox.is_empty()
                });
                if !waits && !lacks(&stations[0]) {
                    break;
                }
            }
            let all = log(&stations[0]);
            let mut texts: Vec<&String> = all.iter().map(|(_, text)| text).collect();
            texts.sort();
            said.sort();
            assert_eq!(texts, said.iter().collect::<Vec<_>>(), "each is said once");
            for up in &stations[1..] {
                assert_eq!(log(up), all, "{}", up.domain);
            }
            assert!(!lacks(&stations[0]), "the speaker knows it");
        };
        LocalSet::new().run_until(test).await;
    }
}

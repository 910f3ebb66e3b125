//! Faults between two whole gateways: poor air, outages, and either end killed at any moment with its database kept.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use longwire::clock::Clock;
use longwire::config::Config;
use longwire::gateway::KeyState;
use longwire::keys::Key;
use longwire::router::{Origin, Router, Service};
use longwire::run::Running;
use longwire::store::Store;
use longwire::xml::Element;
use tests::dice::{Dice, seeds};
use tokio::sync::mpsc;
use tokio::task::LocalSet;
use tokio::time::{Instant, timeout_at};

const DOMAINS: [&str; 2] = ["ship.example", "shore.example"];
/// The key both begin with.
const FIRST_KEY: [u8; 32] = *b"the first key of both ends, once";
/// Senders and receivers at each end.
const USERS: usize = 5;

/// One end across all its lives.
struct Site {
    index: usize,
    config: Config,
    database: PathBuf,
    up: Option<Up>,
    heard: mpsc::UnboundedReceiver<(u64, Element)>,
    hears: mpsc::UnboundedSender<(u64, Element)>,
    /// Keys of deliveries taken, as a server with a durable store would keep them.
    taken: HashSet<u64>,
    /// Stanzas for it, by pair, in order; errors apart.
    inbox: HashMap<String, Vec<u32>>,
    errors: Vec<u32>,
}

struct Up {
    running: Running,
    router: Router,
}

impl Site {
    fn new(folder: &Path, index: usize, air: &str) -> Self {
        let key = folder.join(format!("{index}.key"));
        Key(FIRST_KEY).store(&key).expect("key written");
        let text = format!(
            "[[hosted]]\ndomain = '{}'\n[[modem]]\nname = 'hf'\nurl = 'air:{air}'\nstation = {index}\n\
             [[peer]]\nname = 'far'\nmodem = 'hf'\nstation = {}\nkey-file = '{}'\ndomains = ['{}']\n\
             text-model = '128k'\n",
            DOMAINS[index],
            1 - index,
            key.display(),
            DOMAINS[1 - index],
        );
        let (hears, heard) = mpsc::unbounded_channel();
        Self {
            index,
            config: Config::parse(&text, Path::new("faults.toml")).expect("valid"),
            database: folder.join(format!("{index}.db")),
            up: None,
            heard,
            hears,
            taken: Default::default(),
            inbox: HashMap::new(),
            errors: Vec::new(),
        }
    }

    fn start(&mut self, clock: Clock) {
        let store = Store::open(&self.database).expect("database opens");
        let running = Running::start(self.config.clone(), store, clock).expect("starts");
        let router = running.router();
        let mut deliveries = router.attach(Service::Hosted(DOMAINS[self.index].into()));
        let hears = self.hears.clone();
        tokio::task::spawn_local(async move {
            while let Some(delivery) = deliveries.recv().await {
                let _ = hears.send((delivery.key, delivery.stanza));
                let _ = delivery.done.send(true);
            }
        });
        self.up = Some(Up { running, router });
    }

    /// The operator wishes a new key.
    fn rekey(&self) {
        if let Some(up) = &self.up {
            let gateway = up.running.gateway();
            gateway.borrow_mut().want_key("far").expect("a peer");
        }
    }

    /// What it says of its key.
    fn key(&self) -> (String, KeyState, bool) {
        let gateway = self.up.as_ref().expect("is up").running.gateway();
        let gateway = gateway.borrow();
        let key = &gateway.peers()[0].key;
        (key.fingerprint.clone(), key.state, key.row.wanted)
    }

    fn kill(&mut self) {
        self.up = None;
    }

    /// Submits message `number`; `true` once it is in custody.
    async fn send(&self, number: u32, dice: &mut Dice) -> bool {
        let Some(up) = &self.up else {
            return false;
        };
        let (here, there) = (DOMAINS[self.index], DOMAINS[1 - self.index]);
        let from = format!("u{}@{here}/x", dice.below(USERS));
        let to = format!("u{}@{there}", dice.below(USERS));
        let urgency = ["low", "medium", "high"][dice.below(3)];
        let stanza = format!(
            "<message xmlns='jabber:client' from='{from}' to='{to}' id='n{number}' type='chat'>\
             <body>{number}</body><headers xmlns='http://jabber.org/protocol/shim'>\
             <header name='Urgency'>{urgency}</header></headers></message>"
        );
        let stanza = Element::parse(stanza).expect("well-formed");
        let origin = Origin::Hosted(here.into());
        up.router.submit(stanza, origin).await.is_ok()
    }

    fn take_in(&mut self) {
        while let Ok((key, stanza)) = self.heard.try_recv() {
            if key > 0 && !self.taken.insert(key) {
                continue;
            }
            if stanza.attr("type") == Some("error") {
                let id = stanza.attr("id").unwrap_or_default();
                self.errors.push(id[1..].parse().expect("an id of ours"));
                continue;
            }
            let body = stanza.child("jabber:client", "body").map(Element::text);
            let number = body.unwrap_or_default().parse().expect("a body of ours");
            let pair = format!("{:?} {:?}", stanza.attr("from"), stanza.attr("to"));
            self.inbox.entry(pair).or_default().push(number);
        }
    }
}

/// Sends `count` messages while the ends are killed every `life_ms` or so, and wish a new key in each life if `rekeys`;
/// then lets everything settle.
async fn run(seed: u64, count: u32, life_ms: usize, weather: &str, rekeys: bool) {
    let folder = tempfile::tempdir_in(if Path::new("/dev/shm").is_dir() {
        "/dev/shm"
    } else {
        "/tmp"
    });
    let folder = folder.expect("temporary folder");
    let air = format!("faults{seed}?rate=9600&turnaround=50&seed={seed}&{weather}");
    let mut sites = [0, 1].map(|index| Site::new(folder.path(), index, &air));
    let clock = Clock::starting_at(0);
    let mut dice = Dice::new(seed);
    let mut sent = [Vec::new(), Vec::new()];
    let mut next = 0;
    let mut fingerprints = HashSet::new();
    while next < count {
        for site in &mut sites {
            if site.up.is_none() {
                site.start(clock);
            }
            fingerprints.insert(site.key().0);
        }
        if rekeys {
            sites[dice.below(2)].rekey();
        }
        let end = Instant::now() + Duration::from_millis(dice.below(life_ms) as u64);
        while next < count && Instant::now() < end {
            let from = dice.below(2);
            if sites[from].send(next, &mut dice).await {
                sent[from].push(next);
            }
            next += 1;
            if dice.below(4) == 0 {
                tokio::time::sleep(Duration::from_millis(dice.below(400) as u64)).await;
            }
        }
        let _ = timeout_at(end, std::future::pending::<()>()).await;
        sites[dice.below(2)].kill();
        sites.iter_mut().for_each(Site::take_in);
    }
    for site in &mut sites {
        if site.up.is_none() {
            site.start(clock);
        }
    }
    for _ in 0..200 {
        tokio::time::sleep(Duration::from_secs(60)).await;
        sites.iter_mut().for_each(Site::take_in);
    }
    check(seed, &sites, &sent);
    if rekeys {
        check_keys(seed, &sites, &fingerprints);
    }
}

/// Both ends have one key, there were many, and the first is nowhere any more.
fn check_keys(seed: u64, sites: &[Site; 2], fingerprints: &HashSet<String>) {
    let keys = sites.each_ref().map(Site::key);
    assert_eq!(keys[0], keys[1], "seed {seed}");
    assert_eq!(keys[0].1, KeyState::Settled, "seed {seed}");
    assert!(!keys[0].2, "seed {seed}: a wish is left");
    assert!(fingerprints.len() > 1, "seed {seed}: {fingerprints:?}");
    for site in sites {
        let file = std::fs::read_to_string(&site.config.peers[0].key_file).expect("readable");
        assert!(file.starts_with("replaced"), "seed {seed}: {file}");
        for suffix in ["", "-wal"] {
            let path = format!("{}{suffix}", site.database.display());
            let bytes = std::fs::read(path).expect("readable");
            assert!(
                !bytes.windows(32).any(|found| found == FIRST_KEY),
                "seed {seed}: the first key is in the database{suffix}"
            );
        }
    }
}

fn check(seed: u64, sites: &[Site; 2], sent: &[Vec<u32>; 2]) {
    for (from, sent) in sent.iter().enumerate() {
        let inbox = &sites[1 - from].inbox;
        for (pair, numbers) in inbox {
            assert!(
                numbers.is_sorted(),
                "seed {seed}: {pair} out of order: {numbers:?}"
            );
        }
        let mut arrived: Vec<u32> = inbox.values().flatten().copied().collect();
        arrived.extend(&sites[from].errors);
        arrived.sort_unstable();
        let missing: Vec<&u32> = sent
            .iter()
            .filter(|n| arrived.binary_search(n).is_err())
            .collect();
        assert!(missing.is_empty(), "seed {seed}: vanished: {missing:?}");
        // A submission cut off by a kill may be in custody without the sender's knowledge; nothing comes twice.
        let twice = arrived.windows(2).find(|pair| pair[0] == pair[1]);
        assert_eq!(twice, None, "seed {seed}: came twice");
    }
}

fn play(seed: u64, count: u32, life_ms: usize, weather: &str, rekeys: bool) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("runtime");
    runtime.block_on(LocalSet::new().run_until(run(seed, count, life_ms, weather, rekeys)));
}

#[test]
fn killed_gateways_on_poor_air_lose_and_repeat_nothing() {
    for seed in seeds(0..3) {
        play(
            seed,
            1000,
            60_000,
            "loss=0.3&burst=3&ber=0.00001&dup=0.02",
            false,
        );
    }
}

#[test]
fn ten_thousand_stanzas_through_outages() {
    for seed in seeds(7..8) {
        play(
            seed,
            10_000,
            1_200_000,
            "loss=0.05&burst=2&outage=10m&every=60m",
            false,
        );
    }
}

/// A kill may come between any two writes of a handshake.
#[test]
fn new_keys_amid_traffic_and_kills_lose_and_repeat_nothing() {
    for seed in seeds(0..4) {
        play(seed, 800, 15_000, "loss=0.1&burst=2", true);
    }
}

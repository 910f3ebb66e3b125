//! What a gateway costs to run: stanzas per second through XML, policy, store, codec and link; resident memory with
//! many stations; time from start to ready. Refuses radio: the air here is as fast as the processor.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use longwire::clock::Clock;
use longwire::config::Config;
use longwire::keys::Key;
use longwire::router::{Origin, Service};
use longwire::run::Running;
use longwire::store::Store;
use longwire::xml::Element;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio::task::LocalSet;

/// Stations one channel can address.
const STATIONS_PER_MODEM: usize = 250;
/// A station count, and the most memory it may take, KiB.
const MEMORY: [(usize, Option<u64>); 3] = [(1, None), (100, Some(64 * 1024)), (1000, None)];
/// Longest time from start to ready.
const READY_MAX: Duration = Duration::from_secs(1);

type Failure = Box<dyn std::error::Error>;

/// Prints the table; fails where a bound is broken.
pub(crate) fn run() -> Result<(), Failure> {
    for (label, messages, urgency) in [("chat", 2000, "medium"), ("chat, 8 pairs", 2000, "")] {
        let (seconds, octets) = speed(messages, if urgency.is_empty() { 8 } else { 1 })?;
        println!(
            "{label:<16} {:>8.0} stanzas/s, both ends on one core; {} octets on the air for each",
            f64::from(messages) / seconds,
            octets / u64::from(messages)
        );
    }
    let mut broken = Vec::new();
    for (stations, limit) in MEMORY {
        let (kib, ready) = child(stations)?;
        println!(
            "{stations:>5} stations   {:>6.1} MiB resident, ready after {ready:?}",
            kib as f64 / 1024.0
        );
        if limit.is_some_and(|limit| kib > limit) {
            broken.push(format!("{stations} stations take {kib} KiB"));
        }
        if stations <= 100 && ready > READY_MAX {
            broken.push(format!("{stations} stations are ready after {ready:?}"));
        }
    }
    if broken.is_empty() {
        Ok(())
    } else {
        Err(broken.join("; ").into())
    }
}

/// Seconds that `messages` take from one gateway's router to the other's, and octets on the air.
fn speed(messages: u32, pairs: u32) -> Result<(f64, u64), Failure> {
    let folder = TempDir::new()?;
    LocalSet::new().block_on(&runtime()?, async {
        let url = "air:bench?rate=1000000000&turnaround=0&duplex=full";
        let near = start(folder.path(), 0, 1, url)?;
        let far = start(folder.path(), 1, 1, url)?;
        let mut heard = far.router().attach(Service::Hosted("base1.example".into()));
        let router = near.router();
        let begin = Instant::now();
        let sending = tokio::task::spawn_local(async move {
            for number in 0..messages {
                let pair = number % pairs;
                let stanza = format!(
                    "<message xmlns='jabber:client' from='romeo{pair}@base0.example/deck' type='chat' \
                     to='juliet{pair}@base1.example' id='m{number}'>\
                     <body>The pier is lit tonight, and boat {number} is late again.</body>\
                     <request xmlns='urn:xmpp:receipts'/></message>"
                );
                let Ok(stanza) = Element::parse(stanza) else {
                    return;
                };
                let origin = Origin::Hosted("base0.example".into());
                if router.submit(stanza, origin).await.is_err() {
                    return;
                }
            }
        });
        for _ in 0..messages {
            let delivery = heard.recv().await.ok_or("the far gateway ended")?;
            std::hint::black_box(delivery.stanza.to_xml(""));
            let _ = delivery.done.send(true);
        }
        let seconds = begin.elapsed().as_secs_f64();
        sending.await?;
        let gateway = near.gateway();
        let octets = gateway.borrow().peers()[0].link.air_octets;
        Ok((seconds, octets))
    })
}

/// A child with this many stations: its memory in KiB and its time to ready.
fn child(stations: usize) -> Result<(u64, Duration), Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    let output = command.args(["stations", &stations.to_string()]).output()?;
    let text = String::from_utf8(output.stdout)?;
    let mut words = text.split_whitespace().map(str::parse::<u64>);
    match (words.next(), words.next()) {
        (Some(Ok(kib)), Some(Ok(micros))) => Ok((kib, Duration::from_micros(micros))),
        _ => Err(format!("no figures: {}", String::from_utf8_lossy(&output.stderr)).into()),
    }
}

/// Runs a gateway with this many stations for a moment and prints its memory and its time to ready.
pub(crate) fn stations(count: usize) -> Result<(), Failure> {
    let folder = TempDir::new()?;
    write_keys(folder.path(), count)?;
    LocalSet::new().block_on(&runtime()?, async {
        let begin = Instant::now();
        let running = start(folder.path(), 0, count, "air:silent?rate=1200")?;
        let ready = begin.elapsed();
        tokio::time::sleep(Duration::from_millis(500)).await;
        println!("{} {}", resident_kib()?, ready.as_micros());
        drop(running);
        Ok(())
    })
}

fn runtime() -> Result<Runtime, Failure> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}

fn write_keys(folder: &Path, count: usize) -> Result<(), Failure> {
    for peer in 0..count {
        let path = folder.join(format!("{peer}.key"));
        if !path.exists() {
            let mut key = [5; 32];
            key[..8].copy_from_slice(&(peer as u64).to_le_bytes());
            Key(key).store(&path)?;
        }
    }
    Ok(())
}

/// A gateway at `index` of two, with `count` stations on as many modems as they need.
fn start(folder: &Path, index: usize, count: usize, url: &str) -> Result<Running, Failure> {
    write_keys(folder, count)?;
    let mut text = format!("[[hosted]]\ndomain = 'base{index}.example'\n");
    for modem in 0..count.div_ceil(STATIONS_PER_MODEM) {
        let url = if modem == 0 {
            url.to_owned()
        } else {
            format!("air:silent{modem}")
        };
        text.push_str(&format!(
            "[[modem]]\nname = 'm{modem}'\nurl = '{url}'\nmtu = 1024\nbit-rate = '1 Mbit/s'\nstation = {index}\n"
        ));
    }
    for peer in 0..count {
        let domain = if count == 1 { 1 - index } else { peer + 10 };
        text.push_str(&format!(
            "[[peer]]\nname = 'p{peer}'\nmodem = 'm{}'\nstation = {}\nkey-file = '{}/{peer}.key'\n\
             domains = ['base{domain}.example']\n",
            peer / STATIONS_PER_MODEM,
            if count == 1 {
                1 - index
            } else {
                peer % STATIONS_PER_MODEM + 1
            },
            folder.display(),
        ));
    }
    let config = Config::parse(&text, Path::new("bench.toml"))?;
    let store = Store::open(&folder.join(format!("{index}.db")))?;
    Ok(Running::start(config, store, Clock::system())?)
}

fn resident_kib() -> Result<u64, Failure> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line
        .and_then(|line| line.split_whitespace().nth(1))
        .ok_or("no VmRSS")?;
    Ok(kib.parse()?)
}

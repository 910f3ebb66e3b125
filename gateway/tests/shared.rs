//! One base and several stations on one channel, in virtual time: they take turns, and everybody is heard.

#[path = "support/up.rs"]
mod up;

use std::path::Path;
use std::time::Duration;

use longwire::config::Config;
use longwire::keys::Key;
use longwire::store::Store;
use tokio::task::LocalSet;

use up::{Up, body};

const STATIONS: usize = 4;

fn domain(station: usize) -> String {
    format!("s{station}.example")
}

/// Station 0 is the base and knows everybody; the others know the base, and reach each other through it.
fn start(folder: &Path, station: usize) -> Up {
    let mut text = format!(
        "[[hosted]]\ndomain = '{}'\n[[modem]]\nname = 'lora'\nshared = true\nstation = {station}\n\
         url = 'air:shared?rate=1200&turnaround=100&seed=2&loss=0.05'\n",
        domain(station)
    );
    let peers: Vec<usize> = if station == 0 {
        (1..STATIONS).collect()
    } else {
        vec![0]
    };
    for peer in peers {
        let key = folder.join(format!("{}.key", station.max(peer)));
        if !key.exists() {
            Key([station.max(peer) as u8; 32]).store(&key).unwrap();
        }
        let there = |it: &usize| {
            if station == 0 {
                *it == peer
            } else {
                *it != station
            }
        };
        let domains: Vec<String> = (0..STATIONS).filter(there).map(domain).collect();
        text.push_str(&format!(
            "[[peer]]\nname = 'p{peer}'\nmodem = 'lora'\nstation = {peer}\nkey-file = '{}'\n\
             domains = {domains:?}\ntext-model = '128k'\n",
            key.display()
        ));
    }
    let config = Config::parse(&text, Path::new("shared.toml")).unwrap();
    Up::start(config, Store::in_memory().unwrap(), &domain(station))
}

async fn send(from: &Up, to: &str, text: &str) {
    from.send(&format!(
        "<message from='u@{}' to='u@{to}' type='chat'><body>{text}</body></message>",
        from.domain
    ))
    .await;
}

#[tokio::test(start_paused = true)]
async fn everybody_hears_everybody_once() {
    let folder = tempfile::tempdir().unwrap();
    let talk = async {
        let mut stations: Vec<Up> = (0..STATIONS).map(|it| start(folder.path(), it)).collect();
        let mut expected = vec![Vec::new(); STATIONS];
        for round in 0..3 {
            for (from, station) in stations.iter().enumerate() {
                for (to, expected) in expected
                    .iter_mut()
                    .enumerate()
                    .filter(|(to, _)| *to != from)
                {
                    let text = format!("{from} to {to}, {round}");
                    send(station, &domain(to), &text).await;
                    expected.push(text);
                }
            }
        }
        for (station, expected) in stations.iter_mut().zip(&mut expected) {
            let mut heard = Vec::new();
            while let Some(stanza) = station.next(Duration::from_secs(1800)).await {
                heard.push(body(&stanza));
            }
            heard.sort();
            expected.sort();
            assert_eq!(&heard, expected, "at {}", station.domain);
        }
        for station in &stations {
            let gateway = station.running.gateway();
            let gateway = gateway.borrow();
            for peer in gateway.peers() {
                assert!(peer.outbox.is_empty());
                println!("{} {}: {:?}", station.domain, peer.rules.name, peer.link);
            }
        }
    };
    LocalSet::new().run_until(talk).await;
}

/// Who was answered has the turn, and nothing more to say: the next station must not wait for somebody to speak.
#[tokio::test(start_paused = true)]
async fn the_base_speaks_to_one_after_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let talk = async {
        let mut stations: Vec<Up> = (0..STATIONS).map(|it| start(folder.path(), it)).collect();
        for round in 0..3 {
            let text = format!("report, {round}");
            for to in 1..STATIONS {
                send(&stations[0], &domain(to), &text).await;
            }
            for station in &mut stations[1..] {
                let heard = station.next(Duration::from_secs(600)).await;
                assert_eq!(
                    heard.as_ref().map(body),
                    Some(text.clone()),
                    "{}",
                    station.domain
                );
            }
        }
    };
    LocalSet::new().run_until(talk).await;
}

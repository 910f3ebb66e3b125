//! Trains `structure.bin` from captured stanzas, or measures it.
//!
//! `structure train OUT SIZE HELD_OUT,.. FILES..`, `structure measure IDS TABLE FILES..` and `structure explain IDS TABLE
//! FILE FROM TO`; IDS is `short` or `preserve`, or `short` under harder conditions: `late` acknowledgements, the memory of
//! a `board`, or each stanza `alone`. Files ending in `.log` are sessions, others have one stanza a line. Sessions are
//! measured under other names than they were captured with.

use longwire_codec::dictionary::Dictionary;
use longwire_codec::session::{Ids, Options, Profile, What};
use longwire_codec::stanza::{Node, Stanza};
use longwire_dictionaries::V1_HOST;
use longwire_trainer::disguise::disguise;
use longwire_trainer::log::{self, Logged};
use longwire_trainer::pair::{End, Pair};
use longwire_trainer::structure::{self, Corpus};
use std::collections::{BTreeMap, HashSet};
use std::{env, fs};

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    match args.first().map(String::as_str) {
        Some("train") => train(&args[1..]),
        Some("measure") => measure(&args[1..]),
        Some("explain") => explain(&args[1..]),
        _ => eprintln!("train or measure"),
    }
}

fn train(args: &[String]) {
    let [out, size, held_out, files @ ..] = args else {
        return;
    };
    let held_out: Vec<&str> = held_out
        .split(',')
        .filter(|name| !name.is_empty())
        .collect();
    let mut corpus = Corpus::default();
    for file in files {
        if held_out.iter().any(|name| file.contains(name)) {
            continue;
        }
        if file.ends_with(".log") {
            corpus.sessions.push(read(file));
        } else {
            corpus.stanzas.extend(read(file));
        }
    }
    let text = text_model();
    let dictionary = Dictionary {
        structure: &[],
        text: &text,
        ..V1_HOST
    };
    let mut last = String::new();
    let table = structure::train(
        &dictionary,
        &corpus,
        size.parse().expect("a size"),
        &mut |p| {
            let line = format!("{} {}", p.stage, p.pass);
            if line != last {
                eprintln!(
                    "{line}: {} decisions, {:.0} octets",
                    p.decisions,
                    p.bits / 8.0
                );
                last = line;
            }
        },
    );
    fs::write(out, table).expect("writable");
}

/// The text model named by `LONGWIRE_TEXT_MODEL`, or the host's.
fn text_model() -> Vec<u8> {
    match env::var_os("LONGWIRE_TEXT_MODEL") {
        Some(path) => fs::read(path).expect("readable"),
        None => V1_HOST.text.to_vec(),
    }
}

/// The kind of a stanza, as in the tables of the documentation.
fn kind(nodes: &[Node<'_>]) -> String {
    let stanza = Stanza::new(nodes).expect("a stanza");
    let (_, root) = stanza.name();
    let kind = stanza.attr("type").unwrap_or("");
    let names: Vec<(&str, &str)> = nodes[1..]
        .iter()
        .filter_map(|node| match node {
            Node::Open { ns, name } => Some((*ns, *name)),
            _ => None,
        })
        .collect();
    let has = |name: &str| names.iter().any(|(_, n)| *n == name);
    let first = names.first().map_or("", |(ns, _)| ns);
    match root {
        "message" if has("result") && has("forwarded") => "mam-result".into(),
        "message" if has("forwarded") => "carbon".into(),
        "message" if has("encrypted") => "msg-omemo".into(),
        "message" if has("event") => "pep-event".into(),
        "message" if has("reactions") => "reaction".into(),
        "message" if kind == "groupchat" && has("body") => "msg-muc".into(),
        "message" if has("body") => "msg-chat".into(),
        "message"
            if names
                .iter()
                .any(|(ns, n)| *ns == "urn:xmpp:receipts" && *n == "received") =>
        {
            "receipt".into()
        }
        "message" if has("displayed") => "marker".into(),
        "message" if names.iter().any(|(ns, _)| ns.ends_with("chatstates")) => "chatstate".into(),
        "message" => "msg-other".into(),
        "presence" if names.iter().any(|(ns, _)| ns.contains("/muc")) => "presence-muc".into(),
        "presence" if kind.is_empty() => "presence".into(),
        "presence" => format!("presence-{kind}"),
        "iq" if first.ends_with("disco#info") => format!("iq-{kind}-disco"),
        "iq" if first.ends_with("roster") => format!("iq-{kind}-roster"),
        "iq" => format!("iq-{kind}"),
        _ => root.into(),
    }
}

/// Is this a hash or base64 that both sides of the ratio leave out?
fn is_hash(value: &str) -> bool {
    let hex = value.len() >= 32 && value.bytes().all(|b| b.is_ascii_hexdigit());
    let base64 = value.len() >= 27
        && value
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b))
        && value.bytes().any(|b| b.is_ascii_digit())
        && value.bytes().any(|b| b.is_ascii_uppercase());
    hex || base64
}

#[derive(Default)]
struct Sum {
    count: usize,
    xml: usize,
    packet: Vec<usize>,
    bits: u64,
    body_bits: u64,
    hash_bits: u64,
    hash_xml: usize,
    shares: BTreeMap<String, u64>,
}

impl Sum {
    fn add(&mut self, logged: &Logged, len: usize, spent: &Spent) {
        self.count += 1;
        self.xml += logged.xml.len();
        self.packet.push(len);
        self.bits += spent.bits;
        self.body_bits += spent.body;
        self.hash_bits += spent.hash;
        self.hash_xml += spent.hash_xml;
        for (share, cost) in &spent.shares {
            *self.shares.entry(share.clone()).or_default() += cost;
        }
    }

    fn print(&self, name: &str) {
        let mut packets = self.packet.clone();
        packets.sort_unstable();
        let total: usize = packets.iter().sum();
        let n = self.count.max(1) as f64;
        let rest = (self.bits - self.body_bits) as f64 / 2048.0 / n;
        let mut shares: Vec<_> = self.shares.iter().collect();
        shares.sort_by_key(|(_, bits)| std::cmp::Reverse(**bits));
        let shares: Vec<String> = shares
            .iter()
            .take(if name == "ALL" { 40 } else { 12 })
            .map(|(what, bits)| format!("{what} {:.1}", **bits as f64 / 256.0 / n))
            .collect();
        let ratio =
            (self.bits - self.hash_bits) as f64 / 2048.0 / (self.xml - self.hash_xml).max(1) as f64;
        println!(
            "{name:24} n {:5} med {:4} mean {:7.1} beside text {rest:6.2} ratio {:.4} without hashes {ratio:.4} | {}",
            self.count,
            packets.get(packets.len() / 2).unwrap_or(&0),
            total as f64 / n,
            total as f64 / self.xml.max(1) as f64,
            shares.join(", ")
        );
    }
}

fn measure(args: &[String]) {
    let [ids, table, files @ ..] = args else {
        return;
    };
    let table = fs::read(table).unwrap_or_default();
    let text = text_model();
    let dictionary = Dictionary {
        structure: &table,
        text: &text,
        ..V1_HOST
    };
    let (way, options) = (ids.as_str(), options(ids));
    let new = || match way {
        "board" => Pair::new(&dictionary, Profile::BOARD, 0),
        "late" => Pair::new(&dictionary, Profile::HOST, 6),
        _ => Pair::new(&dictionary, Profile::HOST, 0),
    };
    let mut kinds: BTreeMap<String, Sum> = BTreeMap::new();
    let mut all = Sum::default();
    for file in files {
        let mut one = Sum::default();
        let mut pair = new();
        let mut heard = HashSet::new();
        for logged in &disguise(&read(file), 77) {
            if way == "alone" {
                pair = new();
            }
            let mut spent = Spent::default();
            let look = |end: &mut End<'_>, number, stanza: Stanza<'_, '_>| {
                end.explain(number, stanza, options, |what, cost| spent.add(what, cost))
                    .expect("a stanza");
            };
            let len = pair.send(logged, options, look).expect("crosses");
            let mut kind = kind(&logged.tape.nodes());
            if !heard.insert(peer(logged)) {
                kind.push_str(" known");
            }
            for sum in [&mut one, &mut all, kinds.entry(kind).or_default()] {
                sum.add(logged, len, &spent);
            }
        }
        one.print(file.rsplit('/').next().unwrap_or(file));
    }
    for (name, sum) in &kinds {
        sum.print(name);
    }
    all.print("ALL");
}

fn options(way: &str) -> Options {
    let ids = if way == "preserve" {
        Ids::Preserve
    } else {
        Ids::Short
    };
    Options {
        ids,
        ..Options::default()
    }
}

fn read(file: &str) -> Vec<Logged> {
    let text = fs::read_to_string(file).expect("readable");
    if file.ends_with(".log") {
        log::session(&text)
    } else {
        log::lines(&text)
    }
}

/// Whether it is presence, and whom it is about.
fn peer(logged: &Logged) -> (bool, String) {
    let nodes = logged.tape.nodes();
    let stanza = Stanza::new(&nodes).expect("a stanza");
    let name = if logged.from_client { "to" } else { "from" };
    let peer = stanza.attr(name).unwrap_or("").to_owned();
    (stanza.name().1 == "presence", peer)
}

/// Where the bits of one packet went, in 1/256.
#[derive(Default)]
struct Spent {
    bits: u64,
    body: u64,
    hash: u64,
    hash_xml: usize,
    shares: Vec<(String, u64)>,
    owner: String,
    place: String,
}

impl Spent {
    fn add(&mut self, what: What<'_>, cost: u64) {
        let share = match what {
            What::Packet if self.bits == 0 => "packet".to_owned(),
            What::Packet => "store".to_owned(),
            What::Value(how, text) => {
                let texts = ["body", "status", "subject", "text"];
                if how == "text" && texts.contains(&self.place.as_str()) {
                    self.body += cost;
                } else if is_hash(text) {
                    self.hash += cost;
                    self.hash_xml += text.len();
                }
                format!("{}/{how}", self.place)
            }
            _ => "structure".to_owned(),
        };
        match what {
            What::Open(name) => self.owner = name.to_owned(),
            What::Attribute(name) => self.place = format!("{}@{name}", self.owner),
            What::Text => self.place = self.owner.clone(),
            _ => {}
        }
        self.bits += cost;
        self.shares.push((share, cost));
    }
}

fn explain(args: &[String]) {
    let [ids, table, file, from, to] = args else {
        return;
    };
    let table = fs::read(table).unwrap_or_default();
    let text = text_model();
    let dictionary = Dictionary {
        structure: &table,
        text: &text,
        ..V1_HOST
    };
    let options = options(ids);
    let (from, to): (usize, usize) = (from.parse().expect("number"), to.parse().expect("number"));
    let mut pair = Pair::new(&dictionary, Profile::HOST, 0);
    for (at, logged) in read(file).iter().enumerate().take(to) {
        let look = |end: &mut End<'_>, number, stanza: Stanza<'_, '_>| {
            if at < from {
                return;
            }
            let side = if logged.from_client { "C" } else { "S" };
            println!("{side} {}", logged.xml);
            let mut total = 0;
            let tell = |what: What<'_>, cost| {
                total += cost;
                if cost > 40 {
                    println!("  {:7.2} {what:?}", cost as f64 / 256.0);
                }
            };
            end.explain(number, stanza, options, tell)
                .expect("a stanza");
            println!("  {:7.2} bits", total as f64 / 256.0);
        };
        pair.send(logged, options, look).expect("crosses");
    }
}

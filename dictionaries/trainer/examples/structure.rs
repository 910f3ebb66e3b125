//! Trains `structure.bin` from captured stanzas, or measures it.
//!
//! `structure train OUT SIZE HELD_OUT,.. FILES..` and `structure measure IDS TABLE FILES..`; files ending in `.log`
//! are sessions, others have one stanza a line. Sessions are measured under other names than they were captured with.

use longwire_codec::dictionary::Dictionary;
use longwire_codec::link::PacketNumber;
use longwire_codec::session::{Ids, Options, Profile, Session, What};
use longwire_codec::stanza::{Node, Stanza};
use longwire_dictionaries::V1_HOST;
use longwire_trainer::disguise::disguise;
use longwire_trainer::log::{self, Logged};
use longwire_trainer::structure::{self, Corpus};
use std::collections::BTreeMap;
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
        let text = fs::read_to_string(file).expect("readable");
        if file.ends_with(".log") {
            corpus.sessions.push(log::session(&text));
        } else {
            corpus.stanzas.extend(log::lines(&text));
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
            .take(if name == "ALL" { 40 } else { 6 })
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

fn session<'d>(dictionary: &'d Dictionary<'d>) -> Session<'d, Vec<u8>> {
    let storage = vec![0; Profile::HOST.storage_len()];
    Session::new(dictionary, Profile::HOST, storage).expect("enough storage")
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
    let (ids, with_session) = match ids.as_str() {
        "preserve" => (Ids::Preserve, true),
        "alone" => (Ids::Short, false),
        _ => (Ids::Short, true),
    };
    let mut kinds: BTreeMap<String, Sum> = BTreeMap::new();
    let mut all = Sum::default();
    for file in files {
        let text = fs::read_to_string(file).expect("readable");
        let stanzas = if file.ends_with(".log") {
            log::session(&text)
        } else {
            log::lines(&text)
        };
        let stanzas = disguise(&stanzas, 77);
        let mut one = Sum::default();
        let mut state = session(&dictionary);
        for (number, logged) in stanzas.iter().enumerate() {
            if !with_session {
                state = session(&dictionary);
            }
            measure_one(
                &mut state,
                number as u32,
                logged,
                ids,
                &mut one,
                &mut all,
                &mut kinds,
            );
        }
        let name = file.rsplit('/').next().unwrap_or(file);
        one.print(name);
    }
    for (name, sum) in &kinds {
        sum.print(name);
    }
    all.print("ALL");
}

fn measure_one(
    state: &mut Session<'_, Vec<u8>>,
    number: u32,
    logged: &Logged,
    ids: Ids,
    one: &mut Sum,
    all: &mut Sum,
    kinds: &mut BTreeMap<String, Sum>,
) {
    let nodes = logged.tape.nodes();
    let stanza = Stanza::new(&nodes).expect("a stanza");
    let number = PacketNumber::new(number);
    let options = Options {
        ids,
        ..Options::default()
    };
    let mut kind = kind(&nodes);
    let mut shares: Vec<(String, u64)> = Vec::new();
    let (mut bits, mut body, mut hash, mut hash_xml) = (0, 0, 0, 0);
    let mut place = String::new();
    let mut owner = String::new();
    state
        .explain(number, stanza, options, |what, cost| {
            bits += cost;
            let share = match what {
                What::Open(name) => {
                    owner = name.to_owned();
                    "structure".to_owned()
                }
                What::Attribute(name) => {
                    place = format!("{owner}@{name}");
                    "structure".to_owned()
                }
                What::Text => {
                    place = owner.clone();
                    "structure".to_owned()
                }
                What::Close => "structure".to_owned(),
                What::Packet if bits == cost => "packet".to_owned(),
                What::Packet => "store".to_owned(),
                What::Value(how, text) => {
                    if how == "text"
                        && matches!(place.as_str(), "body" | "status" | "subject" | "text")
                    {
                        body += cost;
                    } else if is_hash(text) {
                        hash += cost;
                        hash_xml += text.len();
                    }
                    format!("{place}/{how}")
                }
            };
            shares.push((share, cost));
        })
        .expect("a stanza");
    let is_new =
        |(share, _): &(String, u64)| share.ends_with("@from/JID") || share.ends_with("/token");
    if kind == "presence" && !shares.iter().any(is_new) {
        kind = "presence-known".into();
    }
    let sum = kinds.entry(kind).or_default();
    for (share, cost) in shares {
        *sum.shares.entry(share.clone()).or_default() += cost;
        *all.shares.entry(share).or_default() += cost;
    }
    let mut packet = vec![0; 1 << 20];
    let len = state
        .encode(number, stanza, options, &mut packet)
        .expect("fits");
    state.acknowledge(number);
    for sum in [one, all, sum] {
        sum.count += 1;
        sum.xml += logged.xml.len();
        sum.packet.push(len);
        sum.bits += bits;
        sum.body_bits += body;
        sum.hash_bits += hash;
        sum.hash_xml += hash_xml;
    }
}

fn explain(args: &[String]) {
    let [table, file, from, to] = args else {
        return;
    };
    let table = fs::read(table).unwrap_or_default();
    let text = text_model();
    let dictionary = Dictionary {
        structure: &table,
        text: &text,
        ..V1_HOST
    };
    let (from, to): (usize, usize) = (from.parse().expect("number"), to.parse().expect("number"));
    let stanzas = log::session(&fs::read_to_string(file).expect("readable"));
    let mut state = session(&dictionary);
    for (number, logged) in stanzas.iter().enumerate().take(to) {
        let nodes = logged.tape.nodes();
        let stanza = Stanza::new(&nodes).expect("a stanza");
        let packet_number = PacketNumber::new(number as u32);
        if number >= from {
            println!("{}", logged.xml);
            let mut total = 0;
            state
                .explain(packet_number, stanza, Options::default(), |what, cost| {
                    total += cost;
                    if cost > 40 {
                        println!("  {:7.2} {what:?}", cost as f64 / 256.0);
                    }
                })
                .expect("a stanza");
            println!("  {:7.2} bits", total as f64 / 256.0);
        }
        let mut packet = vec![0; 1 << 20];
        state
            .encode(packet_number, stanza, Options::default(), &mut packet)
            .expect("fits");
        state.acknowledge(packet_number);
    }
}

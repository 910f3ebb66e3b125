//! Captured sessions under other names, so that a table learns how addresses look and not who was there; and some
//! keys that begin otherwise. Refuses to touch anything else.

use crate::log::Logged;
use longwire_codec::structure::lexicon::hash;
use std::collections::BTreeMap;

const SYLLABLES: &[&str] = &[
    "ma", "ri", "an", "jo", "le", "ka", "el", "ni", "ta", "ro", "sa", "mi", "lu", "be", "pe", "to",
    "da", "vi", "go", "hen", "mar", "tin", "son", "ber", "li", "ol", "er", "win", "ste", "chr",
    "is", "ul", "fr", "ed", "ey", "ot", "th", "os", "wa", "zh",
];
const DOMAINS: &[&str] = &[
    "net", "mail", "base", "field", "chat", "im", "jabber", "talk", "hill", "port", "camp",
    "relief", "north", "bay",
];
const ENDINGS: &[&str] = &["org", "example", "net", "com", "im", "lan", "de", "local"];

fn next(seed: &mut u64) -> usize {
    *seed = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) as usize
}

fn local(seed: &mut u64) -> String {
    let mut name: String = (0..2 + next(seed) % 2)
        .map(|_| SYLLABLES[next(seed) % SYLLABLES.len()])
        .collect();
    match next(seed) % 6 {
        0 => name.push_str(&(next(seed) % 100).to_string()),
        1 => name.push_str(&format!(".{}", SYLLABLES[next(seed) % SYLLABLES.len()])),
        2 => name.push_str(&format!("-{}", DOMAINS[next(seed) % DOMAINS.len()])),
        _ => {}
    }
    name
}

fn domain(seed: &mut u64) -> String {
    let first = SYLLABLES[next(seed) % SYLLABLES.len()];
    let second = DOMAINS[next(seed) % DOMAINS.len()];
    format!("{first}{second}.{}", ENDINGS[next(seed) % ENDINGS.len()])
}

/// Letters by which a key shows its format.
const KEY_HEAD: usize = 4;

/// Every other key is turned round, for not every client has the format of those recorded.
fn is_other_key(value: &str) -> bool {
    let is_long = (60..1000).contains(&value.len()) && value.len().is_multiple_of(4);
    let letters = |octet: u8| octet.is_ascii_alphanumeric() || b"+/".contains(&octet);
    is_long && value.bytes().all(letters) && hash(value) & 1 == 0
}

/// The session with other local parts and domains, the same ones throughout.
pub fn disguise(session: &[Logged], seed: u64) -> Vec<Logged> {
    let mut seed = seed;
    let mut locals: BTreeMap<String, String> = BTreeMap::new();
    let mut domains: BTreeMap<String, String> = BTreeMap::new();
    for value in session.iter().flat_map(|logged| logged.tape.values()) {
        let bare = value.split('/').next().unwrap_or(value);
        if let Some((name, host)) = bare.split_once('@')
            && bare.len() < 60
            && !bare.contains([' ', ':', '>'])
            && host.contains('.')
        {
            if !locals.contains_key(name) {
                locals.insert(name.to_owned(), local(&mut seed));
            }
            let root = host
                .strip_prefix("rooms.")
                .or(host.strip_prefix("conference."))
                .unwrap_or(host);
            if !domains.contains_key(root) {
                domains.insert(root.to_owned(), domain(&mut seed));
            }
        }
    }
    let change = |value: &str| {
        let (bare, rest) = value.split_at(value.find('/').unwrap_or(value.len()));
        let other_host = |host: &str| {
            let root = domains
                .iter()
                .find(|(root, _)| host.ends_with(root.as_str()));
            root.map(|(root, other)| format!("{}{other}", &host[..host.len() - root.len()]))
        };
        match bare.split_once('@') {
            Some((name, host)) => match (locals.get(name), other_host(host)) {
                (Some(name), Some(host)) => format!("{name}@{host}{rest}"),
                _ => value.to_owned(),
            },
            None if bare.contains('.') && !bare.contains(' ') => match other_host(bare) {
                Some(host) => format!("{host}{rest}"),
                None => value.to_owned(),
            },
            None if is_other_key(value) => format!("{}{}", &value[KEY_HEAD..], &value[..KEY_HEAD]),
            None => value.to_owned(),
        }
    };
    let disguised = session.iter().map(|logged| Logged {
        tape: logged.tape.map_values(change),
        ..logged.clone()
    });
    disguised.collect()
}

//! Version 1 finds everything it holds, covers every extension Longwire knows, and stays small.

use longwire_codec::dictionary::{Dictionary, Kind, Names, Strings, TEXT};
use longwire_dictionaries::{ALL, V1_128K as V1, by_id};
use sha2::{Digest, Sha256};
use std::collections::HashSet;

/// The specifications the dictionary and the stanza policy must know; four digits are a XEP.
const COVERED: &str = "RFC6120 RFC6121 \
    0004 0030 0045 0047 0048 0049 0050 0054 0055 0059 0060 0065 0066 0070 0071 0077 0080 0082 0084 0085 0092 0095 0096 \
    0106 0107 0108 0115 0118 0124 0128 0131 0138 0144 0153 0156 0160 0163 0166 0167 0172 0176 0177 0178 0184 0191 0198 \
    0199 0202 0203 0205 0206 0215 0221 0223 0224 0231 0232 0234 0245 0249 0256 0257 0258 0261 0264 0277 0280 0289 0292 \
    0297 0300 0308 0313 0317 0319 0320 0333 0334 0335 0338 0352 0353 0357 0359 0361 0363 0365 0368 0369 0371 0372 0373 \
    0374 0377 0379 0380 0384 0385 0386 0388 0390 0392 0393 0394 0398 0402 0403 0405 0410 0413 0420 0421 0422 0424 0425 \
    0428 0430 0434 0437 0440 0441 0444 0446 0447 0448 0449 0450 0451 0452 0453 0454 0455 0456 0461 0463 0466 0474 0478 \
    0482 0483 0484 0485 0486 0490 0492";

#[test]
fn every_extension_has_a_namespace() {
    let known: HashSet<&str> = include_str!("../v1/namespaces.tsv")
        .lines()
        .filter_map(|line| line.split('\t').nth(2))
        .flat_map(|xeps| xeps.split(','))
        .collect();
    let missing: Vec<&str> = COVERED
        .split_whitespace()
        .filter(|xep| !known.contains(xep))
        .collect();
    assert!(missing.is_empty(), "no namespace row names {missing:?}");
}

fn strings_find_themselves(strings: &Strings<'_>) {
    for id in 0..strings.len() as u16 {
        let text = strings.get(id).unwrap();
        assert_eq!(strings.find(text), Some(id), "{text}");
    }
    assert_eq!(strings.get(strings.len() as u16), None);
    assert_eq!(strings.find("nobody ever wrote this"), None);
}

fn names_find_themselves(names: &Names<'_>) {
    for id in 0..names.len() as u16 {
        let (ns, name) = names.get(id).unwrap();
        assert_eq!(names.find(ns, name), Some(id), "{name}");
        assert!(names.within(ns).contains(&id), "{name}");
    }
    assert_eq!(names.find(0, "nobody"), None);
    assert_eq!(names.find(u16::MAX, "nobody"), None);
}

#[test]
fn provenance_is_that_of_the_models_here() {
    let v1 = concat!(env!("CARGO_MANIFEST_DIR"), "/v1");
    let read = |name: &str| std::fs::read(format!("{v1}/{name}")).expect(name);
    let mut models = 0;
    for told in ["structure-provenance.toml", "text-provenance.toml"] {
        let told = String::from_utf8(read(told)).expect("text");
        for model in told.split("[[model]]").skip(1) {
            let value = |key: &str| {
                let line = model.lines().find(|line| line.starts_with(key));
                line.and_then(|line| line.split('"').nth(1))
                    .expect("a value")
            };
            let is: String = Sha256::digest(read(value("file")))
                .iter()
                .map(|octet| format!("{octet:02x}"))
                .collect();
            assert_eq!(is, value("sha256"), "{}", value("file"));
            models += 1;
        }
    }
    assert_eq!(models, 4);
}

#[test]
fn everything_is_found_both_ways() {
    strings_find_themselves(&V1.namespaces);
    strings_find_themselves(&V1.values);
    names_find_themselves(&V1.elements);
    names_find_themselves(&V1.attributes);
    assert_eq!(V1.namespaces.get(0), Some(""));
}

#[test]
fn kinds_depend_on_the_element() {
    let element = |ns, name| V1.element(ns, name).unwrap();
    let attribute = |name| V1.attribute("", name).unwrap();
    let message = element("jabber:client", "message");
    assert_eq!(V1.kind(message, TEXT), Kind::None);
    assert_eq!(V1.kind(message, attribute("from")), Kind::Jid);
    assert_eq!(V1.kind(message, attribute("type")), Kind::Choice);
    assert_eq!(V1.kind(message, attribute("id")), Kind::Opaque);
    assert_eq!(V1.kind(element("jabber:client", "body"), TEXT), Kind::Body);
}

#[test]
fn dictionaries_are_told_apart_by_content() {
    for dictionary in ALL {
        assert_eq!(
            by_id(dictionary.id).map(|found| found.id),
            Some(dictionary.id)
        );
    }
    assert!(by_id(0).is_none());
    let ids: HashSet<u32> = ALL.iter().map(|dictionary| dictionary.id).collect();
    assert_eq!(ids.len(), ALL.len());
}

fn octets(of: &Dictionary<'_>) -> usize {
    let strings = |strings: &Strings<'_>| strings.len() * 5;
    let names = |names: &Names<'_>| names.len() * 8;
    of.values.blob.len()
        + strings(&of.namespaces)
        + strings(&of.values)
        + names(&of.elements)
        + names(&of.attributes)
        + of.exceptions.pairs.len() * 5
}

/// Flash that every board pays beside code and models, in octets.
#[test]
fn tables_fit_a_board() {
    let octets = octets(&V1);
    println!("tables: {octets} octets, strings {}", V1.values.blob.len());
    assert!(octets <= 36 * 1024, "{octets}");
}

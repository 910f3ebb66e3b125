//! encode, decode, explain and dictionary.

use super::harness::{err, longwire_with, out};

const CHAT: &str =
    "<message to='juliet@base.example' type='chat' id='a1'><body>All well</body></message>";

/// The element with the attributes of its root in order: XML gives them none.
fn canonical(text: &str) -> longwire::xml::Element {
    let mut element = longwire::xml::Element::parse_stanza(text).expect("XML");
    element
        .attrs
        .sort_by(|one, other| one.name.cmp(&other.name));
    element
}

#[test]
fn decode_undoes_encode() {
    let odd = "<message to='j@b.example'><body>two\u{a0}lines&#10;of &lt;text&gt; \u{1f600}</body>\
               <x xmlns='urn:example:unknown' k='v'><y/></x></message>";
    let input = format!("{CHAT}\n\n{odd}\n<presence/>\n");
    for session in [&[][..], &["--session"][..]] {
        for model in ["128k", "512k", "8m"] {
            let model = ["--text-model", model];
            let packets = longwire_with(&[&["encode"], session, &model].concat(), &input);
            assert_eq!(packets.status.code(), Some(0), "{}", err(&packets));
            let packets = out(&packets);
            assert_eq!(packets.lines().count(), 3, "{packets}");
            let stanzas = longwire_with(&[&["decode"], session, &model].concat(), &packets);
            assert_eq!(stanzas.status.code(), Some(0), "{}", err(&stanzas));
            let same = |one: &str, other: &str| {
                assert_eq!(canonical(one), canonical(other));
            };
            let stanzas = out(&stanzas);
            let lines: Vec<&str> = stanzas.lines().collect();
            assert_eq!(lines.len(), 3);
            same(lines[0], CHAT);
            same(lines[1], odd);
            same(lines[2], "<presence/>");
        }
    }
}

#[test]
fn packets_stand_alone_unless_a_session_is_asked_for() {
    let input = format!("{CHAT}\n{CHAT}\n");
    let alone = out(&longwire_with(&["encode"], &input));
    let (first, second) = alone.trim_end().split_once('\n').expect("two lines");
    assert_eq!(first, second);
    let kept = out(&longwire_with(&["encode", "--session"], &input));
    let (first, second) = kept.trim_end().split_once('\n').expect("two lines");
    assert!(second.len() < first.len(), "{kept}");
    let short = out(&longwire_with(&["encode", "--ids", "short"], CHAT));
    assert!(short.len() < alone.len() / 2, "{short}");
}

#[test]
fn a_bad_line_is_named() {
    let input = format!("{CHAT}\n<message>\n{CHAT}\n");
    let stopped = longwire_with(&["encode"], &input);
    assert_eq!(stopped.status.code(), Some(1));
    assert!(err(&stopped).contains("line 2: "), "{}", err(&stopped));
    assert_eq!(out(&stopped).lines().count(), 1);
    let went_on = longwire_with(&["encode", "--keep-going"], &input);
    assert_eq!(went_on.status.code(), Some(1));
    assert_eq!(out(&went_on).lines().count(), 2);
    let hexless = longwire_with(&["decode"], "xyz\n");
    assert_eq!(hexless.status.code(), Some(1));
    assert!(
        err(&hexless).contains("line 1: not hexadecimal"),
        "{}",
        err(&hexless)
    );
}

#[test]
fn explain_accounts_for_every_bit() {
    let table = out(&longwire_with(&["explain"], CHAT));
    for word in ["<message>", "<body>", "in all"] {
        assert!(table.contains(word), "{word} is missing:\n{table}");
    }
    let json = out(&longwire_with(&["explain", "--json"], CHAT));
    let value: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let steps = value["steps"].as_array().expect("steps");
    let bits: f64 = steps.iter().filter_map(|step| step["bits"].as_f64()).sum();
    let octets = value["packet-bytes"].as_f64().expect("a number");
    assert!(
        (bits / 8.0 - octets).abs() <= 2.0,
        "{bits} bits, {octets} octets"
    );
}

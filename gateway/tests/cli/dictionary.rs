//! dictionary: train, list, inspect, evaluate, and what a damaged file leads to.

use super::harness::{Scratch, err, longwire, out};

/// 300 reports of a ship, and a session in which some are sent.
pub(crate) fn traffic(scratch: &Scratch) -> (String, String) {
    let report = |at: usize| {
        format!(
            "Position at {at:02} UTC: ice {} km ahead, all well",
            at * 7 % 40
        )
    };
    let texts: String = (0..300).map(|at| report(at) + "\n").collect();
    let session: String = (0..40)
        .map(|at| {
            format!(
                "{at}\tC: <message to='base@shore.example' type='chat' id='r{at}'><body>{}</body>\
                 <request xmlns='urn:xmpp:receipts'/></message>\n\
                 {at}\tS: <message from='base@shore.example/x' id='s{at}'>\
                 <received xmlns='urn:xmpp:receipts' id='r{at}'/></message>\n",
                report(at)
            )
        })
        .collect();
    (
        scratch.write("en.txt", &texts),
        scratch.write("watch.log", &session),
    )
}

fn train(scratch: &Scratch, name: &str, sources: &[&str]) -> String {
    let made = scratch.path(name);
    let sizes = ["--text-size", "16 KiB", "--structure-size", "8 KiB"];
    let command = [
        &["dictionary", "train", "--out", &made][..],
        &sizes,
        sources,
    ]
    .concat();
    let trained = longwire(&command);
    assert_eq!(trained.status.code(), Some(0), "{}", err(&trained));
    assert!(err(&trained).contains("decisions"), "shows progress");
    made
}

#[test]
fn a_dictionary_is_trained_from_ones_own_traffic() {
    let scratch = Scratch::new("dictionary");
    let (text, session) = traffic(&scratch);
    let made = train(&scratch, "ours.dictionary", &[&text, &session]);
    let again = train(&scratch, "again.dictionary", &[&text, &session]);
    let read = |path: &str| std::fs::read(path).expect("a dictionary");
    assert_eq!(read(&made), read(&again), "the same files, the same octets");
    let refused = longwire(&["dictionary", "train", "--out", &made, &text]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(err(&refused).contains("is there already"));

    let listed = out(&longwire(&["dictionary", "list", &made]));
    for word in [
        "v1, 512k",
        "ours.dictionary",
        "en.txt: 300 texts, text en",
        "80 stanzas",
    ] {
        assert!(listed.contains(word), "{word} is missing:\n{listed}");
    }
    let inspected = out(&longwire(&["dictionary", "inspect", &made]));
    assert!(inspected.contains("languages: en\n"), "{inspected}");

    let command = [
        "dictionary",
        "evaluate",
        "--json",
        "--dictionary",
        &made,
        &text,
        &session,
    ];
    let measured: serde_json::Value =
        serde_json::from_str(&out(&longwire(&command))).expect("JSON");
    assert_eq!(measured[0]["texts"], 300);
    assert_eq!(measured[1]["stanzas"], 80);
    let last = |of: &serde_json::Value, key: &str| {
        let all = of["dictionaries"].as_array().expect("a list");
        let of = |it: &serde_json::Value| it[key].as_f64().expect("a number");
        (of(&all[0]), of(all.last().expect("ours")))
    };
    let (released, ours) = last(&measured[0], "bits-per-character");
    assert!(ours < released / 2.0, "{ours} of {released}");
    let (released, ours) = last(&measured[1], "session-short-ids-bytes");
    assert!(ours < released, "{ours} of {released}");
}

#[test]
fn bodies_are_learned_where_a_language_is_named() {
    let scratch = Scratch::new("bodies");
    let (_, session) = traffic(&scratch);
    let tagged = format!("en={session}");
    let made = train(&scratch, "ours.dictionary", &[&tagged]);
    let inspected = out(&longwire(&["dictionary", "inspect", &made]));
    assert!(inspected.contains("text en"), "{inspected}");
    let packets = super::harness::longwire_with(
        &["encode", "--dictionary", &made],
        "<message type='chat'><body>Position at 07 UTC: ice 9 km ahead, all well</body></message>",
    );
    let packet = out(&packets);
    assert!(packet.trim().len() / 2 < 14, "{packet}{}", err(&packets));
    let without = train(&scratch, "other.dictionary", &[&session]);
    let inspected = out(&longwire(&["dictionary", "inspect", &without]));
    assert!(inspected.contains("text: that of v1, 8m"), "{inspected}");
}

#[test]
fn a_damaged_file_is_named_with_what_to_do() {
    let scratch = Scratch::new("damaged");
    let (text, _) = traffic(&scratch);
    let made = train(&scratch, "ours.dictionary", &[&text]);
    let mut octets = std::fs::read(&made).expect("a dictionary");
    octets[5000] ^= 1;
    std::fs::write(&made, octets).expect("written");
    scratch.write("key", &"07".repeat(32));
    let config = scratch.write(
        "longwire.toml",
        "[gateway]\nstate-dir = 'state'\n\
         [[modem]]\nname = 'hf'\nurl = 'air:damaged'\n\
         [[peer]]\nname = 'ship'\nmodem = 'hf'\nstation = 1\nkey-file = 'key'\n\
         dictionaries = ['ours.dictionary']\n",
    );
    let key = scratch.path("key");
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(key, private).expect("a file of ours");
    for command in [&["run"][..], &["check"], &["dictionary", "list"]] {
        let failed = longwire(&[&["--config", &config][..], command].concat());
        assert_eq!(failed.status.code(), Some(3), "{command:?}");
        let said = out(&failed) + &err(&failed);
        for word in ["ours.dictionary", "damaged"] {
            assert!(said.contains(word), "{command:?}: {said}");
        }
    }
    let checked = out(&longwire(&["--config", &config, "check"]));
    assert!(
        checked.contains("copy it again from where it was trained"),
        "{checked}"
    );
    let foreign = longwire(&["dictionary", "inspect", &text]);
    assert!(
        err(&foreign).contains("not a dictionary"),
        "{}",
        err(&foreign)
    );
}

#[test]
fn what_cannot_be_written_is_said_before_the_work() {
    let scratch = Scratch::new("unwritable");
    let (text, _) = traffic(&scratch);
    let nowhere = scratch.path("nowhere/ours.dictionary");
    let failed = longwire(&["dictionary", "train", "--out", &nowhere, &text]);
    assert_eq!(failed.status.code(), Some(1));
    assert!(err(&failed).contains("cannot write"), "{}", err(&failed));
    assert!(!err(&failed).contains("decisions"), "{}", err(&failed));
    let missing = longwire(&["dictionary", "train", "--out", &nowhere, "no.log"]);
    assert!(err(&missing).contains("no.log: No such file"));

    let config = scratch.write(
        "longwire.toml",
        "[gateway]\nstate-dir = 'state'\ncapture = 'en.txt/capture'\n",
    );
    let checked = longwire(&["--config", &config, "check"]);
    assert_eq!(checked.status.code(), Some(3));
    let said = out(&checked);
    assert!(
        said.contains("is no folder that can be written to"),
        "{said}"
    );
    let state = "state will be made on first run";
    assert!(said.contains(state), "{said}");
}

//! The file shipped, the errors operators meet.

use super::*;

fn refused(text: &str) -> String {
    Config::parse(text, Path::new("longwire.toml"))
        .expect_err("must be refused")
        .to_string()
}

/// `longwire.toml` with the commented keys made real.
fn uncommented() -> String {
    DOCUMENTED
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(rest) if !rest.starts_with([' ', '#']) && !rest.is_empty() => rest,
            _ => line,
        })
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn the_documented_file_is_the_default() {
    let parsed = Config::parse(DOCUMENTED, Path::new("longwire.toml")).unwrap();
    assert_eq!(parsed, Config::default());
}

#[test]
fn the_documented_sections_show_their_defaults() {
    let shown: Config = toml::from_str(&uncommented()).unwrap();
    let [component] = &shown.components[..] else {
        panic!("one component")
    };
    let [hosted] = &shown.hosted[..] else {
        panic!("one hosted")
    };
    let [modem] = &shown.modems[..] else {
        panic!("one modem")
    };
    let [peer] = &shown.peers[..] else {
        panic!("one peer")
    };
    assert_eq!(
        *component,
        Component {
            domains: component.domains.clone(),
            secret_file: component.secret_file.clone(),
            ..Component::default()
        }
    );
    assert_eq!(
        *hosted,
        Hosted {
            domain: hosted.domain.clone(),
            ..Hosted::default()
        }
    );
    assert_eq!(
        *modem,
        Modem {
            name: modem.name.clone(),
            url: modem.url.clone(),
            ..Modem::default()
        }
    );
    assert_eq!(
        *peer,
        Peer {
            name: peer.name.clone(),
            modem: peer.modem.clone(),
            key_file: peer.key_file.clone(),
            domains: peer.domains.clone(),
            ..Peer::default()
        }
    );
}

#[test]
fn every_key_is_documented() {
    let file: toml::Table = toml::from_str(&uncommented()).unwrap();
    for section in [
        "[gateway]",
        "[[component]]",
        "[[hosted]]",
        "[[modem]]",
        "[[peer]]",
        "[[group]]",
        "[peer.expiry]",
        "[peer.priority]",
        "[peer.budget]",
    ] {
        let parent = if section.starts_with("[peer.") {
            "[[peer]]\n"
        } else {
            ""
        };
        let error = toml::from_str::<Config>(&format!("{parent}{section}\nno-such-key = 1\n"))
            .expect_err("unknown");
        let (_, valid) = error::unknown_field(error.message()).expect("a list of keys");
        assert!(!valid.is_empty());
        let mut table = &toml::Value::Table(file.clone());
        for name in section.trim_matches(['[', ']']).split('.') {
            table = &table[name];
            table = table.as_array().map_or(table, |tables| &tables[0]);
        }
        for key in valid {
            assert!(
                table.get(&key).is_some(),
                "{section} {key} is not in longwire.toml"
            );
        }
    }
}

#[test]
fn an_unknown_key_names_file_line_and_the_nearest() {
    assert_eq!(
        refused("[gateway]\nname = \"ship\"\nstate-dri = \"/tmp\"\n"),
        "longwire.toml:3: unknown key `state-dri`; did you mean `state-dir`?"
    );
    assert_eq!(
        refused("[[pear]]\n"),
        "longwire.toml:1: unknown key `pear`; did you mean `peer`?"
    );
    assert_eq!(
        refused("[gateway]\nxyzzy = 1\n"),
        "longwire.toml:2: unknown key `xyzzy`"
    );
}

#[test]
fn a_value_without_its_unit_is_refused() {
    let said = refused("[[modem]]\nname = \"hf\"\nurl = \"air:a\"\nbit-rate = \"300\"\n");
    assert!(
        said.starts_with("longwire.toml:4: `bit-rate`: `300` is not a rate"),
        "{said}"
    );
}

#[test]
fn a_modem_url_is_read_to_its_last_option() {
    let modem = |url: &str| refused(&format!("[[modem]]\nname = \"hf\"\nurl = \"{url}\"\n"));
    let said = modem("serail:/dev/ttyUSB0");
    assert!(
        said.starts_with("longwire.toml:3: `url`: no modem speaks `serail:`"),
        "{said}"
    );
    assert!(said.contains("`serial`"), "{said}");
    assert!(modem("serial:/dev/ttyUSB0?buad=9600").contains("`baud`"));
}

#[test]
fn a_peer_must_lead_to_a_modem() {
    let said = refused(
        "[[modem]]\nname = \"hf-20m\"\nurl = \"air:a\"\n\n[[peer]]\nname = \"base\"\nmodem = \"hf20m\"\n",
    );
    assert_eq!(
        said,
        "longwire.toml:7: `modem`: there is no modem `hf20m`; did you mean `hf-20m`?"
    );
}

#[test]
fn a_missing_key_names_its_table() {
    let said = refused("[[modem]]\nname = \"hf\"\n");
    assert!(
        said.starts_with("longwire.toml:1: `url`: a modem needs a URL"),
        "{said}"
    );
}

#[test]
fn a_secret_is_not_printed() {
    let text = "[[component]]\ndomains = [\"a.example\"]\nsecret = \"swordfish\"\n";
    let config = Config::parse(text, Path::new("x")).unwrap();
    assert!(!format!("{config:?}").contains("swordfish"));
}

#[test]
fn a_group_that_cannot_work_is_refused() {
    let text = |group: &str| {
        format!(
            "[[hosted]]\ndomain = 'ship.example'\n[[modem]]\nname = 'hf'\nurl = 'air:x'\n\
             [[peer]]\nname = 'far'\nmodem = 'hf'\nstation = 1\nkey-file = 'k'\n\
             [[group]]\nname = 'fleet'\nmodem = 'hf'\nkey-file = 'g'\n{group}\n"
        )
    };
    let sound = "room = 'all@fleet.example'\nstation = 200\nmembers = ['far']";
    assert!(Config::parse(&text(sound), Path::new("longwire.toml")).is_ok());
    for (from, to, said) in [
        ("station = 200", "station = 1", "no station's"),
        ("fleet.example", "ship.example", "none that is hosted here"),
        ("all@fleet", "fleet", "write a bare JID"),
        ("['far']", "['near']", "no peer `near` on this modem"),
        ("members = ['far']", "", "where this station speaks"),
        (
            "['far']",
            "['far']\nspeaker = 'far'",
            "where this station speaks",
        ),
        ("['far']", "['far']\nparity = 17", "at most 16"),
    ] {
        let error = refused(&text(&sound.replace(from, to)));
        assert!(error.contains(said), "{error}");
    }
}

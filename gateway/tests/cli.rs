//! The command line as an operator meets it: the built binary, its output, its exit codes.

use std::path::Path;
use std::process::Command;

#[path = "cli/codec.rs"]
mod codec;
#[path = "cli/dictionary.rs"]
mod dictionary;
#[path = "cli/harness.rs"]
mod harness;
#[path = "cli/running.rs"]
mod running;

use harness::{Scratch, err, longwire, longwire_with, out};

#[test]
fn help_names_every_command_and_exit_code() {
    let help = longwire(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    let text = out(&help);
    for word in [
        "check",
        "config",
        "keygen",
        "completions",
        "man",
        "Exit codes",
        "modem",
    ] {
        assert!(text.contains(word), "{word} is missing:\n{text}");
    }
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    assert_eq!(longwire(&["no-such-command"]).status.code(), Some(2));
    assert_eq!(longwire(&[]).status.code(), Some(2));
}

#[test]
fn a_missing_configuration_ends_with_3_and_says_what_to_do() {
    let ended = longwire(&["--config", "/nonexistent/longwire.toml", "check"]);
    assert_eq!(ended.status.code(), Some(3));
    let said = err(&ended);
    assert!(said.contains("/nonexistent/longwire.toml"), "{said}");
    assert!(said.contains("try:"), "{said}");
}

#[test]
fn an_unknown_key_ends_with_3_and_names_the_line() {
    let scratch = Scratch::new("key");
    let config = scratch.write("a.toml", "[gateway]\nnmae = \"ship\"\n");
    let ended = longwire(&["check", "--config", &config]);
    assert_eq!(ended.status.code(), Some(3));
    let said = err(&ended);
    assert!(
        said.contains(":2: unknown key `nmae`; did you mean `name`?"),
        "{said}"
    );
}

#[test]
fn the_printed_configuration_is_a_working_one() {
    let scratch = Scratch::new("config");
    let text = out(&longwire(&["config"]));
    let text = text.replace("/var/lib/longwire", &scratch.path("state"));
    let config = scratch.write("longwire.toml", &text);
    let ended = longwire(&["check", "--config", &config]);
    assert_eq!(
        ended.status.code(),
        Some(0),
        "{}{}",
        out(&ended),
        err(&ended)
    );
    assert!(
        out(&ended).contains("nothing to talk to"),
        "{}",
        out(&ended)
    );
}

#[test]
fn check_tells_what_is_wrong_and_what_to_do() {
    let scratch = Scratch::new("check");
    let state = scratch.path("state");
    let text = format!(
        "[gateway]\nstate-dir = \"{state}\"\n\
         [[component]]\nserver = \"127.0.0.1:1\"\ndomains = [\"field.example\"]\nsecret = \"x\"\n\
         [[modem]]\nname = \"hf\"\nurl = \"serial:/dev/no-such-modem?baud=9600\"\n\
         [[peer]]\nname = \"field\"\nmodem = \"hf\"\nkey-file = \"field.key\"\ndomains = [\"field.example\"]\n"
    );
    let config = scratch.write("longwire.toml", &text);
    let ended = longwire(&["check", "--config", &config]);
    let said = out(&ended);
    // The key comes first, so its exit code stands.
    assert_eq!(ended.status.code(), Some(3), "{said}");
    for line in [
        "FAIL peer field",
        "try: longwire keygen",
        "FAIL component field.example",
        "/dev/no-such-modem does not exist",
    ] {
        assert!(said.contains(line), "{line} is missing:\n{said}");
    }
    longwire(&["keygen", &scratch.path("field.key")]);
    let ended = longwire(&["check", "--json", "--config", &config]);
    assert_eq!(ended.status.code(), Some(5));
    let lines: Vec<serde_json::Value> = serde_json::from_str(&out(&ended)).expect("JSON");
    let key = lines
        .iter()
        .find(|line| line["subject"] == "peer field")
        .expect("a line");
    assert_eq!(key["verdict"], "ok");
}

#[test]
fn keygen_makes_a_private_file_once() {
    let scratch = Scratch::new("keygen");
    let path = scratch.path("a.key");
    let made = longwire(&["keygen", &path]);
    assert_eq!(made.status.code(), Some(0));
    assert!(out(&made).contains("fingerprint"));
    let text = std::fs::read_to_string(&path).expect("the key");
    assert_eq!(text.trim().len(), 64);
    let again = longwire(&["keygen", &path]);
    assert_eq!(again.status.code(), Some(1));
    assert_eq!(std::fs::read_to_string(&path).expect("the key"), text);
}

#[test]
fn pair_makes_all_a_board_needs() {
    let scratch = Scratch::new("pair");
    let config = scratch.write(
        "longwire.toml",
        "[[modem]]\nname = \"lora\"\nurl = \"serial:/dev/ttyACM0\"\nmtu = 64\nbit-rate = \"1200 bit/s\"\n",
    );
    let folder = scratch.0.display().to_string();
    let pair = [
        "pair",
        "--station",
        "buoy",
        "--jid",
        "buoy@field.example",
        "--folder",
        &folder,
    ];
    let ended = longwire(&[&["--config", &config], &pair[..]].concat());
    assert_eq!(ended.status.code(), Some(0), "{}", err(&ended));
    let image = std::fs::read(scratch.path("buoy.image")).expect("an image");
    let board = longwire_codec::provision::Provision::parse(&image).expect("a good one");
    assert_eq!(
        (board.jid, board.station, board.gateway),
        ("buoy@field.example", 1, 0)
    );
    assert_eq!((board.mtu, board.bit_rate), (64, 1200));
    // The printed section, taken as it is, makes a configuration that names the key just written.
    let printed = out(&ended);
    let section = &printed[printed.find("[[peer]]").expect("a section")..];
    let section = section.split("\n\n").next().expect("a section");
    let whole = std::fs::read_to_string(&config).expect("it") + section;
    let whole = longwire::config::Config::parse(&whole, Path::new("whole")).expect("fits");
    let key = longwire::keys::Key::load(&whole.peers[0].key_file).expect("a key");
    assert_eq!(key.0, board.key);
    // Never over an existing key.
    let again = longwire(&[&["--config", &config], &pair[..]].concat());
    assert_eq!(again.status.code(), Some(1));
}

#[test]
fn pair_tunes_a_lora_board_and_the_modem_at_the_base_alike() {
    use longwire_codec::{lora::Lora, provision};
    let scratch = Scratch::new("pair-lora");
    let config = scratch.write(
        "longwire.toml",
        "[[modem]]\nname = \"lora\"\nurl = \"serial:/dev/ttyACM0\"\nlora = \"869.525 MHz, SF9, 125 kHz\"\n",
    );
    let folder = scratch.0.display().to_string();
    for station in ["buoy", "hut"] {
        let jid = format!("{station}@field.example");
        let pair = [
            "--config",
            &config,
            "pair",
            "--station",
            station,
            "--jid",
            &jid,
            "--folder",
            &folder,
        ];
        let ended = longwire(&pair);
        assert_eq!(ended.status.code(), Some(0), "{}", err(&ended));
        assert!(out(&ended).contains("lora.image, which holds no key"));
    }
    let image = |name: &str| std::fs::read(scratch.path(name)).expect("an image");
    assert_eq!(
        provision::parse_modem(&image("lora.image")),
        Ok(Lora::EU_869)
    );
    let board = image("hut.image");
    let board = provision::Provision::parse(&board).expect("a good one");
    assert_eq!((board.lora, board.mtu), (Some(Lora::EU_869), 255));
}

#[test]
fn accounts_are_made_listed_and_removed() {
    let scratch = Scratch::new("account");
    let text = "[gateway]\nstate-dir = \"state\"\n[[hosted]]\ndomain = \"field.example\"\n";
    let config = scratch.write("longwire.toml", text);
    let account = |words: &[&str], input: &str| {
        longwire_with(&[&["--config", &config, "account"], words].concat(), input)
    };
    let made = account(&["add", "romeo@field.example"], "wherefore\n");
    assert_eq!(made.status.code(), Some(0), "{}", err(&made));
    let folder = std::fs::metadata(scratch.path("state")).expect("made");
    let mode = std::os::unix::fs::PermissionsExt::mode(&folder.permissions());
    assert_eq!(mode & 0o777, 0o700, "its owner's only");
    let made = account(&["add", "juliet@field.example", "--generate", "--json"], "");
    let made: serde_json::Value = serde_json::from_str(&out(&made)).expect("JSON");
    assert_eq!(made["password"].as_str().map(str::len), Some(16));
    let elsewhere = account(&["add", "romeo@base.example"], "wherefore\n");
    assert_eq!(elsewhere.status.code(), Some(2));
    assert!(
        err(&elsewhere).contains("hosted here: field.example"),
        "{}",
        err(&elsewhere)
    );
    assert_eq!(
        out(&account(&["list"], "")),
        "juliet@field.example\nromeo@field.example\n"
    );
    assert_eq!(
        account(&["remove", "romeo@field.example"], "")
            .status
            .code(),
        Some(0)
    );
    assert_eq!(
        account(&["remove", "romeo@field.example"], "")
            .status
            .code(),
        Some(1)
    );
    assert_eq!(out(&account(&["list"], "")), "juliet@field.example\n");
}

#[test]
fn completions_and_manual_are_generated() {
    for shell in ["bash", "zsh", "fish"] {
        assert!(out(&longwire(&["completions", shell])).contains("keygen"));
    }
    let page = out(&longwire(&["man"]));
    assert!(page.contains(".TH longwire 8"), "{page}");
    assert!(page.contains(".SS longwire check"), "{page}");
}

#[test]
fn the_sample_configurations_fit_each_other() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    for (one, other) in [("ship", "shore"), ("field", "base")] {
        let load = |name: &str| {
            let path = examples.join(format!("{name}.toml"));
            longwire::config::Config::load(&path).unwrap_or_else(|error| panic!("{error}"))
        };
        let (here, there) = (load(one), load(other));
        assert_eq!(here.peers[0].station, there.modems[0].station);
        assert_eq!(there.peers[0].station, here.modems[0].station);
        assert_eq!(here.peers[0].name, there.gateway.name);
        for (near, far) in [(&here, &there), (&there, &here)] {
            let mut local: Vec<&String> = near.hosted.iter().map(|it| &it.domain).collect();
            if local.is_empty() {
                local = near.components.iter().flat_map(|it| &it.domains).collect();
                assert_eq!(local, near.peers[0].domains.iter().collect::<Vec<_>>());
            } else {
                assert_eq!(local, far.peers[0].domains.iter().collect::<Vec<_>>());
            }
        }
    }
}

#[test]
fn the_readmes_cheap_commands_do_what_they_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let readme = std::fs::read_to_string(root.join("README.md")).expect("README.md");
    let scratch = Scratch::new("readme");
    // What it trains on and measures.
    let (_, session) = dictionary::traffic(&scratch);
    std::fs::create_dir(scratch.path("capture")).expect("a folder");
    for copy in ["capture/shore.log", "yesterday.log"] {
        std::fs::copy(&session, scratch.path(copy)).expect("a file");
    }
    let bin = Path::new(env!("CARGO_BIN_EXE_longwire"))
        .parent()
        .expect("a folder");
    let path = format!(
        "{}:{}",
        bin.display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let mut ran = 0;
    let shell = readme
        .split("```sh\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next());
    for line in shell.flat_map(str::lines) {
        // What needs a modem, or builds everything anew, is tried elsewhere.
        if !line.contains("longwire ") || line.ends_with(" run") || line.ends_with(" check") {
            continue;
        }
        let ended = Command::new("sh")
            .args(["-c", line])
            .current_dir(&scratch.0)
            .env("PATH", &path)
            .output();
        let ended = ended.expect("sh");
        assert!(ended.status.success(), "{line}: {}", err(&ended));
        ran += 1;
    }
    assert!(ran >= 3, "only {ran} commands in README.md");
    assert!(scratch.0.join("longwire.toml").exists() && scratch.0.join("shore.key").exists());
}

//! The command line as an operator meets it: the built binary, its output, its exit codes.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn longwire(arguments: &[&str]) -> Output {
    longwire_with(arguments, "")
}

fn longwire_with(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_longwire"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    // A command that refuses its arguments does not read.
    let _ = child
        .stdin
        .take()
        .expect("piped")
        .write_all(input.as_bytes());
    child.wait_with_output().expect("the binary ends")
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// A folder of this test's own, gone with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("longwire-cli-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.0.join(name), text).expect("a file");
        self.path(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

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
fn accounts_are_made_listed_and_removed() {
    let scratch = Scratch::new("account");
    let text = "[gateway]\nstate-dir = \"state\"\n[[hosted]]\ndomain = \"field.example\"\n";
    let config = scratch.write("longwire.toml", text);
    let account = |words: &[&str], input: &str| {
        longwire_with(&[&["--config", &config, "account"], words].concat(), input)
    };
    let made = account(&["add", "romeo@field.example"], "wherefore\n");
    assert_eq!(made.status.code(), Some(0), "{}", err(&made));
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

#[test]
fn the_demo_brings_every_stanza_across_once() {
    // Four times the losses of the default, and another seed.
    let demo = ["demo", "--once", "--json", "--loss", "0.2", "--seed", "11"];
    let ended = longwire(&demo);
    assert_eq!(
        ended.status.code(),
        Some(0),
        "{}{}",
        out(&ended),
        err(&ended)
    );
    let value: serde_json::Value = serde_json::from_str(&out(&ended)).expect("JSON");
    assert_eq!(value["intact"], value["sent"]);
    assert_eq!(value["surplus"], 0);
    assert_eq!(value["login-air-bytes"], 0);
    let octets = |key: &str| value[key].as_u64().expect("a number");
    assert!(octets("frames-lost") > 0);
    assert!(octets("air-bytes") * 2 < octets("xml-bytes"), "{value}");
}

#[test]
fn a_gateway_runs_tells_its_status_and_ends() {
    let scratch = Scratch::new("run");
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr());
    let address = free.expect("a port");
    longwire(&["keygen", &scratch.path("base.key")]);
    let config = scratch.write(
        "longwire.toml",
        &format!(
            "[gateway]\nname = \"camp\"\nstate-dir = \"state\"\n\
             [[hosted]]\ndomain = \"field.example\"\nlisten = [\"{address}\"]\n\
             [[modem]]\nname = \"hf\"\nurl = \"air:nobody\"\n\
             [[peer]]\nname = \"base\"\nmodem = \"hf\"\nkey-file = \"base.key\"\ndomains = [\"base.example\"]\n"
        ),
    );
    let asleep = longwire(&["--config", &config, "status"]);
    assert_eq!(asleep.status.code(), Some(1));
    assert!(err(&asleep).contains("try: start it"), "{}", err(&asleep));
    let mut gateway = Command::new(env!("CARGO_BIN_EXE_longwire"))
        .args(["--config", &config, "run"])
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts");
    let status = (0..200)
        .map(|_| {
            std::thread::sleep(std::time::Duration::from_millis(50));
            longwire(&["--config", &config, "status"])
        })
        .find(|status| status.status.code() == Some(0));
    let status = out(&status.expect("an answer within 10 s"));
    for words in ["camp ", "field.example", "peer       base"] {
        assert!(status.contains(words), "{words} is missing:\n{status}");
    }
    let command = |words: &[&str]| longwire(&[&["--config", &config], words].concat());
    let sent = command(&[
        "send",
        "--from",
        "romeo@field.example",
        "--to",
        "juliet@base.example",
        "All well",
    ]);
    assert_eq!(sent.status.code(), Some(0), "{}", err(&sent));
    let queue = command(&["queue", "list", "--json"]);
    let queue: serde_json::Value = serde_json::from_str(&out(&queue)).expect("JSON");
    assert_eq!(queue[0]["to"], "juliet@base.example");
    let number = queue[0]["number"].to_string();
    assert_eq!(
        command(&["queue", "cancel", &number]).status.code(),
        Some(0)
    );
    let checked = command(&["check"]);
    assert!(
        out(&checked).contains("a gateway is running"),
        "{}",
        out(&checked)
    );
    let pid = gateway.id().to_string();
    let killed = Command::new("kill").arg(&pid).status().expect("kill");
    assert!(killed.success());
    assert_eq!(gateway.wait().expect("it ends").code(), Some(0));
}

#[test]
fn the_readmes_cheap_commands_do_what_they_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let readme = std::fs::read_to_string(root.join("README.md")).expect("README.md");
    let scratch = Scratch::new("readme");
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

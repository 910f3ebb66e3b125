//! Gateways at work: the demo, and run with its control socket.

use std::process::{Command, Stdio};

use super::harness::{Scratch, err, longwire, out};

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

//! Instructions for one chat message of 40 characters: this program under valgrind, with and without the work, divided.
//! Refuses wall clock: instructions are the same on every run.

use std::process::Command;

use longwire::xml::{Element, NS_CLIENT};
use longwire_codec::dictionary::Dictionary;
use longwire_codec::link::PacketNumber;
use longwire_codec::session::{Options, Profile, Session};
use longwire_codec::stanza::{Arena, Node, Stanza};
use longwire_dictionaries::{V1_128K, V1_512K, V1_HOST};

use super::goals::Goal;

/// Models measured, by name.
const MODELS: [(&str, &Dictionary<'static>); 3] =
    [("128k", &V1_128K), ("512k", &V1_512K), ("8m", &V1_HOST)];

/// Messages between two counts.
const MESSAGES: u32 = 50;

/// Forty characters.
const BODY: &str = "could you bring the ladder back tonight?";

/// Instructions to encode and to decode one message, by model.
pub(crate) struct Instructions(Vec<(&'static str, f64, f64)>);

impl Instructions {
    /// The table, in Markdown.
    pub(crate) fn table(&self) -> String {
        let line =
            |row: &(&str, f64, f64)| format!("| {} | {:.0} | {:.0} |\n", row.0, row.1, row.2);
        "| model | encode | decode |\n|---|--:|--:|\n".to_owned()
            + &self.0.iter().map(line).collect::<String>()
            + "\n"
    }

    /// The goals these figures answer.
    pub(crate) fn goals(&self) -> Vec<Goal> {
        let middle = self.0.iter().find(|row| row.0 == "512k");
        [
            ("encode", middle.map(|row| row.1)),
            ("decode", middle.map(|row| row.2)),
        ]
        .map(|(work, ours)| Goal {
            measure: format!("{work} of a 40-character chat, 512 KB model, instructions"),
            rival: None,
            ours,
            most: Some(200_000.0),
        })
        .into()
    }
}

/// Is valgrind there?
pub(crate) fn is_possible() -> bool {
    let tried = Command::new("valgrind").arg("--version").output();
    tried.is_ok_and(|output| output.status.success())
}

/// What `bench footprint` keeps of every board.
const FOOTPRINT: &str = include_str!("../../../firmware/boards/footprint.tsv");

/// Memory to decode on a board, as `bench footprint` last measured it on the emulated one: the session with its tables, and
/// the stack, on which the stanza lies too.
pub(crate) fn memory() -> Goal {
    let figure = |name: &str| -> Option<f64> {
        let row = ["qemu", "text-128k", name].join("\t") + "\t";
        let line = FOOTPRINT.lines().find_map(|line| line.strip_prefix(&row))?;
        line.parse().ok()
    };
    let parts = [figure("session_octets"), figure("decode_stack_octets")];
    Goal {
        measure:
            "memory to decode, emulated board, session and stack (kept by `footprint`), octets"
                .to_owned(),
        rival: None,
        ours: parts.into_iter().sum(),
        most: Some(16_384.0),
    }
}

/// Counts, by running `bench work` under valgrind.
///
/// # Errors
/// If valgrind is not there or says nothing.
pub(crate) fn instructions() -> Result<Instructions, String> {
    let mut rows = Vec::new();
    for (model, _) in MODELS {
        let per_message = |work: &str| -> Result<f64, String> {
            let none = collected(model, work, 1)?;
            Ok((collected(model, work, 1 + MESSAGES)? - none) / f64::from(MESSAGES))
        };
        let compose = per_message("compose")?;
        let encode = per_message("encode")?;
        rows.push((model, encode - compose, per_message("decode")? - encode));
    }
    Ok(Instructions(rows))
}

fn collected(model: &str, work: &str, messages: u32) -> Result<f64, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(["work", model, work, &messages.to_string()])
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let count = said.lines().find_map(|line| line.split_once("Collected :"));
    count
        .and_then(|(_, count)| count.trim().parse().ok())
        .ok_or_else(|| format!("valgrind counted nothing: {said}"))
}

/// What is counted: `messages` chats between stations that have met, composed, encoded too unless `work` says
/// `compose`, and decoded too if it says `decode`.
///
/// # Errors
/// An unknown model, or a stanza that does not pass.
pub(crate) fn work(model: &str, work: &str, messages: u32) -> Result<(), String> {
    let dictionary = MODELS
        .iter()
        .find(|row| row.0 == model)
        .ok_or("unknown model")?
        .1;
    let session = || {
        Session::new(
            dictionary,
            Profile::BOARD,
            vec![0; Profile::BOARD.storage_len()],
        )
    };
    let mut from = session().map_err(|error| format!("{error:?}"))?;
    let mut to = session().map_err(|error| format!("{error:?}"))?;
    let (mut packet, mut strings) = (vec![0; 1 << 12], vec![0; 1 << 12]);
    for number in 1..=messages {
        let element = chat(number);
        let mut tape = Vec::new();
        element.tape(&mut tape);
        let stanza = Stanza::new(&tape).ok_or("not a stanza")?;
        if work == "compose" && number > 1 {
            continue;
        }
        let number = PacketNumber::new(number);
        let len = from
            .encode(number, stanza, Options::default(), &mut packet)
            .map_err(|error| format!("{error:?}"))?;
        if work == "decode" || number.get() == 1 {
            let mut nodes = [Node::Close; 64];
            let mut arena = Arena::new(&mut strings);
            to.decode(number, &packet[..len], &mut arena, &mut nodes)
                .map_err(|error| format!("{error:?}"))?;
        }
        from.acknowledge(number);
    }
    Ok(())
}

fn chat(number: u32) -> Element {
    let empty = |ns: &str, name: &str| Element::new(ns, name);
    let id = format!("8a5f3c1e-90b2-4d77-a1c4-{number:012x}");
    Element::new(NS_CLIENT, "message")
        .with_attr("type", "chat")
        .with_attr("to", "base@shore.example")
        .with_attr("from", "ines@field.example/Conversations.b2nn")
        .with_attr("id", &*id)
        .with_child(empty("urn:xmpp:receipts", "request"))
        .with_child(empty("urn:xmpp:chat-markers:0", "markable"))
        .with_child(empty("urn:xmpp:sid:0", "origin-id").with_attr("id", &*id))
        .with_child(empty(NS_CLIENT, "body").with_text(BODY))
        .with_child(empty("http://jabber.org/protocol/chatstates", "active"))
}

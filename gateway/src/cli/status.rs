//! `status`, `queue` and `send`: what a running gateway says, for people on one screen and for machines as JSON.
//! Refuses to know more than the gateway told.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{control, manual, screen};
use crate::config::Config;
use crate::exit::{Exit, Failure};
use crate::xml::{Element, NS_CLIENT};

const NS_RECEIPTS: &str = "urn:xmpp:receipts";

/// Arguments of `longwire send`.
#[derive(Debug, Args)]
pub(super) struct Send {
    /// Receiver.
    #[arg(long, required_unless_present = "xml")]
    to: Option<String>,
    /// Sender, of a domain this gateway serves.
    #[arg(long, required_unless_present = "xml")]
    from: Option<String>,
    /// Ask the far client for a receipt.
    #[arg(long)]
    receipt: bool,
    /// A whole stanza with `from` and `to` instead of a text.
    #[arg(long, value_name = "STANZA", conflicts_with_all = ["to", "from", "receipt", "text"])]
    xml: Option<String>,
    /// The text.
    #[arg(required_unless_present = "xml")]
    text: Vec<String>,
}

/// What to do with the outbox.
#[derive(Debug, Subcommand)]
pub(super) enum Queue {
    /// What waits for the air, in the order it will go.
    List,
    /// Take a stanza out; its sender is told by an error.
    Cancel {
        /// Its number in the list.
        number: u64,
    },
}

/// Prints how the gateway is.
pub(super) fn status(config: &Config, as_json: bool) -> Result<(), Failure> {
    let value = control::ask(
        &config.gateway.control_socket,
        &json!({ "command": "status" }),
    )?;
    show(&value, as_json, screen::status)
}

/// Lists or cancels.
pub(super) fn queue(config: &Config, action: &Queue, as_json: bool) -> Result<(), Failure> {
    let socket = &config.gateway.control_socket;
    match action {
        Queue::List => {
            let value = control::ask(socket, &json!({ "command": "queue-list" }))?;
            show(&value, as_json, screen::queue)
        }
        Queue::Cancel { number } => {
            let request = json!({ "command": "queue-cancel", "number": number });
            let value = control::ask(socket, &request)?;
            show(&value, as_json, |_| {
                format!("{number} is out of the queue\n")
            })
        }
    }
}

/// Composes a stanza and hands it over.
pub(super) fn send(config: &Config, arguments: &Send, as_json: bool) -> Result<(), Failure> {
    let stanza = match &arguments.xml {
        Some(xml) => Element::parse_stanza(xml).map_err(|error| {
            Failure::new(Exit::Usage, format!("--xml: {error}")).advise("write one whole stanza")
        })?,
        None => compose(arguments)?,
    };
    let request = json!({ "command": "send", "xml": stanza.to_xml("") });
    let value = control::ask(&config.gateway.control_socket, &request)?;
    show(&value, as_json, |_| {
        "in custody; longwire queue list shows it\n".to_owned()
    })
}

fn compose(arguments: &Send) -> Result<Element, Failure> {
    let mut id = [0; 8];
    getrandom::fill(&mut id)
        .map_err(|error| Failure::running(format!("no randomness: {error}")))?;
    let mut message = Element::new(NS_CLIENT, "message")
        .with_attr("type", "chat")
        .with_attr("id", crate::hex::emit(&id));
    for (name, jid) in [("from", &arguments.from), ("to", &arguments.to)] {
        let jid = jid.as_deref().unwrap_or_default();
        if let Err(error) = jid.parse::<jid::Jid>() {
            return Err(Failure::new(
                Exit::Usage,
                format!("--{name}: `{jid}` is no JID: {error}"),
            ));
        }
        message.set_attr(name, jid);
    }
    let body = Element::new(NS_CLIENT, "body").with_text(arguments.text.join(" "));
    message.push(body);
    if arguments.receipt {
        message.push(Element::new(NS_RECEIPTS, "request"));
    }
    Ok(message)
}

fn show(value: &Value, as_json: bool, human: impl Fn(&Value) -> String) -> Result<(), Failure> {
    let text = if as_json {
        format!("{value}\n")
    } else {
        human(value)
    };
    manual::print(text.as_bytes())
}

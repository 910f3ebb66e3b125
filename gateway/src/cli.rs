//! The command line. Refuses to do the work: each command calls one function elsewhere and turns its end into an
//! exit code.

mod account;
mod codec;
mod control;
mod dictionary;
mod explain;
mod manual;
mod pair;
mod rekey;
mod run;
mod screen;
mod status;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::config::{Config, DOCUMENTED, PATH_DEFAULT};
use crate::exit::{Exit, Failure};
use crate::keys::Key;

const EXIT_CODES: &str = "Exit codes:\n  \
    0  fine\n  \
    1  failed while running\n  \
    2  the command line makes no sense\n  \
    3  the configuration cannot be used\n  \
    4  a modem cannot be opened or stopped working\n  \
    5  the XMPP side failed: server unreachable, secret refused, port taken";

/// XMPP over links where a byte costs money or seconds: HF radio, satellite, LoRa.
#[derive(Debug, Parser)]
#[command(name = "longwire", version, after_help = EXIT_CODES, disable_help_subcommand = true)]
pub struct Cli {
    /// Configuration file.
    #[arg(long, global = true, value_name = "FILE", default_value = PATH_DEFAULT)]
    config: PathBuf,
    /// Print JSON, for machines.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Try everything the configuration names: ports, devices, secrets, keys; say what to do.
    Check,
    /// Run the gateway.
    Run,
    /// Play a conversation over a simulated radio link: no server, no hardware.
    Demo(crate::demo::Demo),
    /// Show how a running gateway is: modems, peers, what waits, what was sent and what was not.
    Status,
    /// Hand a message to a running gateway.
    Send(status::Send),
    /// See and change what waits for the air.
    #[command(subcommand)]
    Queue(status::Queue),
    /// One stanza per line on standard input, one packet per line in hexadecimal on standard output.
    Encode(codec::Encode),
    /// The inverse of encode.
    Decode(codec::Shared),
    /// Show where each bit of a packet went; reads stanzas as encode does.
    Explain(explain::Explain),
    /// What both ends know before the first bit: list, measure, train.
    #[command(subcommand)]
    Dictionary(dictionary::Action),
    /// Print the documented configuration file: every key, its unit, its default.
    Config,
    /// Make a key for two stations to share.
    Keygen(Keygen),
    /// Accounts of hosted domains.
    #[command(subcommand)]
    Account(account::Account),
    /// Make what a new station needs: a key, a piece of configuration, an image for a board.
    Pair(pair::Pair),
    /// Agree on a new key with a peer, over the air, while traffic goes on.
    Rekey(rekey::Rekey),
    /// Print shell completions.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page, in roff.
    Man,
}

#[derive(Debug, Args)]
struct Keygen {
    /// Write to this new file, mode 0600, instead of standard output.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Base64 instead of hexadecimal on standard output.
    #[arg(long, conflicts_with = "file")]
    base64: bool,
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are printed the same way and are no failure.
            let exit = if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Ok
            };
            let _ = error.print();
            return exit.into();
        }
    };
    match cli.run() {
        Ok(()) => Exit::Ok.into(),
        Err(failure) => failure.report().into(),
    }
}

impl Cli {
    fn run(&self) -> Result<(), Failure> {
        match &self.command {
            Command::Check => self.check(),
            Command::Run => run::run(self.settings()?),
            Command::Demo(arguments) => crate::demo::demo(arguments, self.json),
            Command::Status => status::status(&self.settings()?, self.json),
            Command::Send(arguments) => status::send(&self.settings()?, arguments, self.json),
            Command::Queue(action) => status::queue(&self.settings()?, action, self.json),
            Command::Encode(arguments) => codec::encode(arguments),
            Command::Decode(arguments) => codec::decode(arguments),
            Command::Explain(arguments) => explain::explain(arguments, self.json),
            Command::Dictionary(action) => dictionary::dictionary(action, &self.config, self.json),
            Command::Config => manual::print(DOCUMENTED.as_bytes()),
            Command::Keygen(arguments) => self.keygen(arguments),
            Command::Account(action) => account::account(&self.settings()?, action, self.json),
            Command::Pair(arguments) => pair::pair(&self.settings()?, arguments, self.json),
            Command::Rekey(arguments) => rekey::rekey(&self.settings()?, arguments, self.json),
            Command::Completions { shell } => manual::completions(*shell),
            Command::Man => manual::page(),
        }
    }

    /// The settings, for commands that need them.
    fn settings(&self) -> Result<Config, Failure> {
        Ok(Config::load(&self.config)?)
    }

    fn check(&self) -> Result<(), Failure> {
        let report = crate::check::check(&self.config)?;
        if self.json {
            manual::print(format!("{}\n", report.json()).as_bytes())?;
        } else {
            manual::print(report.to_string().as_bytes())?;
        }
        match report.exit() {
            Exit::Ok => Ok(()),
            exit => Err(Failure::new(exit, "")),
        }
    }

    fn keygen(&self, arguments: &Keygen) -> Result<(), Failure> {
        let key = Key::generate()?;
        let text = if arguments.base64 {
            key.to_base64()
        } else {
            key.to_hex()
        };
        let Some(path) = &arguments.file else {
            return manual::print(format!("{text}\n").as_bytes());
        };
        key.store(path)?;
        let shown = path.display().to_string();
        let fingerprint = key.fingerprint();
        if self.json {
            let value = serde_json::json!({ "file": shown, "fingerprint": fingerprint });
            return manual::print(format!("{value}\n").as_bytes());
        }
        let text = format!(
            "wrote {shown}, fingerprint {fingerprint}\n\
             Copy it to the far end over a way you trust; both ends show the same fingerprint in `longwire check`.\n"
        );
        manual::print(text.as_bytes())
    }
}

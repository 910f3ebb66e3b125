//! What it costs: bytes, seconds of air, instructions. Each subcommand prints its table and says what it measured.

mod airtime;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What it costs: bytes, seconds of air, instructions; rivals side by side.
#[derive(Parser)]
#[command(name = "bench")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Bytes of every stanza and text, ours and each rival's, on the same data.
    Airtime(airtime::Options),
    /// What `airtime --instructions` runs under valgrind.
    #[command(hide = true)]
    Work {
        /// Text model: 128k, 512k or 8m.
        model: String,
        /// encode, or decode for both.
        work: String,
        /// How many messages.
        messages: u32,
    },
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Airtime(options) => airtime::run(&options),
        Command::Work {
            model,
            work,
            messages,
        } => airtime::cost::work(&model, &work, messages),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

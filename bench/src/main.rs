//! What it costs: bytes, seconds of air, instructions. Each subcommand prints its table and says what it measured.

mod airtime;
mod footprint;
mod gateway;

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
    /// Flash, memory, stack and instructions of each board, and what in it can panic.
    Footprint(footprint::Options),
    /// Stanzas per second, resident memory with 1, 100 and 1,000 stations, time from start to ready.
    Gateway,
    /// What `gateway` measures in a process of its own.
    #[command(hide = true)]
    Stations {
        /// How many.
        count: usize,
    },
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
        Command::Footprint(options) => footprint::run(&options),
        Command::Gateway => gateway::run().map_err(|error| error.to_string()),
        Command::Stations { count } => gateway::stations(count).map_err(|error| error.to_string()),
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

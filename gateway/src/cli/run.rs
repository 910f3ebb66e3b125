//! `run`: log, signals and exit code around [`crate::run::run`].

use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::config::Config;
use crate::exit::{Exit, Failure};
use crate::run::RunError;

/// Runs until SIGINT or SIGTERM.
pub(super) fn run(config: Config) -> Result<(), Failure> {
    start_log(&config.gateway.log)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::running)?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).map_err(Failure::running)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::running)?;
        let shutdown = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        Ok(crate::run::run(config, shutdown).await?)
    })
}

/// Log lines go to standard error; under systemd without colours.
fn start_log(filter: &str) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        Failure::new(Exit::Config, format!("`log`: {error}")).advise("log = \"info\"")
    })?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .init();
    Ok(())
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        let exit = match error {
            RunError::Dictionary(_)
            | RunError::Peer(_)
            | RunError::Capture { .. }
            | RunError::Folder { .. } => Exit::Config,
            RunError::Modem { .. } => Exit::Modem,
            RunError::Attachment(_) => Exit::Xmpp,
            _ => Exit::Failed,
        };
        Self::new(exit, error).advise("longwire check tries everything and says what to do")
    }
}

//! How a command ends: an exit code scripts can rely on, and a sentence that says what happened and what to do.

use std::fmt::Display;
use std::process::ExitCode;

use crate::config::ConfigError;
use crate::dictionaries::DictionaryError;
use crate::keys::KeyError;

/// Exit codes, the same for every command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Fine.
    Ok = 0,
    /// Failed while running.
    Failed = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// The configuration cannot be used.
    Config = 3,
    /// A modem cannot be opened or stopped working.
    Modem = 4,
    /// The XMPP side failed: server unreachable, secret refused, port taken.
    Xmpp = 5,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// The end of a command that did not go well.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    said: String,
    advice: Option<String>,
}

impl Failure {
    /// What happened and where, as a fragment without full stop.
    pub fn new(exit: Exit, said: impl Display) -> Self {
        Self {
            exit,
            said: said.to_string(),
            advice: None,
        }
    }

    /// The same, failed while running.
    pub fn running(said: impl Display) -> Self {
        Self::new(Exit::Failed, said)
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn advise(mut self, advice: impl Display) -> Self {
        self.advice = Some(advice.to_string());
        self
    }

    /// Prints to standard error and gives the exit code.
    pub fn report(&self) -> Exit {
        if !self.said.is_empty() {
            eprintln!("longwire: {}", self.said);
        }
        if let Some(advice) = &self.advice {
            eprintln!("  try: {advice}");
        }
        self.exit
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let unreadable = matches!(error, ConfigError::Unreadable { .. });
        let failure = Self::new(Exit::Config, &error);
        if unreadable {
            return failure.advise(
                "name another with --config FILE, or write one: longwire config > longwire.toml",
            );
        }
        failure.advise("longwire config prints every key with its unit and default")
    }
}

impl From<DictionaryError> for Failure {
    fn from(error: DictionaryError) -> Self {
        let advice = error.advice();
        Self::new(Exit::Config, error).advise(advice)
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        let exit = match error {
            KeyError::Random(_) | KeyError::Unwritable { .. } => Exit::Failed,
            _ => Exit::Config,
        };
        Self::new(exit, error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        // `longwire decode | head` is no failure worth a word.
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self::new(Exit::Failed, "");
        }
        Self::running(error)
    }
}

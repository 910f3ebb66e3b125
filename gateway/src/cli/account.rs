//! `account`: who may log in to hosted domains. Refuses passwords on the command line, where other users of the
//! machine can read them.

use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use clap::Subcommand;
use serde_json::{Value, json};

use super::manual;
use crate::config::Config;
use crate::exit::{Exit, Failure};
use crate::xmpp::hosted::accounts;
use crate::xmpp::hosted::store::Store;

/// Octets of randomness in a password made here: 16 characters.
const PASSWORD_LEN: usize = 12;

/// What to do with accounts.
#[derive(Debug, Subcommand)]
pub(super) enum Account {
    /// Make an account, or give an existing one a new password.
    Add {
        /// user@domain, of a domain hosted here.
        jid: String,
        /// Make up a password and print it.
        #[arg(long, conflicts_with = "password_file")]
        generate: bool,
        /// Read the password from the first line of this file instead of standard input.
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    /// Remove an account with its roster and archive.
    Remove {
        /// user@domain.
        jid: String,
    },
    /// List all accounts.
    List,
}

/// Does it, in the database of the configuration; a running gateway sees it at once.
pub(super) fn account(config: &Config, action: &Account, as_json: bool) -> Result<(), Failure> {
    let mut store = open(config)?;
    let (text, value) = match action {
        Account::Add {
            jid,
            generate,
            password_file,
        } => {
            hosted_here(config, jid)?;
            let (password, shown) = if *generate {
                let password = made_up()?;
                (password.clone(), Some(password))
            } else {
                (read(password_file.as_ref())?, None)
            };
            accounts::create(&store, jid, &password).map_err(refused)?;
            match shown {
                Some(password) => (
                    format!("{jid} may log in with password {password}\n"),
                    json!({ "jid": jid, "password": password }),
                ),
                None => (format!("{jid} may log in\n"), json!({ "jid": jid })),
            }
        }
        Account::Remove { jid } => {
            if !accounts::remove(&mut store, jid).map_err(refused)? {
                return Err(Failure::running(format!("there is no account {jid}"))
                    .advise("longwire account list shows all"));
            }
            (format!("{jid} is gone\n"), json!({ "jid": jid }))
        }
        Account::List => {
            let all = accounts::list(&store).map_err(refused)?;
            let lines: String = all.iter().map(|jid| format!("{jid}\n")).collect();
            (lines, Value::from(all))
        }
    };
    let text = if as_json { format!("{value}\n") } else { text };
    manual::print(text.as_bytes())
}

fn open(config: &Config) -> Result<Store, Failure> {
    let path = &config.gateway.database;
    let failed = |error: &dyn std::fmt::Display| {
        Failure::running(format!("cannot open {}: {error}", path.display()))
            .advise("longwire check; accounts are kept by the user that runs the gateway")
    };
    if let Some(folder) = path.parent() {
        crate::store::private_folder(folder).map_err(|error| failed(&error))?;
    }
    Store::open(path).map_err(|error| failed(&error))
}

fn hosted_here(config: &Config, jid: &str) -> Result<(), Failure> {
    let domain = jid.split_once('@').map_or("", |(_, domain)| domain);
    if config.hosted.iter().any(|hosted| hosted.domain == domain) {
        return Ok(());
    }
    let hosted: Vec<&str> = config.hosted.iter().map(|it| it.domain.as_str()).collect();
    let advice = if hosted.is_empty() {
        "the configuration has no [[hosted]] domain".to_owned()
    } else {
        format!("hosted here: {}", hosted.join(", "))
    };
    Err(Failure::new(Exit::Usage, format!("`{jid}` is in no domain hosted here")).advise(advice))
}

fn read(file: Option<&PathBuf>) -> Result<String, Failure> {
    let text = match file {
        Some(path) => std::fs::read_to_string(path)
            .map_err(|error| Failure::running(format!("{}: {error}", path.display())))?,
        None => {
            let input = std::io::stdin();
            if input.is_terminal() {
                eprint!("Password (it will show): ");
            }
            let mut line = String::new();
            input.lock().read_line(&mut line)?;
            line
        }
    };
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

fn made_up() -> Result<String, Failure> {
    let mut bytes = [0; PASSWORD_LEN];
    getrandom::fill(&mut bytes)
        .map_err(|error| Failure::running(format!("no randomness: {error}")))?;
    Ok(BASE64.encode(bytes))
}

fn refused(error: accounts::AccountError) -> Failure {
    Failure::running(error)
}

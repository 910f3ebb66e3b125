//! State folder, database, keys and dictionaries.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::Report;
use crate::config::Config;
use crate::dictionaries;
use crate::exit::Exit;
use crate::keys::{Key, KeyError};

pub(super) fn check(config: &Config, report: &mut Report) {
    folder(&config.gateway.state_dir, report);
    database(&config.gateway.database, report);
    if !config.gateway.capture.as_os_str().is_empty() {
        capture(&config.gateway.capture, report);
    }
    check_dictionaries(config, report);
    let peers = config
        .peers
        .iter()
        .map(|it| ("peer", &it.name, &it.key_file));
    let groups = config
        .groups
        .iter()
        .map(|it| ("group", &it.name, &it.key_file));
    let mut keys: Vec<(Key, String)> = Vec::new();
    for (kind, name, file) in peers.chain(groups) {
        let subject = format!("{kind} {name}");
        match Key::load(file) {
            Ok(key) => {
                if let Some((_, other)) = keys.iter().find(|(known, _)| *known == key) {
                    report.warn(
                        &subject,
                        format!("shares its key with {other}"),
                        "give each peer its own: whoever finds one board has them all",
                    );
                }
                report.ok(&subject, format!("key {}, private", key.fingerprint()));
                keys.push((key, subject));
            }
            Err(KeyError::Replaced { .. }) => report.ok(
                subject,
                "key replaced over the air; longwire status shows its fingerprint",
            ),
            Err(error) => report.fail(
                Exit::Config,
                subject,
                error.to_string(),
                format!("longwire keygen {}", file.display()),
            ),
        }
    }
}

fn check_dictionaries(config: &Config, report: &mut Report) {
    let mut paths: Vec<&Path> = Vec::new();
    for path in config.peers.iter().flat_map(|peer| &peer.dictionaries) {
        if paths.contains(&path.as_path()) {
            continue;
        }
        paths.push(path);
        match dictionaries::load(path) {
            Ok(known) => report.ok(
                "dictionary",
                format!("{} is {:08x}", path.display(), known.dictionary.id),
            ),
            Err(error) => report.fail(
                Exit::Config,
                "dictionary",
                error.to_string(),
                error.advice(),
            ),
        }
    }
}

fn folder(path: &Path, report: &mut Report) {
    let subject = "state-dir";
    let shown = path.display();
    match std::fs::metadata(path) {
        Ok(found) if !found.is_dir() => {
            report.fail(
                Exit::Config,
                subject,
                format!("{shown} is no folder"),
                "name another",
            );
        }
        Ok(found) if found.mode() & 0o077 != 0 => report.warn(
            subject,
            format!("{shown} can be entered by others"),
            format!("chmod 700 {shown}"),
        ),
        Ok(_) => report.ok(subject, format!("{shown}, private")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if is_makeable(path) {
                report.ok(subject, format!("{shown} will be made on first run"));
            } else {
                report.fail(
                    Exit::Config,
                    subject,
                    format!("{shown} does not exist and cannot be made here"),
                    format!("mkdir -p {shown} && chown $USER {shown}"),
                );
            }
        }
        Err(error) => {
            report.fail(
                Exit::Config,
                subject,
                format!("{shown}: {error}"),
                "run as its owner",
            );
        }
    }
}

fn capture(folder: &Path, report: &mut Report) {
    let shown = folder.display();
    if (folder.is_dir() && writable(folder)) || (!folder.exists() && is_makeable(folder)) {
        report.warn(
            "capture",
            format!("every stanza is written to {shown}, message text included"),
            "empty the key when there is enough to train on",
        );
    } else {
        report.fail(
            Exit::Config,
            "capture",
            format!("{shown} is no folder that can be written to"),
            "name another, or empty the key",
        );
    }
}

/// Whether a folder that is not there could be made.
fn is_makeable(folder: &Path) -> bool {
    // The last ancestor of a relative path is empty: the folder we are in.
    let here = |it: &Path| Path::new(".").join(it);
    let mut above = folder.ancestors().skip(1).map(here);
    above
        .find(|it| it.exists())
        .is_some_and(|it| it.is_dir() && writable(&it))
}

/// Tries by making a file, because permission bits do not tell of read-only mounts.
fn writable(folder: &Path) -> bool {
    let probe = folder.join(format!(".longwire-check-{}", std::process::id()));
    let made = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&probe);
    made.is_ok() && std::fs::remove_file(&probe).is_ok()
}

fn database(path: &Path, report: &mut Report) {
    let subject = "database";
    let shown = path.display();
    if !path.exists() {
        if path
            .parent()
            .is_some_and(|folder| folder.is_dir() && !writable(folder))
        {
            let said = format!("{shown} cannot be made: its folder is not writable");
            report.fail(Exit::Config, subject, said, "run as the folder's owner");
        } else {
            report.ok(subject, format!("{shown} will be made on first run"));
        }
        return;
    }
    match try_write(path) {
        Ok(()) => report.ok(subject, format!("{shown}, writable")),
        Err(error) => report.fail(
            Exit::Config,
            subject,
            format!("{shown}: {error}"),
            "run as its owner; if it is damaged, put it aside and start anew: what waited in it is lost",
        ),
    }
}

/// Begins to write and takes it back.
fn try_write(path: &Path) -> rusqlite::Result<()> {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE;
    let database = rusqlite::Connection::open_with_flags(path, flags)?;
    database.busy_timeout(std::time::Duration::from_secs(2))?;
    database.execute_batch("BEGIN IMMEDIATE; ROLLBACK; PRAGMA quick_check(1);")
}

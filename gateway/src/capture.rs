//! Writes down what crosses the air, one file per peer, for `longwire dictionary train`. Refuses to run unasked: the files
//! hold message text in the clear.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Instant;

use tracing::{error, warn};

use crate::store;
use crate::xml::Element;

/// A file stops growing here, octets.
const FILE_MAX: u64 = 256 << 20;

/// One peer's file, in the format of recorded sessions: `SECONDS<tab>C: <stanza>` for what we send, `S:` for what comes.
#[derive(Debug)]
pub(crate) struct Capture {
    file: File,
    begun: Instant,
}

impl Capture {
    /// Opens the file of `peer` in `folder`, mode 0600, and goes on at its end.
    ///
    /// # Errors
    /// It cannot be made.
    pub(crate) fn open(folder: &Path, peer: &str) -> io::Result<Self> {
        store::private_folder(folder)?;
        // A name is the operator's, but it shall not leave the folder.
        let path = folder.join(format!("{}.log", peer.replace('/', "_")));
        let mut options = OpenOptions::new();
        let file = options.append(true).create(true).mode(0o600).open(&path)?;
        warn!(
            peer,
            file = %path.display(),
            "every stanza is written down, message text included"
        );
        Ok(Self {
            file,
            begun: Instant::now(),
        })
    }

    /// A stanza crosses; `sent` by us.
    pub(crate) fn note(&mut self, sent: bool, stanza: &Element) {
        let way = if sent { 'C' } else { 'S' };
        let seconds = self.begun.elapsed().as_secs();
        let line = format!("{seconds}\t{way}: {}\n", stanza.to_xml(""));
        let written = self.file.metadata().and_then(|of| {
            if of.len() + line.len() as u64 > FILE_MAX {
                return Ok(());
            }
            self.file.write_all(line.as_bytes())
        });
        // A full disk is no reason to stop the traffic.
        if let Err(error) = written {
            error!(%error, "a stanza was not written down");
        }
    }
}

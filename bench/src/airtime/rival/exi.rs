//! EXI (XEP-0322) by EXIficient in a Java process, with schemas made from the training data; where `bench/exi/install`
//! was not run, by ratio. Refuses to pass a ratio for a measurement: the columns say which it is.

mod schema;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Line;

/// Names of the two columns, measured.
pub(crate) const MEASURED: [&str; 2] = ["EXI, bit-packed, schemas", "EXI, deflate, schemas"];
/// Names of the two columns, by ratio.
pub(crate) const BY_RATIO: [&str; 2] = ["EXI strict (by ratio)", "EXI strict, deflate (by ratio)"];

/// The implementation, and schemas for it.
pub(crate) struct Exi {
    folder: PathBuf,
    schemas: tempfile::TempDir,
}

impl Exi {
    /// Schemas from the training data; `None` where EXIficient is not installed.
    ///
    /// # Errors
    /// The schemas cannot be written.
    pub(crate) fn new<'l>(lines: impl Iterator<Item = &'l Line>) -> Result<Option<Self>, String> {
        let Some(folder) = installed() else {
            return Ok(None);
        };
        let schemas = tempfile::tempdir().map_err(|error| error.to_string())?;
        let mut seen = schema::Seen::default();
        lines.for_each(|line| seen.add(&line.element));
        seen.write(schemas.path())?;
        Ok(Some(Self { folder, schemas }))
    }

    /// Octets for each stanza by itself, bit-packed and with EXI's DEFLATE, the octet of the header left out.
    fn sizes(&self, lines: &[Line]) -> Result<Vec<[f64; 2]>, String> {
        let mut documents = Vec::new();
        for line in lines {
            let xml = line.element.to_xml("");
            documents.extend(format!("{}\n", xml.len()).bytes());
            documents.extend(xml.bytes());
        }
        let path = self.schemas.path().join("documents");
        fs::write(&path, documents).map_err(|error| format!("{}: {error}", path.display()))?;
        let output = Command::new("java")
            .arg("-cp")
            .arg(format!("{0}/EXICodec.jar:{0}", self.folder.display()))
            .arg("Exi")
            .arg(self.schemas.path().join(schema::MAIN))
            .arg(&path)
            .output()
            .map_err(|error| format!("java: {error}"))?;
        let said = String::from_utf8_lossy(&output.stdout);
        let sizes: Option<Vec<[f64; 2]>> = said.lines().map(parse).collect();
        match sizes {
            Some(sizes) if sizes.len() == lines.len() => Ok(sizes),
            _ => Err(format!(
                "EXI: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            )),
        }
    }
}

/// `bit-packed deflated strict`; what could not be written has a negative size.
fn parse(line: &str) -> Option<[f64; 2]> {
    let mut sizes = line.split(' ').map(|size| size.parse().ok());
    let sizes = [sizes.next()??, sizes.next()??];
    sizes.iter().all(|size| *size > 0.0).then_some(sizes)
}

/// The folder that `bench/exi/install` filled.
fn installed() -> Option<PathBuf> {
    let named = std::env::var_os("LONGWIRE_EXI").map(PathBuf::from);
    let cache = || {
        let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let home = || Some(Path::new(&std::env::var_os("HOME")?).join(".cache"));
        Some(cache.or_else(home)?.join("longwire-bench/exi"))
    };
    let folder = named.or_else(cache)?;
    folder.join("Exi.class").exists().then_some(folder)
}

/// Octets of both columns for each stanza: measured if `exi` is there.
///
/// # Errors
/// The Java process failed.
pub(super) fn sizes(exi: Option<&Exi>, lines: &[Line]) -> Result<Vec<[f64; 2]>, String> {
    match exi {
        Some(exi) => exi.sizes(lines),
        None => Ok(lines.iter().map(by_ratio).collect()),
    }
}

/// Kind, octets out of a thousand of XML: strict, strict with DEFLATE. Medians by kind of EXIficient with the schemas of
/// the extensions, over 10,000 recorded stanzas.
const RATIOS: [(&str, u16, u16); 14] = [
    ("receipt", 654, 520),
    ("marker", 539, 393),
    ("chatstate", 364, 419),
    ("reaction", 446, 422),
    ("msg-chat", 613, 479),
    ("msg-muc", 507, 396),
    ("msg-omemo", 502, 484),
    ("pep-event", 420, 285),
    ("presence", 471, 407),
    ("presence-muc", 435, 396),
    ("mam-result", 413, 321),
    ("carbon", 437, 318),
    ("iq-discoinfo-result", 509, 277),
    ("iq-roster-result", 438, 202),
];

/// Every other kind.
const OTHERS: (u16, u16) = (590, 600);

fn by_ratio(line: &Line) -> [f64; 2] {
    let found = RATIOS.iter().find(|row| row.0 == line.kind);
    let (strict, deflated) = found.map_or(OTHERS, |row| (row.1, row.2));
    [strict, deflated].map(|ratio| (line.xml.len() as f64 * f64::from(ratio) / 1000.0).ceil())
}

//! Checks the tables of each version and turns them into constants; a bad row stops the build with file and line.

#[path = "build/deployment.rs"]
mod deployment;
#[path = "build/emit.rs"]
mod emit;
#[path = "build/rows.rs"]
mod rows;

use sha2::{Digest, Sha256};
use std::path::Path;
use std::{env, fs, process};

/// Trained text models: the constant, the stem of the file, the cargo feature. A missing file is an empty model.
const TEXTS: [(&str, &str, &str); 3] = [
    ("TEXT_128K", "text-en-128k", "text-128k"),
    ("TEXT_512K", "text-en-512k", "text-512k"),
    ("TEXT_8M", "text-8m", "text-8m"),
];

/// The environment variable that names a deployment's own dictionary for boards.
const DEPLOYMENT: &str = "LONGWIRE_DICTIONARY";

fn main() {
    println!("cargo::rerun-if-changed=v1");
    println!("cargo::rerun-if-changed=build");
    if let Err(error) = version("v1") {
        eprintln!("{error}");
        process::exit(1);
    }
}

fn version(name: &str) -> Result<(), String> {
    let read = |file: &str| {
        fs::read_to_string(Path::new(name).join(file))
            .map_err(|error| format!("{name}/{file}: {error}"))
    };
    let mut texts: [String; rows::FILES.len()] = Default::default();
    for (text, (file, _)) in texts.iter_mut().zip(rows::FILES) {
        *text = read(file)?;
    }
    let tables = rows::Tables::parse(name, &texts)?;
    strays(name)?;
    let mut common = Sha256::new();
    for text in &texts {
        hash(&mut common, text.as_bytes());
    }
    let tables_id = first_32_bits(&common);
    let mut out = emit::tables(&tables, tables_id)?;
    let (structure, include) = model(name, "structure");
    hash(&mut common, &structure);
    out += &format!("pub(crate) const STRUCTURE: &[u8] = {include};\n");
    for (constant, stem, feature) in TEXTS {
        let (text, include) = model(name, stem);
        let mut whole = common.clone();
        hash(&mut whole, stem.as_bytes());
        hash(&mut whole, &text);
        let id = first_32_bits(&whole);
        out += &format!(
            "#[cfg(feature = \"{feature}\")]\npub(crate) const {constant}: &[u8] = {include};\n\
             #[cfg(feature = \"{feature}\")]\npub(crate) const ID_{constant}: u32 = {id:#010x};\n"
        );
    }
    let dir = env::var("OUT_DIR").map_err(|error| error.to_string())?;
    let dir = Path::new(&dir);
    println!("cargo::rustc-check-cfg=cfg(deployment)");
    println!("cargo::rerun-if-env-changed={DEPLOYMENT}");
    if let Ok(path) = env::var(DEPLOYMENT) {
        println!("cargo::rustc-cfg=deployment");
        println!("cargo::rerun-if-changed={path}");
        out += &linked(&path, dir, tables_id)?;
    }
    fs::write(dir.join(format!("{name}.rs")), out).map_err(|error| error.to_string())
}

/// Takes a deployment's dictionary apart into files of `dir`; the constants that link them.
fn linked(path: &str, dir: &Path, tables: u32) -> Result<String, String> {
    let bytes = fs::read(path).map_err(|error| format!("{DEPLOYMENT}: {path}: {error}"))?;
    let hosts = env::var_os("CARGO_FEATURE_TEXT_8M").is_some();
    let file = deployment::read(path, &bytes, tables, hosts)?;
    let mut out = format!("pub(crate) const ID_DEPLOYMENT: u32 = {:#010x};\n", file.id);
    for (name, bytes) in [("STRUCTURE", file.structure), ("TEXT", file.text)] {
        let file = format!("deployment-{name}.bin");
        fs::write(dir.join(&file), bytes).map_err(|error| error.to_string())?;
        out += &format!(
            "pub(crate) const {name}_DEPLOYMENT: &[u8] = include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{file}\"));\n"
        );
    }
    Ok(out)
}

fn first_32_bits(of: &Sha256) -> u32 {
    let digest = of.clone().finalize();
    u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
}

/// Refuses trained files that nothing would link.
fn strays(version: &str) -> Result<(), String> {
    let entries = fs::read_dir(version).map_err(|error| format!("{version}: {error}"))?;
    for path in entries.flatten().map(|entry| entry.path()) {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let known = stem == "structure" || TEXTS.iter().any(|text| text.1 == stem);
        if path.extension().is_some_and(|extension| extension == "bin") && !known {
            let names = TEXTS.map(|text| text.1).join(", ");
            return Err(format!("{}: not structure, {names}", path.display()));
        }
    }
    Ok(())
}

/// The octets of a trained file, and the expression that links it.
fn model(version: &str, stem: &str) -> (Vec<u8>, String) {
    let bytes = fs::read(Path::new(version).join(format!("{stem}.bin"))).unwrap_or_default();
    let link = if bytes.is_empty() {
        "&[]".to_owned()
    } else {
        format!("include_bytes!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/{version}/{stem}.bin\"))")
    };
    (bytes, link)
}

/// Hashes one part with its length before it, so that no octet can move from one part to the next unseen.
fn hash(into: &mut Sha256, part: &[u8]) {
    into.update((part.len() as u64).to_be_bytes());
    into.update(part);
}

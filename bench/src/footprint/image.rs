//! An image as the linker left it: what each part takes, how large each function is, and which functions call what
//! panics. Refuses to run it.
//!
//! Boards are linked with `--emit-relocs`, so every call and every address taken is a relocation that names its target.
//! The linker dropped what nothing refers to: what is here can be reached.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use longwire_dictionaries::ALL;
use object::elf::{SHF_ALLOC, SHF_EXECINSTR, SHF_WRITE};
use object::read::{File, Object, ObjectSection, ObjectSymbol, RelocationTarget};
use object::{SectionFlags, SectionKind, SymbolKind};

/// A function of the image.
pub(crate) struct Function {
    /// Its path, without hashes.
    pub(crate) name: String,
    /// Octets.
    pub(crate) len: u64,
    at: u64,
}

/// See the module.
pub(crate) struct Image {
    /// Octets of instructions.
    pub(crate) code: u64,
    /// Octets of constants that are neither models nor dictionary tables; start values of statics among them.
    pub(crate) constants: u64,
    /// Octets of the dictionary's names and values.
    pub(crate) tables: u64,
    /// Octets of the structure model and the text model.
    pub(crate) models: u64,
    /// Octets of statics.
    pub(crate) writable: u64,
    /// The largest first.
    pub(crate) functions: Vec<Function>,
    /// Functions that call what panics, and what they call.
    pub(crate) panics: BTreeMap<String, BTreeSet<String>>,
}

impl Image {
    /// Reads the ELF file at `path`.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let fail = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let bytes = std::fs::read(path).map_err(|error| fail(&error))?;
        let file = File::parse(&*bytes).map_err(|error| fail(&error))?;
        let (mut code, mut constants, mut writable) = (0, 0, 0);
        let mut flash = Vec::new();
        for section in file.sections() {
            let SectionFlags::Elf { sh_flags } = section.flags() else {
                continue;
            };
            let has = |flag: u32| sh_flags & u64::from(flag) != 0;
            if !has(SHF_ALLOC) {
                continue;
            }
            let stored = section.kind() != SectionKind::UninitializedData;
            let data = section.data().map_err(|error| fail(&error))?;
            if has(SHF_WRITE) {
                writable += section.size();
            }
            match (has(SHF_EXECINSTR), stored) {
                (true, _) => code += section.size(),
                (false, true) => {
                    constants += section.size();
                    flash.push(data);
                }
                (false, false) => {}
            }
        }
        let (models, tables) = dictionary(&flash);
        let functions = functions(&file);
        let calls = calls(&file, &functions);
        let mut functions = functions;
        functions.sort_by(|a, b| b.len.cmp(&a.len).then(a.name.cmp(&b.name)));
        Ok(Self {
            code,
            constants: constants - models - tables,
            tables,
            models,
            writable,
            functions,
            panics: panics(&calls),
        })
    }

    /// Octets of code by crate, the largest first. A generic function belongs to where its text is.
    pub(crate) fn crates(&self) -> Vec<(String, u64)> {
        let mut sums = BTreeMap::new();
        for function in &self.functions {
            let path = function.name.trim_start_matches(['<', '&']);
            let end = path.find("::").unwrap_or(path.len());
            *sums.entry(path[..end].to_owned()).or_default() += function.len;
        }
        let mut sums: Vec<(String, u64)> = sums.into_iter().collect();
        sums.sort_by_key(|(_, len)| std::cmp::Reverse(*len));
        sums
    }
}

/// Octets of models and of tables that lie in the image: found by their contents, each once.
fn dictionary(flash: &[&[u8]]) -> (u64, u64) {
    let found = |wanted: &[u8]| {
        let there = !wanted.is_empty()
            && flash
                .iter()
                .any(|section| memchr::memmem::find(section, wanted).is_some());
        if there { wanted.len() as u64 } else { 0 }
    };
    let shorts =
        |values: &[u16]| -> Vec<u8> { values.iter().flat_map(|v| v.to_le_bytes()).collect() };
    // All dictionaries of a version share their tables and the structure model.
    let Some(first) = ALL.first() else {
        return (0, 0);
    };
    let models = found(first.structure)
        + ALL
            .iter()
            .map(|dictionary| found(dictionary.text))
            .sum::<u64>();
    let kinds = |kinds: &[longwire_codec::dictionary::Kind]| -> Vec<u8> {
        kinds.iter().map(|kind| *kind as u8).collect()
    };
    let mut tables = found(first.elements.strings.blob.as_bytes());
    for names in [&first.elements, &first.attributes] {
        tables += found(names.strings.lens) + found(&kinds(names.kinds));
        for part in [names.namespaces, names.strings.starts, names.strings.index] {
            tables += found(&shorts(part));
        }
    }
    for strings in [&first.namespaces, &first.values] {
        tables +=
            found(strings.lens) + found(&shorts(strings.starts)) + found(&shorts(strings.index));
    }
    let pairs = first
        .exceptions
        .pairs
        .iter()
        .flat_map(|(element, attribute)| [*element, *attribute]);
    tables += found(&shorts(&pairs.collect::<Vec<u16>>())) + found(&kinds(first.exceptions.kinds));
    (models, tables)
}

/// All functions, by address.
fn functions(file: &File<'_>) -> Vec<Function> {
    let text = file
        .symbols()
        .filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.size() > 0);
    let mut functions: Vec<Function> = text
        .map(|symbol| Function {
            name: plain(symbol.name().unwrap_or("?")),
            len: symbol.size(),
            // The lowest bit says that instructions are Thumb.
            at: symbol.address() & !1,
        })
        .collect();
    functions.sort_by_key(|function| function.at);
    functions.dedup_by_key(|function| function.at);
    functions
}

fn plain(mangled: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(mangled))
}

/// Who refers to whom, by name.
fn calls(file: &File<'_>, functions: &[Function]) -> BTreeSet<(String, String)> {
    let mut calls = BTreeSet::new();
    for section in file.sections() {
        let is_code = matches!(section.flags(), SectionFlags::Elf { sh_flags } if sh_flags & u64::from(SHF_EXECINSTR) != 0);
        if !is_code {
            continue;
        }
        for (at, relocation) in section.relocations() {
            let RelocationTarget::Symbol(index) = relocation.target() else {
                continue;
            };
            let Ok(symbol) = file.symbol_by_index(index) else {
                continue;
            };
            let after = functions.partition_point(|function| function.at <= at);
            if symbol.kind() == SymbolKind::Text
                && let Some(caller) = after
                    .checked_sub(1)
                    .and_then(|before| functions.get(before))
            {
                calls.insert((caller.name.clone(), plain(symbol.name().unwrap_or("?"))));
            }
        }
    }
    calls
}

/// Functions outside the core library that refer to what ends in a panic inside it.
fn panics(calls: &BTreeSet<(String, String)>) -> BTreeMap<String, BTreeSet<String>> {
    let is_core = |name: &str| {
        let path = name.trim_start_matches(['<', '&']);
        // What the compiler found in several functions and moved out of them belongs to each of them.
        path.starts_with("core::")
            || path.starts_with("alloc::")
            || path.starts_with("OUTLINED_FUNCTION")
    };
    let is_seed =
        |name: &str| name.contains("core::panicking::") || name.ends_with("rust_begin_unwind");
    let mut ends: BTreeSet<&str> = BTreeSet::new();
    loop {
        let before = ends.len();
        for (caller, callee) in calls {
            if is_seed(callee) || ends.contains(callee.as_str()) {
                if is_seed(callee) {
                    ends.insert(callee);
                }
                if is_core(caller) {
                    ends.insert(caller);
                }
            }
        }
        if ends.len() == before {
            break;
        }
    }
    let mut panics: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (caller, callee) in calls {
        if ends.contains(callee.as_str()) && !ends.contains(caller.as_str()) {
            panics
                .entry(caller.clone())
                .or_default()
                .insert(callee.clone());
        }
    }
    panics
}

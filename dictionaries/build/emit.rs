//! Turns checked tables into Rust constants. Refuses to judge them: that is done in `rows`.

use crate::rows::Tables;
use std::fmt::Write;

const KINDS: [&str; 20] = [
    "Text", "None", "Boolean", "Integer", "Decimal", "Time", "Base64", "Hex", "Jid", "Uri",
    "Language", "Id", "Opaque", "Item", "Body", "Headline", "Status", "Remark", "Nick", "Choice",
];

/// One text that holds every string of `all`, the longest first, each joined where it overlaps the one before most.
pub(crate) fn blob<'t>(all: impl Iterator<Item = &'t str>) -> Result<String, String> {
    let mut strings: Vec<&str> = all.collect();
    strings.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
    strings.dedup();
    let mut kept: Vec<&str> = Vec::new();
    let mut joined = String::new();
    for string in strings {
        if !joined.contains(string) {
            kept.push(string);
            joined.push('\n');
            joined.push_str(string);
        }
    }
    let mut blob = String::new();
    while !kept.is_empty() {
        let overlap = |string: &str| {
            (0..string.len())
                .rev()
                .find(|&len| string.is_char_boundary(len) && blob.ends_with(&string[..len]))
        };
        let best = (0..kept.len())
            .map(|at| (overlap(kept[at]).unwrap_or(0), at))
            .max_by_key(|&(len, at)| (len, usize::MAX - at));
        // `kept` is not empty, so there is a best.
        let (len, at) = best.unwrap_or((0, 0));
        blob.push_str(&kept.remove(at)[len..]);
    }
    if blob.len() > usize::from(u16::MAX) {
        return Err(format!(
            "all strings together take {} octets, offsets reach 65535",
            blob.len()
        ));
    }
    Ok(blob)
}

fn list<T: ToString>(items: impl Iterator<Item = T>) -> String {
    items
        .map(|item| item.to_string())
        .collect::<Vec<_>>()
        .join(",")
}

fn sorted<K: Ord>(len: usize, key: impl Fn(usize) -> K) -> String {
    let mut ids: Vec<usize> = (0..len).collect();
    ids.sort_by_key(|&id| key(id));
    list(ids.into_iter())
}

fn place(blob: &str, string: &str) -> usize {
    // The blob was made of these strings.
    blob.find(string).unwrap_or(0)
}

fn kind(kind: u8) -> String {
    format!("K::{}", KINDS[usize::from(kind)])
}

fn strings(blob: &str, of: &[String]) -> String {
    format!(
        "Strings {{ blob: BLOB, starts: &[{}], lens: &[{}], index: &[{}] }}",
        list(of.iter().map(|string| place(blob, string))),
        list(of.iter().map(String::len)),
        sorted(of.len(), |id| &of[id]),
    )
}

fn names(blob: &str, of: &[(u16, String, u8)]) -> String {
    format!(
        "Names {{ strings: Strings {{ blob: BLOB, starts: &[{}], lens: &[{}], index: &[{}] }}, namespaces: &[{}], kinds: &[{}] }}",
        list(of.iter().map(|name| place(blob, &name.1))),
        list(of.iter().map(|name| name.1.len())),
        sorted(of.len(), |id| (of[id].0, &of[id].1)),
        list(of.iter().map(|name| name.0)),
        list(of.iter().map(|name| kind(name.2))),
    )
}

/// The Rust text of the tables, whose hash begins with `hash`: a constant `TABLES` without id and models.
pub(crate) fn tables(of: &Tables, hash: u32) -> Result<String, String> {
    let named = of
        .elements
        .iter()
        .chain(&of.attributes)
        .map(|name| name.1.as_str());
    let whole = of.namespaces.iter().chain(&of.values).map(String::as_str);
    let blob = blob(whole.chain(named))?;
    let mut out = String::new();
    let written = write!(
        out,
        "const BLOB: &str = {blob:?};\n\
         pub(crate) const TABLES: Dictionary<'static> = Dictionary {{\n\
         tables: {hash:#010x},\nnamespaces: {},\nelements: {},\nattributes: {},\nvalues: {},\n\
         exceptions: Exceptions {{ pairs: &[{}], kinds: &[{}] }},\n\
         ..Dictionary::EMPTY }};\n",
        strings(&blob, &of.namespaces),
        names(&blob, &of.elements),
        names(&blob, &of.attributes),
        strings(&blob, &of.values),
        list(of.kinds.iter().map(|row| format!("({},{})", row.0, row.1))),
        list(of.kinds.iter().map(|row| kind(row.2))),
    );
    // Writing to a `String` does not fail.
    written.map(|()| out).map_err(|error| error.to_string())
}

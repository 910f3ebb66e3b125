//! Reads the tables of one dictionary version and says which row is wrong. Refuses to guess: a bad row stops
//! the build with `v1/elements.tsv:4: …`.

use std::collections::HashMap;

/// Kinds of value a table may name; the order is that of `longwire_codec::dictionary::Kind`.
pub(crate) const KINDS: [&str; 19] = [
    "text", "none", "boolean", "integer", "decimal", "time", "base64", "hex", "jid", "uri",
    "language", "id", "opaque", "item", "body", "headline", "status", "remark", "nick",
];

/// The kind of enumerations; it follows [`KINDS`].
pub(crate) const CHOICE: &str = "choice";

/// One table, split into rows of equal width, the id column checked and removed.
pub(crate) struct Table {
    path: String,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Splits `text`, whose first line must hold `columns`.
    pub(crate) fn parse(path: &str, text: &str, columns: &[&str]) -> Result<Self, String> {
        let mut lines = text.lines();
        if lines.next() != Some(columns.join("\t").as_str()) {
            return Err(format!(
                "{path}:1: the first line must name the columns {}",
                columns.join(", ")
            ));
        }
        let mut rows = Vec::new();
        for (at, line) in lines.enumerate() {
            let fail = |what: String| format!("{path}:{}: {what}", at + 2);
            let mut cells: Vec<String> = line.split('\t').map(str::to_owned).collect();
            if cells.len() != columns.len() {
                return Err(fail(format!(
                    "{} columns instead of {}",
                    cells.len(),
                    columns.len()
                )));
            }
            if cells[0] != at.to_string() {
                return Err(fail(format!("id {} out of order, expected {at}", cells[0])));
            }
            cells.remove(0);
            if let Some(empty) = cells.iter().position(String::is_empty) {
                return Err(fail(format!("{} is empty", columns[empty + 1])));
            }
            if cells.iter().any(|cell| cell.len() > 255) {
                return Err(fail("longer than 255 octets".to_owned()));
            }
            rows.push(cells);
        }
        if rows.len() > usize::from(u16::MAX) {
            return Err(format!("{path}:{}: more rows than ids", rows.len()));
        }
        Ok(Self {
            path: path.to_owned(),
            rows,
        })
    }

    /// The error `what` in row `id`.
    pub(crate) fn fail(&self, id: usize, what: impl AsRef<str>) -> String {
        format!("{}:{}: {}", self.path, id + 2, what.as_ref())
    }

    /// The cells of each row, id column left out.
    pub(crate) fn rows(&self) -> &[Vec<String>] {
        &self.rows
    }

    fn unique(&self, columns: usize) -> Result<HashMap<Vec<String>, u16>, String> {
        let mut seen = HashMap::new();
        for (id, row) in self.rows.iter().enumerate() {
            // `parse` accepts at most `u16::MAX` rows.
            if let Some(first) = seen.insert(row[..columns].to_vec(), id as u16) {
                return Err(self.fail(id, format!("the same as id {first}")));
            }
        }
        Ok(seen)
    }

    fn ascii(&self, column: usize) -> Result<(), String> {
        match self.rows.iter().position(|row| !row[column].is_ascii()) {
            Some(id) => Err(self.fail(id, format!("{} is not ASCII", self.rows[id][column]))),
            None => Ok(()),
        }
    }
}

/// All tables of one version, checked against each other, references resolved to ids.
pub(crate) struct Tables {
    /// URIs; the first is empty.
    pub(crate) namespaces: Vec<String>,
    /// Namespace id, local name, index of the kind of text.
    pub(crate) elements: Vec<(u16, String, u8)>,
    /// Namespace id, local name, index of the kind of value.
    pub(crate) attributes: Vec<(u16, String, u8)>,
    /// Whole values.
    pub(crate) values: Vec<String>,
    /// Element id, attribute id, index of the kind; sorted.
    pub(crate) kinds: Vec<(u16, u16, u8)>,
}

/// Names and columns of the tables, in the order they are hashed and given to [`Tables::parse`].
pub(crate) const FILES: [(&str, &[&str]); 5] = [
    ("namespaces.tsv", &["id", "uri", "xep"]),
    ("elements.tsv", &["id", "namespace", "name", "text"]),
    ("attributes.tsv", &["id", "namespace", "name", "kind"]),
    ("values.tsv", &["id", "value"]),
    (
        "kinds.tsv",
        &[
            "id",
            "namespace",
            "element",
            "attribute-namespace",
            "attribute",
            "kind",
        ],
    ),
];

fn blank(cell: &str) -> String {
    if cell == "-" {
        String::new()
    } else {
        cell.to_owned()
    }
}

fn kind(table: &Table, id: usize, cell: &str) -> Result<u8, String> {
    if cell == CHOICE {
        return Ok(KINDS.len() as u8);
    }
    let found = KINDS.iter().position(|kind| *kind == cell);
    found
        .map(|at| at as u8)
        .ok_or_else(|| table.fail(id, format!("unknown kind {cell}")))
}

type Names = HashMap<Vec<String>, u16>;

fn find(table: &Table, id: usize, names: &Names, key: &[&str], what: &str) -> Result<u16, String> {
    let key: Vec<String> = key.iter().map(|&cell| cell.to_owned()).collect();
    let found = names.get(&key).copied();
    found.ok_or_else(|| table.fail(id, format!("unknown {what} {}", key.join(" "))))
}

fn named(table: &Table, namespaces: &Names) -> Result<Vec<(u16, String, u8)>, String> {
    table.ascii(1)?;
    let rows = table.rows().iter().enumerate();
    rows.map(|(id, row)| {
        let ns = find(table, id, namespaces, &[&row[0]], "namespace")?;
        Ok((ns, row[1].clone(), kind(table, id, &row[2])?))
    })
    .collect()
}

impl Tables {
    /// Parses and checks all tables of `version`; `texts` in the order of [`FILES`].
    pub(crate) fn parse(version: &str, texts: &[String; FILES.len()]) -> Result<Self, String> {
        let mut tables = Vec::new();
        for ((name, columns), text) in FILES.iter().zip(texts) {
            tables.push(Table::parse(&format!("{version}/{name}"), text, columns)?);
        }
        let [namespaces, elements, attributes, values, kinds] = &tables[..] else {
            return Err(format!("{version}: a table is missing"));
        };
        namespaces.ascii(0)?;
        if namespaces.rows().first().map(|row| row[0].as_str()) != Some("-") {
            return Err(namespaces.fail(0, "the first namespace must be -, no namespace"));
        }
        let ns_ids = namespaces.unique(1)?;
        let element_ids = elements.unique(2)?;
        let attribute_ids = attributes.unique(2)?;
        values.unique(1)?;
        kinds.unique(4)?;
        let mut parsed = Self {
            namespaces: namespaces.rows().iter().map(|row| blank(&row[0])).collect(),
            elements: named(elements, &ns_ids)?,
            attributes: named(attributes, &ns_ids)?,
            values: values.rows().iter().map(|row| row[0].clone()).collect(),
            kinds: Vec::new(),
        };
        for (id, row) in kinds.rows().iter().enumerate() {
            let element = find(kinds, id, &element_ids, &[&row[0], &row[1]], "element")?;
            let attribute = find(kinds, id, &attribute_ids, &[&row[2], &row[3]], "attribute")?;
            parsed
                .kinds
                .push((element, attribute, kind(kinds, id, &row[4])?));
        }
        parsed.kinds.sort_unstable();
        Ok(parsed)
    }
}

//! Captured sessions: logs of `<seconds>\tC: <element>` and `S: <element>` lines, and files of one stanza a line.
//! Refuses what is no stanza: stream headers, SASL, stream management.

use crate::xml::Tape;

/// One stanza of a log.
#[derive(Clone, Debug)]
pub struct Logged {
    /// Sent by the client?
    pub from_client: bool,
    /// As it was captured.
    pub xml: String,
    /// Its nodes.
    pub tape: Tape,
}

/// The stanzas of a session log, in order; an element may go on over several lines.
pub fn session(text: &str) -> Vec<Logged> {
    let mut stanzas = Vec::new();
    let mut open: Option<(bool, String)> = None;
    for line in text.lines() {
        match start(line) {
            Some((from_client, xml)) => {
                stanzas.extend(open.take().and_then(|(client, xml)| logged(client, xml)));
                open = Some((from_client, xml.to_owned()));
            }
            None if line.starts_with('#') => {}
            None => {
                if let Some((_, xml)) = &mut open {
                    xml.push('\n');
                    xml.push_str(line);
                }
            }
        }
    }
    stanzas.extend(open.and_then(|(client, xml)| logged(client, xml)));
    stanzas
}

/// The stanzas of a file that has one a line.
pub fn lines(text: &str) -> Vec<Logged> {
    text.lines()
        .filter_map(|line| logged(true, line.to_owned()))
        .collect()
}

fn start(line: &str) -> Option<(bool, &str)> {
    let (seconds, rest) = line.split_once('\t')?;
    seconds.parse::<f64>().ok()?;
    match rest.split_at_checked(3)? {
        ("C: ", xml) => Some((true, xml)),
        ("S: ", xml) => Some((false, xml)),
        _ => None,
    }
}

fn logged(from_client: bool, xml: String) -> Option<Logged> {
    let is_stanza = ["<message", "<presence", "<iq"].iter().any(|name| {
        xml.strip_prefix(name)
            .is_some_and(|rest| rest.starts_with([' ', '>', '/']))
    });
    let tape = is_stanza.then(|| Tape::parse(&xml)).flatten()?;
    Some(Logged {
        from_client,
        xml,
        tape,
    })
}

//! Trains the structure table: every decision the codec would make over captured stanzas, alone and in sessions.
//! Refuses ways of its own: the codec's walk makes the examples.

use crate::disguise::disguise;
use crate::examples::{Examples, Recording};
use crate::features::{self, Report, Settings};
use crate::log::Logged;
use longwire_codec::dictionary::Dictionary;
use longwire_codec::entropy::{Coder, Prob};
use longwire_codec::features::Decide;
use longwire_codec::link::PacketNumber;
use longwire_codec::session::walk::Scribe;
use longwire_codec::session::{Ids, Options, Profile, Session, What};
use longwire_codec::stanza::Stanza;

/// Listens to the walk.
struct Listener<'r>(&'r mut Recording);

impl Coder for Listener<'_> {
    const READING: bool = false;

    fn code(&mut self, bit: bool, _: Prob) -> bool {
        bit
    }
}

impl Decide for Listener<'_> {
    fn decide(&mut self, contexts: &[u32], node: u32, bit: bool) -> bool {
        self.0.push(contexts, node, bit);
        bit
    }
}

impl Scribe for Listener<'_> {
    fn note(&mut self, _: What<'_>) {}
}

/// What to learn from.
#[derive(Clone, Debug, Default)]
pub struct Corpus {
    /// Sessions, each in order.
    pub sessions: Vec<Vec<Logged>>,
    /// Stanzas without a past.
    pub stanzas: Vec<Logged>,
}

/// Records the decisions of one session, everything acknowledged at once.
pub fn record_session(
    dictionary: &Dictionary<'_>,
    stanzas: &[&Logged],
    ids: Ids,
    recording: &mut Recording,
) {
    let storage = vec![0; Profile::HOST.storage_len()];
    let Ok(mut session) = Session::new(dictionary, Profile::HOST, storage) else {
        return;
    };
    for (number, logged) in stanzas.iter().enumerate() {
        let number = PacketNumber::new(number as u32);
        let nodes = logged.tape.nodes();
        let Some(stanza) = Stanza::new(&nodes) else {
            continue;
        };
        let options = Options {
            ids,
            ..Options::default()
        };
        if session
            .write_to(&mut Listener(recording), number, stanza, options)
            .is_ok()
        {
            session.acknowledge(number);
        }
    }
}

/// All decisions over a corpus: sessions merged, with short and with preserved ids; each direction by itself; and
/// stanzas alone, which teaches how to begin.
pub fn record(dictionary: &Dictionary<'_>, corpus: &Corpus) -> Recording {
    let mut recording = Recording::default();
    for (seed, captured) in corpus.sessions.iter().enumerate() {
        let session = &disguise(captured, seed as u64);
        let merged: Vec<&Logged> = session.iter().collect();
        record_session(dictionary, &merged, Ids::Short, &mut recording);
        let other = disguise(captured, seed as u64 + 1000);
        let merged: Vec<&Logged> = other.iter().collect();
        record_session(dictionary, &merged, Ids::Preserve, &mut recording);
        for from_client in [true, false] {
            let one_way: Vec<&Logged> = session
                .iter()
                .filter(|logged| logged.from_client == from_client)
                .collect();
            record_session(dictionary, &one_way, Ids::Short, &mut recording);
        }
        for logged in session.iter().step_by(3) {
            record_session(dictionary, &[logged], Ids::Short, &mut recording);
        }
    }
    for logged in &corpus.stanzas {
        record_session(dictionary, &[logged], Ids::Short, &mut recording);
    }
    recording
}

/// Trains a table of at most `size` octets.
pub fn train(
    dictionary: &Dictionary<'_>,
    corpus: &Corpus,
    size: usize,
    report: &mut Report<'_>,
) -> Vec<u8> {
    let recording = record(dictionary, corpus);
    let settings = Settings {
        survey_log2: 22,
        ..Settings::structure(size)
    };
    let examples: &dyn Examples = &recording;
    features::train(examples, &settings, report)
}

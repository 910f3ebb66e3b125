//! Trains the structure table: every decision the codec would make over captured stanzas, alone and in sessions.
//! Refuses ways of its own: the codec's walk makes the examples.

use crate::disguise::disguise;
use crate::examples::{Examples, Recording};
use crate::features::{self, Report, Settings};
use crate::log::Logged;
use crate::pair::{End, Pair};
use longwire_codec::dictionary::Dictionary;
use longwire_codec::entropy::{Coder, Prob};
use longwire_codec::features::Decide;
use longwire_codec::link::PacketNumber;
use longwire_codec::session::walk::Scribe;
use longwire_codec::session::{Ids, Options, Profile, What};
use longwire_codec::stanza::Stanza;
use longwire_codec::structure::lexicon::hash;

/// Listens to the walk.
struct Listener<'r>(&'r mut Recording);

impl Coder for Listener<'_> {
    fn is_reading(&self) -> bool {
        false
    }

    fn code(&mut self, bit: bool, _: Prob) -> bool {
        bit
    }
}

impl Decide for Listener<'_> {
    fn coder(&mut self) -> &mut dyn Coder {
        self
    }

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

/// Records the decisions of one session; each acknowledgement arrives `lag` packets late.
pub fn record_session(
    dictionary: &Dictionary<'_>,
    stanzas: &[Logged],
    options: Options,
    lag: usize,
    recording: &mut Recording,
) {
    let mut pair = Pair::new(dictionary, Profile::HOST, lag);
    for logged in stanzas {
        let listen = |end: &mut End<'_>, number, stanza: Stanza<'_, '_>| {
            // What cannot be written is not sent either.
            let _ = end.rehearse(&mut Listener(recording), number, stanza, options);
        };
        if pair.send(logged, options, listen).is_err() {
            pair = Pair::new(dictionary, Profile::HOST, lag);
        }
    }
}

/// Packets under way in the sessions that teach how to do without the latest acknowledgements.
const LAG: usize = 5;

/// One in so many messages also comes with its children in another order.
const SHUFFLED: usize = 2;

/// All decisions over a corpus: sessions with short and with preserved ids; halves of them, so that nothing counts on
/// how these began or on who took part, with acknowledgements that come late; and stanzas alone, which teaches how to
/// begin.
pub fn record(dictionary: &Dictionary<'_>, corpus: &Corpus) -> Recording {
    let mut recording = Recording::default();
    let short = Options::default();
    let preserve = Options {
        ids: Ids::Preserve,
        ..short
    };
    for (seed, captured) in corpus.sessions.iter().enumerate() {
        let seed = seed as u64;
        let mut record = |salt: u64, from: &[Logged], options, lag| {
            record_session(
                dictionary,
                &disguise(from, seed + salt),
                options,
                lag,
                &mut recording,
            );
        };
        let late = &captured[captured.len() / 3..];
        record(0, captured, short, 0);
        record(1000, late, preserve, 0);
        record(2000, &half_the_peers(captured, 0), short, LAG);
        record(3000, &half_the_peers(late, 1), short, 0);
        for (at, logged) in disguise(captured, seed + 4000).iter().enumerate() {
            let options = if at % 4 == 0 { preserve } else { short };
            record_alone(dictionary, logged, options, &mut recording);
            if at % SHUFFLED != 0 {
                continue;
            }
            if let Some(tape) = logged.tape.shuffled(seed + at as u64) {
                let shuffled = Logged {
                    tape,
                    ..logged.clone()
                };
                record_alone(dictionary, &shuffled, short, &mut recording);
            }
        }
    }
    for logged in &corpus.stanzas {
        record_alone(dictionary, logged, short, &mut recording);
    }
    recording
}

/// The stanzas to and from every other peer, and those to and from none.
fn half_the_peers(session: &[Logged], which: u32) -> Vec<Logged> {
    let is_in = |logged: &&Logged| {
        let nodes = logged.tape.nodes();
        let name = if logged.from_client { "to" } else { "from" };
        let peer = Stanza::new(&nodes).and_then(|stanza| stanza.attr(name));
        let bare = peer.and_then(|peer| peer.split('/').next());
        bare.is_none_or(|bare| hash(bare) >> 16 & 1 == which)
    };
    session.iter().filter(is_in).cloned().collect()
}

fn record_alone(
    dictionary: &Dictionary<'_>,
    logged: &Logged,
    options: Options,
    recording: &mut Recording,
) {
    let mut end = End::new(
        dictionary,
        Profile::HOST,
        vec![0; Profile::HOST.storage_len()],
    );
    let nodes = logged.tape.nodes();
    if let (Ok(end), Some(stanza)) = (&mut end, Stanza::new(&nodes)) {
        let number = PacketNumber::new(0);
        // What cannot be written teaches nothing.
        let _ = end.rehearse(&mut Listener(recording), number, stanza, options);
    }
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

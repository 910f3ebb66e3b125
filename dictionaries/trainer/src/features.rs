//! The generic trainer: any decisions in, a packed [`Features`](longwire_codec::features::Features) table out.
//! Refuses to know what the decisions mean.
//!
//! Logistic regression by online gradient steps of a size of its own for each weight (AdaGrad):
//! 1. [`Survey`]: every feature seen has a weight; its saliency (the gain it brings over the pass) is counted.
//! 2. choice: the most salient features are kept, and with them frequent ones whose absence would be noticed,
//!    because a table with short fingerprints answers strangers at random now and then.
//! 3. [`refine`](self::refine::refine): the kept ones are trained again, together with those false answers, first
//!    as floats, then rounded to the few levels a cell can hold.
//! 4. `pack`.

mod fuse;
mod gains;
pub mod pack;
pub mod refine;
pub mod survey;

pub use refine::Trained;
pub use survey::Survey;

use crate::examples::Examples;
use longwire_codec::features::CELL_BITS;

/// How to train a table.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Size of the finished table in octets, at most.
    pub size: usize,
    /// Levels a weight is rounded to, 2 to 16. A stranger is mistaken for a feature in levels / 2^10 of all cases.
    pub levels: u8,
    /// Nodes with an exact bias: those below this number. The others can have a context that is always there.
    pub dense: u16,
    /// Features the survey can hold, as a power of two. Each takes 16 octets of memory.
    pub survey_log2: u32,
    /// Size of the first gradient step.
    pub rate: f32,
    /// Pull of the weights towards zero, for each step taken.
    pub decay: f32,
    /// Share of the confidence measured on the examples that is kept: what comes later is never quite like them.
    pub confidence: f32,
    /// Of features that the same decisions taught, only the first is kept.
    pub distinct: bool,
    /// Nats a false answer costs, for each unit of evidence: found by trial.
    pub harm: f32,
    /// Tables packed, of which the best is taken.
    pub tries: u16,
    /// Passes over the examples while weights are floats.
    pub float_passes: u32,
    /// Passes over the examples while weights are levels.
    pub level_passes: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            size: 128 << 10,
            levels: 16,
            dense: 0,
            survey_log2: 24,
            rate: 0.15,
            decay: 0.0,
            confidence: 0.88,
            distinct: false,
            harm: 1.5,
            tries: 1,
            float_passes: 1,
            level_passes: 1,
        }
    }
}

impl Settings {
    /// Settings for the nearly certain decisions of structure: several passes over few examples.
    pub fn structure(size: usize) -> Self {
        Self {
            size,
            survey_log2: 20,
            confidence: 1.0,
            distinct: true,
            harm: 0.7,
            tries: 8,
            float_passes: 4,
            level_passes: 4,
            ..Self::default()
        }
    }

    /// Share of strangers the table takes for features.
    pub(crate) fn mistaken(&self) -> f32 {
        f32::from(self.levels) / (1u32 << CELL_BITS) as f32
    }
}

/// How far training is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// What is being done: `survey`, `refine` or `round`.
    pub stage: &'static str,
    /// Pass of this stage, from 0.
    pub pass: u32,
    /// Decisions seen in this pass.
    pub decisions: u64,
    /// Cost of these decisions so far, in bits, as they would have been coded when seen.
    pub bits: f64,
}

/// Hears about progress, every million decisions or so.
pub type Report<'a> = dyn FnMut(Progress) + 'a;

/// Trains a table from `examples`: survey, choice, refinement, packing.
pub fn train(examples: &dyn Examples, settings: &Settings, report: &mut Report<'_>) -> Vec<u8> {
    let candidates = Survey::of(examples, settings, report).candidates(settings);
    refine::refine(examples, candidates, settings, report).pack(examples, settings)
}

/// Trains tables of several sizes from one survey, each as [`train`] would; they are refined side by side.
pub fn train_sizes(
    examples: &(dyn Examples + Sync),
    settings: &Settings,
    sizes: &[usize],
    report: &mut Report<'_>,
) -> Vec<Vec<u8>> {
    // A survey that believes weights by situation is of use to large tables only.
    let least = Settings {
        size: sizes.iter().copied().min().unwrap_or(settings.size),
        ..settings.clone()
    };
    let survey = Survey::of(examples, &least, report);
    std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for size in sizes {
            let settings = Settings {
                size: *size,
                ..settings.clone()
            };
            let candidates = survey.candidates(&settings);
            threads.push(scope.spawn(move || {
                let trained = refine::refine(examples, candidates, &settings, &mut |_| ());
                trained.pack(examples, &settings)
            }));
        }
        // A thread panics only where training alone would have.
        let finished = threads.into_iter().map(|thread| thread.join());
        finished
            .map(|table| table.expect("training went through"))
            .collect()
    })
}

/// One logistic step's bookkeeping, shared by all stages: probability, error and cost of a decision.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    /// Probability of a 1.
    pub(crate) p1: f32,
    /// What came minus what was expected.
    pub(crate) error: f32,
    /// Cost in bits.
    pub(crate) bits: f32,
}

impl Outcome {
    pub(crate) fn of(logit: f32, bit: bool) -> Self {
        let p1 = 1.0 / (1.0 + (-logit.clamp(-12.0, 12.0)).exp());
        let right = if bit { p1 } else { 1.0 - p1 };
        Self {
            p1,
            error: f32::from(u8::from(bit)) - p1,
            bits: -right.log2(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::Recording;
    use longwire_codec::features::{Features, mix};

    /// A thousand situations that decide their bit, and a context that knows nothing.
    fn recording() -> Recording {
        let mut recording = Recording::default();
        for at in 0..60_000 {
            let situation = mix(at, 7) % 1000;
            let bit = mix(situation, 3) & 1 == 1;
            recording.push(&[mix(1, situation), mix(2, at)], situation % 5, bit);
        }
        recording
    }

    #[test]
    fn learns_what_decides_and_packs_it() {
        for size in [13_000, 2 << 20] {
            learns_in(&Settings::structure(size));
        }
    }

    fn learns_in(settings: &Settings) {
        let table = train(&recording(), settings, &mut |_| ());
        assert!(table.len() <= settings.size);
        let features = Features::new(&table).expect("own work");
        let mut right = 0;
        for situation in 0..1000 {
            let p1 = features.predict(&[mix(1, situation)], situation % 5);
            right += u32::from((p1 > 60_000) == (mix(situation, 3) & 1 == 1));
        }
        assert!(right > 990, "{right} of 1000");
    }

    #[test]
    fn same_input_same_table() {
        let settings = Settings::structure(13_000);
        let [one, two] = [(); 2].map(|()| train(&recording(), &settings, &mut |_| ()));
        assert_eq!(one, two);
    }
}

//! First pass: a weight for everything seen, and how much each is worth. Refuses to grow: the rarest features give
//! way to new ones.

use super::fuse::is_large;
use super::gains::Gains;
use super::{Outcome, Progress, Report, Settings};
use crate::examples::Examples;
use longwire_codec::features::{CONTEXTS, key, longest, mix, row};

/// Features in a bucket, one cache line.
const WAYS: usize = 4;

/// Evidence every feature starts with, so that its first step is not its largest by far.
pub(super) const EVIDENCE: f32 = 0.1;

/// A decision this sure teaches nothing.
pub(super) const SURE: f32 = 0.002;

/// Decisions between two reports.
pub(super) const REPORT_EVERY: u64 = 1 << 20;

#[derive(Clone, Copy, Default)]
struct Slot {
    key: u32,
    weight: f32,
    /// Sum of squared errors: how often, and how open, the decisions were that this feature took part in.
    evidence: f32,
    saliency: f32,
}

/// Which decisions taught a feature, as a hash, and the place of its context among theirs.
#[derive(Clone, Copy, Default)]
struct Lessons {
    hash: u32,
    place: u8,
}

/// A feature worth keeping, perhaps.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// Its name in the table.
    pub key: u32,
    /// Its weight so far, nats.
    pub weight: f32,
    /// Sum of squared errors of the decisions it took part in.
    pub evidence: f32,
    /// Nats it saved over the pass.
    pub saliency: f32,
}

/// The table of everything seen.
pub struct Survey {
    buckets: Vec<[Slot; WAYS]>,
    bias: Vec<(f32, f32)>,
    /// Of each slot, if features are to be told apart by what taught them.
    lessons: Vec<[Lessons; WAYS]>,
    /// Decisions that taught something.
    taught: u32,
    gains: Option<Gains>,
}

impl std::fmt::Debug for Survey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Survey")
            .field("buckets", &self.buckets.len())
            .finish_non_exhaustive()
    }
}

impl Survey {
    /// Surveys `examples` in one pass.
    pub fn of(examples: &dyn Examples, settings: &Settings, report: &mut Report<'_>) -> Self {
        let buckets = 1 << settings.survey_log2.saturating_sub(2);
        let mut survey = Self {
            buckets: vec![[Slot::default(); WAYS]; buckets],
            lessons: vec![[Lessons::default(); WAYS]; if settings.distinct { buckets } else { 0 }],
            bias: vec![(0.0, EVIDENCE); usize::from(settings.dense)],
            taught: 0,
            gains: is_large(settings).then(Gains::even),
        };
        let mut progress = Progress {
            stage: "survey",
            pass: 0,
            decisions: 0,
            bits: 0.0,
        };
        examples.replay(&mut |contexts, node, bit| {
            let held_out = survey.gains.is_some() && Gains::is_held_out(progress.decisions);
            let bits = survey.learn(contexts, node, bit, held_out, settings);
            progress.bits += f64::from(bits);
            progress.decisions += 1;
            if progress.decisions.is_multiple_of(REPORT_EVERY) {
                report(progress);
            }
        });
        report(progress);
        survey
    }

    fn learn(
        &mut self,
        contexts: &[u32],
        node: u32,
        bit: bool,
        held_out: bool,
        settings: &Settings,
    ) -> f32 {
        let mut places = [(0u32, 0u8); CONTEXTS];
        let count = contexts.len().min(CONTEXTS);
        let shift = 34 - settings.survey_log2.max(3);
        for (place, context) in places.iter_mut().zip(contexts) {
            let key = key(*context, node).max(1);
            let at = key.wrapping_mul(0x9e37_79b1) >> shift;
            let way = find(&mut self.buckets[at as usize], key);
            *place = (at, way as u8);
        }
        // Two loops: a later context may have pushed an earlier one out of its bucket; it then sees the newcomer,
        // which has no weight yet.
        let (mut last, mut found) = (0, 0);
        let mut weights = [0.0; CONTEXTS];
        for (at, (bucket, way)) in places[..count].iter().enumerate() {
            let slot = &self.buckets[*bucket as usize][usize::from(*way)];
            weights[at] = slot.weight;
            if slot.evidence > EVIDENCE {
                last = longest(last, at);
                found += 1;
            }
        }
        let row = row(last, found);
        let gain =
            |gains: &Option<Gains>, at| gains.as_ref().map_or(1.0, |gains| gains.of(row, at));
        let mut logit = self.bias.get(node as usize).map_or(0.0, |b| b.0);
        for (at, weight) in weights[..count].iter().enumerate() {
            logit += weight * gain(&self.gains, at);
        }
        let Outcome { p1, error, bits } = Outcome::of(logit, bit);
        if error.abs() < SURE {
            return bits;
        }
        if let Some(gains) = &mut self.gains {
            for (at, weight) in weights[..count].iter().enumerate() {
                gains.learn(row, at, *weight, error, 1.0);
            }
        }
        if held_out {
            return bits;
        }
        let spread = 0.5 * p1 * (1.0 - p1);
        self.taught = self.taught.wrapping_add(1);
        for (place, (at, way)) in places[..count].iter().enumerate() {
            self.note_lesson(*at as usize, usize::from(*way), place);
            let gain = gain(&self.gains, place);
            let slot = &mut self.buckets[*at as usize][usize::from(*way)];
            let share = slot.weight * gain;
            slot.saliency += share * (error + spread * share);
            slot.evidence += error * error * gain * gain;
            let pull = settings.decay * slot.weight;
            slot.weight += settings.rate * (error * gain - pull) / slot.evidence.sqrt();
        }
        if let Some((weight, evidence)) = self.bias.get_mut(node as usize) {
            *evidence += error * error;
            *weight += settings.rate * error / evidence.sqrt();
        }
        bits
    }

    /// One feature for all that the same decisions taught: that of their first context, which is the most general, with
    /// the weight of all. Apart, each is worth little, and they stay or go together.
    fn distinct(&self) -> Vec<Slot> {
        let slots = self.buckets.iter().flatten();
        let mut slots: Vec<_> = slots.zip(self.lessons.iter().flatten()).collect();
        let same = |(slot, lessons): &(&Slot, &Lessons)| (lessons.hash, slot.evidence.to_bits());
        slots.sort_unstable_by_key(|pair| (same(pair), pair.1.place, pair.0.key));
        let groups = slots.chunk_by(|a, b| same(a) == same(b));
        let one = |group: &[(&Slot, &Lessons)]| Slot {
            weight: group.iter().map(|(slot, _)| slot.weight).sum(),
            saliency: group.iter().map(|(slot, _)| slot.saliency).sum(),
            ..*group[0].0
        };
        groups.map(one).collect()
    }

    /// Takes note that the decision under way taught a slot, if that matters.
    fn note_lesson(&mut self, at: usize, way: usize, place: usize) {
        let Some(lessons) = self.lessons.get_mut(at) else {
            return;
        };
        let before = if self.buckets[at][way].evidence > EVIDENCE {
            lessons[way].hash
        } else {
            0
        };
        lessons[way].hash = mix(before, self.taught);
        lessons[way].place = place as u8;
    }

    /// The features worth keeping, best first: no more than can be packed into the size asked for.
    pub fn candidates(&self, settings: &Settings) -> Candidates {
        let harm = settings.harm * settings.mistaken();
        let slots = if settings.distinct {
            self.distinct()
        } else {
            self.buckets.iter().flatten().copied().collect()
        };
        let mut found: Vec<Candidate> = slots
            .iter()
            .filter(|slot| slot.key != 0)
            .map(|slot| Candidate {
                key: slot.key,
                weight: slot.weight,
                evidence: slot.evidence,
                saliency: slot.saliency + harm * (slot.evidence - EVIDENCE),
            })
            .filter(|candidate| candidate.saliency > 0.0)
            .collect();
        found.sort_unstable_by(|a, b| b.saliency.total_cmp(&a.saliency).then(a.key.cmp(&b.key)));
        found.truncate(super::fuse::capacity(settings));
        Candidates {
            features: found,
            bias: self.bias.iter().map(|b| b.0).collect(),
            gains: is_large(settings).then(|| self.gains.clone().unwrap_or_else(Gains::even)),
        }
    }
}

/// What the survey hands on.
#[derive(Clone, Debug)]
pub struct Candidates {
    /// Features, most salient first.
    pub features: Vec<Candidate>,
    /// Bias of the dense nodes, nats.
    pub bias: Vec<f32>,
    /// Confidences of a large table.
    pub(super) gains: Option<Gains>,
}

/// The way of `key` in its bucket; a new key takes the place of the one with the least evidence.
fn find(bucket: &mut [Slot; WAYS], key: u32) -> usize {
    if let Some(way) = bucket.iter().position(|slot| slot.key == key) {
        return way;
    }
    let mut least = 0;
    for way in 1..WAYS {
        if bucket[way].evidence < bucket[least].evidence {
            least = way;
        }
    }
    bucket[least] = Slot {
        key,
        weight: 0.0,
        evidence: EVIDENCE,
        ..Slot::default()
    };
    least
}

//! Trains the kept features again, as the packed table will see them: false answers included, weights rounded to
//! levels in the last passes. Refuses to add features.

use super::gains::{Gains, REFINED};
use super::pack::Packing;
use super::survey::{Candidates, REPORT_EVERY, SURE};
use super::{Outcome, Progress, Report, Settings};
use crate::examples::Examples;
use longwire_codec::features::{CONTEXTS, Features, LEVELS, key, longest, row};

#[derive(Clone, Copy, Default)]
struct Slot {
    key: u32,
    weight: f32,
    evidence: f32,
    /// The weight as the table will give it.
    shown: f32,
}

/// The kept features with their weights.
#[derive(Clone, Debug)]
pub struct Trained {
    /// Name and number of the level of each feature, in order of keys.
    pub features: Vec<(u32, u8)>,
    /// The levels, nats, ascending.
    pub levels: Vec<f32>,
    /// Bias of the dense nodes, nats.
    pub bias: Vec<f32>,
    /// Confidence by number of weights found, of a small table.
    pub gain: [f32; CONTEXTS + 1],
    /// Confidences of a large one.
    pub(super) gains: Option<Gains>,
}

impl Trained {
    /// The octets of the table: of as many as are to be tried, in which strangers meet other weights, that which codes
    /// `examples` in the fewest bits.
    pub fn pack(&self, examples: &dyn Examples, settings: &Settings) -> Vec<u8> {
        let tries = 0..settings.tries.max(1);
        let mut tables = tries.map(|at| Packing::of(self, settings, 1 + at * SEEDS));
        if settings.tries <= 1 {
            return tables.next().unwrap_or_default();
        }
        let tables = tables.map(|table| (bits(&table, examples), table));
        let best = tables.min_by(|a, b| a.0.total_cmp(&b.0));
        best.map(|(_, table)| table).unwrap_or_default()
    }
}

/// Seeds kept for each table that is tried: not every one has a solution.
const SEEDS: u16 = 64;

/// What `examples` cost with a table.
fn bits(table: &[u8], examples: &dyn Examples) -> f64 {
    let mut bits = 0.0;
    let features = Features::new(table);
    examples.replay(&mut |contexts, node, bit| {
        let logit = features.map_or(0, |features| features.logit(contexts, node));
        bits += f64::from(Outcome::of(logit as f32 / 256.0, bit).bits);
    });
    bits
}

/// Trains `candidates` on `examples` as `settings` say.
pub fn refine(
    examples: &dyn Examples,
    candidates: Candidates,
    settings: &Settings,
    report: &mut Report<'_>,
) -> Trained {
    let mut table = Table::new(candidates, settings);
    let passes = settings.float_passes + settings.level_passes;
    let mut seen_before = 0u64;
    for pass in 0..passes {
        let rounding = pass >= settings.float_passes;
        let stage = if rounding { "round" } else { "refine" };
        let mut progress = Progress {
            stage,
            pass,
            decisions: 0,
            bits: 0.0,
        };
        if rounding {
            if pass == settings.float_passes {
                table.choose_levels(settings.levels);
            }
            table.round();
        }
        let last = pass + 1 == passes;
        if last {
            table.tallies = [(0.0, 0.0); CONTEXTS + 1];
        }
        examples.replay(&mut |contexts, node, bit| {
            // The steps shrink from half the first ones to almost nothing.
            let share = if seen_before == 0 {
                0.0
            } else {
                progress.decisions as f32 / seen_before as f32
            };
            let left = 1.0 - (pass as f32 + share.min(1.0)) / passes as f32;
            let rate = settings.rate * (0.03 + 0.6 * left);
            let step = Step {
                rate,
                left,
                held_out: table.gains.is_some() && Gains::is_held_out(progress.decisions),
                rounding,
            };
            progress.bits += f64::from(table.learn(contexts, node, bit, step));
            progress.decisions += 1;
            if progress.decisions.is_multiple_of(REPORT_EVERY) {
                report(progress);
            }
        });
        seen_before = progress.decisions;
        report(progress);
    }
    table.finish(settings)
}

/// What a decision does to the table.
#[derive(Clone, Copy)]
struct Step {
    /// Size of the step of weights.
    rate: f32,
    /// Share of all passes still to come.
    left: f32,
    /// Confidences learn, weights do not; otherwise the other way round.
    held_out: bool,
    /// Weights are levels already.
    rounding: bool,
}

struct Table {
    slots: Vec<Slot>,
    mask: usize,
    /// A bit for each hash of a key in use: most strangers are turned away here.
    known: Vec<u64>,
    bias: Vec<(f32, f32)>,
    levels: Vec<f32>,
    /// What strangers are answered with, by the upper part of a hash; empty places answer nothing.
    mistaken: f32,
    /// The nearest level of each weight on a fine grid.
    nearest: Vec<u8>,
    gain: [f32; CONTEXTS + 1],
    gains: Option<Gains>,
    /// First and second derivative of the cost by the gain, by number of weights found.
    tallies: [(f64, f64); CONTEXTS + 1],
}

impl Table {
    fn new(candidates: Candidates, settings: &Settings) -> Self {
        let size = (candidates.features.len() * 2).next_power_of_two().max(16);
        let mut table = Self {
            slots: vec![Slot::default(); size],
            mask: size - 1,
            known: vec![0; (size / 8).max(1)],
            bias: candidates.bias.iter().map(|b| (*b, 1.0)).collect(),
            levels: Vec::new(),
            mistaken: settings.mistaken(),
            nearest: Vec::new(),
            gain: [1.0; CONTEXTS + 1],
            gains: candidates.gains,
            tallies: [(0.0, 0.0); CONTEXTS + 1],
        };
        for candidate in &candidates.features {
            let at = table.place(candidate.key);
            let (word, bit) = table.known_at(candidate.key);
            table.known[word] |= bit;
            table.slots[at] = Slot {
                key: candidate.key,
                weight: candidate.weight,
                evidence: candidate.evidence,
                shown: candidate.weight,
            };
        }
        table.choose_levels(settings.levels);
        table
            .slots
            .iter_mut()
            .for_each(|slot| slot.shown = slot.weight);
        table
    }

    /// Where the bit of `key` is, eight bits to a slot.
    fn known_at(&self, key: u32) -> (usize, u64) {
        let hash = (key.wrapping_mul(0x9e37_79b1) >> 3) as usize & (self.mask * 8 + 7);
        (hash >> 6 & (self.known.len() - 1), 1 << (hash & 63))
    }

    /// Where `key` is, or would be.
    fn place(&self, key: u32) -> usize {
        let mut at = (key.wrapping_mul(0x9e37_79b1) >> 4) as usize & self.mask;
        while self.slots[at].key != key && self.slots[at].key != 0 {
            at = (at + 1) & self.mask;
        }
        at
    }

    fn learn(&mut self, contexts: &[u32], node: u32, bit: bool, step: Step) -> f32 {
        // Place among the contexts, slot if there is one, weight.
        let mut hits = [(0, None, 0.0); CONTEXTS];
        let (mut count, mut last) = (0, 0);
        for (at, context) in contexts.iter().take(CONTEXTS).enumerate() {
            let key = key(*context, node).max(1);
            let hit = match self.find(key) {
                Some(slot) => (at, Some(slot), self.slots[slot].shown),
                None => match self.false_answer(key) {
                    Some(weight) => (at, None, weight),
                    None => continue,
                },
            };
            last = longest(last, at);
            hits[count] = hit;
            count += 1;
        }
        let hits = &hits[..count];
        let row = row(last, count);
        let bias = self.bias.get(node as usize).map_or(0.0, |b| b.0);
        let gain =
            |gains: &Option<Gains>, at| gains.as_ref().map_or(1.0, |gains| gains.of(row, at));
        let logit = hits.iter().fold(bias, |logit, (at, _, weight)| {
            logit + weight * gain(&self.gains, *at)
        });
        let Outcome { p1, error, bits } = Outcome::of(logit, bit);
        let tally = &mut self.tallies[count];
        tally.0 += f64::from(error * logit);
        tally.1 += f64::from(p1 * (1.0 - p1) * logit * logit);
        if error.abs() < SURE {
            return bits;
        }
        if let Some(gains) = self.gains.as_mut().filter(|_| step.held_out) {
            for (at, _, weight) in hits {
                gains.learn(row, *at, *weight, error, REFINED * step.left);
            }
            return bits;
        }
        for (at, slot, _) in hits {
            let Some(slot) = *slot else { continue };
            let gain = gain(&self.gains, *at);
            self.improve(slot, error * gain, step);
        }
        if let Some((weight, evidence)) = self.bias.get_mut(node as usize) {
            *evidence += error * error;
            *weight += step.rate * error / evidence.sqrt();
        }
        bits
    }

    /// Takes a step with one weight.
    fn improve(&mut self, slot: usize, error: f32, step: Step) {
        let slot = &mut self.slots[slot];
        slot.evidence += error * error;
        slot.weight += step.rate * error / slot.evidence.sqrt();
        slot.shown = if step.rounding {
            self.levels[usize::from(self.nearest[cell_of(slot.weight)])]
        } else {
            slot.weight
        };
    }

    /// The slot of `key`, if it is a feature.
    fn find(&self, key: u32) -> Option<usize> {
        let (word, mark) = self.known_at(key);
        if self.known[word] & mark == 0 {
            return None;
        }
        Some(self.place(key)).filter(|at| self.slots[*at].key == key)
    }

    /// The weight a packed table would answer a stranger with: the same for a key each time, any level alike.
    fn false_answer(&self, key: u32) -> Option<f32> {
        let hash = (key ^ 0x5bd1_e995).wrapping_mul(0x846c_a68b);
        let hash = hash ^ hash >> 13;
        let share = (hash >> 8) as f32 / (1 << 24) as f32 / self.mistaken;
        let level = (share * self.levels.len() as f32) as usize;
        self.levels.get(level).copied()
    }

    /// Puts the levels where the weights are: k-means on a line, each feature counting by its evidence.
    fn choose_levels(&mut self, count: u8) {
        let count = usize::from(count).clamp(2, LEVELS);
        let mut points: Vec<(f32, f64)> = self
            .slots
            .iter()
            .filter(|slot| slot.key != 0)
            .map(|slot| {
                (
                    slot.weight.clamp(-8.0, 8.0),
                    f64::from(slot.evidence).powf(0.7),
                )
            })
            .collect();
        points.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        self.levels = kmeans(&points, count);
        self.nearest = (0..GRID)
            .map(|cell| nearest(&self.levels, (cell as f32 + 0.5) / GRID_STEPS - GRID_END).0)
            .collect();
    }

    fn round(&mut self) {
        for slot in self.slots.iter_mut().filter(|slot| slot.key != 0) {
            slot.shown = nearest(&self.levels, slot.weight).1;
        }
    }

    fn finish(mut self, settings: &Settings) -> Trained {
        if settings.level_passes > 0 {
            for (gain, (first, second)) in self.gain.iter_mut().zip(self.tallies) {
                // One Newton step from 1, kept near it where there is little to go by.
                *gain = (1.0 + first / (second + 1000.0)).clamp(0.5, 1.5) as f32;
            }
        }
        let mut features: Vec<(u32, u8)> = self
            .slots
            .iter()
            .filter(|slot| slot.key != 0)
            .map(|slot| (slot.key, nearest(&self.levels, slot.weight).0))
            .collect();
        features.sort_unstable();
        Trained {
            features,
            levels: self.levels,
            bias: self.bias.iter().map(|b| b.0).collect(),
            gain: self.gain,
            gains: self.gains,
        }
    }
}

/// Cells of the grid on which the nearest levels are tabled: so many to a nat, and where it ends.
const GRID_STEPS: f32 = 64.0;
const GRID_END: f32 = 8.0;
const GRID: usize = (2.0 * GRID_END * GRID_STEPS) as usize;

fn cell_of(weight: f32) -> usize {
    // Casting saturates, below as above.
    (((weight + GRID_END) * GRID_STEPS) as usize).min(GRID - 1)
}

/// Number and value of the level nearest to `weight`.
fn nearest(levels: &[f32], weight: f32) -> (u8, f32) {
    let mut best = (0, f32::INFINITY, 0.0);
    for (at, level) in levels.iter().enumerate() {
        let distance = (level - weight).abs();
        if distance < best.1 {
            best = (at as u8, distance, *level);
        }
    }
    (best.0, best.2)
}

/// Centres of `count` clusters of sorted, weighted points on a line.
fn kmeans(points: &[(f32, f64)], count: usize) -> Vec<f32> {
    let mass: f64 = points.iter().map(|p| p.1).sum();
    let mut centres = Vec::with_capacity(count);
    let mut passed = 0.0;
    for (value, weight) in points {
        passed += weight;
        while centres.len() < count && passed >= mass * (centres.len() as f64 + 0.5) / count as f64
        {
            centres.push(*value);
        }
    }
    centres.resize(count, centres.last().copied().unwrap_or(0.0));
    for _ in 0..40 {
        let mut sums = vec![(0.0f64, 0.0f64); count];
        let mut at = 0;
        for (value, weight) in points {
            while at + 1 < count && (centres[at + 1] - value).abs() <= (centres[at] - value).abs() {
                at += 1;
            }
            sums[at].0 += f64::from(*value) * weight;
            sums[at].1 += weight;
        }
        for (centre, (sum, weight)) in centres.iter_mut().zip(&sums) {
            if *weight > 0.0 {
                *centre = (sum / weight) as f32;
            }
        }
    }
    centres
}

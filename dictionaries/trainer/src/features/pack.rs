//! Writes the table the codec reads. Refuses to decide anything: levels, bias and gain come from training.

use super::fuse::Fuse;
use super::{Settings, Trained};
use longwire_codec::features::LEVELS;

/// Writer of the format documented in `longwire_codec::features`.
pub(super) struct Packing;

impl Packing {
    pub(super) fn of(trained: &Trained, settings: &Settings, first: u16) -> Vec<u8> {
        let fuse = Fuse::of(&trained.features, settings, first);
        let mut out = Vec::from(*b"LF\x02");
        out.push(fuse.segment_log2);
        out.extend((trained.bias.len() as u16).to_le_bytes());
        out.extend(fuse.seed.to_le_bytes());
        out.extend(fuse.windows.to_le_bytes());
        let mut levels = trained.levels.clone();
        levels.resize(LEVELS, 0.0);
        out.extend(levels.iter().flat_map(|level| q8(*level)));
        match &trained.gains {
            Some(gains) => out.extend(gains.octets(settings.confidence)),
            None => {
                let gain = trained.gain.iter();
                out.extend(gain.map(|gain| rounded_64ths(*gain, settings.confidence)));
            }
        }
        out.extend(trained.bias.iter().flat_map(|bias| q8(*bias)));
        out.extend(fuse.words.iter().flat_map(|word| word.to_le_bytes()));
        out
    }
}

/// A confidence and how much of it is kept.
pub(super) fn rounded_64ths(gain: f32, kept: f32) -> u8 {
    ((gain * 64.0).round() * kept).round().clamp(1.0, 255.0) as u8
}

/// 1/256 nat, as the codec counts.
fn q8(nats: f32) -> [u8; 2] {
    ((nats * 256.0).round().clamp(-32768.0, 32767.0) as i16).to_le_bytes()
}

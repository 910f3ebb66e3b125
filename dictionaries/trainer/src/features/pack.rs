//! Writes the table the codec reads. Refuses to decide anything: levels, bias and gain come from training.

use super::fuse::Fuse;
use super::{Settings, Trained};

/// Writer of the format documented in `longwire_codec::features`.
pub(super) struct Packing;

impl Packing {
    pub(super) fn of(trained: &Trained, settings: &Settings) -> Vec<u8> {
        let fuse = Fuse::of(&trained.features, settings.cell_bits);
        let mut out = Vec::from(*b"LF\x01");
        out.extend([
            settings.cell_bits,
            trained.levels.len() as u8,
            fuse.segment_log2,
        ]);
        out.extend((trained.bias.len() as u16).to_le_bytes());
        out.extend(fuse.seed.to_le_bytes());
        out.extend(fuse.segments.to_le_bytes());
        out.extend(trained.levels.iter().flat_map(|level| q8(*level)));
        out.extend(trained.gain.iter().map(|gain| {
            ((gain * 64.0).round() * settings.confidence)
                .round()
                .clamp(1.0, 255.0) as u8
        }));
        out.extend(trained.bias.iter().flat_map(|bias| q8(*bias)));
        out.extend(fuse.values.iter().map(|value| *value as u8));
        let high_bits = usize::from(settings.cell_bits - 8);
        if high_bits > 0 {
            let mut high = vec![0u8; (fuse.values.len() * high_bits).div_ceil(8) + 1];
            for (cell, value) in fuse.values.iter().enumerate() {
                let at = cell * high_bits;
                let wide = (value >> 8) << (at & 7);
                high[at >> 3] |= wide as u8;
                high[(at >> 3) + 1] |= (wide >> 8) as u8;
            }
            out.extend(high);
        }
        out
    }
}

/// 1/256 nat, as the codec counts.
fn q8(nats: f32) -> [u8; 2] {
    ((nats * 256.0).round().clamp(-32768.0, 32767.0) as i16).to_le_bytes()
}

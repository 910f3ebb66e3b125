//! The logistic function in integers: exact at every eighth of a nat, straight lines between. Refuses certainty:
//! no probability is 0 or 1.

use crate::entropy::Prob;

/// Logistic of -i/8, in units of 2^-24.
#[rustfmt::skip]
const LOGISTIC: [u32; 98] = [
    8_388_608, 7_865_002, 7_345_459, 6_833_920, 6_334_081, 5_849_295, 5_382_488, 4_936_108,
    4_512_088, 4_111_844, 3_736_288, 3_385_864, 3_060_592, 2_760_128, 2_483_820, 2_230_770,
    1_999_893, 1_789_971, 1_599_699, 1_427_725, 1_272_689, 1_133_245, 1_008_087, 895_959,
    795_674, 706_115, 626_241, 555_091, 491_778, 435_492, 385_496, 341_120,
    301_759, 266_865, 235_949, 208_568, 184_330, 162_881, 143_906, 127_125,
    112_287, 99_171, 87_579, 77_336, 68_286, 60_291, 53_229, 46_992,
    41_484, 36_620, 32_325, 28_533, 25_186, 22_230, 19_621, 17_318,
    15_285, 13_490, 11_906, 10_508, 9_274, 8_185, 7_224, 6_375,
    5_626, 4_965, 4_382, 3_867, 3_413, 3_012, 2_658, 2_346,
    2_070, 1_827, 1_612, 1_423, 1_256, 1_108, 978, 863,
    762, 672, 593, 523, 462, 408, 360, 318,
    280, 247, 218, 193, 170, 150, 132, 117,
    103, 91,
];

/// Where the table ends: 12 nats, 1/256 nat each.
const END: u32 = 12 << 8;

/// The probability whose logit is `logit` (1/256 nat). Symmetric; never below 1/65536.
#[inline]
pub fn squash(logit: i32) -> Prob {
    let size = logit.unsigned_abs().min(END);
    let at = (size >> 5) as usize;
    let part = size & 31;
    // `size` is at most 12 * 256, so `at` is at most 96 and its successor exists.
    let upper = LOGISTIC.get(at).copied().unwrap_or(0);
    let lower = LOGISTIC.get(at + 1).copied().unwrap_or(0);
    let small = (upper - (((upper - lower) * part) >> 5) + 128) >> 8;
    let small = small.clamp(1, 32768);
    if logit < 0 {
        small as Prob
    } else {
        (65536 - small) as Prob
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_to_the_real_thing() {
        for logit in -4000..4000 {
            let real = 65536.0 / (1.0 + (-f64::from(logit) / 256.0).exp());
            let error = (f64::from(squash(logit)) - real).abs();
            assert!(error <= 13.0, "{logit}: {error}");
        }
    }

    #[test]
    fn never_certain_never_turning_back() {
        assert_eq!(squash(i32::MIN), 1);
        assert_eq!(squash(i32::MAX), 65535);
        assert_eq!(squash(0), 32768);
        assert!((-4000..4000).all(|z| squash(z) <= squash(z + 1)));
    }
}

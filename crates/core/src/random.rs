//! Seeded random numbers, for jitter and early expiration. Splitmix64 (Steele, Lea, Flood 2014) over an atomic counter: any number of
//! threads draw from one sequence.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

#[derive(Debug)]
pub(crate) struct Random(AtomicU64);

impl Random {
    pub(crate) fn seeded(seed: u64) -> Self {
        Random(AtomicU64::new(seed))
    }

    /// Differs from process to process, so that nodes do not expire things in step.
    pub(crate) fn unpredictable() -> Self {
        Self::seeded(RandomState::new().build_hasher().finish())
    }

    /// The next number, from -1 to below 1.
    pub(crate) fn signed_unit(&self) -> f64 {
        2.0 * self.unit() - 1.0
    }

    /// The next number, from 0 to below 1.
    #[expect(clippy::cast_precision_loss, reason = "the 53 bits that are kept fit")]
    pub(crate) fn unit(&self) -> f64 {
        const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
        let mut bits = self.0.fetch_add(GOLDEN, Relaxed).wrapping_add(GOLDEN);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^= bits >> 31;
        (bits >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_decides_the_sequence_and_it_spreads_over_the_whole_range() {
        let draw = |seed| {
            let random = Random::seeded(seed);
            (0..10_000).map(|_| random.signed_unit()).collect::<Vec<_>>()
        };
        let numbers = draw(7);
        assert_eq!(numbers, draw(7));
        assert_ne!(numbers, draw(8));
        assert!(numbers.iter().all(|number| (-1.0..1.0).contains(number)));
        assert!(numbers.iter().any(|number| *number > 0.99) && numbers.iter().any(|number| *number < -0.99));
        assert!((numbers.iter().sum::<f64>() / 10_000.0).abs() < 0.03);
    }
}

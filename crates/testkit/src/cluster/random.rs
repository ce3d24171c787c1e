//! The random numbers that decide a run. Splitmix64 (Steele, Lea, Flood 2014): the same seed, the same numbers.

use std::time::Duration;

/// One sequence of numbers. What must not disturb each other (the script, the network) draws from sequences of its own.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// The sequence called `name` of this seed.
    pub(crate) fn of(seed: u64, name: &str) -> Self {
        // FNV-1a, so that a name is worth a number.
        let mut start = 0xCBF2_9CE4_8422_2325 ^ seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        for byte in name.bytes() {
            start = (start ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
        }
        let mut random = Random(start);
        random.next();
        random
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    /// A number below `end`, which is not 0.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// A place in something of this length, which is not 0.
    pub(crate) fn place(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).expect("it is below a length")
    }

    pub(crate) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.place(choices.len())]
    }

    /// Whether what happens so often in a thousand times happens now.
    pub(crate) fn happens(&mut self, in_a_thousand: u64) -> bool {
        self.below(1_000) < in_a_thousand
    }

    /// Microseconds from `least` to `most`.
    pub(crate) fn micros(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_micros(least + self.below(most - least + 1))
    }

    /// Milliseconds from `least` to `most`, to the microsecond.
    pub(crate) fn millis(&mut self, least: u64, most: u64) -> Duration {
        self.micros(least * 1_000, most * 1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_and_a_name_decide_the_sequence() {
        let draw = |seed, name| {
            let mut random = Random::of(seed, name);
            (0..100).map(|_| random.below(1_000)).collect::<Vec<_>>()
        };
        assert_eq!(draw(7, "network"), draw(7, "network"));
        assert_ne!(draw(7, "network"), draw(8, "network"));
        assert_ne!(draw(7, "network"), draw(7, "script"));
    }

    #[test]
    fn numbers_keep_to_their_bounds_and_reach_them() {
        let mut random = Random::of(1, "bounds");
        let millis: Vec<_> = (0..10_000).map(|_| random.micros(1, 3).as_micros()).collect();
        assert!([1, 2, 3].iter().all(|bound| millis.contains(bound)));
        assert!(millis.iter().all(|micros| (1..=3).contains(micros)));
        let often = (0..10_000).filter(|_| random.happens(250)).count();
        assert!((2_300..2_700).contains(&often), "{often}");
    }
}

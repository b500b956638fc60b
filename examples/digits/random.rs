//! Seeded random numbers: xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift generators", 2016).
//! Good enough to start and shuffle a small network.
//!
//! The same seed gives the same numbers on every machine.

/// A generator of random numbers.
#[derive(Debug, Clone)]
pub(crate) struct Random {
    /// Never 0: xorshift would stay there.
    state: u64,
}

impl Random {
    /// The generator of `seed`.
    pub(crate) fn new(seed: u64) -> Self {
        // Nearby seeds would start alike; multiplying by 2^64 over the golden ratio, made odd, spreads their bits.
        let spread = seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Self { state: spread.max(1) }
    }

    /// Any 64 bits but 64 zeros.
    fn bits(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number from -1 (included) to 1 (excluded).
    pub(crate) fn symmetric(&mut self) -> f64 {
        // The upper 53 bits are what an f64 holds exactly.
        let unit = (self.bits() >> 11) as f64 / (1_u64 << 53) as f64;
        2.0 * unit - 1.0
    }

    /// Reorders `items`, each order as likely as any other (Fisher and Yates).
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    /// A number from 0 (included) to `bound` (excluded).
    fn below(&mut self, bound: usize) -> usize {
        // The upper half of the product; its bias is below bound / 2^64.
        let scaled = (u128::from(self.bits()) * bound as u128) >> 64;
        usize::try_from(scaled).expect("less than the bound, which is a usize")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_order_and_another_seed_another() {
        let order = |seed| {
            let mut items: Vec<usize> = (0..100).collect();
            Random::new(seed).shuffle(&mut items);
            items
        };
        assert_eq!(order(7), order(7));
        assert_ne!(order(7), order(8));
    }

    #[test]
    fn a_shuffle_loses_nothing() {
        let mut items: Vec<usize> = (0..100).collect();
        Random::new(7).shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn numbers_fill_the_interval_evenly() {
        let mut random = Random::new(0);
        let numbers: Vec<f64> = (0..10_000).map(|_| random.symmetric()).collect();
        assert!(numbers.iter().all(|x| (-1.0..1.0).contains(x)));
        let mean = numbers.iter().sum::<f64>() / 10_000.0;
        // The mean of 10,000 such numbers has a standard deviation of 0.006.
        assert!(mean.abs() < 0.03, "mean {mean}");
    }

    #[test]
    fn even_the_seed_that_wraps_to_zero_gives_numbers() {
        assert_ne!(Random::new(u64::MAX).bits(), 0);
    }
}

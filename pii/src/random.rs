//! Small numbers without secrets: the same seed and place give the same numbers on every machine.

/// SplitMix64 (Steele, Lea and Flood 2014). Even, fast, and **not** for keys or nonces.
#[derive(Debug, Clone)]
pub struct Random {
    state: u64,
}

impl Random {
    /// A sequence of its own for each seed.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A sequence of its own for each row, so that the answer depends neither on threads nor on the rows before.
    pub fn at(seed: u64, batch: u64, row: u64) -> Self {
        let batch = Self::new(seed).next().wrapping_add(batch);
        let row = Self::new(batch).next().wrapping_add(row);
        Self::new(Self::new(row).next())
    }

    /// The next 64 bits.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from 0 up to but without `bound`; 0 for a bound of 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        // The high half of the product: its bias is below bound / 2^64.
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// A number from 0 to `last`, both included.
    pub fn up_to(&mut self, last: u128) -> u128 {
        match last.checked_add(1) {
            Some(bound) if bound <= u128::from(u64::MAX) => u128::from(self.below(bound as u64)),
            bound => {
                let bits = (u128::from(self.next()) << 64) | u128::from(self.next());
                bound.map_or(bits, |bound| bits % bound)
            }
        }
    }

    /// A fraction from 0 up to but without 1.
    pub fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// One of these; `None` if there are none.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.below(of.len() as u64) as usize)
    }
}

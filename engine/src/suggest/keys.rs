//! Whether values repeat, in bounded memory.
//!
//! Hashes of the values are kept until there are too many; then only those with low bits zero, so that the memory holds a
//! sample of the *values*: all rows of a sampled value are still seen. A column found without a repetition is only a
//! candidate; the judged pass counts its keys exactly.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

/// The values of a column as keys.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    hashes: HashSet<u64>,
    most: usize,
    mask: u64,
    repeated: bool,
}

impl Keys {
    /// Keeps at most about `most` hashes, of 8 bytes and their place in a table each.
    pub(super) fn new(most: usize) -> Self {
        Self { hashes: HashSet::new(), most: most.max(1), mask: 0, repeated: false }
    }

    /// Takes a value.
    pub(super) fn add(&mut self, value: impl Hash) {
        if self.repeated {
            return;
        }
        let mut hasher = DefaultHasher::new();
        value.hash(&mut hasher);
        let hash = hasher.finish();
        if hash & self.mask != 0 {
            return;
        }
        if !self.hashes.insert(hash) {
            self.repeated = true;
            self.hashes = HashSet::new();
            return;
        }
        while self.hashes.len() > self.most {
            self.mask = (self.mask << 1) | 1;
            let mask = self.mask;
            self.hashes.retain(|hash| hash & mask == 0);
        }
    }

    /// Whether a value was seen to come more than once.
    pub(super) fn repeated(&self) -> bool {
        self.repeated
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repeated(most: usize, values: impl Iterator<Item = u64>) -> bool {
        let mut keys = Keys::new(most);
        values.for_each(|value| keys.add(value));
        assert!(keys.hashes.len() <= most);
        keys.repeated()
    }

    #[test]
    fn repetitions_are_seen_whatever_the_memory() {
        assert!(!repeated(1 << 20, 0..10_000));
        assert!(repeated(1 << 20, (0..10_000).chain([17])));
        assert!(!repeated(64, 0..10_000));
        // Every value twice: no sample of the values could miss it.
        assert!(repeated(64, (0..10_000).chain(0..10_000)));
    }
}

//! A seed for each column.

use sha2::{Digest, Sha256};

/// The seed of one column of a run; `column` is unlike for every column that is protected.
///
/// Two columns by one seed would be shuffled alike, and their rows would stay together. And [`crate::Random`] can be turned
/// back: who sees random numbers of a wide range can work out their seed. A hash does not lead from there to the seed of the
/// run, and so not to what another column was shuffled by.
pub fn seed_of(seed: u64, column: u32) -> u64 {
    let mut hash = Sha256::new();
    hash.update(b"etl-pii/v1/seed\0");
    hash.update(seed.to_be_bytes());
    hash.update(column.to_be_bytes());
    let hash: [u8; 32] = hash.finalize().into();
    let mut first = [0; 8];
    first.copy_from_slice(&hash[..8]);
    u64::from_be_bytes(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_and_runs_have_seeds_of_their_own() {
        let seeds: std::collections::BTreeSet<u64> =
            (0..100).flat_map(|run| (0..100).map(move |column| seed_of(run, column))).collect();
        assert_eq!(seeds.len(), 10_000);
        assert_eq!(seed_of(7, 3), seed_of(7, 3));
    }
}

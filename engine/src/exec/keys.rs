//! Key hashes of uniqueness rules: exact counts within a fixed memory, spilled to disk beyond it.
//!
//! Every key is a 128-bit hash. Hashes are spread over 64 partitions by their top bits, so that equal keys always meet
//! in one partition and each partition can be counted alone: read back, sorted, runs counted. Two different keys among n
//! collide with probability below n^2 / 2^129: about 10^-19 for ten billion keys.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use etl_rules::{KeyCounts, KeySet};
use rayon::prelude::*;

use crate::error::{Error, Result};

/// Partitions of one key set: 1/64 of the keys is what counting holds in memory at a time and worker.
const PARTITIONS: usize = 64;
/// A spill write is not worth a system call below this size; in bytes.
const MIN_SPILL_BYTES: usize = 16 << 10;

/// The key hashes of all key rules of a run.
#[derive(Debug)]
pub struct KeyStore {
    sets: BTreeMap<usize, Keys>,
    held_bytes: u64,
    limit_bytes: u64,
    spilled_bytes: u64,
    directory: PathBuf,
}

#[derive(Debug)]
struct Keys {
    partitions: Vec<Partition>,
}

#[derive(Debug, Default)]
struct Partition {
    hashes: Vec<u128>,
    spill: Option<File>,
    spilled: u64,
}

impl KeyStore {
    /// A store that holds at most about `limit_bytes` and spills to unnamed files in `directory`.
    pub fn new(limit_bytes: u64, directory: &Path) -> Self {
        Self { sets: BTreeMap::new(), held_bytes: 0, limit_bytes, spilled_bytes: 0, directory: directory.to_path_buf() }
    }

    /// Adds hashes to the key set of an analyzer.
    pub fn append(&mut self, set: usize, hashes: &[u128]) -> Result<()> {
        let set = self
            .sets
            .entry(set)
            .or_insert_with(|| Keys { partitions: (0..PARTITIONS).map(|_| Partition::default()).collect() });
        for &hash in hashes {
            set.partitions[(hash >> 122) as usize].hashes.push(hash);
        }
        self.held_bytes += size_of_val(hashes) as u64;
        // Vectors double when they grow, so what is held may be twice what is counted.
        if self.held_bytes * 2 > self.limit_bytes {
            self.spill()?;
        }
        Ok(())
    }

    /// Bytes written to spill files so far.
    pub fn spilled_bytes(&self) -> u64 {
        self.spilled_bytes
    }

    fn spill(&mut self) -> Result<()> {
        let failed = |error: std::io::Error| {
            Error::storage("key hashes could not be spilled to disk", error)
                .with_help("free space in the temporary directory, or raise --memory")
        };
        for partition in self.sets.values_mut().flat_map(|set| &mut set.partitions) {
            if size_of_val(partition.hashes.as_slice()) < MIN_SPILL_BYTES {
                continue;
            }
            let file = match &mut partition.spill {
                Some(file) => file,
                empty => empty.insert(tempfile::tempfile_in(&self.directory).map_err(failed)?),
            };
            let bytes: Vec<u8> = partition.hashes.iter().flat_map(|hash| hash.to_le_bytes()).collect();
            file.write_all(&bytes).map_err(failed)?;
            self.spilled_bytes += bytes.len() as u64;
            self.held_bytes -= bytes.len() as u64;
            partition.spilled += partition.hashes.len() as u64;
            partition.hashes = Vec::new();
        }
        Ok(())
    }

    /// Counts the groups of every key set; a partition at a time on each worker of the current pool. The keys that occur
    /// more than once are given for the sets in `repeated_of`.
    pub fn count(self, repeated_of: &[usize]) -> Result<(BTreeMap<usize, KeyCounts>, BTreeMap<usize, KeySet>)> {
        let (mut counts, mut repeated) = (BTreeMap::new(), BTreeMap::new());
        for (set, keys) in self.sets {
            let wanted = repeated_of.contains(&set);
            let partitions = keys.partitions.into_par_iter();
            let partials: Vec<(KeyCounts, Vec<u128>)> =
                partitions.map(|partition| partition.count(wanted)).collect::<Result<_>>()?;
            let mut total = KeyCounts::default();
            let mut known = KeySet::default();
            for (partial, keys) in partials {
                total.merge(partial);
                keys.into_iter().for_each(|key| known.insert(key));
            }
            counts.insert(set, total);
            if wanted {
                repeated.insert(set, known);
            }
        }
        Ok((counts, repeated))
    }
}

impl Partition {
    fn count(mut self, wants_repeated: bool) -> Result<(KeyCounts, Vec<u128>)> {
        if let Some(mut file) = self.spill.take() {
            let failed = |error| Error::storage("spilled key hashes could not be read back", error);
            file.seek(SeekFrom::Start(0)).map_err(failed)?;
            let mut reader = BufReader::with_capacity(1 << 20, file);
            self.hashes.reserve_exact(self.spilled as usize);
            let mut bytes = [0u8; 16];
            for _ in 0..self.spilled {
                reader.read_exact(&mut bytes).map_err(failed)?;
                self.hashes.push(u128::from_le_bytes(bytes));
            }
        }
        self.hashes.sort_unstable();
        let groups = self.hashes.chunk_by(|left, right| left == right);
        let repeated = match wants_repeated {
            true => groups.filter(|group| group.len() > 1).filter_map(|group| group.first().copied()).collect(),
            false => Vec::new(),
        };
        Ok((KeyCounts::of_sorted(&self.hashes), repeated))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashes(count: u64) -> Vec<u128> {
        // A multiplier that spreads over the top bits; every third key stands twice.
        (0..count)
            .map(|i| u128::from(i - u64::from(i % 3 == 2)).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835))
            .collect()
    }

    #[test]
    fn spilling_changes_no_count() {
        let directory = std::env::temp_dir();
        let keys = hashes(300_000);
        let mut expected = keys.clone();
        expected.sort_unstable();
        let expected = KeyCounts::of_sorted(&expected);
        for limit in [u64::MAX / 4, 1 << 20] {
            let mut store = KeyStore::new(limit, &directory);
            for chunk in keys.chunks(10_000) {
                store.append(7, chunk).unwrap();
            }
            assert_eq!(store.spilled_bytes() > 0, limit == 1 << 20);
            let (counts, repeated) = store.count(&[7]).unwrap();
            assert_eq!(counts[&7], expected, "limit {limit}");
            assert_eq!(repeated[&7].len() as u64, expected.groups - expected.unique_groups);
        }
    }
}

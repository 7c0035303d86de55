//! Key hashes of uniqueness rules: exact counts within a fixed memory, spilled to disk beyond it.
//!
//! Every key is a 128-bit hash. Hashes are spread over 64 partitions by their top bits, so that equal keys always meet
//! in one partition and each partition can be counted alone: read back, sorted, runs counted; in several passes, by the next
//! bits, when it is larger than the memory. Two different keys among n collide with probability below n^2 / 2^129: about
//! 10^-19 for ten billion keys.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use etl_rules::{KeyCounts, KeySet};
use rayon::prelude::*;

use crate::error::{Error, Result};

/// Partitions of one key set.
const PARTITIONS: usize = 64;
const PARTITION_BITS: u32 = PARTITIONS.ilog2();
const HASH_BYTES: usize = size_of::<u128>();
/// Hashes that a partition gathers at least before it is spilled, however many sets share the memory.
const MIN_GATHERED: usize = 256;
/// Hashes that counting holds at least.
const MIN_COUNTED: usize = 4096;

/// The key hashes of all key rules of a run.
#[derive(Debug)]
pub struct KeyStore {
    sets: BTreeMap<usize, Keys>,
    limit_bytes: u64,
    /// Hashes that a partition gathers before it is spilled: the memory in equal parts.
    gathered: usize,
    /// One unnamed file for all: partitions are scattered in it, each knows where its pieces are.
    spill: Option<File>,
    spilled_bytes: u64,
    directory: PathBuf,
}

#[derive(Debug)]
struct Keys {
    partitions: Vec<Partition>,
}

/// Hashes of a piece of a partition's memory at most: pieces are never moved, so no page is asked for twice.
const PIECE_HASHES: usize = 2048;

#[derive(Debug, Default)]
struct Partition {
    hashes: Vec<Vec<u128>>,
    /// How many they are.
    held: usize,
    /// Where spilled hashes begin in the file, and how many they are.
    pieces: Vec<(u64, usize)>,
}

/// The hashes of a block in the order of their partitions: spread where there are many threads, so that the one that gathers
/// them only copies.
#[derive(Debug)]
pub struct SpreadHashes {
    hashes: Vec<u128>,
    /// Where the hashes of each partition end.
    ends: [usize; PARTITIONS],
}

impl SpreadHashes {
    /// Puts hashes in the order of their partitions.
    pub fn of(hashes: &[u128]) -> Self {
        let mut ends = [0; PARTITIONS];
        hashes.iter().for_each(|hash| ends[partition_of(*hash)] += 1);
        let mut start = 0;
        for end in &mut ends {
            (start, *end) = (start + *end, start);
        }
        // Each end is where its partition begins now, and is moved on with every hash.
        let mut spread = vec![0; hashes.len()];
        for hash in hashes {
            let end = &mut ends[partition_of(*hash)];
            if let Some(slot) = spread.get_mut(*end) {
                *slot = *hash;
            }
            *end += 1;
        }
        Self { hashes: spread, ends }
    }

    fn partitions(&self) -> impl Iterator<Item = &[u128]> {
        let starts = std::iter::once(0).chain(self.ends);
        starts.zip(self.ends).map(|(start, end)| self.hashes.get(start..end).unwrap_or_default())
    }
}

#[inline]
fn partition_of(hash: u128) -> usize {
    (hash >> (u128::BITS - PARTITION_BITS)) as usize
}

impl KeyStore {
    /// A store that holds at most about `limit_bytes` and spills to an unnamed file in `directory`.
    pub fn new(limit_bytes: u64, directory: &Path) -> Self {
        let directory = directory.to_path_buf();
        Self { sets: BTreeMap::new(), limit_bytes, gathered: 0, spill: None, spilled_bytes: 0, directory }
    }

    /// Adds hashes to the key set of an analyzer.
    pub fn append(&mut self, set: usize, hashes: &SpreadHashes) -> Result<()> {
        if let Entry::Vacant(vacant) = self.sets.entry(set) {
            vacant.insert(Keys { partitions: (0..PARTITIONS).map(|_| Partition::default()).collect() });
            self.share()?;
        }
        let Self { sets, gathered, spill, spilled_bytes, directory, .. } = self;
        let Some(set) = sets.get_mut(&set) else { return Ok(()) };
        for (partition, mut hashes) in set.partitions.iter_mut().zip(hashes.partitions()) {
            while !hashes.is_empty() {
                if partition.held >= *gathered {
                    partition.spill(spill, spilled_bytes, directory)?;
                }
                hashes = partition.gather(hashes, *gathered);
            }
        }
        Ok(())
    }

    /// Bytes written to spill files so far.
    pub fn spilled_bytes(&self) -> u64 {
        self.spilled_bytes
    }

    /// Shares the memory anew, as a set was added; partitions that hold more than their share are spilled.
    fn share(&mut self) -> Result<()> {
        let hashes = (self.limit_bytes / HASH_BYTES as u64) as usize;
        self.gathered = (hashes / (self.sets.len() * PARTITIONS)).max(MIN_GATHERED);
        for partition in self.sets.values_mut().flat_map(|set| &mut set.partitions) {
            if partition.held > self.gathered {
                partition.spill(&mut self.spill, &mut self.spilled_bytes, &self.directory)?;
            }
        }
        Ok(())
    }

    /// Counts the groups of every key set; a partition at a time on each worker of the current pool. The keys that occur
    /// more than once are given for the sets in `repeated_of`.
    pub fn count(self, repeated_of: &[usize]) -> Result<(BTreeMap<usize, KeyCounts>, BTreeMap<usize, KeySet>)> {
        let file = self.spill.map(Mutex::new);
        let workers = rayon::current_num_threads().max(1);
        let held = ((self.limit_bytes / HASH_BYTES as u64) as usize / workers).max(MIN_COUNTED);
        let (mut counts, mut repeated) = (BTreeMap::new(), BTreeMap::new());
        for (set, keys) in self.sets {
            let wanted = repeated_of.contains(&set);
            let partitions = keys.partitions.into_par_iter();
            let partials: Vec<Counted> =
                partitions.map(|partition| partition.count(file.as_ref(), held, wanted)).collect::<Result<_>>()?;
            let mut total = KeyCounts::default();
            let mut known = KeySet::default();
            for partial in partials {
                total.merge(partial.counts);
                partial.repeated.into_iter().for_each(|key| known.insert(key));
            }
            counts.insert(set, total);
            if wanted {
                repeated.insert(set, known);
            }
        }
        Ok((counts, repeated))
    }
}

/// What a partition came to.
#[derive(Debug, Default)]
struct Counted {
    counts: KeyCounts,
    /// The keys that occur more than once, where they are wanted.
    repeated: Vec<u128>,
}

impl Partition {
    /// Takes as many hashes as there is room for in one piece, and in a share of `most` in all; gives the others back.
    fn gather<'a>(&mut self, hashes: &'a [u128], most: usize) -> &'a [u128] {
        let room = |piece: &Vec<u128>| piece.capacity() - piece.len();
        if self.hashes.last().is_none_or(|piece| room(piece) == 0) {
            // The first pieces are small: few keys shall take little memory.
            self.hashes.push(Vec::with_capacity(self.held.clamp(16, PIECE_HASHES).min(most - self.held)));
        }
        let Some(piece) = self.hashes.last_mut() else { return hashes };
        let (now, later) = hashes.split_at(hashes.len().min(room(piece)));
        piece.extend_from_slice(now);
        self.held += now.len();
        later
    }

    fn spill(&mut self, spill: &mut Option<File>, spilled_bytes: &mut u64, directory: &Path) -> Result<()> {
        let failed = |error: std::io::Error| {
            Error::storage("key hashes could not be spilled to disk", error)
                .with_help("free space in the temporary directory, or raise --memory")
        };
        if self.hashes.is_empty() {
            return Ok(());
        }
        let file = match spill {
            Some(file) => file,
            empty => empty.insert(tempfile::tempfile_in(directory).map_err(failed)?),
        };
        let start = *spilled_bytes;
        for piece in self.hashes.drain(..) {
            let bytes: Vec<u8> = piece.iter().flat_map(|hash| hash.to_le_bytes()).collect();
            file.write_all(&bytes).map_err(failed)?;
            *spilled_bytes += bytes.len() as u64;
        }
        self.pieces.push((start, std::mem::take(&mut self.held)));
        Ok(())
    }

    fn count(mut self, file: Option<&Mutex<File>>, held: usize, wants_repeated: bool) -> Result<Counted> {
        let mut counted = Counted::default();
        let Some(file) = file.filter(|_| !self.pieces.is_empty()) else {
            let mut hashes = Vec::with_capacity(self.held);
            self.hashes.drain(..).for_each(|piece| hashes.extend_from_slice(&piece));
            let mut tally = Tally::new(hashes, usize::MAX);
            tally.take(&mut counted, wants_repeated);
            return Ok(counted);
        };
        let all = self.held + self.pieces.iter().map(|(_, count)| count).sum::<usize>();
        // Hashes are even, so each of the passes meets about as many; half as many again is room for chance.
        let bits = (all * 3 / 2).div_ceil(held).next_power_of_two().ilog2();
        let pass_of = |hash: u128| (hash << PARTITION_BITS).unbounded_shr(u128::BITS - bits) as usize;
        let mut tally = Tally::new(Vec::with_capacity(held.min(all)), held);
        let mut bytes = Vec::new();
        for pass in 0..1usize << bits {
            tally.add(self.hashes.iter().flatten().copied().filter(|&hash| pass_of(hash) == pass));
            for &(start, count) in &self.pieces {
                bytes.resize(count * HASH_BYTES, 0);
                read(file, start, &mut bytes)?;
                let (spilled, _) = bytes.as_chunks::<HASH_BYTES>();
                tally.add(spilled.iter().map(|&hash| u128::from_le_bytes(hash)).filter(|&hash| pass_of(hash) == pass));
            }
            tally.take(&mut counted, wants_repeated);
            tally.compact_at = held;
        }
        Ok(counted)
    }
}

/// A hash that stands this often is counted instead of kept, when room is needed.
const OFTEN: usize = 8;

/// Hashes on their way to a count.
struct Tally {
    hashes: Vec<u128>,
    compact_at: usize,
    /// How often hashes stand that are not kept one by one.
    often: BTreeMap<u128, u64>,
}

impl Tally {
    fn new(hashes: Vec<u128>, compact_at: usize) -> Self {
        Self { hashes, compact_at, often: BTreeMap::new() }
    }

    fn add(&mut self, hashes: impl Iterator<Item = u128>) {
        self.hashes.extend(hashes);
        if self.hashes.len() >= self.compact_at {
            self.hashes.sort_unstable();
            let mut kept = Vec::with_capacity(self.hashes.len() / 2);
            for group in self.hashes.chunk_by(|left, right| left == right) {
                match (group.first().and_then(|hash| self.often.get_mut(hash)), group) {
                    (Some(count), _) => *count += group.len() as u64,
                    (None, [hash, ..]) if group.len() >= OFTEN => {
                        self.often.insert(*hash, group.len() as u64);
                    }
                    _ => kept.extend_from_slice(group),
                }
            }
            self.hashes = kept;
            // Different ones stay; sorting them again and again would not help.
            self.compact_at = self.compact_at.max(self.hashes.len() * 2);
        }
    }

    /// Adds the counts to `counted`; begins anew.
    fn take(&mut self, counted: &mut Counted, wants_repeated: bool) {
        self.hashes.sort_unstable();
        let mut count = |hash: u128, size: u64| {
            let counts = &mut counted.counts;
            counts.rows += size;
            counts.groups += 1;
            if size == 1 {
                counts.unique_groups += 1;
            } else {
                *counts.repeated.entry(size).or_default() += 1;
                if wants_repeated {
                    counted.repeated.push(hash);
                }
            }
        };
        for group in self.hashes.chunk_by(|left, right| left == right) {
            if let Some(hash) = group.first() {
                count(*hash, group.len() as u64 + self.often.remove(hash).unwrap_or(0));
            }
        }
        for (hash, size) in std::mem::take(&mut self.often) {
            count(hash, size);
        }
        self.hashes.clear();
    }
}

fn read(file: &Mutex<File>, start: u64, bytes: &mut [u8]) -> Result<()> {
    let failed = |error| Error::storage("spilled key hashes could not be read back", error);
    let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
    file.seek(SeekFrom::Start(start)).map_err(failed)?;
    file.read_exact(bytes).map_err(failed)
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
        // Nothing is spilled; every partition is counted at once; in several passes.
        for limit in [u64::MAX / 4, 1 << 20, 1 << 10] {
            let mut store = KeyStore::new(limit, &directory);
            for (number, chunk) in keys.chunks(10_000).enumerate() {
                store.append(7, &SpreadHashes::of(chunk)).unwrap();
                // A second set halves the room of the first while it is filled.
                if number > 10 {
                    store.append(9, &SpreadHashes::of(&chunk[..100])).unwrap();
                }
            }
            assert_eq!(store.spilled_bytes() > 0, limit <= 1 << 20);
            let (counts, repeated) = store.count(&[7]).unwrap();
            assert_eq!(counts[&7], expected, "limit {limit}");
            assert_eq!(repeated[&7].len() as u64, expected.groups - expected.unique_groups);
            assert_eq!(counts[&9].rows, 1900);
        }
    }

    #[test]
    fn what_is_held_does_not_grow_with_the_keys() {
        let mut store = KeyStore::new(1 << 20, &std::env::temp_dir());
        for chunk in hashes(500_000).chunks(5000) {
            store.append(0, &SpreadHashes::of(chunk)).unwrap();
            store.append(1, &SpreadHashes::of(chunk)).unwrap();
        }
        let held: usize =
            store.sets.values().flat_map(|set| &set.partitions).flat_map(|part| &part.hashes).map(Vec::capacity).sum();
        assert!(held * HASH_BYTES <= 1 << 20, "{held}");
    }

    #[test]
    fn a_key_that_stands_again_and_again_is_counted_and_not_kept() {
        let mut tally = Tally::new(Vec::new(), 1000);
        for round in 0..1000u128 {
            tally.add([7; 99].into_iter().chain([round]));
        }
        assert!(tally.hashes.len() < 4000, "{}", tally.hashes.len());
        // 7 stands 99,000 times and once more as a round; the other 999 stand once.
        let repeated = BTreeMap::from([(99_001, 1)]);
        let expected = KeyCounts { groups: 1000, unique_groups: 999, rows: 100_000, repeated };
        let mut counted = Counted::default();
        tally.take(&mut counted, true);
        assert_eq!((counted.counts, counted.repeated), (expected, vec![7]));
    }
}

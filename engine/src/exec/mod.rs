//! How the work is spread: one feeder, a pool of workers, one collector, and a bound on what is under way.

pub mod keys;
mod permits;
pub mod pipeline;
pub mod spool;

pub use permits::{Permit, Permits};

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, Result};

/// A flag that asks a run to stop cleanly; nothing is published afterwards.
#[derive(Debug, Clone, Default)]
pub struct Cancel {
    own: Arc<AtomicBool>,
    outer: Option<Arc<AtomicBool>>,
}

impl Cancel {
    /// Asks the run to stop.
    pub fn cancel(&self) {
        self.own.store(true, Ordering::Relaxed);
    }

    /// Whether the run was asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.own.load(Ordering::Relaxed) || self.outer.as_ref().is_some_and(|outer| outer.load(Ordering::Relaxed))
    }

    /// A flag that is up when `inner` or this one is.
    pub(crate) fn joined(&self, inner: &Self) -> Self {
        Self { own: Arc::clone(&inner.own), outer: Some(Arc::clone(&self.own)) }
    }
}

/// What a run may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Worker threads.
    pub threads: usize,
    /// Bytes the run may hold, the program itself included.
    pub memory_bytes: u64,
}

/// The memory that the program, the runtime and the allocator take before the first byte of data.
const BASE_BYTES: u64 = 80 << 20;

/// Blocks under way get one part in this many of the memory for data.
const BLOCKS_SHARE: u64 = 4;
/// A block under way costs its text, its field positions and its columns: about six times its size.
const BLOCK_COST: u64 = 6;
/// Larger blocks fall out of a core's second-level cache, with their field positions and columns, before the rules see them.
const MAX_BLOCK_BYTES: u64 = 512 << 10;
/// Smaller ones cost more by themselves than what is in them.
const MIN_BLOCK_BYTES: u64 = 64 << 10;

impl Limits {
    /// The workers.
    ///
    /// # Errors
    /// `Storage` when the system gives no threads.
    pub fn pool(&self) -> Result<Arc<rayon::ThreadPool>> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(self.threads)
            .thread_name(|index| format!("worker-{index}"))
            .build()
            .map_err(|error| Error::storage("the worker threads could not be started", error))?;
        Ok(Arc::new(pool))
    }

    /// Bytes for data after the program itself.
    fn for_data(&self) -> u64 {
        self.memory_bytes.saturating_sub(BASE_BYTES).max(16 << 20)
    }

    /// Bytes that writers may buffer: a bit under half of what is left for data.
    pub fn writer_bytes(&self) -> u64 {
        self.for_data() * 2 / 5
    }

    /// Bytes that key hashes may take before they are spilled.
    pub fn key_bytes(&self) -> u64 {
        self.for_data() / 5
    }

    /// Bytes that the data sets of lookups may hold: taken from what key hashes may take at most.
    pub fn lookup_bytes(&self) -> u64 {
        self.for_data() / 5
    }

    /// Bytes that a query over all rows may hold, lookups included: it runs when no block is under way and no key is gathered.
    pub fn stage_bytes(&self) -> u64 {
        self.for_data() * 2 / 5
    }

    /// Bytes of a block of text: as large as a core's cache likes, smaller when the memory is small.
    ///
    /// A function of the memory alone: where blocks are cut shows in the row groups of the files.
    pub fn block_bytes(&self) -> usize {
        let affordable = self.for_data() / BLOCKS_SHARE / BLOCK_COST / 8;
        let power = affordable.clamp(MIN_BLOCK_BYTES, MAX_BLOCK_BYTES).ilog2();
        1 << power
    }

    /// Blocks under way at once: enough to keep the workers busy, as few as the memory allows.
    pub fn blocks_in_flight(&self) -> usize {
        let affordable = self.for_data() / BLOCKS_SHARE / (BLOCK_COST * self.block_bytes() as u64);
        (affordable as usize).clamp(2, 4 * self.threads + 2)
    }
}

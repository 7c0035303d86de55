//! How the work is spread: one feeder, a pool of workers, one collector, and a bound on what is under way.

pub mod keys;
mod permits;
pub mod pipeline;
pub mod spool;

pub use permits::{Permit, Permits};

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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

impl Limits {
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

    /// Blocks under way at once: enough to keep the workers busy, as few as the memory allows.
    ///
    /// A block under way costs its text, its field positions and its columns: about six times its size.
    pub fn blocks_in_flight(&self, block_bytes: usize) -> usize {
        let affordable = (self.for_data() / 4) / (6 * block_bytes.max(1) as u64);
        (affordable as usize).clamp(self.threads + 1, 4 * self.threads + 2)
    }
}

//! The metrics of earlier runs: what rules like `RowCount > avg(last(10)) * 0.6` look back at.
//!
//! ```text
//! run ─▶ COMMIT (the manifest carries the metrics) ─▶ append ─▶ ROOT/history/<dataset>/<time>-<run_id>.json
//!  ▲                                                                    │
//!  └──── recall: what is there, and what a crash kept from getting there ◀┘
//! ```
//!
//! Only committed runs count, so bad data does not become what is expected. The manifest is the truth and an entry is a
//! function of it: an entry that is missing is made again from its manifest, and one made twice is the same object.
//!
//! Contract of [`HistoryStore`]:
//! - An entry is known by dataset, time and run id. `append` of one that is there changes nothing and says so; entries are
//!   never changed. Appends of different runs at the same time all take place.
//! - `read` gives the newest first, by time and then run id, and every entry whose append has returned.
//! - `missing` tells which of some runs have no entry in any dataset; the order is that of the question.
//! - Datasets are told apart by their exact names, whatever characters are in them.

mod metrics;
mod recall;
mod store;
mod suite;

pub use metrics::{History, MetricValue};
pub use recall::{recall, recall_anywhere, unrecorded};
pub use store::StoreHistory;
pub use suite::history_suite;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::commit::{Manifest, RunId};
use crate::error::Result;

/// The dataset of jobs without a name: Glue's default evaluation context.
pub const DEFAULT_DATASET: &str = "default_context";

/// How many runs rules can look back on.
pub const RUNS_RECALLED: usize = 1000;

/// The dataset that a job's metrics belong to: its name.
pub fn dataset_of(job: Option<&str>) -> &str {
    job.filter(|name| !name.is_empty()).unwrap_or(DEFAULT_DATASET)
}

/// The metrics of one committed run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryEntry {
    /// The version of this document's shape: 1.
    pub version: u32,
    /// The dataset: the job's name.
    pub dataset: String,
    /// The run.
    pub run_id: RunId,
    /// When it was committed, in UTC.
    pub at: DateTime<Utc>,
    /// Its metrics; none when the job has no rules.
    pub metrics: Vec<MetricValue>,
}

impl HistoryEntry {
    /// The entry of a committed run.
    pub fn of(manifest: &Manifest) -> Self {
        Self {
            version: 1,
            dataset: dataset_of(manifest.job.as_deref()).to_owned(),
            run_id: manifest.run_id.clone(),
            at: manifest.committed_at,
            metrics: manifest.metrics.clone(),
        }
    }
}

/// Whether an append did anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// The entry is new.
    Now,
    /// It was there before.
    Before,
}

/// Keeps the metrics of runs.
#[async_trait]
pub trait HistoryStore: std::fmt::Debug + Send + Sync {
    /// The newest entries of a dataset, or of all: newest first, at most `limit`.
    async fn read(&self, dataset: Option<&str>, limit: usize) -> Result<Vec<HistoryEntry>>;
    /// Adds the entry of a committed run.
    async fn append(&self, entry: &HistoryEntry) -> Result<Appended>;
    /// Those of `runs` that have no entry.
    async fn missing(&self, runs: &[RunId]) -> Result<Vec<RunId>>;
}

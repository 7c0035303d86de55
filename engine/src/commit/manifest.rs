//! The manifest of a run: plain data, and the paths that follow from it.

use std::fmt;

use chrono::{DateTime, Utc};
use object_store::path::Path;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::catalog::TableShape;
use crate::history::MetricValue;
use crate::report::{RowCounts, Usage};
use crate::transform::StepReport;
use crate::write::DataFile;

/// Raised when the same bytes and job may come to another result than before, so that runs are not taken for repeats.
pub const SEMANTICS_VERSION: u32 = 1;

/// The identity of (job, inputs, engine semantics): 32 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub String);

impl RunId {
    /// The identity of a job over inputs; their order does not matter.
    pub fn new<'a>(job_hash: &str, inputs: impl Iterator<Item = (&'a str, Option<&'a str>)>) -> Self {
        let mut inputs: Vec<String> =
            inputs.map(|(uri, version)| format!("{uri}\n{}\n", version.unwrap_or("-"))).collect();
        inputs.sort();
        let mut hash = Sha256::new();
        hash.update(format!("{SEMANTICS_VERSION}\n{job_hash}\n"));
        inputs.iter().for_each(|input| hash.update(input));
        Self(hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect())
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One try at a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttemptId(pub String);

impl AttemptId {
    /// A new, unique one.
    pub fn random() -> Self {
        Self(Uuid::new_v4().simple().to_string())
    }
}

/// An input of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestInput {
    /// Where it was read from.
    pub uri: String,
    /// Bytes as stored.
    pub size: u64,
    /// The store's version.
    pub version: Option<String>,
    /// SHA-256 of the stored bytes.
    pub sha256: Option<String>,
}

/// What a run publishes: its files and how they came to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of this document's shape: 1.
    pub version: u32,
    /// The run.
    pub run_id: RunId,
    /// The attempt that committed.
    pub attempt: AttemptId,
    /// The job's name.
    pub job: Option<String>,
    /// The job's hash.
    pub job_hash: String,
    /// The engine's version.
    pub engine: String,
    /// When it was committed, in UTC; while it is staged: when that was.
    pub committed_at: DateTime<Utc>,
    /// The inputs.
    pub inputs: Vec<ManifestInput>,
    /// Where the rows went.
    pub rows: RowCounts,
    /// The names of the partition levels.
    pub partition_by: Vec<String>,
    /// The files.
    pub files: Vec<DataFile>,
    /// The tables beside the job's own, which steps wrote; absent before there were any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<ManifestTable>,
    /// What each step did with the rows, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepReport>,
    /// The file of rejected rows.
    pub rejects: Option<DataFile>,
    /// What each rule came to.
    pub rule_outcomes: serde_json::Value,
    /// The columns and partition keys of the files; absent before there were any.
    #[serde(default)]
    pub table: TableShape,
    /// What the run took.
    #[serde(default)]
    pub usage: Usage,
    /// The run's metrics, for rules of later runs; absent before there were any.
    #[serde(default)]
    pub metrics: Vec<MetricValue>,
}

/// A table that steps wrote beside the job's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ManifestTable {
    /// Its name.
    pub name: String,
    /// Its files.
    pub files: Vec<DataFile>,
    /// Its columns.
    pub table: TableShape,
}

impl Manifest {
    /// All files that the run publishes, and that of its rejects.
    pub fn all_files(&self) -> impl Iterator<Item = &DataFile> {
        self.files.iter().chain(self.tables.iter().flat_map(|table| &table.files)).chain(&self.rejects)
    }
}

/// The manifest of a run.
pub fn manifest_path(root: &Path, run: &RunId) -> Path {
    root.clone().join("commits").join(format!("{run}.json").as_str())
}

/// Where an attempt writes its files: in no place that a catalog knows.
pub fn data_prefix(root: &Path, run: &RunId, attempt: &AttemptId) -> Path {
    root.clone().join("data").join(run.0.as_str()).join(attempt.0.as_str())
}

/// Where an attempt writes the files of a table beside the job's own.
pub fn table_prefix(root: &Path, run: &RunId, attempt: &AttemptId, table: &str) -> Path {
    root.clone().join("tables").join(run.0.as_str()).join(attempt.0.as_str()).join(table)
}

/// Where an attempt leaves its manifest until it is committed.
pub(super) fn staged_path(root: &Path, run: &RunId, attempt: &AttemptId) -> Path {
    root.clone().join("staged").join(run.0.as_str()).join(format!("{}.json", attempt.0).as_str())
}

/// Where an attempt writes its rejects.
pub fn rejects_path(root: &Path, run: &RunId, attempt: &AttemptId, extension: &str) -> Path {
    root.clone().join("rejects").join(run.0.as_str()).join(format!("{}.{extension}", attempt.0).as_str())
}

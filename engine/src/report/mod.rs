//! What a run says about itself: one document, the same from the CLI, the Lambda and the container.

mod excerpt;
pub mod failure;
mod faults;
mod glue;
pub mod lineage;
pub(crate) mod private;

pub use excerpt::excerpt;
pub use faults::{FaultEntry, FaultKey, FaultLog, FaultPlace, FaultSample};
pub use glue::glue;

use etl_rules::{AnalyzerOutcome, Measured, Observation, RuleOutcome};
use serde::{Deserialize, Serialize};

pub use crate::decode::detect::Detected;
use crate::transform::StepReport;

/// What the engine says about the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    /// The data is as the job demands.
    Valid,
    /// The data is bad: tell the sender.
    Invalid,
    /// Nobody could tell: try again.
    Error,
}

impl RunReport {
    /// A report of nothing but a verdict, its run and the engine: for what ended before it began.
    pub fn empty(verdict: Verdict, run_id: String, engine: EngineReport) -> Self {
        Self {
            verdict,
            run_id,
            job: None,
            reasons: Vec::new(),
            inputs: Vec::new(),
            rows: RowCounts::default(),
            rule_outcomes: Vec::new(),
            analyzer_results: Vec::new(),
            observations: Vec::new(),
            row_outcomes: None,
            faults: Vec::new(),
            schema: Vec::new(),
            detected: Vec::new(),
            warnings: Vec::new(),
            commit: None,
            engine,
            timing: Timing::default(),
            samples: Vec::new(),
            rule_labels: Vec::new(),
            metrics: Vec::new(),
            steps: Vec::new(),
        }
    }
}

impl Verdict {
    /// The process exit code: 0 valid, 1 invalid, 3 error.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Valid => 0,
            Self::Invalid => 1,
            Self::Error => 3,
        }
    }
}

/// An input as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputReport {
    /// Where it was read from.
    pub uri: String,
    /// Bytes as stored, before decompression.
    pub size: u64,
    /// The store's version id or entity tag.
    pub version: Option<String>,
    /// SHA-256 of the stored bytes, in hex, where it was wanted.
    pub sha256: Option<String>,
}

/// Where the rows went: `read == accepted + rejected + filtered`, in every run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowCounts {
    /// Records found in the inputs, header lines left out.
    pub read: u64,
    /// Rows that passed decode and every row rule.
    pub accepted: u64,
    /// Rows set aside with reasons.
    pub rejected: u64,
    /// Rows that a transform left out.
    pub filtered: u64,
}

impl RowCounts {
    /// Whether every row is accounted for.
    pub fn reconcile(&self) -> bool {
        self.read == self.accepted + self.rejected + self.filtered
    }
}

/// A column as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnReport {
    /// The name.
    pub name: String,
    /// The Glue/Athena type name.
    #[serde(rename = "type")]
    pub column_type: String,
    /// Whether NULL is allowed.
    pub nullable: bool,
    /// Whether the type was inferred rather than declared.
    pub inferred: bool,
}

/// Which engine ran, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineReport {
    /// The crate version.
    pub version: String,
    /// Worker threads.
    pub threads: usize,
    /// The memory limit in bytes.
    pub memory_limit_bytes: u64,
    /// Bytes written to spill files: key hashes, and columns put aside for queries.
    pub spilled_bytes: u64,
    /// Whether the input was read once more: for row outcomes that only the whole dataset could tell.
    pub read_again: bool,
}

/// How long it took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// When the run began, in UTC.
    pub started: Option<chrono::DateTime<chrono::Utc>>,
    /// Seconds from start to end.
    pub elapsed_seconds: f64,
    /// Bytes read from the inputs, as stored.
    pub bytes_read: u64,
    /// `bytes_read` per second.
    pub bytes_per_second: f64,
    /// Rows per second.
    pub rows_per_second: f64,
}

/// What a run took, beside what `etl-engine plan` expects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// Seconds from the start to the commit.
    pub elapsed_seconds: f64,
    /// Bytes read from the inputs, as stored.
    pub bytes_read: u64,
    /// Worker threads.
    pub threads: usize,
    /// The memory limit in bytes.
    pub memory_limit_bytes: u64,
}

/// What became of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommitState {
    /// This run published its rows.
    Committed,
    /// An earlier run had published the same job on the same inputs; nothing was done.
    AlreadyCommitted,
    /// The rows are written and wait for their commit.
    Staged,
    /// Everything but the publishing was done.
    DryRun,
    /// The data is invalid, so nothing was published.
    NotCommitted,
}

/// Where the output is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitReport {
    /// What became of it.
    pub outcome: CommitState,
    /// The root of the table.
    pub root: String,
    /// The manifest that publishes the files.
    pub manifest: Option<String>,
    /// The published files.
    pub files: Vec<String>,
    /// The tables beside the job's own, which steps wrote.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<TableReport>,
    /// The file of rejected rows.
    pub rejects: Option<String>,
}

/// A table that steps wrote beside the job's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableReport {
    /// Its name.
    pub name: String,
    /// Its rows.
    pub rows: u64,
    /// Its files.
    pub files: Vec<String>,
}

/// The result of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunReport {
    /// What the engine says about the data.
    pub verdict: Verdict,
    /// The identity of (job, inputs, engine semantics).
    pub run_id: String,
    /// The job's name, if it has one.
    pub job: Option<String>,
    /// Why the verdict is not VALID, one sentence a cause.
    pub reasons: Vec<String>,
    /// The inputs.
    pub inputs: Vec<InputReport>,
    /// Where the rows went.
    pub rows: RowCounts,
    /// What each rule came to, in the order of the ruleset, in Glue's shape.
    pub rule_outcomes: Vec<RuleOutcome>,
    /// The metrics of the analyzers, in the order of the ruleset.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub analyzer_results: Vec<AnalyzerOutcome>,
    /// Metrics outside of what their history makes one expect.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub observations: Vec<Observation>,
    /// The file with what the rules say of each row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row_outcomes: Option<String>,
    /// What was wrong, one entry a reason and column.
    pub faults: Vec<FaultEntry>,
    /// The columns.
    pub schema: Vec<ColumnReport>,
    /// What each step of the transform did with the rows, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepReport>,
    /// What was found out about the inputs.
    pub detected: Vec<Detected>,
    /// What the reader should know though it does not change the verdict.
    pub warnings: Vec<String>,
    /// Where the output is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitReport>,
    /// Which engine ran.
    pub engine: EngineReport,
    /// How long it took.
    pub timing: Timing,
    /// The first faults with the text around them, for people; not part of the document.
    #[serde(skip)]
    pub samples: Vec<FaultSample>,
    /// The labels of each rule, in the order of the ruleset; shown in Glue's shape.
    #[serde(skip)]
    pub rule_labels: Vec<Vec<(String, String)>>,
    /// The metrics of the run, for the history; part of the manifest.
    #[serde(skip)]
    pub metrics: Vec<Measured>,
}

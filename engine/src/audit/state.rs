//! The states of a file: a pure state machine.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::report::RowCounts;

/// Where a file stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum State {
    /// It arrived.
    New,
    /// It was found good.
    Valid,
    /// It was found bad.
    Invalid,
    /// Its rows are published.
    Ingested,
    /// It could not be told; it may be tried again.
    Error,
}

impl State {
    /// Whether a file in this state may come to the next one. What is published or judged bad stays so, for the verdict is
    /// a function of the bytes; an error may be tried again.
    pub fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::New | Self::Error, Self::Valid | Self::Invalid | Self::Error)
                | (Self::Valid, Self::Ingested | Self::Error)
                | (Self::Error, Self::New | Self::Ingested)
        )
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::New => "NEW",
            Self::Valid => "VALID",
            Self::Invalid => "INVALID",
            Self::Ingested => "INGESTED",
            Self::Error => "ERROR",
        })
    }
}

/// One step of one file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The file, see [`file_id`].
    pub file_id: String,
    /// The state it came to.
    pub state: State,
    /// When, in UTC.
    pub at: DateTime<Utc>,
    /// The file's name.
    pub uri: String,
    /// Its version.
    pub version: Option<String>,
    /// Its bytes.
    pub size: Option<u64>,
    /// SHA-256 of its bytes, once read.
    pub sha256: Option<String>,
    /// The run.
    pub run_id: String,
    /// The attempt.
    pub attempt: String,
    /// Where the run's rows went, once known.
    pub rows: Option<RowCounts>,
    /// Why, for INVALID and ERROR.
    pub reasons: Vec<String>,
}

/// The identity of a file at a version for a job: 32 hexadecimal digits.
pub fn file_id(uri: &str, version: Option<&str>, job_hash: &str) -> String {
    let hash = Sha256::digest(format!("{uri}\n{}\n{job_hash}", version.unwrap_or("-")));
    hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

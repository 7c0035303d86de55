//! What became of each part of the input.

use std::fmt;

use serde::Serialize;

/// What became of one part of the input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// The part: `step 7 (ONE_HOT_ENCODING)`, or a node's id and name.
    pub at: String,
    /// Its line in the input, from 1.
    pub line: usize,
    /// What was made of it.
    pub what: String,
    /// Whether it was carried over.
    pub severity: Severity,
}

/// Whether a part of the input was carried over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It means the same.
    Carried,
    /// It was carried over, but something is to be looked at.
    Changed,
    /// It is a comment in the job file; someone must decide.
    NotCarried,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Carried => "carried",
            Self::Changed => "changed",
            Self::NotCarried => "not carried",
        })
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}: {}: {}", self.line, self.at, self.severity, self.what)
    }
}

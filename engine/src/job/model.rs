//! The job once checked: nothing in it is left to go wrong.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use super::spec::{Format, RejectsFormat, RowsAction};
use crate::schema::Schema;
use crate::source::Compression;

/// A checked job, made by [`super::bind`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Job {
    /// The name; `job` when none was given.
    pub name: String,
    /// What is read.
    pub source: Source,
    /// What it must look like; `None`: inferred.
    pub schema: Option<Schema>,
    /// What happens when the input has more columns.
    pub extra_columns: ExtraColumns,
    /// What happens when the input lacks a column.
    pub missing_columns: MissingColumns,
    /// The rules.
    pub rules: Option<RulesText>,
    /// What happens to bad rows.
    pub on_invalid: OnInvalid,
    /// What is written; `None`: only validate.
    pub sink: Option<Sink>,
    /// Where the audit lies; `None`: beside the output.
    pub audit_location: Option<String>,
    /// What the run may use.
    pub limits: Limits,
    /// SHA-256 (hexadecimal) of the resolved job without [`Limits`], rules included: the same hash, the same verdict.
    pub job_hash: String,
}

/// DQDL and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RulesText {
    /// The text.
    pub text: String,
    /// The path it was read from; `None` when it stands in the job file.
    pub path: Option<String>,
}

/// What is read.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// At least one; relative paths are resolved.
    pub locations: Vec<String>,
    /// The format.
    pub format: Format,
    /// How CSV is read.
    pub csv: CsvOptions,
    /// How the files are compressed.
    pub compression: Compression,
}

/// How CSV is read.
#[derive(Debug, Clone, PartialEq)]
pub struct CsvOptions {
    /// `None`: found out.
    pub delimiter: Option<u8>,
    /// Whether the first record holds names.
    pub header: Header,
    /// `None`: nothing is quoted.
    pub quote: Option<u8>,
    /// The encoding.
    pub encoding: Encoding,
    /// Unquoted texts that mean NULL.
    pub nulls: Vec<String>,
    /// Begins a comment line.
    pub comment: Option<u8>,
    /// The longest record.
    pub max_record_bytes: u64,
}

/// Whether the first record holds the column names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header {
    /// Found out.
    Auto,
    /// It does.
    Present,
    /// It is data.
    Absent,
}

/// The encoding of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Found out.
    Auto,
    /// This one.
    Known(&'static encoding_rs::Encoding),
}

/// What happens when the input has columns that the schema does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ExtraColumns {
    /// The file is INVALID.
    #[default]
    Error,
    /// They are left out.
    Ignore,
}

/// What happens when the input lacks a column of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MissingColumns {
    /// The file is INVALID.
    #[default]
    Error,
    /// They are NULL, where NULL is allowed.
    Null,
}

/// What happens to bad rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OnInvalid {
    /// What happens to each.
    pub rows: RowsAction,
    /// How many a file may have.
    pub max_rejected: RejectLimit,
    /// The format of the quarantine.
    pub rejects_format: RejectsFormat,
}

/// How many bad rows a file may have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RejectLimit {
    /// Any number.
    Unlimited,
    /// At most this many.
    Count(u64),
    /// At most this part of the rows, 0 to 1.
    Fraction(f64),
}

impl RejectLimit {
    /// Whether `rejected` of `rows` are more than allowed.
    pub fn is_exceeded(&self, rejected: u64, rows: u64) -> bool {
        match *self {
            Self::Unlimited => false,
            Self::Count(most) => rejected > most,
            Self::Fraction(most) => rejected as f64 > most * rows as f64,
        }
    }
}

/// What is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Sink {
    /// The folder or prefix; resolved.
    pub location: String,
    /// The partition expressions, as written and in order.
    pub partition_by: Vec<String>,
    /// The codec.
    pub compression: SinkCompression,
    /// The size a file is closed at, in bytes.
    pub file_size: u64,
    /// The uncompressed size a row group is closed at, in bytes.
    pub row_group_size: u64,
    /// Partition files open at once; at least 1.
    pub max_open_writers: usize,
}

/// The Parquet codec.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SinkCompression {
    /// None.
    None,
    /// Snappy.
    Snappy,
    /// Zstandard at a level, 1 to 22.
    Zstd(i32),
}

/// What the run may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Memory, in bytes.
    pub memory: u64,
    /// Threads; `None`: all cores.
    pub threads: Option<usize>,
    /// The size of a block of records, in bytes; `None`: the engine chooses.
    pub block_size: Option<u64>,
}

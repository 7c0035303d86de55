//! The job file as it is written. Its JSON Schema is derived from these types and published ([`super::job_schema`]);
//! the loader checks files against that same schema, so what an editor accepts and what the engine accepts are one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::source::Compression;

/// A validation job: where data comes from, what it must look like, where it goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobSpec {
    /// The version of the format: 1.
    pub version: u32,
    /// The name of the job, for reports and audit.
    #[serde(default)]
    pub name: Option<String>,
    /// What is read.
    pub source: SourceSpec,
    /// What it must look like; inferred when absent.
    #[serde(default)]
    pub schema: Option<SchemaSpec>,
    /// Path of a DQDL file.
    #[serde(default)]
    pub rules: Option<String>,
    /// DQDL, inline.
    #[serde(default)]
    pub rules_text: Option<String>,
    /// What happens to bad rows.
    #[serde(default)]
    pub on_invalid: OnInvalidSpec,
    /// Not supported yet.
    #[serde(default)]
    pub transform: Vec<Value>,
    /// What is written; absent: only validate.
    #[serde(default)]
    pub sink: Option<SinkSpec>,
    /// Not supported yet.
    #[serde(default)]
    pub catalog: Option<Value>,
    /// Not supported yet.
    #[serde(default)]
    pub notify: Option<Value>,
    /// Where the state of each input is kept; an embedded audit beside the output when absent.
    #[serde(default)]
    pub audit: Option<AuditSpec>,
    /// What the run may use. No part of the job's identity.
    #[serde(default)]
    pub limits: LimitsSpec,
}

impl Default for JobSpec {
    /// A job of this version that reads nothing yet: the start of a job made from arguments.
    fn default() -> Self {
        Self {
            version: 1,
            name: None,
            source: SourceSpec::default(),
            schema: None,
            rules: None,
            rules_text: None,
            on_invalid: OnInvalidSpec::default(),
            transform: Vec::new(),
            sink: None,
            catalog: None,
            notify: None,
            audit: None,
            limits: LimitsSpec::default(),
        }
    }
}

/// One text or several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl OneOrMany {
    /// All of them.
    pub fn to_vec(&self) -> Vec<String> {
        match self {
            Self::One(text) => vec![text.clone()],
            Self::Many(texts) => texts.clone(),
        }
    }
}

/// What is read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceSpec {
    /// File, folder, pattern, `-`, `s3://bucket/prefix/`, or a list of them. Relative paths start at the job file.
    pub location: OneOrMany,
    /// The format; `auto` goes by the content.
    #[serde(default)]
    pub format: Format,
    /// How CSV is read.
    #[serde(default)]
    pub csv: CsvSpec,
    /// How the files are compressed.
    #[serde(default)]
    pub compression: Compression,
}

impl Default for SourceSpec {
    fn default() -> Self {
        Self {
            location: OneOrMany::Many(Vec::new()),
            format: Format::Auto,
            csv: CsvSpec::default(),
            compression: Compression::Auto,
        }
    }
}

/// An input format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// By the content.
    #[default]
    Auto,
    /// Delimited text.
    Csv,
    /// One JSON object a line.
    Ndjson,
    /// One JSON array of objects.
    Json,
    /// Apache Parquet.
    Parquet,
}

/// How CSV is read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CsvSpec {
    /// `auto`, or one ASCII character (`\t` for a tab).
    pub delimiter: String,
    /// Whether the first record holds the column names.
    pub header: HeaderSpec,
    /// The quote, one ASCII character; empty for none.
    pub quote: String,
    /// `auto`, or a WHATWG label such as `utf-8` or `windows-1252`.
    pub encoding: String,
    /// Unquoted texts that mean NULL.
    pub nulls: Vec<String>,
    /// Lines that begin with this ASCII character are comments.
    pub comment: Option<String>,
    /// The longest record; longer ones are rejected.
    pub max_record_bytes: SizeSpec,
}

impl Default for CsvSpec {
    fn default() -> Self {
        Self {
            delimiter: "auto".into(),
            header: HeaderSpec::Known(true),
            quote: "\"".into(),
            encoding: "auto".into(),
            nulls: vec![String::new()],
            comment: None,
            max_record_bytes: SizeSpec::Text("1MiB".into()),
        }
    }
}

/// `true`, `false` or `auto`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum HeaderSpec {
    /// There is one, or there is none.
    Known(bool),
    /// `auto`.
    Word(AutoWord),
}

/// The word `auto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AutoWord {
    /// `auto`.
    Auto,
}

/// A size: `128MiB`, or a number of bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum SizeSpec {
    /// Bytes.
    Bytes(u64),
    /// With a unit.
    Text(String),
}

/// What the input must look like.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SchemaSpec {
    /// The columns, in order.
    pub columns: Vec<ColumnSpec>,
    /// What happens when the input has more columns.
    #[serde(default)]
    pub extra_columns: super::model::ExtraColumns,
    /// What happens when the input lacks a column.
    #[serde(default)]
    pub missing_columns: super::model::MissingColumns,
}

/// A column. What is absent has the default of its type.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ColumnSpec {
    /// The name.
    pub name: String,
    /// The Athena/Glue type: `bigint`, `decimal(12,2)`, `string`, `timestamp`, ...
    #[serde(rename = "type")]
    pub column_type: String,
    /// Whether NULL is allowed; `true` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nullable: Option<bool>,
    /// The date or timestamp format (chrono: `%d.%m.%Y`), or several, tried in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<OneOrMany>,
    /// The same as `format`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formats: Option<Vec<String>>,
    /// The decimal separator, one ASCII character.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimal_separator: Option<String>,
    /// The thousands separator, one ASCII character.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thousands_separator: Option<String>,
    /// Texts that mean true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub true_values: Option<Vec<String>>,
    /// Texts that mean false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub false_values: Option<Vec<String>>,
    /// Unquoted texts that mean NULL in this column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nulls: Option<Vec<String>>,
    /// Whether blanks at both ends are dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trim: Option<bool>,
    /// Whether decimals with too many digits after the point are rounded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round: Option<bool>,
}

/// What happens to bad rows.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OnInvalidSpec {
    /// What happens to a bad row.
    pub rows: RowsAction,
    /// More bad rows than this make the whole file INVALID: a percentage (`1%`) or a count. No limit when absent.
    pub max_rejected: Option<MaxRejectedSpec>,
    /// The format of the quarantine.
    pub rejects_format: RejectsFormat,
}

/// A percentage, or a count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum MaxRejectedSpec {
    /// A number of rows.
    Count(u64),
    /// `1%`.
    Percent(String),
}

/// What happens to a bad row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RowsAction {
    /// Set aside with every reason; the others go on.
    #[default]
    Quarantine,
    /// Left out; counted in the report.
    Drop,
    /// The file is INVALID.
    Fail,
}

/// The format of the quarantine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RejectsFormat {
    /// Apache Parquet.
    #[default]
    Parquet,
    /// CSV.
    Csv,
    /// One JSON object a line.
    Ndjson,
}

/// What is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SinkSpec {
    /// Folder or `s3://bucket/prefix/`. Relative paths start at the job file.
    pub location: String,
    /// Columns, or `day(column)` and the like.
    #[serde(default)]
    pub partition_by: Vec<String>,
    /// `zstd`, `zstd(level)`, `snappy` or `none`.
    #[serde(default = "default_compression")]
    pub compression: String,
    /// The size a file is closed at.
    #[serde(default = "default_file_size")]
    pub file_size: SizeSpec,
    /// The uncompressed size a row group is closed at.
    #[serde(default = "default_row_group_size")]
    pub row_group_size: SizeSpec,
    /// Partition files open at once.
    #[serde(default = "default_open_writers")]
    pub max_open_writers: u32,
}

impl Default for SinkSpec {
    fn default() -> Self {
        Self {
            location: String::new(),
            partition_by: Vec::new(),
            compression: default_compression(),
            file_size: default_file_size(),
            row_group_size: default_row_group_size(),
            max_open_writers: default_open_writers(),
        }
    }
}

fn default_compression() -> String {
    "zstd".into()
}

fn default_file_size() -> SizeSpec {
    SizeSpec::Text("128MiB".into())
}

fn default_row_group_size() -> SizeSpec {
    SizeSpec::Text("64MiB".into())
}

fn default_open_writers() -> u32 {
    64
}

/// Where the state of each input is kept.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AuditSpec {
    /// Files beside the output, or at a place of its own.
    pub embedded: Option<EmbeddedAuditSpec>,
    /// Not supported yet.
    pub dynamodb: Option<Value>,
}

/// The embedded audit.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EmbeddedAuditSpec {
    /// Its place; beside the output when absent.
    pub location: Option<String>,
}

/// What the run may use. No part of the job's identity.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsSpec {
    /// Memory, such as `512MiB`.
    pub memory: Option<SizeSpec>,
    /// Threads; all cores when absent.
    pub threads: Option<u32>,
    /// The size of a block of records.
    pub block_size: Option<SizeSpec>,
}

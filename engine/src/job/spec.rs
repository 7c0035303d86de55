//! The job file as it is written. Nothing is checked here beyond its shape; [`Job`](super::Job) is what was checked.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::keys::KeySpec;

/// A job file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobSpec {
    /// The version of the job file's format: 1.
    #[serde(default = "one")]
    pub version: u32,
    /// The job's name, in reports and manifests.
    pub name: Option<String>,
    /// What is read.
    #[serde(default)]
    pub source: SourceSpec,
    /// The columns; inferred from the first mebibyte when absent.
    pub schema: Option<SchemaSpec>,
    /// A DQDL file, relative to the job file.
    pub rules: Option<String>,
    /// DQDL text, in place of a file.
    pub rules_text: Option<String>,
    /// Other data sets that rules compare with, by the alias that rules call them.
    #[serde(default)]
    pub sources: BTreeMap<String, OtherSourceSpec>,
    /// How rows and composite rules are judged, by Glue's names: `compositeRuleEvaluation.method` (`COLUMN`, `ROW`),
    /// `rowLevelConfiguration.filteredRowLabel` (`PASSED`, `SKIPPED`), `rowLevelConfiguration.ruleWithLabels`
    /// (`DISABLED`, `ENABLED`).
    #[serde(default)]
    pub rule_options: BTreeMap<String, String>,
    /// A file for what the rules say of each row (.parquet or .ndjson): the row and Glue's four columns.
    pub row_outcomes: Option<String>,
    /// What is done with rows that do not pass.
    pub on_invalid: Option<OnInvalidSpec>,
    /// Keys of steps that protect personal data, by the names that steps call them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub keys: BTreeMap<String, KeySpec>,
    /// Steps between validation and output, in their order (docs/reference/steps).
    #[serde(default)]
    #[schemars(schema_with = "steps")]
    pub transform: Vec<serde_json::Value>,
    /// Where accepted rows are published.
    pub sink: Option<SinkSpec>,
    /// A catalog that the table is made known in.
    pub catalog: Option<CatalogSpec>,
    /// Where the audit trail is kept; beside the output when absent.
    pub audit: Option<AuditSpec>,
    /// Who is told of invalid files and errors by `etl-engine pipeline`; on AWS the stack's topic is told.
    pub notify: Option<NotifySpec>,
    /// How objects are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<StorageSpec>,
    /// Where OpenLineage events of the run are sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lineage: Option<LineageSpec>,
    /// What a run may use. Limits never change a verdict.
    #[serde(default)]
    pub limits: LimitsSpec,
}

fn steps(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let item = etl_transform::registry::item_schema(generator).to_value();
    schemars::json_schema!({"type": "array", "items": item})
}

fn one() -> u32 {
    1
}

/// One text or several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Texts {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl Default for Texts {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl Texts {
    /// As a list.
    pub fn list(&self) -> Vec<String> {
        match self {
            Self::One(text) => vec![text.clone()],
            Self::Many(texts) => texts.clone(),
        }
    }
}

/// What is read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceSpec {
    /// Files, directories, globs or URLs; relative to the job file.
    pub location: Option<Texts>,
    /// `auto` (the default), `csv`, `ndjson` or `parquet`.
    pub format: Option<String>,
    /// How CSV is laid out.
    #[serde(default)]
    pub csv: CsvSpec,
}

/// Another data set.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OtherSourceSpec {
    /// Files, directories, globs or URLs; relative to the job file.
    pub location: Texts,
    /// `auto` (the default), `csv`, `ndjson` or `parquet`.
    pub format: Option<String>,
    /// How CSV is laid out.
    #[serde(default)]
    pub csv: CsvSpec,
    /// The columns; inferred from all rows when absent.
    pub schema: Option<SchemaSpec>,
}

/// How CSV is laid out; what is absent or `auto` is detected.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CsvSpec {
    /// `auto`, one character, or `\t`.
    pub delimiter: Option<String>,
    /// `auto`, `true` or `false`.
    pub header: Option<HeaderSpec>,
    /// One character (`"` when absent), or `none`.
    pub quote: Option<String>,
    /// `auto` or a label such as `utf-8`, `windows-1252`, `utf-16le`.
    pub encoding: Option<String>,
    /// Unquoted texts that mean NULL; the empty text when absent.
    pub nulls: Option<Vec<String>>,
    /// The longest record, such as `1MiB` (the default).
    pub max_record_bytes: Option<String>,
}

/// Whether the first record names the columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum HeaderSpec {
    /// It does, or it does not.
    Known(bool),
    /// `auto`
    Text(String),
}

/// The columns.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SchemaSpec {
    /// The columns, in the order of the output.
    pub columns: Vec<ColumnSpec>,
    /// What is done with columns of the file that the schema does not name: `error` (the default) or `ignore`.
    pub extra_columns: Option<String>,
}

/// A column.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ColumnSpec {
    /// The name.
    pub name: String,
    /// The Glue/Athena type, such as `bigint` or `decimal(12,2)`.
    #[serde(rename = "type")]
    pub column_type: String,
    /// Whether NULL is allowed; it is when absent.
    pub nullable: Option<bool>,
    /// chrono patterns such as `%d/%m/%Y`, tried in order; ISO 8601 when absent.
    pub formats: Option<Texts>,
    /// The decimal separator, `.` when absent.
    pub decimal_separator: Option<String>,
    /// The separator that groups digits by three; none when absent.
    pub thousands_separator: Option<String>,
    /// Texts that mean true.
    pub true_values: Option<Vec<String>>,
    /// Texts that mean false.
    pub false_values: Option<Vec<String>>,
    /// Unquoted texts that mean NULL in this column.
    pub nulls: Option<Vec<String>>,
    /// Whether blanks at both ends are dropped.
    pub trim: Option<bool>,
    /// Marks personal data: its kind, such as `EMAIL`. It must be protected, dropped or released before it is written, and is
    /// masked in rejects and reports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pii: Option<String>,
    /// Whether a decimal with too many digits after the point is rounded rather than refused.
    pub round: Option<bool>,
}

/// What is done with rows that do not pass.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OnInvalidSpec {
    /// `quarantine` (the default), `drop` or `fail`.
    pub rows: Option<String>,
    /// A number of rows, or a share such as `1%`; any number when absent.
    pub max_rejected: Option<Amount>,
    /// `parquet` (the default), `csv` or `ndjson`.
    pub format: Option<String>,
    /// Whether columns that are marked as personal data are masked in rejects and reports; they are when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask: Option<bool>,
}

/// A number or a text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Amount {
    /// A whole number.
    Number(u64),
    /// A text such as `1%` or `128MiB`.
    Text(String),
}

/// Where accepted rows are published.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SinkSpec {
    /// A directory or a URL; relative to the job file.
    pub location: String,
    /// Columns, or `year(c)`, `month(c)`, `day(c)`, `hour(c)`, `bucket(n, c)`, `truncate(w, c)`.
    #[serde(default)]
    pub partition_by: Vec<String>,
    /// `zstd` (the default), `zstd(level)`, `snappy` or `none`.
    pub compression: Option<String>,
    /// About how large a file becomes, such as `128MiB` (the default).
    pub file_size: Option<Amount>,
    /// About how large a row group becomes, encoded; `32MiB` when absent.
    pub row_group_size: Option<Amount>,
    /// Files written at once; 64 when absent.
    pub max_open_writers: Option<u32>,
    /// What is asked of single columns, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<String, OutputColumnSpec>,
}

/// What is asked of one column of the files.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutputColumnSpec {
    /// A bloom filter for every row group: readers that look for a value pass over those without it.
    #[serde(default)]
    pub bloom_filter: bool,
    /// The least and the largest value of every page: readers pass over pages.
    #[serde(default)]
    pub page_index: bool,
    /// Another compression than the table's: `zstd`, `zstd(level)`, `snappy` or `none`.
    pub compression: Option<String>,
}

/// Where the audit trail is kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditSpec {
    /// A DynamoDB table with the keys `pk` and `sk` and the index `by_state` (deploy/README.md).
    pub dynamodb: Option<DynamoSpec>,
}

/// A DynamoDB table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DynamoSpec {
    /// Its name or ARN.
    pub table: String,
}

/// A catalog.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CatalogSpec {
    /// The Glue Data Catalog.
    pub glue: Option<GlueSpec>,
}

/// A table of the Glue Data Catalog.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GlueSpec {
    /// The database; it must exist.
    pub database: String,
    /// The table; it is created when it does not exist.
    pub table: String,
    /// The account that owns the catalog; the caller's when absent.
    pub catalog_id: Option<String>,
    /// When the columns differ from the table's: `add` (the default) appends new ones and refuses all else, `strict` refuses
    /// every difference, `replace` takes the new columns whatever they are.
    pub evolution: Option<String>,
}

/// Who is told.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NotifySpec {
    /// An SNS topic.
    pub sns: Option<SnsSpec>,
    /// A URL that a JSON document is posted to.
    pub webhook: Option<WebhookSpec>,
}

/// An SNS topic.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SnsSpec {
    /// Its ARN.
    pub topic: String,
}

/// A URL that is posted to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookSpec {
    /// The URL.
    pub url: String,
}

/// How objects are kept; for stores that have a say in it, such as S3.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StorageSpec {
    /// The KMS key (ARN, id or alias) that every object that is written is encrypted with.
    pub kms_key: Option<String>,
    /// The account (12 digits) that every bucket must belong to.
    pub bucket_owner: Option<Amount>,
}

/// Where OpenLineage events go.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LineageSpec {
    /// A file that events are appended to, one a line; relative to the job file.
    pub file: Option<String>,
    /// A URL that events are posted to, such as `http://marquez:5000/api/v1/lineage`.
    pub url: Option<String>,
    /// The namespace of the job; `etl-engine` when absent.
    pub namespace: Option<String>,
}

/// What a run may use.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitsSpec {
    /// Memory, `512MiB` when absent.
    pub memory: Option<Amount>,
    /// Worker threads; all cores when absent.
    pub threads: Option<u32>,
}

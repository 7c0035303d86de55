//! What judges and reads files: `validate`, `run`, `convert`, `infer`.

use clap::{Args, ValueEnum};

use super::{Limits, Reading};

/// Arguments of `validate`.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  etl-engine validate orders.csv
  etl-engine validate 'landing/2024-*/*.csv' --schema orders.schema.yaml --rules orders.dqdl
  gunzip -c orders.csv.gz | etl-engine validate - --format csv --max-rejected 1%
  etl-engine validate orders.csv --rules orders.dqdl --history lake/orders
  etl-engine validate orders.csv --rules orders.dqdl --source customers=customers.parquet --row-outcomes rows.parquet
  etl-engine validate export.txt --delimiter ';' --encoding windows-1252
  etl-engine validate --job orders.job.yaml s3://landing/orders/ --json | jq .verdict")]
pub(crate) struct Validate {
    /// Files, directories, globs, URLs (s3://bucket/key), or `-` for standard input
    #[arg(value_name = "INPUT", required_unless_present = "job")]
    pub(crate) inputs: Vec<String>,
    /// The columns: a YAML file with `columns:`, as `infer` prints it
    #[arg(long, value_name = "FILE")]
    pub(crate) schema: Option<String>,
    /// The rules, in DQDL
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: Option<String>,
    /// A job file; other options override what it says
    #[arg(long, value_name = "FILE")]
    pub(crate) job: Option<String>,
    /// The root of a table whose earlier runs dynamic rules look back at; the job's sink unless given
    #[arg(long, value_name = "ROOT")]
    pub(crate) history: Option<String>,
    /// Rejected rows that are acceptable: a number or a share such as 1%
    #[arg(long, value_name = "ROWS", value_parser = rejected)]
    pub(crate) max_rejected: Option<String>,
    /// Take the SHA-256 of each input, for the report
    #[arg(long)]
    pub(crate) sha256: bool,
    /// What rules need beside the data
    #[command(flatten)]
    pub(crate) ruling: Ruling,
    /// Print the report as one JSON document; `--json=glue` in the shape of Glue's GetDataQualityResult
    #[arg(long, value_enum, value_name = "SHAPE", num_args = 0..=1, require_equals = true, default_missing_value = "own")]
    pub(crate) json: Option<JsonShape>,
    /// How the input is read
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// What the run may use
    #[command(flatten)]
    pub(crate) limits: Limits,
}

/// What rules need beside the data, and how they judge.
#[derive(Debug, Args)]
pub(crate) struct Ruling {
    /// Another data set that rules compare with, by the name they call it; may be repeated
    #[arg(long = "source", value_name = "ALIAS=URI", value_parser = pair, help_heading = "Rules")]
    pub(crate) sources: Vec<(String, String)>,
    /// An option of Glue's, such as compositeRuleEvaluation.method=ROW; may be repeated
    #[arg(long = "rule-option", value_name = "NAME=VALUE", value_parser = pair, help_heading = "Rules")]
    pub(crate) options: Vec<(String, String)>,
    /// Write what the rules say of each row: the row and Glue's four columns (.parquet or .ndjson)
    #[arg(long, value_name = "FILE", help_heading = "Rules")]
    pub(crate) row_outcomes: Option<String>,
}

/// The shape of a JSON report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum JsonShape {
    /// The report of this program
    Own,
    /// Glue's GetDataQualityResult
    Glue,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() && !value.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

/// Arguments of `run`.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  etl-engine run orders.job.yaml
  etl-engine run orders.job.yaml --dry-run
  etl-engine run orders.job.yaml --input s3://landing/orders/2024-05-01.csv
  etl-engine run orders.job.yaml --set sink.location=out --set on_invalid.max_rejected=1%
  etl-engine run orders.job.yaml --memory 256MiB --threads 2

Running the same job on the same inputs again does nothing: its rows are published already.")]
pub(crate) struct Run {
    /// The job file: a path or a URL
    #[arg(value_name = "JOB")]
    pub(crate) job: String,
    /// Override a value of the job file; keys are dotted, list items by position
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) sets: Vec<String>,
    /// Read this instead of the job's source.location; may be repeated
    #[arg(long = "input", value_name = "URI")]
    pub(crate) inputs: Vec<String>,
    /// Do everything but the publishing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Take the SHA-256 of each input, for the report
    #[arg(long)]
    pub(crate) sha256: bool,
    /// What rules need beside the data
    #[command(flatten)]
    pub(crate) ruling: Ruling,
    /// Print the report as one JSON document; `--json=glue` in the shape of Glue's GetDataQualityResult
    #[arg(long, value_enum, value_name = "SHAPE", num_args = 0..=1, require_equals = true, default_missing_value = "own")]
    pub(crate) json: Option<JsonShape>,
    /// What the run may use, whatever the job file says
    #[command(flatten)]
    pub(crate) limits: Limits,
}

/// Arguments of `convert`.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  etl-engine convert orders.csv -o orders.parquet
  etl-engine convert orders.parquet -o orders.ndjson
  etl-engine convert export.txt -o clean.csv --delimiter ';' --schema orders.schema.yaml")]
pub(crate) struct Convert {
    /// Files, directories, globs, URLs, or `-` for standard input
    #[arg(value_name = "IN", required = true)]
    pub(crate) inputs: Vec<String>,
    /// Where to write
    #[arg(long, short, value_name = "OUT")]
    pub(crate) output: String,
    /// The format to write; by the name of the output unless given
    #[arg(long, value_name = "FORMAT", value_parser = ["csv", "ndjson", "parquet"])]
    pub(crate) to: Option<String>,
    /// The columns: a YAML file with `columns:`, as `infer` prints it
    #[arg(long, value_name = "FILE")]
    pub(crate) schema: Option<String>,
    /// Print the report as one JSON document
    #[arg(long)]
    pub(crate) json: bool,
    /// How the input is read
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// What the run may use
    #[command(flatten)]
    pub(crate) limits: Limits,
}

/// Arguments of `infer`.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  etl-engine infer orders.csv
  etl-engine infer orders.csv > orders.schema.yaml   then: validate orders.csv --schema orders.schema.yaml
  etl-engine infer s3://landing/orders/ --json | jq -r '.columns[].name'
  etl-engine infer orders.csv --no-pii               Do not mark columns that seem to hold personal data

A column that is marked `pii: EMAIL` must be protected, dropped or released before a run writes it, and is masked in rejects.
Marks are guesses from the first rows and the column's name: take away what is wrong, add what is missing.")]
pub(crate) struct Infer {
    /// Files, directories, globs, URLs, or `-` for standard input
    #[arg(value_name = "IN", required = true)]
    pub(crate) inputs: Vec<String>,
    /// Do not look for personal data
    #[arg(long)]
    pub(crate) no_pii: bool,
    /// Print JSON instead of YAML
    #[arg(long)]
    pub(crate) json: bool,
    /// How the input is read
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// What the run may use
    #[command(flatten)]
    pub(crate) limits: Limits,
}

fn rejected(text: &str) -> Result<String, String> {
    let number = text.strip_suffix('%').unwrap_or(text);
    match number.trim().parse::<f64>() {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("expected a number of rows such as 100, or a share such as 1%".to_owned()),
    }
}

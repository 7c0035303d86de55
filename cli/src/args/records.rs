//! What was published and written down: `commits`, `compact`, `audit`, `history`; and `job`.

use clap::{Args, Subcommand, ValueEnum};

use super::Limits;

/// Look at what was published.
#[derive(Debug, Subcommand)]
pub(crate) enum Commits {
    /// List the commits of a table
    #[command(after_help = "\
EXAMPLES
  etl-engine commits list lake/orders
  etl-engine commits list s3://lake/orders --json | jq -r '.commits[].run_id'")]
    List {
        /// The root of the table: the job's sink.location
        #[arg(value_name = "ROOT")]
        root: String,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Show a commit, or the files of all commits
    #[command(after_help = "\
EXAMPLES
  etl-engine commits show lake/orders 3f2a9c…            One commit
  etl-engine commits show lake/orders --files | wc -l    All published files
  duckdb -c \"SELECT count(*) FROM $(etl-engine commits show lake/orders --sql)\"")]
    Show {
        /// The root of the table: the job's sink.location
        #[arg(value_name = "ROOT")]
        root: String,
        /// The run; all commits unless given
        #[arg(value_name = "RUN_ID")]
        run_id: Option<String>,
        /// Print the paths of the data files, one a line
        #[arg(long)]
        files: bool,
        /// Print the data files as a table expression for DuckDB
        #[arg(long, conflicts_with = "files")]
        sql: bool,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Delete files that no commit names
    #[command(after_help = "\
EXAMPLES
  etl-engine commits gc lake/orders --dry-run
  etl-engine commits gc lake/orders --older-than 7d

Files of a run that is still under way are not named by a commit yet: let --older-than exceed the longest run.")]
    Gc {
        /// The root of the table: the job's sink.location
        #[arg(value_name = "ROOT")]
        root: String,
        /// Only files older than this, such as 90m, 24h or 7d
        #[arg(long, value_name = "AGE", default_value = "24h", value_parser = age)]
        older_than: chrono::TimeDelta,
        /// Only say what would be deleted
        #[arg(long)]
        dry_run: bool,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
}

/// Put the small files of a published table together.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  etl-engine compact orders.job.yaml --dry-run
  etl-engine compact orders.job.yaml --set sink.file_size=256MiB
  etl-engine compact s3://config/jobs/orders.yaml --older-than 2h --json

Rows stay what they are; readers see the old files or the new ones. The old ones are deleted by
`etl-engine commits gc ROOT`, once they were replaced as long ago as it is told.")]
pub(crate) struct Compact {
    /// The job file that publishes the table: a path or a URL
    #[arg(value_name = "JOB")]
    pub(crate) job: String,
    /// Override a value of the job file; keys are dotted, list items by position
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) sets: Vec<String>,
    /// Only files that were committed longer ago than this, such as 90m, 24h or 7d; 1h unless given where the job names a
    /// catalog, else any
    #[arg(long, value_name = "AGE", value_parser = age)]
    pub(crate) older_than: Option<chrono::TimeDelta>,
    /// Only partitions with at least so many small files
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) min_files: usize,
    /// Only say what would be done
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
    /// What it may use, whatever the job file says
    #[command(flatten)]
    pub(crate) limits: Limits,
}

/// Reads an age such as `90m`, `24h` or `7d`.
fn age(text: &str) -> Result<chrono::TimeDelta, String> {
    let wrong = || format!("`{text}` is not an age such as 90m, 24h or 7d");
    let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let number: i64 = text[..digits].parse().map_err(|_| wrong())?;
    let seconds = match &text[digits..] {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    number.checked_mul(seconds).and_then(chrono::TimeDelta::try_seconds).ok_or_else(wrong)
}

/// The states of a file.
const STATES: [&str; 7] = ["NEW", "VALIDATING", "VALID", "INVALID", "INGESTING", "INGESTED", "ERROR"];

/// Look at the states of files.
#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// List the files that were seen, with their states
    #[command(after_help = "\
EXAMPLES
  etl-engine audit list lake/orders
  etl-engine audit list lake/orders --state INVALID
  etl-engine audit list s3://lake/orders --json | jq -r '.files[].uri'
  etl-engine audit list dynamodb:etl-audit --state ERROR")]
    List {
        /// The root of the table (the job's sink.location), or `dynamodb:TABLE`
        #[arg(value_name = "ROOT")]
        root: String,
        /// Only files in this state
        #[arg(long, value_name = "STATE", ignore_case = true, value_parser = STATES)]
        state: Option<String>,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Give a file that had an ERROR its tries back, so that a workflow takes it up again
    #[command(after_help = "\
EXAMPLES
  etl-engine audit retry dynamodb:etl-audit s3://landing/orders/2024-05-01.csv
  etl-engine audit retry lake/orders 9b1e…")]
    Retry {
        /// The root of the table (the job's sink.location), or `dynamodb:TABLE`
        #[arg(value_name = "ROOT")]
        root: String,
        /// The file: its id or its URI
        #[arg(value_name = "FILE_ID|URI")]
        file: String,
    },
    /// Show the history of a file
    #[command(after_help = "\
EXAMPLES
  etl-engine audit show lake/orders landing/orders-2024-05-01.csv
  etl-engine audit show lake/orders 9b1e… --json")]
    Show {
        /// The root of the table (the job's sink.location), or `dynamodb:TABLE`
        #[arg(value_name = "ROOT")]
        root: String,
        /// The file: its id or the URI it was read from
        #[arg(value_name = "FILE_ID|URI")]
        file: String,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
}

/// Look at the metrics of published runs.
#[derive(Debug, Subcommand)]
pub(crate) enum History {
    /// List the metrics of published runs, newest first
    #[command(after_help = "\
EXAMPLES
  etl-engine history list lake/orders
  etl-engine history list lake/orders --metric 'Dataset.*.RowCount'
  etl-engine history list s3://lake/orders --dataset orders --json | jq '.metrics[0]'

Rules look back at these: RowCount > avg(last(10)) * 0.6")]
    List {
        /// Which metrics
        #[command(flatten)]
        of: HistoryOf,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Print the metrics of published runs for another program, newest first
    #[command(after_help = "\
EXAMPLES
  etl-engine history export lake/orders > metrics.csv
  etl-engine history export lake/orders --format ndjson --metric Column.price.Mean | jq .value
  etl-engine history export lake/orders | duckdb -c \"FROM read_csv('/dev/stdin') SELECT metric, avg(value) GROUP BY ALL\"")]
    Export {
        /// Which metrics
        #[command(flatten)]
        of: HistoryOf,
        /// The format
        #[arg(long, value_enum, default_value_t = Export::Csv, value_name = "FORMAT")]
        format: Export,
        /// Print one JSON document: the same as `--format json`
        #[arg(long)]
        json: bool,
    },
}

/// Which metrics of a history.
#[derive(Debug, Args)]
pub(crate) struct HistoryOf {
    /// The root of the table: the job's sink.location
    #[arg(value_name = "ROOT")]
    pub(crate) root: String,
    /// Only those of this dataset: a job's name, or default_context for jobs without one
    #[arg(long, value_name = "NAME")]
    pub(crate) dataset: Option<String>,
    /// Only this metric, as in EvaluatedMetrics
    #[arg(long, value_name = "NAME")]
    pub(crate) metric: Option<String>,
}

/// How metrics are exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Export {
    /// CSV with a header
    Csv,
    /// One JSON object a line
    Ndjson,
    /// One JSON document
    Json,
}

/// Work with job files.
#[derive(Debug, Subcommand)]
pub(crate) enum JobCommand {
    /// Print the JSON Schema of the job file, for editors
    #[command(after_help = "\
EXAMPLES
  etl-engine job schema > etl-job.schema.json
  In a job file, for editors with the YAML language server, as the first line:
  # yaml-language-server: $schema=etl-job.schema.json")]
    Schema,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages() {
        assert_eq!(age("24h"), Ok(chrono::TimeDelta::hours(24)));
        assert_eq!(age("0s"), Ok(chrono::TimeDelta::zero()));
        for wrong in ["", "24", "h", "-1h", "1w", "99999999999999999999d", "9999999999999999d"] {
            assert!(age(wrong).is_err(), "{wrong}");
        }
    }
}

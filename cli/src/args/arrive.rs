//! Files that arrive: `pipeline` and `plan`.

use std::time::Duration;

use clap::Args;

/// Watch a folder.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  etl-engine pipeline orders.yaml --watch incoming/              Until Ctrl-C
  etl-engine pipeline orders.yaml --watch incoming/ --once       What is there now, then end
  etl-engine pipeline orders.yaml --watch s3://landing/orders/   A bucket, looked at every 2 seconds

The same steps as on AWS: register, validate in one pass, publish or move, audit, notify. States are kept beside the output
(etl-engine audit list ROOT), or in the job's DynamoDB table. Any number of processes may watch one folder. A file is taken
up once it no longer grows. Failures go to the job's `notify` (webhook, SNS) as well as to standard output.

EXIT CODES (with --once)
  0  all files are published      1  at least one was INVALID      3  at least one had an ERROR")]
pub(crate) struct Pipeline {
    /// The job file; it must have a sink
    #[arg(value_name = "JOB")]
    pub(crate) job: String,
    /// The folder or URL where files arrive; the job's source.location unless given
    #[arg(long, value_name = "PLACE")]
    pub(crate) watch: Option<String>,
    /// Where invalid files are moved to; `_failed` in the watched folder unless given
    #[arg(long, value_name = "PLACE")]
    pub(crate) failed: Option<String>,
    /// Work on what is there now, then end
    #[arg(long)]
    pub(crate) once: bool,
    /// How often to look, such as 500ms or 10s
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = time)]
    pub(crate) interval: Duration,
    /// How long a file stays with a process that died before another takes it
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = time)]
    pub(crate) lease: Duration,
    /// Print one JSON document a file
    #[arg(long)]
    pub(crate) json: bool,
}

/// Plan files.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  etl-engine plan s3://landing/orders/
  etl-engine plan big.csv --function-memory 10GiB
  etl-engine plan s3://landing/ --prices prices.json --json

Sizes are measured, times follow from the throughput given, prices from the file that is printed with its date. Glue's own
time is not known here: only its floor is, the least that a run of it costs.")]
pub(crate) struct Plan {
    /// Files, folders, globs or URLs
    #[arg(value_name = "INPUT", required = true)]
    pub(crate) inputs: Vec<String>,
    /// Prices of another region or date, in the shape of engine/src/plan/prices.json
    #[arg(long, value_name = "FILE")]
    pub(crate) prices: Option<String>,
    /// The memory of the function
    #[arg(long, value_name = "SIZE", default_value = "3008MiB", value_parser = super::size)]
    pub(crate) function_memory: u64,
    /// The disk of the function
    #[arg(long, value_name = "SIZE", default_value = "2GiB", value_parser = super::size)]
    pub(crate) function_disk: u64,
    /// Megabytes of text that one vCPU works through in a second
    #[arg(long, value_name = "MB", default_value_t = 60.0)]
    pub(crate) throughput: f64,
    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

/// Reads a time such as `500ms`, `10s` or `5m`.
fn time(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text.get(..digits).unwrap_or_default().parse().map_err(|_| "expected a time such as 2s")?;
    let milliseconds = match text.get(digits..).unwrap_or_default() {
        "ms" => number,
        "s" | "" => number.saturating_mul(1000),
        "m" => number.saturating_mul(60_000),
        _ => return Err("expected a time such as 500ms, 2s or 5m".to_owned()),
    };
    match milliseconds {
        10..=86_400_000 => Ok(Duration::from_millis(milliseconds)),
        _ => Err("expected a time from 10ms to a day".to_owned()),
    }
}

//! The command line: what may be said, and what `--help` teaches.

use clap::{Args, Parser, Subcommand, ValueEnum};

const AFTER_HELP: &str = "\
EXAMPLES
  etl-engine validate orders.csv                     Is the file sound? No job file is needed
  etl-engine validate orders.csv --rules orders.dqdl Does it hold what the business demands?
  etl-engine infer orders.csv > orders.schema.yaml   Write down what the columns are
  etl-engine run orders.job.yaml                     Publish the good rows, set the bad ones aside

EXIT CODES
  0  VALID      1  INVALID: the data is bad      2  wrong usage, job, schema or rules      3  ERROR: could not tell";

/// Validates CSV, NDJSON and Parquet by a schema and DQDL rules; publishes the good rows as partitioned Parquet
#[derive(Debug, Parser)]
#[command(name = "etl-engine", version = env!("ETL_VERSION"), after_help = AFTER_HELP, subcommand_required = true)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) struct Cli {
    /// What to do
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Options of every command
    #[command(flatten)]
    pub(crate) global: Global,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// Log to standard error (-vv: more); RUST_LOG is honoured
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// When to use colours; NO_COLOR is honoured
    #[arg(long, global = true, value_enum, default_value_t = ColorWhen::Auto, value_name = "WHEN")]
    pub(crate) color: ColorWhen,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorWhen {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Judge files; nothing is written
    Validate(Validate),
    /// Run a job: judge its inputs and publish the accepted rows
    Run(Run),
    /// Write the accepted rows of an input to one file of another format
    Convert(Convert),
    /// Print the schema that an input seems to have
    Infer(Infer),
    /// Work with DQDL rulesets
    #[command(subcommand)]
    Rules(Rules),
    /// Say what a DQDL rule type means; without a name, list them all
    Explain(Explain),
    /// Look at what was published, and clean up
    #[command(subcommand)]
    Commits(Commits),
    /// Look at the states of files
    #[command(subcommand)]
    Audit(Audit),
    /// Look at the metrics of published runs
    #[command(subcommand)]
    History(History),
    /// Work with job files
    #[command(subcommand)]
    Job(JobCommand),
}

impl Command {
    /// Whether one JSON document is wanted on standard output.
    pub(crate) fn json(&self) -> bool {
        match self {
            Self::Validate(args) => args.json.is_some(),
            Self::Run(args) => args.json.is_some(),
            Self::Convert(args) => args.json,
            Self::Infer(args) => args.json,
            Self::Rules(Rules::Parse(args)) => args.json,
            Self::Rules(Rules::Suggest(args)) => args.json,
            Self::Explain(args) => args.json,
            Self::Commits(Commits::List { json, .. } | Commits::Show { json, .. } | Commits::Gc { json, .. }) => *json,
            Self::Audit(Audit::List { json, .. } | Audit::Show { json, .. }) => *json,
            Self::History(History::List { json, .. } | History::Export { json, .. }) => *json,
            Self::Job(JobCommand::Schema) => false,
        }
    }
}

/// How the input is laid out.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Reading {
    /// The format; detected unless given
    #[arg(long, value_name = "FORMAT", value_parser = ["auto", "csv", "ndjson", "parquet"], help_heading = "Reading")]
    pub(crate) format: Option<String>,
    /// The delimiter of CSV: one character, `\t` or `auto`; detected unless given
    #[arg(long, value_name = "CHAR", allow_hyphen_values = true, help_heading = "Reading")]
    pub(crate) delimiter: Option<String>,
    /// The encoding of the text, such as utf-8, windows-1252 or utf-16le; detected unless given
    #[arg(long, value_name = "LABEL", help_heading = "Reading")]
    pub(crate) encoding: Option<String>,
}

/// What a run may use.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Limits {
    /// Worker threads; all cores unless given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024), help_heading = "Limits")]
    pub(crate) threads: Option<u32>,
    /// Memory the run may hold, such as 512MiB (the default)
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = "Limits")]
    pub(crate) memory: Option<u64>,
}

fn size(text: &str) -> Result<u64, String> {
    etl_engine::job::parse_size(text)
}

fn rejected(text: &str) -> Result<String, String> {
    let number = text.strip_suffix('%').unwrap_or(text);
    match number.trim().parse::<f64>() {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("expected a number of rows such as 100, or a share such as 1%".to_owned()),
    }
}

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
  etl-engine infer s3://landing/orders/ --json | jq -r '.columns[].name'")]
pub(crate) struct Infer {
    /// Files, directories, globs, URLs, or `-` for standard input
    #[arg(value_name = "IN", required = true)]
    pub(crate) inputs: Vec<String>,
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

/// Work with DQDL rulesets.
#[derive(Debug, Subcommand)]
pub(crate) enum Rules {
    /// Check a ruleset and print its rules in canonical form
    Parse(RulesParse),
    /// Print rules that files suggest, each with its evidence
    Suggest(RulesSuggest),
}

/// Arguments of `rules suggest`.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  etl-engine rules suggest orders.csv
  etl-engine rules suggest orders.csv -o orders.dqdl      then: validate orders.csv --rules orders.dqdl
  etl-engine rules suggest 'landing/2024-*/*.csv' --schema orders.schema.yaml --holdout 30%
  etl-engine rules suggest orders.parquet --json | jq -r '.rules[] | .rule + \"  # \" + .evidence'

Rules are drawn from a part of the rows, must hold on the rows held out, and are judged on the whole input at last.")]
pub(crate) struct RulesSuggest {
    /// Files, directories, globs or URLs
    #[arg(value_name = "FILE", required = true)]
    pub(crate) inputs: Vec<String>,
    /// The columns: a YAML file with `columns:`, as `infer` prints it
    #[arg(long, value_name = "FILE")]
    pub(crate) schema: Option<String>,
    /// Write the ruleset to this file instead of printing it
    #[arg(long, short, value_name = "OUT")]
    pub(crate) output: Option<String>,
    /// The share of the rows that candidates are checked on rather than drawn from, up to 50%
    #[arg(long, value_name = "SHARE", default_value = "20%", value_parser = holdout)]
    pub(crate) holdout: f64,
    /// Print ruleset, rules and evidence as one JSON document
    #[arg(long)]
    pub(crate) json: bool,
    /// How the input is read
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// What the run may use
    #[command(flatten)]
    pub(crate) limits: Limits,
}

/// Reads a share such as `20%` or `0.2`.
fn holdout(text: &str) -> Result<f64, String> {
    let share = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().map(|percent| percent / 100.0),
        None => text.trim().parse(),
    };
    let share = share.ok().filter(|share| (0.0..=0.5).contains(share));
    share.ok_or_else(|| "expected a share from 0% to 50%, such as 20% or 0.2".to_owned())
}

/// Arguments of `rules parse`.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  etl-engine rules parse orders.dqdl
  etl-engine rules parse orders.dqdl --json | jq -r '.rules[]'
  echo 'Rules = [ RowCount > 0 ]' | etl-engine rules parse -")]
pub(crate) struct RulesParse {
    /// A DQDL file, or `-` for standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: String,
    /// Print rules, tree and diagnostics as one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  etl-engine explain                     All rule types
  etl-engine explain ColumnValues        What it takes, what NULL does, where it differs from AWS Glue
  etl-engine explain iscomplete --json | jq -r .example")]
pub(crate) struct Explain {
    /// A rule type, in any case; all of them unless given
    #[arg(value_name = "RULE")]
    pub(crate) rule: Option<String>,
    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

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
const STATES: [&str; 5] = ["NEW", "VALID", "INVALID", "INGESTED", "ERROR"];

/// Look at the states of files.
#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// List the files that were seen, with their states
    #[command(after_help = "\
EXAMPLES
  etl-engine audit list lake/orders
  etl-engine audit list lake/orders --state INVALID
  etl-engine audit list s3://lake/orders --json | jq -r '.files[].uri'")]
    List {
        /// The root of the table: the job's sink.location
        #[arg(value_name = "ROOT")]
        root: String,
        /// Only files in this state
        #[arg(long, value_name = "STATE", ignore_case = true, value_parser = STATES)]
        state: Option<String>,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Show the history of a file
    #[command(after_help = "\
EXAMPLES
  etl-engine audit show lake/orders landing/orders-2024-05-01.csv
  etl-engine audit show lake/orders 9b1e… --json")]
    Show {
        /// The root of the table: the job's sink.location
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
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn shares_held_out() {
        assert_eq!(
            [holdout("20%"), holdout("0.2"), holdout("0"), holdout("50%")],
            [Ok(0.2), Ok(0.2), Ok(0.0), Ok(0.5)]
        );
        for wrong in ["", "%", "20", "-1%", "51%", "nan", "x"] {
            assert!(holdout(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn ages() {
        assert_eq!(age("24h"), Ok(chrono::TimeDelta::hours(24)));
        assert_eq!(age("0s"), Ok(chrono::TimeDelta::zero()));
        for wrong in ["", "24", "h", "-1h", "1w", "99999999999999999999d", "9999999999999999d"] {
            assert!(age(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_command_teaches_by_examples() {
        fn check(command: &clap::Command) {
            let leaf = command.get_subcommands().next().is_none();
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(!leaf || help.contains("EXAMPLES"), "{} has no examples", command.get_name());
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }
}

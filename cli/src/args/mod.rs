//! The command line: what may be said, and what `--help` teaches.

mod arrive;
mod judge;
mod migrate;
mod records;
mod rules;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use arrive::{Pipeline, Plan};
pub(crate) use judge::{Convert, Infer, JsonShape, Ruling, Run, Validate};
pub(crate) use migrate::Migrate;
pub(crate) use records::{Audit, Commits, Compact, Export, History, HistoryOf, JobCommand};
pub(crate) use rules::{Explain, Rules, RulesParse, RulesSuggest};

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
    /// Watch a folder: judge each file that arrives, publish the good ones, move the bad ones, tell of failures
    Pipeline(Pipeline),
    /// Say what judging files on AWS will take and cost, before it is done
    Plan(Plan),
    /// Look at what was published, and clean up
    #[command(subcommand)]
    Commits(Commits),
    /// Put the small files of a published table together
    Compact(Compact),
    /// Look at the states of files
    #[command(subcommand)]
    Audit(Audit),
    /// Look at the metrics of published runs
    #[command(subcommand)]
    History(History),
    /// Work with job files
    #[command(subcommand)]
    Job(JobCommand),
    /// Make a job file of a DataBrew recipe, a Glue Studio job or a Glue table
    Migrate(Migrate),
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
            // Its lines are documents of their own.
            Self::Pipeline(_) => false,
            Self::Plan(args) => args.json,
            Self::Commits(Commits::List { json, .. } | Commits::Show { json, .. } | Commits::Gc { json, .. }) => *json,
            Self::Compact(args) => args.json,
            Self::Audit(Audit::List { json, .. } | Audit::Show { json, .. }) => *json,
            Self::Audit(Audit::Retry { .. }) => false,
            Self::History(History::List { json, .. } | History::Export { json, .. }) => *json,
            Self::Job(JobCommand::Schema) => false,
            Self::Migrate(args) => args.json,
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
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

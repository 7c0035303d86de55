//! Moving here: `migrate`.

use clap::Args;

/// Arguments of `migrate`.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  etl-engine migrate recipe.json                 The job file, and on standard error what became of each part
  etl-engine migrate recipe.json -o job.yaml     then: validate FILE --job job.yaml
  aws glue get-job --job-name orders | etl-engine migrate - -o orders.job.yaml
  aws databrew describe-recipe --name customers | etl-engine migrate -
  etl-engine migrate table.json --json | jq -r '.notes[] | select(.severity != \"carried\") | .what'

What cannot be carried over stands as a comment in its place; docs/migrate.md says what stands for what.")]
pub(crate) struct Migrate {
    /// A DataBrew recipe, a visual job of Glue Studio or a Glue table, as the AWS CLI prints it; `-` for standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: String,
    /// Write the job file there instead of printing it
    #[arg(long, short, alias = "output", value_name = "OUT")]
    pub(crate) out: Option<String>,
    /// Write over a file that is there
    #[arg(long, requires = "out")]
    pub(crate) force: bool,
    /// Print job and notes as one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}
